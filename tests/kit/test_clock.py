"""Times survive the database to the microsecond and are never naive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from fairlead.kit.clock import SystemClock, from_micros, iso, to_micros

MOMENTS = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30))  # noqa: DTZ001  the zone is drawn
ZONES = st.timedeltas(min_value=timedelta(hours=-23), max_value=timedelta(hours=23)).map(timezone)


@given(moment=MOMENTS, zone=ZONES)
def test_micros_round_trip(moment: datetime, zone: timezone) -> None:
    """Any aware moment, before 1970 too, comes back as the same moment in UTC."""
    aware = moment.replace(tzinfo=zone)
    back = from_micros(to_micros(aware))
    assert back == aware
    assert back.tzinfo is UTC


@given(first=MOMENTS, second=MOMENTS)
def test_micros_keep_the_order(first: datetime, second: datetime) -> None:
    """The database may compare what Python would compare."""
    one, two = first.replace(tzinfo=UTC), second.replace(tzinfo=UTC)
    assert (to_micros(one) < to_micros(two)) == (one < two)


def test_naive_times_are_refused() -> None:
    """A time without a zone is a mistake, not local time."""
    with pytest.raises(ValueError, match="time zone"):
        to_micros(datetime(2026, 1, 1))  # noqa: DTZ001  the point


def test_the_system_clock_is_aware() -> None:
    """Now is a moment in UTC that can be stored."""
    assert SystemClock().now().utcoffset() == timedelta()


def test_iso_is_short_and_in_utc() -> None:
    """Other zones are turned into UTC; microseconds appear only where there are any."""
    moment = datetime(2026, 11, 2, 10, tzinfo=timezone(timedelta(hours=1)))
    assert iso(moment) == "2026-11-02T09:00:00Z"
    assert iso(moment + timedelta(microseconds=5)) == "2026-11-02T09:00:00.000005Z"
