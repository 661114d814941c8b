"""What a playbook may read of a lead, and what its customer is known by."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.sales.facts import (
    MAX_SHOWN_PROBLEMS,
    all_problems,
    customer_draft,
    fact_name,
    full_name,
    lead_facts,
    scoped,
)
from fairlead.sales.intake import LeadDraft
from fairlead.sales.intake.model import Problem

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)


def draft(**changes: Any) -> LeadDraft:
    """A lead of which only these parts are known."""
    parts: dict[str, Any] = {
        "number": 3, "fields": {}, "attributes": {}, "value_minor": None, "currency": "EUR", "outcome": None,
        "identities": (), "fingerprint": "f" * 40, "problems": (),
    }  # fmt: skip
    return LeadDraft(**{**parts, **changes})


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"name": "Ada Keller", "first_name": "X"}, "Ada Keller"),
        ({"first_name": "Ada", "last_name": "Keller"}, "Ada Keller"),
        ({"last_name": "Keller"}, "Keller"),
        ({"name": "", "first_name": "Ada"}, "Ada"),
        ({}, ""),
    ],
)
def test_a_name_from_what_is_there(fields: dict[str, Any], name: str) -> None:
    """The whole name wins; else its parts, without blanks where one is missing."""
    assert full_name(fields) == name
    assert lead_facts(draft(fields=fields), "EUR")["name"] == name


def test_how_to_reach_a_lead() -> None:
    """E-mail before telephone; without either the fact is missing, not empty, so that a rule cannot pass on it."""
    both = {"email": "a@b.example", "phone": "+4930901820"}
    assert lead_facts(draft(fields=both), "EUR")["reachable_at"] == "a@b.example"
    assert lead_facts(draft(fields={"phone": "+4930901820"}), "EUR")["reachable_at"] == "+4930901820"
    assert "reachable_at" not in lead_facts(draft(), "EUR")


@pytest.mark.parametrize(
    ("currency", "minor", "whole"), [("EUR", 1_250, 12.5), ("JPY", 12_000, 12_000.0), ("KWD", 1, 0.001)]
)
def test_value_is_in_whole_units(currency: str, minor: int, whole: float) -> None:
    """By the currency's own decimals, where it is the workspace's."""
    facts = lead_facts(draft(value_minor=minor, currency=currency), currency)
    assert facts["value"] == whole
    assert "foreign_value" not in facts
    assert customer_draft(draft(value_minor=minor, currency=currency), "x", currency).value_minor == minor


def test_money_of_another_currency_is_no_value() -> None:
    """It is told, asks for information, and reaches neither the rules nor the customer's record."""
    foreign = draft(value_minor=200_000_000, currency="USD")
    facts = lead_facts(foreign, "EUR")
    assert "value" not in facts
    assert facts["foreign_value"] == "2000000.00 USD"
    [problem] = all_problems(foreign, "EUR")
    assert (problem.code, problem.needs_information, problem.row) == ("no_rate", True, 3)
    assert customer_draft(foreign, "x", "EUR").value_minor is None


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(TEXT, TEXT | st.integers(), max_size=12))
def test_no_column_poses_as_a_fact_of_ours(attributes: dict[str, Any]) -> None:
    """Whatever a file calls its columns, each keeps its value under a name of its own, none of them trusted."""
    spiteful = {**attributes, "value": "9", "Reachable At": "x", "name": "Mallory", "problems": "none", "VALUE ": 1}
    facts = lead_facts(draft(attributes=spiteful), "EUR")
    assert facts["name"] == ""
    assert not {"value", "reachable_at", "problems", "foreign_value"} & set(facts)
    assert len(facts) == len(spiteful) + 1
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in facts)


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_a_fact_name_can_be_written_in_a_rule(column: str) -> None:
    """Small letters, digits and _, bounded, and the same for the same column."""
    name = fact_name(column)
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
    assert len(name) <= 62
    assert fact_name(name) == name


def test_problems_are_shown_up_to_a_bound() -> None:
    """With row and field; a row with hundreds of them fills no case."""
    many = tuple(Problem(f"f{n}", "bad", "is wrong.", needs_information=True, row=3) for n in range(300))
    shown = lead_facts(draft(problems=many), "EUR")["problems"]
    assert len(shown) == MAX_SHOWN_PROBLEMS
    assert shown[0] == "row 3, f0: is wrong."
    assert "problems" not in lead_facts(draft(), "EUR")


def test_an_id_is_one_of_its_system() -> None:
    """The row's source names it, else the file without digits: next month's list finds the same customer."""
    numbered = draft(identities=(("email", "a@b.example"), ("external_id", "17")))
    march, april = (dict(scoped(numbered, name).identities) for name in ("CRM-2026-03.csv", "crm-2026-04.csv"))
    assert march == april == {"email": "a@b.example", "external_id": "crm:17"}
    assert dict(scoped(numbered, "erp.csv").identities)["external_id"] == "erp:17"
    named = draft(fields={"source": "Fair"}, identities=(("external_id", "17"),))
    assert dict(scoped(named, "crm.csv").identities)["external_id"] == "fair:17"
    assert scoped(draft(), "crm.csv") == draft()


def test_endless_ids_stay_apart_in_bounds() -> None:
    """Two ids that differ only behind the bound do not become one customer."""
    ids = [dict(scoped(draft(identities=(("external_id", "x" * 5_000 + end),)), "c.csv").identities) for end in "ab"]
    assert ids[0] != ids[1]
    assert all(len(one["external_id"]) < 300 for one in ids)


def test_a_customer_is_bounded_too() -> None:
    """Names of a megabyte are cut, absent parts are None, and the import is named as the source."""
    made = customer_draft(draft(fields={"name": "n" * 10**6, "company": "c" * 10**6}), "import imp_1", "EUR")
    assert (len(made.name), len(made.company)) == (500, 500)
    assert (made.country, made.language, made.source) == (None, None, "import imp_1")
