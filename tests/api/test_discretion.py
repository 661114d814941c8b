"""Delicate facts are read by policies and seen by few: in records of rulings, in reviews, cases and decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fairlead import customers
from fairlead.api.case_story import case_story
from fairlead.api.discretion import PROTECTED, discreet_pairs, discreet_payload, discreet_record
from fairlead.checkpoints import explain, recall, rulings_of_case
from fairlead.kit.actors import Actor, ActorKind
from tests.api.world import ok
from tests.sales.world import World as Sales

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fairlead.testing.clock import FakeClock
    from tests.api.world import World

RECORD: dict[str, Any] = {
    "values": {"vulnerable": True, "flags": ["vip", "vulnerable"], "value": 5, "country": "DE"},
    "needs_information": [{"fact": "bereaved", "why": "missing"}, {"fact": "value", "why": "missing"}],
    "steps": [
        {"number": 3, "reasons": [
            {"code": "rule", "path": "human", "rule": "care", "words": "Vulnerable customers", "reads": ["vulnerable"]},
            {"code": "rule", "path": "human", "rule": "flags", "words": "Has flags", "reads": ["flags", "value"]},
            {"code": "rule", "path": "assist", "rule": "big", "words": "Over 1,000", "reads": ["value"]},
        ]},
    ],
}  # fmt: skip


def test_a_record_without_delicate_facts() -> None:
    """Values are gone, a rule that read one says only that it applied, other rules stay word for word."""
    shown = discreet_record(RECORD)
    assert shown["values"] == {"flags": ["vip"], "value": 5, "country": "DE"}
    assert [one["fact"] for one in shown["needs_information"]] == ["value"]
    care, flags, big = shown["steps"][0]["reasons"]
    assert care == flags == {"code": "rule", "path": "human", "words": PROTECTED}
    assert big == RECORD["steps"][0]["reasons"][2]
    assert "ulnerable" not in str(shown)
    assert "vulnerable" in RECORD["values"], "the stored record is not touched"


def test_pairs_without_delicate_facts() -> None:
    """By name, and inside of lists and mappings."""
    pairs = [("is_vulnerable", True), ("flags_stated", "vip, bereaved"), ("flags", {"vip": 1, "bereaved": 2}), ("a", 1)]
    assert discreet_pairs(pairs) == [("flags_stated", "vip"), ("flags", {"vip": 1}), ("a", 1)]


def test_a_review_does_not_give_it_away(world: World) -> None:
    """Who may not see the flag finds nothing of it in the review and the case; a manager does see the customer's."""
    case = world.desk.cases[0]
    row = ok(world.person("admin").get(f"/v1/cases/{case}"))
    person = Actor(ActorKind.USER, "per_carer")
    with world.database.transaction() as uow:
        customers.set_flag(uow, person, row["customer"], "vulnerable", value=True, source="letter", owner="care")
    reviewer = world.person("reviewer")
    for one in row["reviews"]:
        assert "ulnerable" not in reviewer.get(f"/v1/reviews/{one['id']}").text
    assert "ulnerable" not in reviewer.get(f"/v1/cases/{case}").text
    assert "vulnerable" in ok(world.person("manager").get(f"/v1/customers/{row['customer']}"))["flags"]


@pytest.fixture
def renamed(sqlite_url: str, clock: FakeClock, tmp_path: Path) -> Iterator[tuple[Sales, str]]:
    """A case of a vulnerable customer, under a policy that reads the flag as `needs_care`."""
    world = Sales(sqlite_url, tmp_path, clock)
    facts = "facts:\n  needs_care: {type: bool, from: customer.vulnerable, default: false}\n"
    rule = "rules:\n  - {id: care, when: needs_care, path: human, words: Handle with care}\n"
    world.deploy(policy=lambda text: text.replace("facts:\n", facts, 1).replace("rules:\n", rule, 1))
    first = world.run("name,email\nAnn Bell,ann@firm.example\n", name="a.csv")
    customer = world.leads(first.id)[0].customer_id
    person = Actor(ActorKind.USER, "per_carer")
    with world.database.transaction() as uow:
        customers.set_flag(uow, person, customer, "vulnerable", value=True, source="letter", owner="care")
    second = world.run("name,email,vulnerable\nAnn Bell,ann@firm.example,yes\n", name="b.csv")
    yield world, world.leads(second.id)[0].case_id
    world.close()


def test_a_flag_under_another_name_is_as_discreet(renamed: tuple[Sales, str]) -> None:
    """The record keeps which facts read it, so that value, sentence and rule are kept back whatever the name is."""
    world, case = renamed
    with world.database.reading() as reader:
        (ruling,) = rulings_of_case(reader, case)
    assert ruling.record["values"]["needs_care"] is True
    assert ruling.record["delicate"] == ["needs_care"]
    shown = discreet_record(ruling.record)
    assert "needs_care" not in shown["values"]
    assert "Handle with care" not in str(shown)
    assert PROTECTED[:-1] in explain(recall(shown))
    assert "needs_care" in explain(recall(ruling.record))


def test_the_story_of_a_case_is_discreet_as_nobody_knows_who_reads_it(renamed: tuple[Sales, str]) -> None:
    """As `fairlead explain` prints it: neither the fact that came with the lead, nor the rule that read the flag."""
    world, case = renamed
    with world.database.reading() as reader:
        story = case_story(reader, world.library, case, world.database.clock.now())
    told = story.model_dump_json()
    assert "ann@firm.example" in told
    for word in ("ulnerable", "needs_care", "Handle with care"):
        assert word not in told


def test_payloads_at_any_depth() -> None:
    """An entry of the record holds the facts that a case was opened with."""
    payload = {
        "facts": {"vulnerable": "yes", "name": "Ann", "flags": ["vip", "bereaved"]},
        "more": [{"is_bereaved": 1}],
    }
    assert discreet_payload(payload) == {"facts": {"name": "Ann", "flags": ["vip"]}, "more": [{}]}
