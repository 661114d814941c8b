"""Routing as plain data: what is asked for, who could take it, who got it and why the others did not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from fairlead.people import Colleague, Member, Roster, day_start, next_in

MAX_TOLD = 30
"""Members whose being passed over is told one by one; of larger teams the rest is counted."""


class Why(StrEnum):
    """Why somebody got a lead."""

    TURN = "turn"
    OWNER = "owner"
    COMPANY_OWNER = "company_owner"
    HAND = "hand"


class Bar(StrEnum):
    """Why somebody did not get a lead."""

    DEPARTED = "departed"
    NOT_IN_TEAM = "not_in_team"
    NO_WEIGHT = "no_weight"
    ABSENT = "absent"
    OFF_HOURS = "off_hours"
    NOT_ON_CALL = "not_on_call"
    AT_CAPACITY = "at_capacity"
    DAILY_CAPACITY = "daily_capacity"
    LACKS_SKILL = "lacks_skill"
    FITS_LESS = "fits_less"
    OWNER_FIRST = "owner_first"
    LATER_TURN = "later_turn"


class Handed(StrEnum):
    """Why a person handed a lead to somebody else."""

    WRONG_TEAM = "wrong_team"
    WRONG_SKILL = "wrong_skill"
    LOAD = "load"
    ABSENCE = "absence"
    OTHER = "other"

    @property
    def is_misroute(self) -> bool:
        """Whether routing was wrong, as opposed to circumstances; the former's share is then given back."""
        return self in {Handed.WRONG_TEAM, Handed.WRONG_SKILL}


@dataclass(frozen=True, slots=True)
class Ask:
    """A lead that needs somebody; `territory` says how its team was found.

    `owner` is who already looks after the customer, or with `is_company` after the same company, None: nobody.
    """

    case_id: str
    subject_id: str
    customer_id: str | None
    team: str
    required: frozenset[str] = frozenset()
    preferred: frozenset[str] = frozenset()
    owner: str | None = None
    is_company: bool = False
    territory: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Somebody who did not get the lead; `until` says from when that is different, where it is known."""

    person_id: str
    name: str
    bar: Bar
    words: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """A team in which nobody could take the lead; the next one was its fallback."""

    team: str
    words: str
    passed: tuple[PassedOver, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """Who gets a lead, or why nobody; `due` are the parts that were booked, empty outside the rotation.

    `again_at` is when somebody is in again, where the lead waits for that.
    """

    team: str
    person_id: str | None = None
    name: str = ""
    why: Why | None = None
    words: str = ""
    passed: tuple[PassedOver, ...] = ()
    due: Mapping[str, int] = field(default_factory=dict)
    tried: tuple[Tried, ...] = ()
    hold: bool = False
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What came of one ask: the stored assignment, new or one that was there."""

    assignment_id: str
    case_id: str
    team: str
    person_id: str | None
    name: str
    hold: bool
    words: str


@dataclass(slots=True)
class Pool:
    """A team's roster with what changes as leads are given out; `choose` reads it, `book` changes it.

    `owed` are the credits of `fair`, `opened` open leads by person, `daily` new ones by (person, beginning of
    their local day).
    """

    roster: Roster
    owed: dict[str, int]
    opened: dict[str, int] = field(default_factory=dict)
    daily: dict[tuple[str, datetime], int] = field(default_factory=dict)
    _seen: dict[str, tuple[datetime, Presence]] = field(default_factory=dict)

    def member(self, person_id: str) -> Member | None:
        """None for somebody who is not in the team."""
        return next((one for one in self.roster.members if one.person_id == person_id), None)

    def presence(self, colleague: Colleague, now: datetime) -> Presence:
        """Remembered for the same `now`, and for as long as it cannot change."""
        known = self._seen.get(colleague.person_id)
        if known is None or known[0] != now:
            known = (now, presence_of(colleague, now))
            self._seen[colleague.person_id] = known
        return known[1]

    def today(self, colleague: Colleague, now: datetime) -> int:
        """New leads on the local day of `now`."""
        return self.daily.get((colleague.person_id, self.presence(colleague, now).day), 0)

    def count(self, colleague: Colleague, now: datetime) -> None:
        """One lead more for this person."""
        key = (colleague.person_id, self.presence(colleague, now).day)
        self.daily[key] = self.daily.get(key, 0) + 1
        self.opened[colleague.person_id] = self.opened.get(colleague.person_id, 0) + 1


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether somebody is at work at a moment; `back` None: not within 400 days; `day` began then, locally."""

    is_in: bool
    is_away: bool
    back: datetime | None
    day: datetime


def presence_of(colleague: Colleague, now: datetime) -> Presence:
    """Reckoned from hours and absences."""
    away = any(begin <= now < end for begin, end in colleague.away)
    back = next_in(colleague.hours, now, colleague.away)
    return Presence(back == now, away, back, day_start(colleague.zone, now))
