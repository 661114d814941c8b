"""The report about first contacts: which leads it looks at, whose they are, and what each group's figures are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from fairlead.errors import InputError
from fairlead.kit.unit_of_work import Reader
from fairlead.people import Colleague, colleagues_of
from fairlead.playbooks import Arrival, arrivals_since
from fairlead.sales.nurture.speed import MIN_GROUP, Elapsed, Speed, speed_of
from fairlead.sales.nurture.touch_store import LEAD, first_touches
from fairlead.sales.nurture.waits import Wait, WorkClock, by_the_clock
from fairlead.sales.routing import Holder, holders_of

MAX_LEADS = 20_000
MAX_DAYS = 366
LONGEST = 50


class Group(NamedTuple):
    """A team or a person; `id` is the team's name or the person's id, figures are None below five leads."""

    id: str
    name: str
    n: int
    speed: Speed | None
    working: Speed | None


@dataclass(frozen=True, slots=True)
class FirstTouch:
    """Leads that came since a moment, and how soon somebody was in touch with them.

    `complete_since` is set where there were more than 20,000: from then on these are all. `working` counts in the
    hours that the person who has the lead keeps now; leads that nobody has, round the clock.
    """

    since: datetime
    until: datetime
    complete_since: datetime | None
    waits: tuple[Wait, ...]
    speed: Speed
    working: Speed
    teams: tuple[Group, ...]
    people: tuple[Group, ...]
    names: Mapping[str, str]
    working_time: Elapsed

    @property
    def longest(self) -> list[Wait]:
        """The leads that wait, longest first, at most 50."""
        return sorted((one for one in self.waits if one.runs), key=lambda one: (one.at, one.lead))[:LONGEST]


def first_touch(reader: Reader, now: datetime, since: datetime) -> FirstTouch:
    """The report; InputError for a time that is to come or more than 366 days ago."""
    if not now - timedelta(days=MAX_DAYS) <= since < now:
        raise InputError(f"`since` lies in the last {MAX_DAYS} days.", field="since")
    arrived = arrivals_since(reader, LEAD, since, MAX_LEADS + 1)
    more = len(arrived) > MAX_LEADS
    arrived = arrived[:MAX_LEADS]
    leads = [one.subject_id for one in arrived]
    holders, touched = holders_of(reader, leads), first_touches(reader, leads)
    waits = _waits(arrived, holders, touched)
    people = colleagues_of(reader, {one.person_id for one in waits if one.person_id}, now)
    working = _working_time(waits, people, now)
    return FirstTouch(
        since, now, arrived[-1].at if more else None, tuple(waits), speed_of(waits, now),
        speed_of(waits, now, working),
        tuple(_groups(waits, lambda one: one.team, {}, now, working)),
        tuple(_groups(waits, lambda one: one.person_id, {key: one.name for key, one in people.items()}, now, working)),
        {key: one.name for key, one in people.items()}, working,
    )  # fmt: skip


def visible_people(report: FirstTouch, viewer: str | None, *, manages: bool) -> tuple[Group, ...]:
    """Whose figures somebody may see: everybody's who manages teams, else one's own."""
    return report.people if manages else tuple(one for one in report.people if one.id == viewer)


def _waits(arrived: Iterable[Arrival], holders: Mapping[str, Holder], touched: Mapping[str, datetime]) -> list[Wait]:
    """One for each lead, by its first case of the time."""
    waits: dict[str, Wait] = {}
    for one in arrived:  # newest first, so that the oldest case of a lead is the one that stays
        held, at = holders.get(one.subject_id), touched.get(one.subject_id)
        person = held.person_id if held else None
        closed = None if person else one.ended_at or one.aside_at
        # Who gets a lead that was put aside and came back could not be in touch with it before.
        back = held.at if held and held.case_id != one.case_id and (at is None or at >= held.at) else one.at
        waits[one.subject_id] = Wait(
            one.subject_id, one.case_id, one.customer_id, back, held.team if held else "", person, at, closed
        )
    return list(waits.values())


def _working_time(waits: Sequence[Wait], people: Mapping[str, Colleague], now: datetime) -> Elapsed:
    start = min((one.at for one in waits), default=now)
    clocks = {key: WorkClock(one.hours, start, now) for key, one in people.items() if one.hours is not None}

    def elapsed(wait: Wait, until: datetime) -> float:
        clock = clocks.get(wait.person_id or "")
        return by_the_clock(wait, until) if clock is None else clock.between(wait.at, until)

    return elapsed


def _groups(
    waits: Collection[Wait],
    key: Callable[[Wait], str | None],
    names: Mapping[str, str],
    now: datetime,
    working: Elapsed,
) -> list[Group]:
    found: dict[str, list[Wait]] = defaultdict(list)
    for one in waits:
        if name := key(one):
            found[name].append(one)
    groups = []
    for name, mine in found.items():
        told = len(mine) >= MIN_GROUP
        groups.append(Group(
            name, names.get(name, name), len(mine), speed_of(mine, now) if told else None,
            speed_of(mine, now, working) if told else None,
        ))  # fmt: skip
    return sorted(groups, key=lambda one: (one.name.casefold(), one.id))
