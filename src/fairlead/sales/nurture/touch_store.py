"""Contacts in the database, and the lead that each is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, update

from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.kit.ids import is_id
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.playbooks import Arrival, arrival_of, read_case
from fairlead.sales.nurture.tables import lead_touch
from fairlead.sales.nurture.touch_model import Touch, TouchKind

LEAD = "lead"
MAX_TOUCHES = 200


def touches_of(reader: Reader, lead: str) -> list[Touch]:
    """Contacts with a lead, newest first; NotFoundError when there is no such lead."""
    _, arrival = lead_of(reader, lead)
    c = lead_touch.c
    query = select(lead_touch).where(c.lead_id == arrival.subject_id).order_by(c.at.desc(), c.id.desc())
    return [touch_of(row) for row in reader.execute(query.limit(MAX_TOUCHES))]


def touch_by_id(reader: Reader, touch_id: str) -> Touch:
    """One contact; NotFoundError once it was taken back."""
    row = reader.execute(select(lead_touch).where(lead_touch.c.id == touch_id)).first()
    if row is None:
        raise NotFoundError("This contact was taken back.", touch=touch_id[:64])
    return touch_of(row)


def first_touches(reader: Reader, leads: Sequence[str]) -> dict[str, datetime]:
    """When somebody was first in touch with each of these leads; the others are absent."""
    c = lead_touch.c
    query = select(c.lead_id, func.min(c.at).label("at")).where(among(reader, c.lead_id, leads)).group_by(c.lead_id)
    return {row.lead_id: row.at for row in reader.execute(query)}


def forget_touches(uow: UnitOfWork, customer_id: str) -> int:
    """Blank the notes of contacts with a customer who is being erased; how many there were."""
    mine = lead_touch.c.customer_id == customer_id
    return int(uow.execute(update(lead_touch).where(mine).values(note="")).rowcount)


def lead_of(reader: Reader, lead: str) -> tuple[str, Arrival]:
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


def check_room(uow: UnitOfWork, lead: str) -> None:
    """ConflictError when no more contacts with this lead are kept."""
    known = uow.execute(select(func.count()).select_from(lead_touch).where(lead_touch.c.lead_id == lead)).scalar_one()
    if known >= MAX_TOUCHES:
        raise ConflictError(f"At most {MAX_TOUCHES} contacts with one lead are kept.", code="too_many_touches")


def touch_of(row: Row[Any]) -> Touch:
    """A contact from its row."""
    return Touch(
        row.id, row.lead_id, row.case_id, TouchKind(row.kind), row.at, row.person_id, row.note, row.made_by, row.made_at
    )
