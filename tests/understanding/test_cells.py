"""Single values: numbers, moments and texts however they are written."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from fairlead.understanding.cells import Order, as_moment, as_number, is_missing, level_key, order_of
from fairlead.understanding.people_columns import holds_people, named_as_owner


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12.0), ("-3.5", -3.5), ("1,234.5", 1234.5), ("1.234,5", 1234.5), ("12'000", 12000.0), ("3,5", 3.5),
        ("1e3", 1000.0), ("12 000", 12000.0), ("twelve", None), ("", None), ("1e999", None), ("1-2", None),
    ],
)  # fmt: skip
def test_numbers_are_read_however_they_are_written(text: str, number: float | None) -> None:
    """Both decimal marks, groups and exponents; what is no finite number is none."""
    assert as_number(text) == number


@pytest.mark.parametrize("value", [None, "", " ", "n/a", "NULL", "nan", "-", math.nan, math.inf, -math.inf, []])
def test_what_says_nothing_is_missing(value: Any) -> None:
    """The usual words for nothing, and numbers that are none."""
    assert is_missing(value)


@pytest.mark.parametrize("value", [0, 0.0, False, "no", "unknown", "0"])
def test_what_says_something_is_not_missing(value: Any) -> None:
    """Zero, no and unknown are answers."""
    assert not is_missing(value)


@pytest.mark.parametrize(
    "text",
    ["2024-05-03", "2024/05/03", "03.05.2024", "3 May 2024", "May 3, 2024", "2024-05-03T00:00:00Z", "3. mai 2024"],
)  # fmt: skip
def test_dates_in_many_styles_are_one_day(text: str) -> None:
    """ISO, day first with dots, and named months."""
    assert as_moment(text) == datetime(2024, 5, 3, tzinfo=UTC)


def test_a_column_shows_which_comes_first() -> None:
    """One cell that can be read one way only decides for all of them."""
    assert order_of(["03/04/2024", "04/25/2024"]) is Order.MONTH_FIRST
    assert order_of(["03/04/2024", "25/04/2024"]) is Order.DAY_FIRST
    assert as_moment("03/04/2024", Order.MONTH_FIRST) == datetime(2024, 3, 4, tzinfo=UTC)
    assert as_moment("31/02/2024") is None


@given(st.one_of(st.text(max_size=60), st.floats(), st.integers(), st.none(), st.booleans(), st.binary(max_size=9)))
def test_no_value_breaks_the_reading(value: Any) -> None:
    """Whatever a cell holds, it is a finite number or none, a moment or none, a short key."""
    number = as_number(value)
    assert number is None or math.isfinite(number)
    as_moment(value)
    is_missing(value)
    assert len(level_key(value)) <= 400


def test_spellings_of_a_text_meet() -> None:
    """Blanks and letter case aside; 1 and 1.0 are one text, true is yes."""
    assert level_key("  Web  Site ") == level_key("web site")
    assert level_key(1) == level_key(1.0) == level_key("1")
    assert level_key(True) == "yes"


@pytest.mark.parametrize(
    "name", ["Owner", "lead_owner", "AccountOwner", "Sales Rep", "Betreuer", "Verkäufer", "vendeur", "Vendedor",
             "responsabile", "Verkoper", "assigned_to", "SDR", "opportunity owner", "Sachbearbeiter"],
)  # fmt: skip
def test_owners_are_known_by_name(name: str) -> None:
    """In ten languages, in any spelling."""
    assert named_as_owner(name)


@pytest.mark.parametrize("name", ["home owner status", "company", "agency", "repeat", "username", "Ownership"])
def test_what_only_sounds_like_an_owner_is_none(name: str) -> None:
    """Parts of words do not count."""
    assert not named_as_owner(name)


def test_owners_are_known_by_what_the_cells_hold() -> None:
    """Names of persons or addresses that come again; cities and companies look alike and are none."""
    people = ["Ida Brandt", "Weber, Jonas", "Maria Rossi", "Paul Smith"]
    assert holds_people("handled", people)
    assert holds_people("x", ["a@b.de", "c@b.de", "d@b.de"])
    assert not holds_people("city", people)
    assert not holds_people("where", ["New York", "San Francisco", "Los Angeles", "Santa Fe"])
    assert not holds_people("kind", ["Large Account", "Small Account", "Public Sector"])
