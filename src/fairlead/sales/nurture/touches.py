"""Contacts with leads: logged by whoever made them, taken back within a day when they were wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Row, delete, func, insert, select, update

from fairlead.customers import TimelineNote, note_many
from fairlead.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.clock import iso
from fairlead.kit.events import Event, drop, publish
from fairlead.kit.ids import is_id, new_id
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.people import get_person
from fairlead.playbooks import Arrival, arrival_of, read_case
from fairlead.sales.nurture.tables import lead_touch
from fairlead.sales.routing import holders_of, mark_worked

LEAD = "lead"
TOUCHED = "touched"
"""Type of the event about the customer that a contact publishes; playbooks may wait for it."""
REMOVABLE = timedelta(days=1)
MAX_NOTE_CHARS = 2_000
MAX_TOUCHES = 200
_AFTER = timedelta(microseconds=1)


class TouchKind(StrEnum):
    """How somebody was in touch."""

    CALL = "call"
    EMAIL = "email"
    MEETING = "meeting"
    MESSAGE = "message"
    OTHER = "other"


KIND_WORDS = {
    TouchKind.CALL: "Call",
    TouchKind.EMAIL: "E-mail",
    TouchKind.MEETING: "Meeting",
    TouchKind.MESSAGE: "Message",
    TouchKind.OTHER: "Other contact",
}


class Touch(NamedTuple):
    """A contact as it was logged; `person_id` None where a program did not say who it was."""

    id: str
    lead: str
    case_id: str
    kind: TouchKind
    at: datetime
    person_id: str | None
    note: str
    made_by: str
    made_at: datetime

    def removable(self, now: datetime) -> bool:
        """Whether it may still be taken back."""
        return now - self.made_at <= REMOVABLE


def log_touch(
    uow: UnitOfWork,
    actor: Actor,
    lead: str,
    *,
    kind: TouchKind,
    at: datetime | None = None,
    note: str = "",
    person_id: str | None = None,
    touch_id: str = "",
) -> Touch:
    """Say that somebody was in touch with a lead, known by its id or by that of one of its cases.

    `at` None: now; `person_id` None: the actor, if it is a person. The lead then counts as worked, and whatever
    waits for `touched` about the customer goes on. InputError for a moment to come or before the lead came, a note
    of more than 2,000 characters, and a case that is about no lead; ConflictError past 200 contacts.
    """
    case_id, arrival = _found(uow, lead)
    moment = _checked(arrival, at or uow.now, uow.now)
    _check_note(note)
    _check_room(uow, arrival.subject_id)
    if person_id is not None:
        get_person(uow, person_id)
    elif actor.kind is ActorKind.USER:
        person_id = actor.id
    new = Touch(
        touch_id or new_id("touch"),
        arrival.subject_id,
        case_id,
        kind,
        moment,
        person_id,
        note.strip(),
        str(actor),
        uow.now,
    )
    uow.execute(
        insert(lead_touch).values(
            id=new.id, lead_id=new.lead, case_id=case_id, customer_id=arrival.customer_id, person_id=person_id,
            kind=kind.value, at=moment, note=new.note, made_by=new.made_by, made_at=uow.now,
        )
    )  # fmt: skip
    payload = {"touch": new.id, "kind": kind.value, "at": iso(moment), "person": person_id, "note": new.note}
    uow.record(AuditEntry("lead.touched", case_id, payload, arrival.customer_id, actor))
    _tell(uow, new, arrival)
    held = holders_of(uow, [new.lead]).get(new.lead)
    if held is not None and held.person_id is not None:
        mark_worked(uow, actor, held.case_id)
    return new


def remove_touch(uow: UnitOfWork, actor: Actor, lead: str, touch_id: str, *, others: bool = False) -> None:
    """Delete a contact that was logged by mistake: one's own, with `others` anybody's.

    What it set going stays as it is: the lead counts as worked, a case that went on does not come back. ConflictError
    once it was logged more than a day ago.
    """
    _, arrival = _found(uow, lead)
    c = lead_touch.c
    row = uow.execute(select(lead_touch).where(c.id == touch_id, c.lead_id == arrival.subject_id)).first()
    if row is None:
        raise NotFoundError("There is no such contact with this lead.", touch=touch_id[:64])
    known = _touch(row)
    if known.made_by != str(actor) and not others:
        message = "Only who logged a contact takes it back, or somebody who manages cases."
        raise ForbiddenError(message, code="not_yours", touch=known.id)
    if not known.removable(uow.now):
        message = "A contact can be taken back within a day of its being logged."
        raise ConflictError(message, code="touch_too_old", touch=known.id)
    if uow.execute(delete(lead_touch).where(c.id == touch_id)).rowcount == 0:
        raise NotFoundError("There is no such contact with this lead.", touch=touch_id[:64])
    drop(uow, TOUCHED, [_event_id(known)], uow.now + _AFTER)
    payload = {"touch": known.id, "kind": known.kind.value, "at": iso(known.at), "person": known.person_id}
    uow.record(AuditEntry("lead.touch_removed", known.case_id, payload, row.customer_id, actor))
    if row.customer_id:
        words = f"{KIND_WORDS[known.kind]} taken back: it was logged by mistake"
        note_many(uow, [TimelineNote(row.customer_id, "touch", words, known.case_id)])


def touches_of(reader: Reader, lead: str) -> list[Touch]:
    """Contacts with a lead, newest first; NotFoundError when there is no such lead."""
    _, arrival = _found(reader, lead)
    c = lead_touch.c
    query = select(lead_touch).where(c.lead_id == arrival.subject_id).order_by(c.at.desc(), c.id.desc())
    return [_touch(row) for row in reader.execute(query.limit(MAX_TOUCHES))]


def touch_by_id(reader: Reader, touch_id: str) -> Touch:
    """One contact; NotFoundError once it was taken back."""
    row = reader.execute(select(lead_touch).where(lead_touch.c.id == touch_id)).first()
    if row is None:
        raise NotFoundError("This contact was taken back.", touch=touch_id[:64])
    return _touch(row)


def first_touches(reader: Reader, leads: Sequence[str]) -> dict[str, datetime]:
    """When somebody was first in touch with each of these leads; the others are absent."""
    c = lead_touch.c
    query = select(c.lead_id, func.min(c.at).label("at")).where(among(reader, c.lead_id, leads)).group_by(c.lead_id)
    return {row.lead_id: row.at for row in reader.execute(query)}


def forget_touches(uow: UnitOfWork, customer_id: str) -> int:
    """Blank the notes of contacts with a customer who is being erased; how many there were."""
    mine = lead_touch.c.customer_id == customer_id
    return int(uow.execute(update(lead_touch).where(mine).values(note="")).rowcount)


def _tell(uow: UnitOfWork, touch: Touch, arrival: Arrival) -> None:
    if arrival.customer_id is None:
        return
    note_many(uow, [TimelineNote(arrival.customer_id, "touch", KIND_WORDS[touch.kind], touch.case_id)])
    told = {"case": touch.case_id, "lead": touch.lead, "touch": touch.id, "kind": touch.kind.value}
    publish(uow, Event(TOUCHED, arrival.customer_id, told, id=_event_id(touch), at=touch.at))


def _event_id(touch: Touch) -> str:
    return f"touched/{touch.id}"


def _found(reader: Reader, lead: str) -> tuple[str, Arrival]:
    """The case that was named, or the lead's first, and how the lead came in."""
    case_id, subject = None, lead[:200]
    if is_id(lead, "case"):
        row = read_case(reader, lead)
        if row.subject_kind != LEAD:
            raise InputError(f"This case is about a {row.subject_kind}, not about a lead.", code="no_lead", case=lead)
        case_id, subject = lead, row.subject_id
    arrival = arrival_of(reader, LEAD, subject) if "\0" not in subject else None
    if arrival is None:
        raise NotFoundError("There is no such lead.", lead=lead[:64])
    return case_id or arrival.case_id, arrival


def _checked(arrival: Arrival, at: datetime, now: datetime) -> datetime:
    if at > now:
        raise InputError("A contact that is still to come cannot be logged.", code="touch_in_future", field="at")
    if at < arrival.at:
        message = f"The lead came only on {iso(arrival.at.replace(microsecond=0))}; nobody was in touch before that."
        raise InputError(message, code="touch_before_arrival", field="at")
    return at


def _check_note(note: str) -> None:
    if len(note) > MAX_NOTE_CHARS or "\0" in note:
        raise InputError(f"A note has at most {MAX_NOTE_CHARS:,} characters.", field="note")


def _check_room(uow: UnitOfWork, lead: str) -> None:
    known = uow.execute(select(func.count()).select_from(lead_touch).where(lead_touch.c.lead_id == lead)).scalar_one()
    if known >= MAX_TOUCHES:
        raise ConflictError(f"At most {MAX_TOUCHES} contacts with one lead are kept.", code="too_many_touches")


def _touch(row: Row[Any]) -> Touch:
    return Touch(
        row.id, row.lead_id, row.case_id, TouchKind(row.kind), row.at, row.person_id, row.note, row.made_by, row.made_at
    )
