"""A clock that tests own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Stands still until it is told to move; starts on Monday 2 November 2026, 09:00 UTC."""

    def __init__(self, start: datetime | None = None) -> None:
        """`start` must be aware; None takes the class's own Monday."""
        self._now = start or datetime(2026, 11, 2, 9, tzinfo=UTC)

    def now(self) -> datetime:
        """The moment that was last set."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move by `by`; a negative value plays a clock that jumps back."""
        self._now += by


class TravelClock(FakeClock):
    """Set back to play what was, until it comes home: from then on it is the machine's."""

    def __init__(self, start: datetime) -> None:
        """Stands at `start`."""
        super().__init__(start)
        self._is_home = False

    def now(self) -> datetime:
        """The moment that was last set, or the machine's."""
        return datetime.now(UTC) if self._is_home else super().now()

    def come_home(self) -> None:
        """Go with the machine's clock; for good."""
        self._is_home = True
