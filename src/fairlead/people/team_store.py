"""All SQL about teams, memberships, working hours and absences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.people import team_tables as t
from fairlead.people.hours import WorkingHours
from fairlead.people.tables import person
from fairlead.people.team_model import (
    Absence,
    Colleague,
    Membership,
    Nobody,
    OffHours,
    Team,
    TeamRules,
    Terms,
)

MOST_TEAMS = 500
MOST_ABSENCES = 200


def _team(row: Any) -> Team:
    rules = TeamRules(
        OffHours(row.off_hours), Nobody(row.nobody), row.fallback, row.owner_wins, row.owner_hours, row.open_days
    )
    return Team(row.id, row.name, row.title, rules, row.created_at, row.closed_at)


def _rules(rules: TeamRules) -> dict[str, Any]:
    return {
        "off_hours": rules.off_hours.value,
        "nobody": rules.nobody.value,
        "fallback": rules.fallback,
        "owner_wins": rules.owner_wins,
        "owner_hours": rules.owner_hours,
        "open_days": rules.open_days,
    }


def insert_team(uow: UnitOfWork, new: Team) -> bool:
    """False, and nothing stored, when there is one of this name."""
    dialect = postgresql if uow.dialect == "postgresql" else sqlite
    values = {"id": new.id, "name": new.name, "title": new.title, "created_at": new.created_at, **_rules(new.rules)}
    statement = dialect.insert(t.team).values(**values).on_conflict_do_nothing(index_elements=["name"])
    return uow.execute(statement.returning(t.team.c.id)).first() is not None


def update_team(uow: UnitOfWork, team_id: str, title: str, rules: TeamRules) -> None:
    """Write what a team is called and how it shares out."""
    uow.execute(update(t.team).where(t.team.c.id == team_id).values(title=title, **_rules(rules)))


def set_closed(uow: UnitOfWork, team_id: str, at: datetime | None) -> None:
    """None opens it again."""
    uow.execute(update(t.team).where(t.team.c.id == team_id).values(closed_at=at))


def find_team(reader: Reader, name: str, *, lock: bool = False) -> Team | None:
    """By name, closed ones too; with `lock` kept from other changes until the end."""
    query = select(t.team).where(t.team.c.name == name)
    row = reader.execute(query.with_for_update() if lock else query).first()
    return _team(row) if row else None


def teams_by_name(reader: Reader, names: Iterable[str]) -> dict[str, Team]:
    """Those of these names that are there and not closed."""
    query = select(t.team).where(among(reader, t.team.c.name, sorted(set(names))), t.team.c.closed_at.is_(None))
    return {row.name: _team(row) for row in reader.execute(query)}


def all_teams(reader: Reader) -> list[Team]:
    """By name, closed ones too, at most 500."""
    return [_team(row) for row in reader.execute(select(t.team).order_by(t.team.c.name).limit(MOST_TEAMS))]


def teams_of(reader: Reader, person_id: str, at: datetime) -> list[Team]:
    """The open teams that somebody is in at `at`, by name."""
    c = t.team_member.c
    mine = (c.person_id == person_id, c.from_at <= at, or_(c.until_at.is_(None), c.until_at > at))
    query = select(t.team).join(t.team_member, c.team_id == t.team.c.id).where(*mine, t.team.c.closed_at.is_(None))
    return [_team(row) for row in reader.execute(query.order_by(t.team.c.name))]


def insert_membership(uow: UnitOfWork, new: Membership) -> None:
    """One stretch."""
    values = {
        "id": new.id,
        "team_id": new.team_id,
        "person_id": new.person_id,
        "weight": new.terms.weight,
        "open_capacity": new.terms.open_capacity,
        "daily_capacity": new.terms.daily_capacity,
        "skills": sorted(new.terms.skills),
        "on_call": new.terms.on_call,
        "from_at": new.from_at,
        "until_at": new.until_at,
    }
    uow.execute(insert(t.team_member).values(**values))


def cut_memberships(uow: UnitOfWork, team_id: str, person_id: str, at: datetime) -> None:
    """Let this person's stretches in the team end at `at`; those that would have begun later are dropped."""
    c = t.team_member.c
    mine = and_(c.team_id == team_id, c.person_id == person_id)
    uow.execute(delete(t.team_member).where(mine, c.from_at >= at))
    running = or_(c.until_at.is_(None), c.until_at > at)
    uow.execute(update(t.team_member).where(mine, running).values(until_at=at))


