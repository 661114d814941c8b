"""What pages and programs read of the routing: who has a lead and why, how a team stands, how often it was wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from fairlead.kit.unit_of_work import Reader
from fairlead.people import Absence, Member, Membership, Roster, Team, absences_of, memberships_of, rosters
from fairlead.playbooks import CaseState, states_of
from fairlead.sales.routing import fair, store
from fairlead.sales.routing.explaining import passed_sentences, sentences, why_words
from fairlead.sales.routing.model import Handed, Presence, presence_of

WINDOW = timedelta(days=30)
"""Over which shares and misroutes are shown."""
MOST_UNASSIGNED = 200


@dataclass(frozen=True, slots=True)
class Load:
    """What somebody has of a team's leads: open now, new on their own day, by rotation due and taken in 30 days.

    `due` is in leads, of those that they could take; None where nothing was shared out.
    """

    opened: int
    today: int
    due: float
    taken: int
    share: float | None


@dataclass(frozen=True, slots=True)
class Seat:
    """A member as a team's page shows them; `target` is the share of the team's weights, 0 to 1."""

    member: Member
    presence: Presence
    load: Load
    target: float
    absences: tuple[Absence, ...]
    until_at: datetime | None


@dataclass(frozen=True, slots=True)
class TeamView:
    """A team with everybody in it, those who come later, and leads of it that nobody has."""

    team: Team
    seats: tuple[Seat, ...]
    coming: tuple[Membership, ...]
    waiting: int

    @property
    def is_in(self) -> int:
        """How many are at work now."""
        return sum(seat.presence.is_in for seat in self.seats)

    @property
    def opened(self) -> int:
        """Open leads of all."""
        return sum(seat.load.opened for seat in self.seats)


class Holder(NamedTuple):
    """Who has a lead: the team as the playbook calls it, the person or None, in which case, since when."""

    team: str
    person_id: str | None
    case_id: str
    at: datetime


class _Numbers(NamedTuple):
    """What is counted of several teams, mostly by (team, person); `today` by when the day began."""

    opened: dict[tuple[str, str], int]
    totals: dict[tuple[str, str], tuple[int, int]]
    today: dict[datetime, dict[tuple[str, str], int]]
    absences: dict[str, list[Absence]]
    until: dict[tuple[str, str], datetime | None]


def team_views(reader: Reader, teams: Sequence[Team], now: datetime) -> list[TeamView]:
    """How these teams stand, in order; a closed one is shown without seats."""
    found = rosters(reader, [team.name for team in teams], now)
    shown = {team.id: found.get(team.name) or Roster(team, ()) for team in teams}
    stretches = memberships_of(reader, teams, now)
    members = [one for roster in shown.values() for one in roster.members]
    numbers = _numbers(reader, list(shown), members, stretches, now)
    waiting = Counter(row.team for row in unassigned(reader))
    coming: dict[str, list[Membership]] = defaultdict(list)
    for one in stretches:
        if one.from_at > now:
            coming[one.team_id].append(one)
    return [
        TeamView(team, _seats(shown[team.id], numbers, now), tuple(coming[team.id]), waiting[team.name])
        for team in teams
    ]  # fmt: skip


def _numbers(
    reader: Reader, team_ids: list[str], members: Sequence[Member], stretches: Sequence[Membership], now: datetime
) -> _Numbers:
    ids = sorted({one.person_id for one in members})
    # One question for each time zone that somebody is in, as a day begins there.
    days = {presence_of(one.colleague, now).day for one in members}
    absences: dict[str, list[Absence]] = defaultdict(list)
    for absence in absences_of(reader, ids, now):
        absences[absence.person_id].append(absence)
    return _Numbers(
        store.open_leads(reader, team_ids, now),
        store.share_totals(reader, team_ids, now - WINDOW),
        {day: store.given_since(reader, team_ids, ids, day) for day in days},
        absences,
        {(one.team_id, one.person_id): one.until_at for one in stretches if one.holds(now)},
    )


def _seats(roster: Roster, numbers: _Numbers, now: datetime) -> tuple[Seat, ...]:
    team_id = roster.team.id
    all_taken = sum(taken for (team, _), (_, taken) in numbers.totals.items() if team == team_id)
    weight = sum(one.terms.milli for one in roster.members)
    seats = []
    for one in roster.members:
        key = (team_id, one.person_id)
        presence = presence_of(one.colleague, now)
        due, taken = numbers.totals.get(key, (0, 0))
        today = numbers.today[presence.day].get(key, 0)
        load = Load(numbers.opened.get(key, 0), today, due / fair.UNIT, taken,
                    taken / all_taken if all_taken else None)  # fmt: skip
        mine = tuple(numbers.absences.get(one.person_id, ()))
        target = one.terms.milli / weight if weight else 0.0
        seats.append(Seat(one, presence, load, target, mine, numbers.until.get(key)))
    return tuple(sorted(seats, key=lambda seat: (seat.member.colleague.name, seat.member.person_id)))


def assignment_of(reader: Reader, case_id: str) -> dict[str, Any] | None:
    """The assignment that counts now, with its explanation in sentences and those before it; None without any."""
    rows = store.all_of_case(reader, case_id)
    current = next((row for row in rows if row.superseded_at is None), None)
    if current is None:
        return None
    return {**_shown(current), "before": [_shown(row) for row in rows if row is not current]}


def _shown(row: Any) -> dict[str, Any]:
    said = row.explanation
    return {
        "id": row.id,
        "case_id": row.case_id,
        "lead": row.subject_id,
        "team": row.team,
        "person_id": row.person_id,
        "name": str((said.get("person") or {}).get("name", "")),
        "at": row.at,
        "way": row.way,
        "made_by": row.made_by,
        "why": why_words(said.get("why")),
        "words": sentences(said),
        "passed_over": said.get("passed_over", []),
        "passed_words": passed_sentences(said),
        "territory": said.get("territory") or {},
        "required": said.get("required", []),
        "preferred": said.get("preferred", []),
        "worked_at": row.released_at,
        "replaced_at": row.superseded_at,
        "replaced_why": row.superseded_why,
    }


def holders_of(reader: Reader, leads: Sequence[str]) -> dict[str, Holder]:
    """Who has each of these leads now, by the lead's id; those that were never given to anybody are absent.

    A lead that came by more than once is with whom it went to last.
    """
    rows = store.current_of_subjects(reader, leads)
    return {row.subject_id: Holder(row.team, row.person_id, row.case_id, row.at) for row in rows}


def unassigned(reader: Reader) -> list[Any]:
    """Leads that nobody has while their case runs, longest first, at most 200."""
    rows = store.without_person(reader, MOST_UNASSIGNED)
    states = states_of(reader, [row.case_id for row in rows]) if rows else {}
    return [row for row in rows if states.get(row.case_id, CaseState.ENDED) != CaseState.ENDED]


def misroutes(reader: Reader, since: datetime) -> dict[str, dict[str, int]]:
    """By team, since a moment: `routed` by routing, `misrouted` of those, `by_hand` in all."""
    found: dict[str, dict[str, int]] = {}
    wrong = {one.value for one in Handed if one.is_misroute}
    for row in store.routed_since(reader, since):
        counts = found.setdefault(row.team, {"routed": 0, "misrouted": 0, "by_hand": 0})
        if row.way == "person":
            counts["by_hand"] += row.number
        else:
            counts["routed"] += row.number
            counts["misrouted"] += row.number if row.superseded_why in wrong else 0
    return found
