"""Teams as plain data: who is in them, how much each can take, when each is in."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from fairlead.errors import InputError
from fairlead.people.hours import Span, WorkingHours

MAX_WEIGHT = 1_000.0
MAX_CAPACITY = 100_000
MAX_SKILLS = 50
MAX_MEMBERS = 200
MAX_OPEN_DAYS = 3_650
MAX_OWNER_HOURS = 2_000.0
_TEAM_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
SKILL = "[a-z0-9][a-z0-9:_.+-]{0,59}"
"""What a skill is written like, as a pattern."""


class OffHours(StrEnum):
    """What becomes of a lead while nobody of the team is at work."""

    ASSIGN = "assign"  # to somebody who is in first thing
    WAIT = "wait"  # until somebody is in
    ON_CALL = "on_call"  # to those who are on call


class Nobody(StrEnum):
    """What becomes of a lead that nobody can take."""

    HOLD = "hold"  # it waits and is tried again
    QUEUE = "queue"  # it goes on without an owner


@dataclass(frozen=True, slots=True)
class TeamRules:
    """How a team's leads are shared out.

    `fallback` is the team to ask when nobody here can take a lead, "" for none. With `owner_wins` a customer's
    owner gets the lead even if they are in another team. An owner is passed over who misses more than
    `owner_hours` of their own working time before they are in again. A lead counts against a person's open
    leads until it is worked, and at least for as long as its case runs, else for `open_days`.
    """

    off_hours: OffHours = OffHours.ASSIGN
    nobody: Nobody = Nobody.HOLD
    fallback: str = ""
    owner_wins: bool = False
    owner_hours: float = 8.0
    open_days: int = 14

    def check(self) -> None:
        """InputError that names the field which is out of bounds."""
        if not (math.isfinite(self.owner_hours) and 0 <= self.owner_hours <= MAX_OWNER_HOURS):
            _refuse("owner_hours", f"owner hours are 0 to {MAX_OWNER_HOURS:g}")
        if not 1 <= self.open_days <= MAX_OPEN_DAYS:
            _refuse("open_days", f"open days are 1 to {MAX_OPEN_DAYS}")


@dataclass(frozen=True, slots=True)
class Team:
    """A team; `name` is what playbooks and policies write, `title` what people read."""

    id: str
    name: str
    title: str
    rules: TeamRules
    created_at: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms somebody is in a team.

    `weight` is the share of leads relative to the others', 0: none by rotation. `open_capacity` leads at once
    and `daily_capacity` new ones a local day, None: any number. `skills` are words that routing asks for.
    """

    weight: float = 1.0
    open_capacity: int | None = None
    daily_capacity: int | None = None
    skills: frozenset[str] = frozenset()
    on_call: bool = False

    def check(self) -> None:
        """InputError that names the field which is out of bounds."""
        if not (math.isfinite(self.weight) and 0 <= self.weight <= MAX_WEIGHT):
            _refuse("weight", f"a weight is 0 to {MAX_WEIGHT:g}")
        if self.weight and self.milli == 0:
            _refuse("weight", "the smallest weight above 0 is 0.001")
        for name in ("open_capacity", "daily_capacity"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= MAX_CAPACITY:
                _refuse(name, f"a capacity is 0 to {MAX_CAPACITY:,}; leave it out for any number")
        check_skills(self.skills)

    @property
    def milli(self) -> int:
        """The weight in thousandths, the unit in which shares are reckoned."""
        return round(self.weight * 1000)


@dataclass(frozen=True, slots=True)
class Membership:
    """One stretch of somebody being in a team on the same terms; `until_at` None: open end."""

    id: str
    team_id: str
    person_id: str
    terms: Terms
    from_at: datetime
    until_at: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether it counts at this moment."""
        return self.from_at <= at and (self.until_at is None or at < self.until_at)


@dataclass(frozen=True, slots=True)
class Absence:
    """A planned time away; `reason` is private and for those who manage teams alone."""

    id: str
    person_id: str
    from_at: datetime
    until_at: datetime
    reason: str = field(default="", repr=False)

    @property
    def span(self) -> Span:
        """From, until."""
        return self.from_at, self.until_at


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody whom a lead could go to, with all that says when; `departed`: may not sign in any more."""

    person_id: str
    name: str
    hours: WorkingHours | None = None
    away: tuple[Span, ...] = ()
    departed: bool = False

    @property
    def zone(self) -> str | None:
        """Where their day begins; None: UTC."""
        return self.hours.zone if self.hours else None


@dataclass(frozen=True, slots=True)
class Member:
    """A colleague on the terms of one team."""

    colleague: Colleague
    terms: Terms

    @property
    def person_id(self) -> str:
        """Whose membership it is."""
        return self.colleague.person_id


@dataclass(frozen=True, slots=True)
class Roster:
    """A team with everybody who is in it now, by id, departed ones left out."""

    team: Team
    members: tuple[Member, ...]


def check_team_name(name: str) -> str:
    """The name as it is; InputError unless it is small letters, digits and hyphens, 64 at most."""
    if not _TEAM_NAME.fullmatch(name):
        message = f"{name[:60]!r} is no team's name; write small letters, digits and hyphens, such as inside-sales"
        raise InputError(message, code="team_name", field="name")
    return name


def check_skills(skills: Iterable[str]) -> frozenset[str]:
    """The skills as a set; InputError for a word that is none, or more than 50."""
    found = frozenset(skills)
    for skill in sorted(found):
        if not re.fullmatch(SKILL, skill):
            _refuse("skills", f"{skill[:60]!r} is no skill; write small letters, digits and : _ . + -, such as french")
    if len(found) > MAX_SKILLS:
        _refuse("skills", f"at most {MAX_SKILLS} skills a person")
    return found


def _refuse(field_name: str, message: str) -> None:
    raise InputError(message, code=field_name, field=field_name)
