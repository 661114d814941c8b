"""Contacts with leads: logged by whoever made them, taken back within a day when they were wrong."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select

from fairlead.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.clock import iso
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.people import get_person
from fairlead.playbooks import Arrival
from fairlead.sales.nurture.tables import lead_touch
from fairlead.sales.nurture.touch_model import Touch, TouchKind
from fairlead.sales.nurture.touch_news import take_word_back, tell
from fairlead.sales.nurture.touch_store import check_room, lead_of, touch_of
from fairlead.sales.routing import holders_of, mark_worked

MAX_NOTE_CHARS = 2_000


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
    case_id, arrival = lead_of(uow, lead)
    moment = _checked(arrival, at or uow.now, uow.now)
    _check_note(note)
    check_room(uow, arrival.subject_id)
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
    tell(uow, new, arrival.customer_id)
    held = holders_of(uow, [new.lead]).get(new.lead)
    if held is not None and held.person_id is not None:
        mark_worked(uow, actor, held.case_id)
    return new


def remove_touch(uow: UnitOfWork, actor: Actor, lead: str, touch_id: str, *, others: bool = False) -> None:
    """Delete a contact that was logged by mistake: one's own, with `others` anybody's.

    What it set going stays as it is: the lead counts as worked, a case that went on does not come back. ConflictError
    once it was logged more than a day ago.
    """
    _, arrival = lead_of(uow, lead)
    c = lead_touch.c
    row = uow.execute(select(lead_touch).where(c.id == touch_id, c.lead_id == arrival.subject_id)).first()
    if row is None:
        raise NotFoundError("There is no such contact with this lead.", touch=touch_id[:64])
    known = touch_of(row)
    if known.made_by != str(actor) and not others:
        message = "Only who logged a contact takes it back, or somebody who manages cases."
        raise ForbiddenError(message, code="not_yours", touch=known.id)
    if not known.removable(uow.now):
        message = "A contact can be taken back within a day of its being logged."
        raise ConflictError(message, code="touch_too_old", touch=known.id)
    if uow.execute(delete(lead_touch).where(c.id == touch_id)).rowcount == 0:
        raise NotFoundError("There is no such contact with this lead.", touch=touch_id[:64])
    payload = {"touch": known.id, "kind": known.kind.value, "at": iso(known.at), "person": known.person_id}
    uow.record(AuditEntry("lead.touch_removed", known.case_id, payload, row.customer_id, actor))
    take_word_back(uow, known, row.customer_id)


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
