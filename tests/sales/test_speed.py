"""Waits in figures: medians and shares in which leads that still wait count."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.stats import CensoredData, ecdf

from fairlead.people import WorkingHours, parse_week
from fairlead.people.hours import working_time
from fairlead.sales.nurture import Wait, WorkClock, median_wait, speed_of

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
WAITS = st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=40)


def wait(came: float, touched: float | None = None, closed: float | None = None, **more: str) -> Wait:
    """A lead that came so many seconds ago, with what happened so many seconds after that."""
    at = NOW - timedelta(seconds=came)
    moments = [None if one is None else at + timedelta(seconds=one) for one in (touched, closed)]
    return Wait(f"lead_{came}", "case_1", None, at, more.get("team", ""), None, *moments)


def brute_median(waits: list[tuple[int, bool]]) -> int | None:
    """By the definition in fractions: the first moment at which the product of all survivals is at most a half."""
    for moment in sorted({length for length, _ in waits}):
        share = Fraction(1)
        for length in sorted({one for one, over in waits if over and one <= moment}):
            at_risk = sum(one >= length for one, _ in waits)
            share *= 1 - Fraction(sum(over and one == length for one, over in waits), at_risk)
        if share <= Fraction(1, 2):
            return moment
    return None


@given(WAITS)
def test_the_median_is_kaplan_and_meiers(waits: list[tuple[int, bool]]) -> None:
    """Equal to the definition in exact fractions, whatever is censored, and inside its interval."""
    found = median_wait([(float(length), over) for length, over in waits])
    assert found.value == brute_median(waits)
    assert found.n == len(waits)
    if found.value is not None:
        assert found.low is not None
        assert found.low <= found.value
        assert found.high is None or found.high >= found.value


@settings(max_examples=40)
@given(WAITS.filter(lambda waits: any(over for _, over in waits)))
def test_the_interval_is_where_the_band_crosses_a_half(waits: list[tuple[int, bool]]) -> None:
    """The same ends as from an independent implementation's log-log band."""
    over = [length for length, is_over in waits if is_over]
    data = CensoredData(uncensored=over, right=[length for length, is_over in waits if not is_over])
    curve = ecdf(data).sf
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the band is undefined where nobody is at risk
        band = curve.confidence_interval(method="log-log")
    steps = [moment for moment in curve.quantiles if moment in over]
    places = [list(curve.quantiles).index(moment) for moment in steps]
    ends = []
    for side, at_the_end in ((band.low, 0.0), (band.high, 1.0)):  # not defined where nobody is left
        values = [at_the_end if curve.probabilities[place] < 1e-12 else side.probabilities[place] for place in places]
        crossed = [moment for moment, value in zip(steps, values, strict=True) if value <= 0.5 + 1e-9]
        ends.append(crossed[0] if crossed else None)
    found = median_wait([(float(length), is_over) for length, is_over in waits])
    assert [found.low, found.high] == ends


def test_leads_left_lying_make_a_team_slower_not_faster() -> None:
    """Nine touched within a minute and thirty that wait for days: no median yet, and shares of all."""
    waits = [wait(90_000, 60) for _ in range(9)] + [wait(90_000) for _ in range(30)]
    speed = speed_of(waits, NOW)
    assert (speed.n, speed.touched, speed.waiting, speed.closed) == (39, 9, 30, 0)
    assert speed.median.value is None
    assert [share.figure.value for share in speed.shares] == [9 / 39, 9 / 39, 9 / 39]


def test_only_leads_that_had_so_long_count_for_a_share() -> None:
    """A lead of ten minutes says something about five minutes and nothing about an hour, touched or not."""
    waits = [wait(600, 30), wait(600), wait(7_200, 3_000), wait(7_200, None, 100.0)]
    within_5, within_hour, within_day = speed_of(waits, NOW).shares
    assert (within_5.figure.n, within_5.figure.value) == (3, 1 / 3)
    assert (within_hour.figure.n, within_hour.figure.value) == (1, 1.0)
    assert within_day.figure.n == 0
    assert speed_of(waits, NOW).closed == 1


def test_a_few_that_were_touched_are_no_median() -> None:
    """Four leads say too little, whatever the curve does; nobody knows how much longer the last one could be."""
    four = [wait(1_000, 10.0 * number) for number in range(1, 5)]
    assert speed_of(four, NOW).median.value is None
    five = speed_of([*four, wait(1_000, 50)], NOW).median
    assert (five.value, five.low, five.high) == (30.0, 10.0, None)


def test_nothing_is_nothing() -> None:
    """Without a lead there is no figure and no fault."""
    speed = speed_of([], NOW)
    assert (speed.n, speed.median.value, speed.shares[0].figure.value) == (0, None, None)


@given(st.integers(0, 20_000), st.integers(0, 20_000))
@pytest.mark.parametrize("week", ["Mon-Fri 09:00-12:30, Mon-Fri 13:15-17:30", "Sat 22:00-06:00", ""])
def test_the_work_clock_counts_what_the_hours_say(week: str, first: int, second: int) -> None:
    """As adding the spans up between the two moments; over the change of the clocks, too."""
    hours = WorkingHours("Europe/Berlin", parse_week(week))
    start = datetime(2026, 10, 20, tzinfo=UTC)
    begin, end = (start + timedelta(minutes=one) for one in sorted((first, second)))
    clock = WorkClock(hours, start, start + timedelta(minutes=20_000))
    assert clock.between(begin, end) == pytest.approx(working_time(hours, begin, end).total_seconds())
    assert WorkClock(None, start, end).between(begin, end) == (end - begin).total_seconds()
