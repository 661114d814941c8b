"""Time: always timezone-aware UTC in Python, whole microseconds since 1970 in the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    """Whatever tells the time; tests own it through `fairlead.testing.FakeClock`."""

    def now(self) -> datetime:
        """The present moment, aware and in UTC."""
        ...


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> datetime:
        """The machine's present moment in UTC."""
        return datetime.now(UTC)


def to_micros(moment: datetime) -> int:
    """Whole microseconds since 1970; a naive datetime is refused with ValueError."""
    if moment.tzinfo is None:
        message = f"naive datetime {moment!r}: give it a time zone"
        raise ValueError(message)
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC moment that `to_micros` turned into `micros`."""
    return _EPOCH + timedelta(microseconds=micros)


def iso(moment: datetime) -> str:
    """RFC 3339 in UTC with a `Z`, microseconds only where they are not zero."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
