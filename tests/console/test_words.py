"""Figures, spans, facts and record entries in the words of the desk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.api import SENTENCES
from fairlead.console.words import (
    FILTERS,
    LOGGED,
    MAX_SHOWN,
    PATHS,
    VIEWS,
    actor_namer,
    age,
    due,
    is_late,
    moment,
    money,
    plain,
    shown,
    span,
    stamp,
    told,
)
from fairlead.kit.clock import to_micros
from fairlead.reviews import View

if TYPE_CHECKING:
    from tests.console.world import Site

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def clock_of(**parts: Any) -> SimpleNamespace:
    """The parts of a review that its clock is told by."""
    return SimpleNamespace(**{"paused_at": None, "snoozed_until": None, "due_at": None, **parts})


@pytest.mark.parametrize(
    ("minor", "currency", "words"),
    [
        (4_800_000, "EUR", "€48,000"),
        (1_250, "EUR", "€12.50"),
        (1, "GBP", "£0.01"),
        (0, "USD", "$0"),
        (-150_000, "USD", "-$1,500"),
        (99_900, "CHF", "999 CHF"),
        (-5, "SEK", "-0.05 SEK"),
        (12_000, "JPY", "12,000 JPY"),
        (12_345, "KWD", "12.345 KWD"),
        (2**53, "EUR", "€90,071,992,547,409.92"),
        (1_000, "", "10"),
        (None, "EUR", "–"),
    ],
)
def test_money(minor: int | None, currency: str, words: str) -> None:
    """Sign, thousands and as many decimals as the currency has; yen have none and dinars three."""
    assert money(minor, currency) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "less than a minute"),
        (59.9, "less than a minute"),
        (60, "1 minute"),
        (119, "1 minute"),
        (3_599, "59 minutes"),
        (3_600, "1 hour"),
        (86_399, "23 hours"),
        (86_400, "1 day"),
        (10 * 86_400 - 1, "9 days"),
    ],
)
def test_spans_are_rounded_down(seconds: float, words: str) -> None:
    """Nothing is said to be longer than it is, and one is no plural."""
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=-59), "just now"),
        (timedelta(minutes=-1), "1 minute ago"),
        (timedelta(days=-3, hours=-2), "3 days ago"),
        (timedelta(seconds=0.5), "just now"),
        (timedelta(hours=2), "in 2 hours"),
    ],
)
def test_age(ahead: timedelta, words: str) -> None:
    """The past is `ago`, the future `in`; a moment that is not there is a dash."""
    assert age(NOW + ahead, NOW) == words
    assert age(None, NOW) == "–"


def test_due_says_why_there_is_no_clock() -> None:
    """A pause comes before a snooze, that before the deadline."""
    soon, ago = NOW + timedelta(hours=2), NOW - timedelta(days=1)
    assert due(clock_of(), NOW) == "no clock"
    assert due(clock_of(due_at=soon), NOW) == "due in 2 hours"
    assert due(clock_of(due_at=ago), NOW) == "overdue by 1 day"
    assert due(clock_of(due_at=ago, snoozed_until=soon), NOW) == "back in 2 hours"
    assert due(clock_of(due_at=ago, snoozed_until=soon, paused_at=ago), NOW) == "clock stands still"


def test_late_begins_with_the_deadline_itself() -> None:
    """At the very moment it is late, and `due` says the same; without a clock it never is."""
    assert is_late(clock_of(due_at=NOW), NOW)
    assert due(clock_of(due_at=NOW), NOW).startswith("overdue")
    assert not is_late(clock_of(due_at=NOW + timedelta(microseconds=1)), NOW)
    assert not is_late(clock_of(), NOW)


def test_moments_are_told_in_utc() -> None:
    """A datetime of any zone and stored microseconds give the same words and the same stamp."""
    abroad = NOW.astimezone(timezone(timedelta(hours=-11)))
    assert moment(NOW) == moment(abroad) == moment(to_micros(NOW)) == "2 Nov 2026, 09:00 UTC"
    assert stamp(to_micros(NOW)) == stamp(NOW)
    assert datetime.fromisoformat(stamp(NOW)) == NOW
    assert moment(None) == "–"
    assert moment(0) == "1 Jan 1970, 00:00 UTC"


@pytest.mark.parametrize(
    ("name", "words"),
    [("lead-assignment", "Lead assignment"), ("job_title", "Job title"), ("", ""), ("-", ""), ("URL", "URL")],
)
def test_names_as_words(name: str, words: str) -> None:
    """Marks become blanks, only the first letter is raised, and nothing breaks on nothing."""
    assert plain(name) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"),
        ("", "–"),
        ([], "–"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (1234567, "1,234,567"),
        (50_000.0, "50,000"),
        (0.25, "0.25"),
        (["a", 1, 2.5], "a, 1, 2.5"),
        ([{"words": "fifty people", "add": 20.0}, {"words": "no mail", "add": -5}], "fifty people (+20); no mail (-5)"),
        ([{"words": "plain"}], "plain"),
        ("two\n  lines\tand tabs", "two lines and tabs"),
        ({"a": [1]}, "a: 1"),
        ({"team": "dach", "asked_of": {"country": "DE"}}, "team: dach; asked of: country: DE"),
        ({"a": {"b": [1]}}, '{"a":{"b":[1]}}'),
        ({}, "{}"),
        ([{"words": 1}, {"words": "odd", "add": "x"}], "1; odd"),
    ],
)
def test_shown(value: Any, words: str) -> None:
    """What a fact looks like: words for yes and no, thousands, reasons with their points, one line."""
    assert shown(value) == words


@settings(max_examples=50, deadline=None)
@given(JSON)
def test_anything_is_shown_on_one_bounded_line(value: Any) -> None:
    """Whatever JSON a fact holds, it becomes one line of at most 300 characters, never nothing."""
    text = shown(value)
    assert "\n" not in text
    assert len(text) <= MAX_SHOWN or isinstance(value, int | float)
    assert text or isinstance(value, str | list)


def test_a_long_fact_is_cut_with_a_mark() -> None:
    """Exactly the bound is kept whole; one more ends in an ellipsis."""
    assert shown("x" * MAX_SHOWN) == "x" * MAX_SHOWN
    assert shown("x" * (MAX_SHOWN + 1)) == "x" * (MAX_SHOWN - 1) + "…"


def test_entries_are_told_in_the_words_of_the_desk() -> None:
    """A ruling's path is said in words; the API's sentence would say `human`."""
    words = told("ruling.made", {"checkpoint": "offer", "path": "human"})
    assert words == "Offer ruled: a person, without the proposal."
    assert told("review.decided", {"verdict": "edit"}) == "Decided: changed the answer."
    assert told("case.waiting", {"stage": "nurture", "for": "replied"}) == "Waits for: replied."
    assert told("case.moved", {"from": "ask", "to": None}) == "Went from ask to –."
    assert told("case.moved", {}) == "Went from – to –."
    assert told("weather.changed", {"to": "rain"}) == "Weather changed."
    assert told("case.opened", None) == "Case opened (erased)."


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(SENTENCES)), st.dictionaries(st.sampled_from(["from", "to", "words", "votes"]), JSON))
def test_no_payload_breaks_a_sentence(verb: str, payload: dict[str, Any]) -> None:
    """Missing and odd parts become text; braces in a value are text and no template."""
    text = told(verb, {**payload, "words": "{secret.__class__} {0} {}"})
    assert "\n" not in text
    if "{words}" in SENTENCES[verb]:
        assert "{secret.__class__} {0} {}" in text


def test_every_word_has_a_plain_form() -> None:
    """Each view of the queue has a name; an unknown path, view or verdict is shown as it is."""
    assert set(VIEWS) == {str(view) for view in View}
    assert FILTERS["path_words"]("auto") == PATHS["auto"]
    for name in ("path_words", "view_words", "logged"):
        assert FILTERS[name]("brand-new") == "brand-new"
    assert FILTERS["logged"]("edit") == LOGGED["edit"]


def test_actors_by_name(sqlite_site: Site) -> None:
    """People by their name, machines by what they are, and somebody who is gone is not an error."""
    ida = sqlite_site.desk.people["admin"]
    with sqlite_site.database.reading() as reader:
        name = actor_namer(reader)
        assert name(f"user:{ida.id}") == "Ida Brandt"
        assert name("user:per_gone") == "somebody"
        assert name("timer:due") == "the clock"
        assert name("system:cli:root") == "root at the command line"
        assert name("api_key:key_1") == "a program"
        assert name("customer:cus_1") == "the customer"
        assert name("machine:lead-rules@1") == "lead-rules@1"
        assert name("odd") == "odd"
    assert name(f"user:{ida.id}") == "Ida Brandt", "looked up once, so it answers without its reader too"
