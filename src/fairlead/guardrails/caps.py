"""Counting under caps: how many places are taken at a moment, and when the next one is free."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from fairlead.guardrails.hours import begin_of, next_begin
from fairlead.guardrails.model import Attempt, PurposeClass, Sent, Wish
from fairlead.guardrails.rules import Cap, ContactRules, Period, WhenFull

EVERY = "*"
WEEK = timedelta(days=7)
_PROMPTED = frozenset({PurposeClass.PROMOTIONAL, PurposeClass.SERVICE_ALERT})


class Full(NamedTuple):
    """A cap without a place at a moment; `free_at` None: it never has one again for what it counts now."""

    cap: Cap
    taken: int
    free_at: datetime | None


def binding(rules: ContactRules, attempt: Attempt, cls: PurposeClass, wishes: Iterable[Wish]) -> list[Cap]:
    """The caps that bind a message: the workspace's, and what the customer wished for."""
    caps = [*rules.caps, *(_wished(wish) for wish in wishes if wish.per_week is not None)]
    return [
        cap
        for cap in caps
        if cls in cap.applies_to
        and _fits(cap.channels, attempt.channel)
        and _fits(cap.purposes, attempt.purpose)
        and (not cap.tags or cap.tags & {*attempt.tags})
    ]


def _wished(wish: Wish) -> Cap:
    return Cap(
        name="wish-of-the-customer",
        most=wish.per_week or 0,
        per=WEEK,
        channels=frozenset() if wish.channel == EVERY else frozenset({wish.channel}),
        purposes=frozenset() if wish.purpose == EVERY else frozenset({wish.purpose}),
        applies_to=_PROMPTED,
        counts=_PROMPTED,
    )


def _fits(wanted: frozenset[str], name: str) -> bool:
    return not wanted or name in wanted


def counted(cap: Cap, sent: Iterable[Sent]) -> list[datetime]:
    """When those messages went out that take up places of this cap, oldest first."""
    return sorted(
        one.at
        for one in sent
        if one.cls in cap.counts
        and _fits(cap.channels, one.channel)
        and _fits(cap.purposes, one.purpose)
        and (not cap.tags or cap.tags & one.tags)
    )


def fullness(cap: Cap, times: Sequence[datetime], moment: datetime, zones: Sequence[ZoneInfo]) -> Full | None:
    """None when the cap has a place at `moment`. `times` are what it counts, oldest first.

    A rolling period reaches back exactly `per`: what was sent that long ago no longer counts. Messages dated later
    than `moment` (another machine's clock) count. In several zones the calendar that began first is asked.
    """
    taken = sum(1 for at in times if _counts(cap, at, moment, zones))
    if taken < cap.most:
        return None
    return Full(cap, taken, _free_at(cap, times, moment, zones))


def _counts(cap: Cap, at: datetime, moment: datetime, zones: Sequence[ZoneInfo]) -> bool:
    if isinstance(cap.per, Period):
        return at >= min(begin_of(cap.per, zone, moment) for zone in zones)
    return at > moment - cap.per


def _free_at(cap: Cap, times: Sequence[datetime], moment: datetime, zones: Sequence[ZoneInfo]) -> datetime | None:
    if cap.most == 0:
        return None
    if not isinstance(cap.per, Period):
        return times[-cap.most] + cap.per
    while True:
        moment = min(next_begin(cap.per, zone, moment) for zone in zones)
        if sum(1 for at in times if _counts(cap, at, moment, zones)) < cap.most:
            return moment


def longest(rules: ContactRules) -> timedelta:
    """How far back anything can count, with a day for calendars of other zones."""
    spans = {Period.DAY: timedelta(days=1), Period.WEEK: timedelta(days=7), Period.MONTH: timedelta(days=31)}
    found = [spans[cap.per] if isinstance(cap.per, Period) else cap.per for cap in rules.caps]
    return max([WEEK, *found]) + timedelta(days=2)


def drops(full: Full, moment: datetime, since: datetime) -> bool:
    """Whether a message waits in vain: the cap drops it, never has a place, or only after the wait has expired."""
    cap = full.cap
    if cap.when_full is WhenFull.DROP or full.free_at is None:
        return True
    return cap.expires is not None and max(full.free_at, moment) > since + cap.expires
