"""Entries of the audit record as the API shows them: a sentence each, bounded, erased or withheld."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.api.telling import MAX_SHOWN, SENTENCES, happened, told
from fairlead.audit import EntryRow
from fairlead.kit.clock import to_micros

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
VALUES = st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")) | st.lists(st.integers())
NAMES = st.sampled_from(["from", "to", "words", "why", "type", "children", "end", "code"])


def row(body: str | None, verb: str = "case.moved") -> EntryRow:
    """One stored entry."""
    return EntryRow(7, to_micros(AT), verb, "user:per_1", "case_1", "", b"\0" * 32, body)


def test_sentences_fill_in_what_changed() -> None:
    """Each placeholder shows the payload's part, and a dash where the payload has none."""
    assert told("case.moved", {"from": "ask", "to": "send"}) == "Went from ask to send."
    assert told("case.moved", {"to": "send"}) == "Went from – to send."
    assert told("case.spawned", {"children": 3}) == "Started 3 further cases."


def test_what_is_unknown_or_erased_says_its_kind() -> None:
    """An unknown verb becomes words; an erased payload is said to be erased, for known verbs too."""
    assert told("customer.flag_set", {"flag": "vip"}) == "Customer flag set."
    assert told("customer.flag_set", None) == "Customer flag set (erased)."
    assert told("case.moved", None) == "Case moved (erased)."


@pytest.mark.parametrize("verb", sorted(SENTENCES))
def test_every_sentence_ends_and_names_plain_parts(verb: str) -> None:
    """No sentence reaches into a value (`{a.b}`, `{a[0]}`), so that no payload can make it show more."""
    parts = re.findall(r"\{([^}]*)\}", SENTENCES[verb])
    assert all(re.fullmatch(r"[a-z_]+", part) for part in parts)
    text = told(verb, dict.fromkeys(parts, "xyz."))
    assert text.endswith(".")
    assert text.count("xyz") == len(parts)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(SENTENCES)), st.dictionaries(NAMES, VALUES))
def test_no_payload_breaks_a_sentence(verb: str, payload: dict[str, Any]) -> None:
    """Whatever was recorded, one line comes out, and every part of it is bounded."""
    text = told(verb, payload)
    assert "\n" not in text
    assert len(text) <= len(SENTENCES[verb]) + MAX_SHOWN * SENTENCES[verb].count("{")


def test_a_long_part_is_cut() -> None:
    """A megabyte of words is shown as 300 characters, the last of them an ellipsis."""
    text = told("review.withdrawn", {"why": "x" * 1_000_000})
    assert text == "Withdrawn: " + "x" * (MAX_SHOWN - 1) + "…"


def test_templates_in_a_payload_stay_text() -> None:
    """Words that look like a placeholder are shown as they are."""
    assert told("review.withdrawn", {"why": "{why} {0.__class__}"}) == "Withdrawn: {why} {0.__class__}"


def test_an_entry_keeps_its_facts() -> None:
    """Who, what, when and the payload, beside the sentence."""
    shown = happened(row('{"from":"ask","to":"send"}'))
    assert (shown.id, shown.at, shown.verb, shown.subject, shown.actor) == (7, AT, "case.moved", "case_1", "user:per_1")
    assert shown.payload == {"from": "ask", "to": "send"}
    assert shown.words == "Went from ask to send."


def test_a_withheld_payload_is_left_out() -> None:
    """The reader learns that it happened, not what it held."""
    assert happened(row('{"answer":{"team":"dach"}}', "review.decided"), withheld=True).payload is None


@pytest.mark.parametrize("body", [None, "{", "", '{"a":NaN}', "\\ud800"])
def test_a_payload_that_cannot_be_read_counts_as_erased(body: str | None) -> None:
    """A row that somebody edited by hand breaks no page; verification is where it is told."""
    shown = happened(row(body))
    assert shown.payload is None
    assert shown.words == "Case moved (erased)."


@pytest.mark.parametrize("body", ["[1]", "null", '"text"', "3"])
def test_a_payload_that_is_no_object_is_shown_as_a_value(body: str) -> None:
    """The shape of the answer stays the same."""
    assert set(happened(row(body)).payload or {}) == {"value"}
