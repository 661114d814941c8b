"""Repairs: what was decided automatically and a person decided otherwise has to be put right by somebody."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from fairlead.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from fairlead.evidence.tables import repair
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

if TYPE_CHECKING:
    from fairlead.kit.actors import Actor
    from fairlead.reviews import Review

MAX_NOTE = 2_000


@dataclass(frozen=True, slots=True)
class Repair:
    """One thing to put right; `done_at` None while nobody has. `review_id` is the review that differed."""

    id: str
    review_id: str
    ruling_id: str
    checkpoint: str
    case_id: str | None
    customer_id: str | None
    role: str
    opened_at: datetime
    done_at: datetime | None
    done_by: str | None
    note: str

    @property
    def is_open(self) -> bool:
        """Whether it still waits for somebody."""
        return self.done_at is None


def open_repair(uow: UnitOfWork, review: Review, actor: Actor) -> str:
    """A task for the role of the review, since its answer differs from what was done already; its id."""
    new = new_id("rep")
    values = {
        "id": new, "review_id": review.id, "ruling_id": review.ruling_id, "checkpoint": review.checkpoint,
        "case_id": review.case_id, "customer_id": review.customer_id, "role": review.role, "opened_at": uow.now,
        "note": "",
    }  # fmt: skip
    uow.execute(insert(repair).values(**values))
    payload = {"review": review.id, "ruling": review.ruling_id, "role": review.role, "case": review.case_id}
    uow.record(AuditEntry("repair.opened", new, payload, review.customer_id, actor))
    return new


def finish_repair(uow: UnitOfWork, actor: Actor, repair_id: str, roles: Collection[str] | None, note: str) -> Repair:
    """Say what was done; `roles` are those of the person, None for who may do it for every role.

    NotFoundError, ForbiddenError without the role, InputError `note` without a word on what was done, ConflictError
    `repair_done` when somebody was first.
    """
    known = repair_of(uow, repair_id)
    if roles is not None and known.role not in roles:
        raise ForbiddenError(f"This repair is for the role {known.role}.", code="role", role=known.role)
    said = note.strip()
    if not said or len(said) > MAX_NOTE or "\0" in said:
        raise InputError(f"Say in 1 to {MAX_NOTE:,} characters what was done.", code="note", field="note")
    c = repair.c
    change = update(repair).where(c.id == known.id, c.done_at.is_(None))
    change = change.values(done_at=uow.now, done_by=str(actor), note=said)
    if uow.execute(change.returning(c.id)).first() is None:
        raise ConflictError("Somebody has put this right already.", code="repair_done", repair=known.id)
    payload = {"review": known.review_id, "ruling": known.ruling_id, "note": said}
    uow.record(AuditEntry("repair.done", known.id, payload, known.customer_id, actor))
    return repair_of(uow, known.id)


def repair_of(reader: Reader, repair_id: str) -> Repair:
    """One of them; NotFoundError when there is none."""
    row = reader.execute(select(repair).where(repair.c.id == repair_id)).first()
    if row is None:
        raise NotFoundError("There is no such repair.", repair=repair_id[:64])
    return _repair(row)


def repairs_page(
    reader: Reader, limit: int, *, roles: Collection[str] | None = None, is_open: bool = True, before: str | None = None
) -> list[Repair]:
    """Newest first, from the one after id `before` on; `roles` None: of every role."""
    c = repair.c
    query = select(repair).where(c.done_at.is_(None) if is_open else c.done_at.is_not(None))
    if roles is not None:
        query = query.where(c.role.in_(sorted(roles)))
    if before:
        query = query.where(c.id < before)
    return [_repair(row) for row in reader.execute(query.order_by(c.id.desc()).limit(limit))]


def repairs_of(reader: Reader, ruling_ids: Collection[str]) -> dict[str, Repair]:
    """The repair of each of these few rulings; those without one are absent."""
    found = reader.execute(select(repair).where(repair.c.ruling_id.in_(sorted(ruling_ids))))
    return {row.ruling_id: _repair(row) for row in found}


def _repair(row: Any) -> Repair:
    return Repair(**row._mapping)  # noqa: SLF001  public in SQLAlchemy