def memberships(reader: Reader, team_ids: Sequence[str], at: datetime | None) -> list[Membership]:
    """Stretches of these teams that hold at `at` or begin later, by person and time; None: all there ever were."""
    c = t.team_member.c
    query = select(t.team_member).where(among(reader, c.team_id, team_ids))
    if at is not None:
        query = query.where(or_(c.until_at.is_(None), c.until_at > at))
    return [_membership(row) for row in reader.execute(query.order_by(c.team_id, c.person_id, c.from_at))]


def _membership(row: Any) -> Membership:
    terms = Terms(row.weight, row.open_capacity, row.daily_capacity, frozenset(row.skills), row.on_call)
    return Membership(row.id, row.team_id, row.person_id, terms, row.from_at, row.until_at)


def colleagues(reader: Reader, person_ids: Iterable[str], since: datetime) -> dict[str, Colleague]:
    """These people with hours as they are now and absences that end after `since`; unknown ids are absent."""
    ids = sorted(set(person_ids))
    if not ids:
        return {}
    hours = hours_of(reader, ids)
    away: dict[str, list[Any]] = defaultdict(list)
    for one in absences(reader, ids, since):
        away[one.person_id].append(one.span)
    c = person.c
    rows = reader.execute(select(c.id, c.name, c.disabled_at).where(among(reader, c.id, ids)))
    return {
        row.id: Colleague(row.id, row.name, hours.get(row.id), tuple(away[row.id]), row.disabled_at is not None)
        for row in rows
    }


def hours_of(reader: Reader, person_ids: Sequence[str]) -> dict[str, WorkingHours]:
    """Working hours as they are now; those who keep none are absent."""
    c = t.person_hours.c
    query = select(c.person_id, c.hours).where(among(reader, c.person_id, person_ids)).order_by(c.set_at, c.id)
    newest = {row.person_id: row.hours for row in reader.execute(query)}
    return {person_id: WorkingHours.from_dict(hours) for person_id, hours in newest.items() if hours}


def insert_hours(uow: UnitOfWork, row_id: str, person_id: str, hours: WorkingHours | None) -> None:
    """The newest word on somebody's week."""
    values = {"hours": hours.as_dict() if hours else None, "set_at": uow.now}
    uow.execute(insert(t.person_hours).values(id=row_id, person_id=person_id, **values))


def insert_absence(uow: UnitOfWork, new: Absence) -> None:
    """One time away."""
    uow.execute(
        insert(t.absence).values(
            id=new.id, person_id=new.person_id, from_at=new.from_at, until_at=new.until_at, reason=new.reason,
            created_at=uow.now,
        )
    )  # fmt: skip


def find_absence(reader: Reader, absence_id: str) -> Absence | None:
    """None when there is none, or it was taken back."""
    row = reader.execute(select(t.absence).where(t.absence.c.id == absence_id)).first()
    return _absence(row) if row is not None and row.withdrawn_at is None else None


def withdraw_absence(uow: UnitOfWork, absence_id: str) -> bool:
    """False when it was taken back before."""
    c = t.absence.c
    change = update(t.absence).where(c.id == absence_id, c.withdrawn_at.is_(None))
    return uow.execute(change.values(withdrawn_at=uow.now)).rowcount == 1


def open_absences(reader: Reader, person_id: str, since: datetime) -> int:
    """How many times away of one person end after `since`."""
    c = t.absence.c
    query = select(func.count()).where(c.person_id == person_id, c.until_at > since, c.withdrawn_at.is_(None))
    return int(reader.execute(query).scalar() or 0)


def absences(reader: Reader, person_ids: Sequence[str], since: datetime) -> list[Absence]:
    """Times away of these people that end after `since`, in order."""
    c = t.absence.c
    query = select(t.absence).where(
        among(reader, c.person_id, person_ids), c.until_at > since, c.withdrawn_at.is_(None)
    )
    return [_absence(row) for row in reader.execute(query.order_by(c.from_at, c.id))]


def _absence(row: Any) -> Absence:
    return Absence(row.id, row.person_id, row.from_at, row.until_at, row.reason)
