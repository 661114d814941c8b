"""Leads handed over by people, and marked as worked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fairlead.customers import TimelineNote, note_many, owning_of, set_owners
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.kit.actors import Actor
from fairlead.kit.clock import to_micros
from fairlead.kit.events import Event, publish
from fairlead.kit.ids import new_id
from fairlead.kit.jsons import dumps
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.people import Colleague, Team, TeamRules, colleagues_of, get_team, teams_of
from fairlead.playbooks import read_case
from fairlead.sales.routing import fair, store
from fairlead.sales.routing.explaining import handed_explanation, sentences
from fairlead.sales.routing.model import Given, Handed

ASSIGNED = "assigned"
"""Type of the event by which a case that waits for somebody hears that it has somebody."""
MAX_REASON_CHARS = 4_000


def hand_over(
    uow: UnitOfWork,
    actor: Actor,
    lead: str,
    person_id: str,
    *,
    kind: Handed = Handed.OTHER,
    reason: str = "",
    team: str | None = None,
) -> Given:
    """Give a lead (its id, or its case's) to somebody by hand; who had it before has one open lead less.

    It may go past a capacity, since a person wants it so. `team` None: the team it is in, or the first one that
    the person is in. After a misroute the share that it took is given back. The owner of the customer follows,
    where it was nobody or the former. ConflictError when it is theirs already, or they left.
    """
    if len(reason) > MAX_REASON_CHARS or "\0" in reason:
        raise InputError(f"A reason has at most {MAX_REASON_CHARS} characters.", field="reason")
    case_id = _case_of(uow, lead)
    person = colleagues_of(uow, [person_id], uow.now).get(person_id)
    if person is None:
        raise NotFoundError("There is no such person.", person=person_id[:64])
    if person.departed:
        raise ConflictError(f"{person.name} is disabled.", code="person_disabled", person=person_id)
    former = store.current_of(uow, [case_id]).get(case_id)
    goal = get_team(uow, team) if team else _home(uow, person, former.team if former else "")
    store.lock_pools(uow, [one for one in (former and former.team_id, goal and goal.id) if one])
    former = store.current_of(uow, [case_id]).get(case_id)
    if former is not None and former.person_id == person_id:
        raise ConflictError(f"This lead is with {person.name} already.", code="assigned_already", person=person_id)
    if former is not None:
        store.supersede(uow, [(former.id, kind.value)])
        if kind.is_misroute:
            _give_back(uow, former)
    return _hand(uow, actor, case_id, person, former, goal, kind, reason.strip())


def _hand(
    uow: UnitOfWork,
    actor: Actor,
    case_id: str,
    person: Colleague,
    former: Any,
    goal: Team | None,
    kind: Handed,
    reason: str,
) -> Given:
    case = read_case(uow, case_id)
    team_id, team = (goal.id, goal.name) if goal else (former.team_id, former.team) if former else (None, "")
    days = goal.rules.open_days if goal else TeamRules().open_days
    data = handed_explanation(team, {"id": person.person_id, "name": person.name}, kind.value, reason)
    assignment_id, words = new_id("asg"), sentences(data)[0]
    store.insert_assignments(uow, [(
        assignment_id, case_id, case.subject_id, case.customer_id, team_id, team, person.person_id,
        to_micros(uow.now), "person", str(actor), dumps(data), to_micros(uow.now + timedelta(days=days)),
    )])  # fmt: skip
    before = former.person_id if former else None
    payload = {"assignment": assignment_id, "team": team, "person": person.person_id, "before": before,
               "way": "person", "why": kind.value, "reason": reason}  # fmt: skip
    uow.record(AuditEntry("lead.handed_over", case_id, payload, case.customer_id, actor))
    if case.customer_id:
        note_many(uow, [TimelineNote(case.customer_id, "assignment", words, case_id)])
        found = owning_of(uow, [case.customer_id]).get(case.customer_id)
        if found is not None and found.owner in {None, before}:
            set_owners(uow, actor, {case.customer_id: person.person_id})
        facts = {"owner": person.person_id, "owner_name": person.name, "assignment": assignment_id}
        publish(uow, Event(ASSIGNED, case.customer_id, {"case": case_id, "found": facts}))
    return Given(assignment_id, case_id, team, person.person_id, person.name, hold=False, words=words)


def _home(uow: UnitOfWork, person: Colleague, current: str) -> Team | None:
    """The team of the lead where the person is in it, else the first that they are in, None: the lead's."""
    mine = teams_of(uow, person.person_id, uow.now)
    return next((one for one in mine if one.name == current), mine[0] if mine else None)


def _give_back(uow: UnitOfWork, former: Any) -> None:
    """Undo what a misrouted lead did to the shares of its team, today's figures included."""
    due = former.explanation.get("due") or {}
    if not due or former.team_id is None or former.person_id is None:
        return
    before = store.credits_of(uow, [former.team_id]).get(former.team_id, {})
    after = dict(before)
    fair.give_back(after, due, former.person_id)
    store.write_credits(uow, former.team_id, before, after)
    changes = {one: (-part, -int(one == former.person_id)) for one, part in due.items()}
    store.add_to_day(uow, former.team_id, store.day_number(former.at), changes)


def mark_worked(uow: UnitOfWork, actor: Actor, lead: str) -> bool:
    """Say that a lead needs no more work: it counts no longer as open. False when that was said before.

    NotFoundError when nobody has it.
    """
    case_id = _case_of(uow, lead)
    row = store.lock_current(uow, case_id)
    if row is None or row.person_id is None:
        raise NotFoundError("Nobody has this lead.", lead=lead[:64])
    if row.released_at is not None:
        return False
    store.release(uow, row.id)
    payload = {"assignment": row.id, "person": row.person_id}
    uow.record(AuditEntry("lead.worked", case_id, payload, row.customer_id, actor))
    return True


def _case_of(uow: UnitOfWork, lead: str) -> str:
    """The case of a lead, or the case itself; NotFoundError when there is neither."""
    case_id = lead if lead.startswith("case_") else store.case_of_subject(uow, lead)
    if case_id is None:
        message = "Nothing was assigned under this id; a lead that is not at its team yet is known by its case."
        raise NotFoundError(message, lead=lead[:64])
    return str(read_case(uow, case_id).id)
