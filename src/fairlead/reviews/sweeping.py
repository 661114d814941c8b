"""What the sweeps look for: clocks that ran out, leases that lapsed, snoozes that ended."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    select,
)

from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.reviews.model import Review
from fairlead.reviews.store import COLUMNS, as_review
from fairlead.reviews.streams import (
    IS_OPEN,
    Stream,
)
from fairlead.reviews.tables import review


def due(uow: UnitOfWork, now: datetime, limit: int) -> list[Review]:
    """Reviews whose clock has run out and that no sweep has dealt with, the longest overdue first."""
    ticking = (IS_OPEN, review.c.due_at.is_not(None), review.c.overdue_since.is_(None), review.c.due_at <= now)
    return _swept(uow, ticking, review.c.due_at, limit)


def lapsed(uow: UnitOfWork, now: datetime, limit: int) -> list[Review]:
    """Claims whose lease has run out."""
    return _swept(uow, (IS_OPEN, review.c.claimed_until <= now), review.c.claimed_until, limit)


def awake(uow: UnitOfWork, now: datetime, limit: int) -> list[Review]:
    """Reviews whose snooze is over."""
    return _swept(uow, (IS_OPEN, review.c.snoozed_until <= now), review.c.snoozed_until, limit)


def _swept(uow: UnitOfWork, where: Stream, column: ColumnElement[Any], limit: int) -> list[Review]:
    query = select(*COLUMNS).where(*where).order_by(column, review.c.id).limit(limit)
    rows = uow.execute(query.with_for_update(skip_locked=True) if uow.dialect == "postgresql" else query)
    return [as_review(row) for row in rows]


def next_due(reader: Reader) -> datetime | None:
    """When a sweep next has something to do: a clock, lease or snooze that ends; None when nothing will."""
    c = review.c
    ticking = (c.due_at.is_not(None), c.overdue_since.is_(None))
    moments = []
    for column, where in ((c.due_at, ticking), (c.claimed_until, ()), (c.snoozed_until, ())):
        query = select(column).where(IS_OPEN, column.is_not(None), *where).order_by(column, c.id).limit(1)
        moments.append(reader.execute(query).scalar())
    return min((moment for moment in moments if moment is not None), default=None)
