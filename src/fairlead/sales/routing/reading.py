"""What pages and programs read of the routing: who has a lead and why, how a team stands, how often it was wrong."""

from __future__ import annotations

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


def team_view(reader: Reader, team: Team, now: datetime) -> TeamView:
    """How a team stands; a closed one is shown without seats."""
    roster = rosters(reader, [team.name], now).get(team.name) or Roster(team, ())
    held = {one.person_id: one for one in memberships_of(reader, team, now) if one.holds(now)}
    ids = [one.person_id for one in roster.members]
    opened = store.open_leads(reader, [team.id], now)
    totals = store.share_totals(reader, team.id, now - WINDOW)
    all_taken = sum(taken for _, taken in totals.values())
    weight = sum(one.terms.milli for one in roster.members)
    planned = absences_of(reader, ids, now)
    seats = []
    for one in roster.members:
        presence = presence_of(one.colleague, now)
        due, taken = totals.get(one.person_id, (0, 0))
        today = store.given_since(reader, team.id, [one.person_id], presence.day).get(one.person_id, 0)
        load = Load(opened.get((team.id, one.person_id), 0), today, due / fair.UNIT, taken,
                    taken / all_taken if all_taken else None)  # fmt: skip
        mine = tuple(absence for absence in planned if absence.person_id == one.person_id)
        target = one.terms.milli / weight if weight else 0.0
        until = held[one.person_id].until_at if one.person_id in held else None
        seats.append(Seat(one, presence, load, target, mine, until))
    seats.sort(key=lambda seat: (seat.member.colleague.name, seat.member.person_id))
    coming = tuple(one for one in memberships_of(reader, team, now) if one.from_at > now)
    waiting = sum(row.team == team.name for row in unassigned(reader))
    return TeamView(team, tuple(seats), coming, waiting)


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
