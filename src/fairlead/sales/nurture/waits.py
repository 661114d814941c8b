"""Waits for a first contact, by the wall clock or by working hours. Pure."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple

from fairlead.people import Span, WorkingHours


class Wait(NamedTuple):
    """A lead from its arrival on; `team` "" and `person_id` None while nobody has it.

    `closed_at`: when it was ended or put aside with nobody to be in touch with it, None for the others.
    """

    lead: str
    case_id: str
    customer_id: str | None
    at: datetime
    team: str = ""
    person_id: str | None = None
    touched_at: datetime | None = None
    closed_at: datetime | None = None

    def until(self, now: datetime) -> datetime:
        """When the wait was over, or `now` while it runs."""
        return self.touched_at or self.closed_at or now

    @property
    def runs(self) -> bool:
        """Whether somebody should still be in touch."""
        return self.touched_at is None and self.closed_at is None


class WorkClock:
    """How much working time had passed at a moment of a span; without hours all time is."""

    def __init__(self, hours: WorkingHours | None, start: datetime, until: datetime) -> None:
        """Knows nothing beyond the span."""
        spans: list[Span] = [(start, until)] if hours is None else list(hours.spans(start, until))
        self._begins = [begin for begin, _ in spans]
        self._ends = [end for _, end in spans]
        lengths = ((end - begin).total_seconds() for begin, end in spans)
        self._before = list(accumulate(lengths, initial=0.0))

    def between(self, start: datetime, until: datetime) -> float:
        """Seconds of working time between two moments of the span."""
        return max(0.0, self._at(until) - self._at(start))

    def _at(self, moment: datetime) -> float:
        place = bisect_right(self._begins, moment) - 1
        if place < 0:
            return 0.0
        return self._before[place] + (min(moment, self._ends[place]) - self._begins[place]).total_seconds()


def by_the_clock(wait: Wait, until: datetime) -> float:
    """Seconds as everybody counts them."""
    return max(0.0, (until - wait.at).total_seconds())
