"""What can be done with teams: who is in them and on which terms, working hours, times away.

Permissions are checked at the edge. Memberships are never overwritten: a change ends one stretch and begins
another. Reasons of absences stand in their row and nowhere else, not even in the audit record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.kit.actors import Actor
from fairlead.kit.clock import iso
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.people import team_store as store
from fairlead.people.hours import WorkingHours, check_zone
from fairlead.people.service import clean_name, get_person
from fairlead.people.team_model import (
    MAX_MEMBERS,
    Absence,
    Colleague,
    Member,
    Membership,
    Roster,
    Team,
    TeamRules,
    Terms,
    check_team_name,
)

MAX_CHAIN = 4
MAX_ABSENCE = timedelta(days=3_660)
MAX_REASON_CHARS = 500


def create_team(
    uow: UnitOfWork, actor: Actor, *, name: str, title: str = "", rules: TeamRules | None = None
) -> Team:  # fmt: skip
    """A team without members; InputError for names and rules that cannot be, ConflictError for a name in use."""
    rules = rules or TeamRules()
    plain = name.replace("-", " ")
    team = Team(new_id("team"), check_team_name(name), clean_name(title or plain), rules, uow.now)
    rules.check()
    _check_fallback(uow, team.name, rules.fallback)
    if not store.insert_team(uow, team):
        message = f"There is a team {name!r} already."
        raise ConflictError(message, code="team_taken", team=name)
    _record(uow, actor, "team.created", team.id, name=name, **asdict(rules))
    return team


def change_team(
    uow: UnitOfWork, actor: Actor, name: str, *, title: str | None = None, rules: TeamRules | None = None
) -> Team:  # fmt: skip
    """Change what a team is called or how it shares out; None leaves that as it is."""
    team = _locked(uow, name)
    changed = replace(team, title=clean_name(title) if title else team.title, rules=rules or team.rules)
    changed.rules.check()
    _check_fallback(uow, name, changed.rules.fallback)
    if changed != team:
        store.update_team(uow, team.id, changed.title, changed.rules)
        _record(uow, actor, "team.changed", team.id, name=name, before=asdict(team.rules), after=asdict(changed.rules))
    return changed


def close_team(uow: UnitOfWork, actor: Actor, name: str) -> None:
    """No lead goes there any more; what was assigned stays. Doing it twice is harmless."""
    team = _locked(uow, name)
    if team.closed_at is None:
        store.set_closed(uow, team.id, uow.now)
        _record(uow, actor, "team.closed", team.id, name=name)


def reopen_team(uow: UnitOfWork, actor: Actor, name: str) -> None:
    """Leads may go there again. Doing it twice is harmless."""
    team = _locked(uow, name)
    if team.closed_at is not None:
        store.set_closed(uow, team.id, None)
        _record(uow, actor, "team.reopened", team.id, name=name)


def put_member(
    uow: UnitOfWork,
    actor: Actor,
    team_name: str,
    person_id: str,
    terms: Terms,
    *,
    from_at: datetime | None = None,
    until_at: datetime | None = None,
) -> Membership:
    """Put somebody into a team, or change the terms of somebody who is in it.

    From `from_at` on, None: now, to `until_at`, None: open end. Earlier stretches end there; shares of the
    others are not touched. ConflictError for a person who left or a closed or full team.
    """
    team, person = _locked(uow, team_name), get_person(uow, person_id)
    terms.check()
    start = from_at or uow.now
    if until_at is not None and until_at <= start:
        raise InputError("The end must come after the beginning.", code="span", field="until")
    if team.closed_at is not None:
        raise ConflictError(f"The team {team.name!r} is closed.", code="team_closed", team=team.name)
    if person.disabled_at is not None:
        raise ConflictError("This person is disabled.", code="person_disabled", person=person.id)
    known = {one.person_id for one in store.memberships(uow, [team.id], uow.now)}
    if person_id not in known and len(known) >= MAX_MEMBERS:
        raise ConflictError(f"A team has at most {MAX_MEMBERS} members.", code="team_full", team=team.name)
    store.cut_memberships(uow, team.id, person_id, start)
    new = Membership(new_id("mem"), team.id, person_id, terms, start, until_at)
    store.insert_membership(uow, new)
    told = {**asdict(terms), "skills": sorted(terms.skills)}
    _record(uow, actor, "team.member_put", team.id, name=team.name, person=person_id, from_at=iso(start),
            until_at=iso(until_at) if until_at else None, **told)  # fmt: skip
    return new


def remove_member(
    uow: UnitOfWork, actor: Actor, team_name: str, person_id: str, *, at: datetime | None = None
) -> None:  # fmt: skip
    """Take somebody out of a team from `at` on, None: now; leads they have stay theirs.

    NotFoundError when they are not in it then, nor going to be.
    """
    team = _locked(uow, team_name)
    end = at or uow.now
    if end < uow.now:
        raise InputError("What was cannot be changed any more.", code="span", field="at")
    if person_id not in {one.person_id for one in store.memberships(uow, [team.id], end)}:
        message = f"This person is not in the team {team.name!r}."
        raise NotFoundError(message, team=team.name, person=person_id[:64])
    store.cut_memberships(uow, team.id, person_id, end)
    _record(uow, actor, "team.member_removed", team.id, name=team.name, person=person_id, at=iso(end))


def set_hours(uow: UnitOfWork, actor: Actor, person_id: str, hours: WorkingHours | None) -> None:
    """Say when somebody works; None: no hours are kept, they count as always in."""
    get_person(uow, person_id)
    if hours is not None:
        check_zone(hours.zone)
    store.insert_hours(uow, new_id("hrs"), person_id, hours)
    _record(uow, actor, "person.hours_set", person_id, hours=hours.as_dict() if hours else None)


def add_absence(
    uow: UnitOfWork, actor: Actor, person_id: str, from_at: datetime, until_at: datetime, *, reason: str = ""
) -> Absence:
    """Plan a time away; `reason` is shown to those who manage teams and to nobody else."""
    get_person(uow, person_id)
    if until_at <= from_at:
        raise InputError("The end must come after the beginning.", code="span", field="until")
    if until_at - from_at > MAX_ABSENCE or until_at <= uow.now - MAX_ABSENCE:
        raise InputError("An absence is at most ten years long, and not ten years ago.", code="span", field="until")
    if len(reason) > MAX_REASON_CHARS or "\0" in reason:
        raise InputError(f"A reason has at most {MAX_REASON_CHARS} characters.", field="reason")
    if store.open_absences(uow, person_id, uow.now) >= store.MOST_ABSENCES:
        message = f"at most {store.MOST_ABSENCES} absences of one person are planned ahead"
        raise ConflictError(message, code="too_many_absences", person=person_id)
    new = Absence(new_id("abs"), person_id, from_at, until_at, reason.strip())
    store.insert_absence(uow, new)
    _record(uow, actor, "person.absence_planned", person_id, absence=new.id, from_at=iso(from_at), until=iso(until_at))
    return new


def withdraw_absence(uow: UnitOfWork, actor: Actor, absence_id: str) -> Absence:
    """Take a planned absence back, also while it lasts; NotFoundError when there is none (any more)."""
    found = store.find_absence(uow, absence_id)
    if found is None or not store.withdraw_absence(uow, absence_id):
        raise NotFoundError("There is no such absence.", absence=absence_id[:64])
    _record(uow, actor, "person.absence_withdrawn", found.person_id, absence=found.id)
    return found


def get_team(reader: Reader, name: str) -> Team:
    """Closed ones too; NotFoundError that names a similar one."""
    team = store.find_team(reader, name)
    if team is None:
        raise _no_team(reader, name)
    return team


def list_teams(reader: Reader) -> Sequence[Team]:
    """By name, closed ones too, at most 500."""
    return store.all_teams(reader)


def open_teams(reader: Reader, names: Iterable[str]) -> dict[str, Team]:
    """By name, those of these teams that are open, and those they fall back on."""
    teams = store.teams_by_name(reader, names)
    for _ in range(MAX_CHAIN):
        missing = {team.rules.fallback for team in teams.values()} - {"", *teams}
        if not missing or not (more := store.teams_by_name(reader, missing)):
            break
        teams |= more
    return teams


def rosters(reader: Reader, names: Iterable[str], now: datetime, *, since: datetime | None = None) -> dict[str, Roster]:
    """By name, those of these teams that are open, and those they fall back on, with everybody in them at `now`.

    Absences that ended before `since`, None: `now`, are left out.
    """
    teams = open_teams(reader, names)
    by_id = {team.id: team for team in teams.values()}
    held = [one for one in store.memberships(reader, sorted(by_id), now) if one.holds(now)] if by_id else []
    people = store.colleagues(reader, {one.person_id for one in held}, since or now)
    members: dict[str, list[Member]] = {team_id: [] for team_id in by_id}
    for one in held:
        colleague = people.get(one.person_id)
        if colleague is not None and not colleague.departed:
            members[one.team_id].append(Member(colleague, one.terms))
    return {team.name: Roster(team, tuple(members[team.id])) for team in teams.values()}


def memberships_of(reader: Reader, teams: Sequence[Team], now: datetime | None) -> list[Membership]:
    """Who is in these teams or going to be, by team, person and time; with None every stretch there ever was."""
    return store.memberships(reader, [team.id for team in teams], now)


def colleagues_of(reader: Reader, person_ids: Iterable[str], since: datetime) -> dict[str, Colleague]:
    """These people with their hours and absences that end after `since`, departed ones too."""
    return store.colleagues(reader, person_ids, since)


def teams_of(reader: Reader, person_id: str, now: datetime) -> list[Team]:
    """The open teams that somebody is in, by name."""
    return store.teams_of(reader, person_id, now)


def absences_of(reader: Reader, person_ids: Iterable[str], since: datetime) -> list[Absence]:
    """Times away that end after `since`, by person's beginning; with reasons, so mind who reads."""
    return store.absences(reader, sorted(set(person_ids)), since)


def _locked(uow: UnitOfWork, name: str) -> Team:
    team = store.find_team(uow, name, lock=True)
    if team is None:
        raise _no_team(uow, name)
    return team


def _no_team(reader: Reader, name: str) -> NotFoundError:
    hint = did_you_mean(name[:64], [team.name for team in store.all_teams(reader)]) or ""
    message = f"There is no team {name[:64]!r}. {hint}".rstrip()
    return NotFoundError(message, team=name[:64])


def _check_fallback(reader: Reader, name: str, fallback: str) -> None:
    """A fallback is another open team, and none that comes back here."""
    seen, step = [name], fallback
    while step:
        if step in seen or len(seen) >= MAX_CHAIN:
            chain = " → ".join([*seen, step])
            raise InputError(f"{chain}: teams fall back on each other.", code="fallback", field="fallback")
        team = store.find_team(reader, step)
        if team is None:
            raise InputError(_no_team(reader, step).message, code="fallback", field="fallback")
        seen.append(step)
        step = team.rules.fallback


def _record(uow: UnitOfWork, actor: Actor, verb: str, subject: str, **payload: Any) -> None:
    uow.record(AuditEntry(verb, subject, payload, actor=actor))
