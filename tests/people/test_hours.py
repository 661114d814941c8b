"""Working hours: written, read, and reckoned right on the nights clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.errors import InputError
from fairlead.people import WorkingHours, away_until, day_start, local_span, next_in, parse_week, working_time

BERLIN = "Europe/Berlin"
ZONES = [BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "America/St_Johns", "UTC"]
OFFICE = WorkingHours(BERLIN, parse_week("Mon-Fri 09:00-17:00"))
NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)  # a Monday
NIGHTS = [  # clocks change within these days somewhere among ZONES
    datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC),
    datetime(2026, 3, 7, 20, tzinfo=UTC), datetime(2026, 10, 31, 20, tzinfo=UTC),
    datetime(2026, 4, 4, 6, tzinfo=UTC), datetime(2026, 10, 3, 6, tzinfo=UTC), NOON,
]  # fmt: skip

weeks = st.lists(
    st.tuples(st.sampled_from(["Mon", "Sat", "Sun", "Mon-Sun", "Fri-Tue"]), st.integers(0, 95), st.integers(0, 96)),
    max_size=4,
)


def text_of(parts: list[tuple[str, int, int]]) -> str:
    """Working times on quarters of an hour, some past midnight."""
    told = [f"{days} {a // 4:02d}:{a % 4 * 15:02d}-{b // 4:02d}:{b % 4 * 15:02d}" for days, a, b in parts if a != b]
    return ", ".join(told)


@settings(max_examples=60)
@given(weeks, st.sampled_from(ZONES), st.sampled_from(NIGHTS), st.integers(0, 2_880))
def test_a_moment_is_in_exactly_when_a_span_holds_it(
    parts: list[tuple[str, int, int]], zone: str, night: datetime, minutes: int
) -> None:
    """Asking about one moment and listing the spans around it agree in every zone and every night."""
    hours, at = WorkingHours(zone, parse_week(text_of(parts))), night + timedelta(minutes=minutes)
    spans = list(hours.spans(at - timedelta(days=2), at + timedelta(days=2)))
    assert hours.is_in(at) == any(begin <= at < end for begin, end in spans)
    assert all(begin < end for begin, end in spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


@settings(max_examples=60)
@given(weeks, st.sampled_from(ZONES), st.sampled_from(NIGHTS), st.integers(0, 2_880), st.integers(1, 4_000))
def test_next_in_is_the_first_working_moment_outside_absences(
    parts: list[tuple[str, int, int]], zone: str, night: datetime, minutes: int, length: int
) -> None:
    """It is in, not away, and nothing before it was."""
    hours, at = WorkingHours(zone, parse_week(text_of(parts))), night + timedelta(minutes=minutes)
    away = [(at - timedelta(hours=3), at + timedelta(minutes=length))] if length % 2 else []
    found = next_in(hours, at, away)
    if found is None:
        assert not hours.weekly
        return
    assert hours.is_in(found)
    assert away_until(found, away) is None
    free = [begin for begin, end in hours.spans(at, found) if away_until(begin, away) is None or end > away[0][1]]
    assert not free


def test_a_shift_through_the_night_of_the_change_has_an_hour_less_or_more() -> None:
    """23:00 to 07:00 is seven hours when clocks go forward and nine when they go back."""
    night = WorkingHours(BERLIN, parse_week("Sat 23:00-07:00"))
    spring, autumn = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert working_time(night, spring, spring + timedelta(days=1)) == timedelta(hours=7)
    assert working_time(night, autumn, autumn + timedelta(days=1)) == timedelta(hours=9)


def test_a_time_that_is_skipped_begins_at_the_jump() -> None:
    """02:30 does not exist in the night of 29 March; who begins then begins at 03:00."""
    early = WorkingHours(BERLIN, parse_week("Sun 02:30-06:00"))
    assert next_in(early, datetime(2026, 3, 28, 20, tzinfo=UTC), []) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_friday_evening_waits_for_monday_and_a_holiday_for_the_day_after() -> None:
    """16:30 on Friday plus the weekend plus a holiday on Monday is Tuesday at nine."""
    evening = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)
    assert next_in(OFFICE, evening, []) == datetime(2026, 11, 30, 8, tzinfo=UTC)
    off = WorkingHours(BERLIN, OFFICE.weekly, frozenset({date(2026, 11, 30)}))
    assert next_in(off, evening, []) == datetime(2026, 12, 1, 8, tzinfo=UTC)


def test_absences_that_touch_are_one() -> None:
    """Two weeks booked one after the other end with the second."""
    first, second = (NOON, NOON + timedelta(days=7)), (NOON + timedelta(days=7), NOON + timedelta(days=14))
    assert away_until(NOON, [second, first]) == second[1]
    assert away_until(NOON - timedelta(seconds=1), [first, second]) is None


def test_somebody_without_hours_is_always_in_but_for_absences() -> None:
    """No hours kept means that the clock is no reason."""
    assert next_in(None, NOON, []) == NOON
    assert next_in(None, NOON, [(NOON, NOON + timedelta(days=2))]) == NOON + timedelta(days=2)
    never = WorkingHours(BERLIN, ())
    assert next_in(never, NOON, []) is None


def test_a_local_day_begins_where_the_person_is() -> None:
    """Midnight in Auckland is eleven in London; a whole day away is a local one."""
    assert day_start("Pacific/Auckland", NOON) == datetime(2026, 11, 24, tzinfo=ZoneInfo("Pacific/Auckland"))
    begin, end = local_span("America/New_York", date(2026, 3, 8), date(2026, 3, 8))
    assert end - begin == timedelta(hours=23)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Mon-Fri 09:00-17:00", "Mon-Fri 09:00-17:00 (UTC)"),
        ("mon-thu 8:00-12:00,mon-thu 13:00-17:00; fri 08:00-14:00", "Mon-Thu 08:00-12:00, 13:00-17:00; Fri 08:00-14:00 (UTC)"),  # noqa: E501
        ("Sat 22:00-06:00", "Sat 22:00-24:00; Sun 00:00-06:00 (UTC)"),
        ("Mon 09:00-12:00, Mon 11:00-15:00", "Mon 09:00-15:00 (UTC)"),
        ("", "never (UTC)"),
    ],
)  # fmt: skip
def test_a_week_reads_as_it_was_written(text: str, words: str) -> None:
    """Lists, ranges, overlaps and stretches past midnight are understood and told in one form."""
    hours = WorkingHours("UTC", parse_week(text))
    assert hours.words() == words
    assert WorkingHours.from_dict(hours.as_dict()) == hours


@pytest.mark.parametrize(
    "text", ["Mon", "Mo-Fr 9-17", "Mon 09:00-09:00", "Mon 25:00-26:00", "Mon 09:61-10:00", "x" * 500]
)
def test_what_is_no_working_time_is_refused_with_an_example(text: str) -> None:
    """The part that is wrong is named."""
    with pytest.raises(InputError) as refused:
        parse_week(text)
    assert refused.value.fields["field"] == "week"
