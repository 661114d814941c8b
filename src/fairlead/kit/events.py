"""Domain events as rows: how a feature on the left tells one on the right, in the same transaction.

An event has a type and a correlation key (`decision`, `rul_…`). It is deduplicated by its id, becomes due
at `due_at`, and stays after it was handled, so that a later wait can still find it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Table, Text, and_, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.kit.clock import to_micros
from fairlead.kit.columns import Instant, Json, exempt, metadata
from fairlead.kit.ids import new_id
from fairlead.kit.jsons import dumps
from fairlead.kit.unit_of_work import Reader, UnitOfWork

REQUESTED = "api.requested"
"""Type of the events that remember idempotency keys; no playbook can wait for it."""

event_row = Table(
    "event",
    metadata,
    Column("id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("payload", Json, nullable=False),
    Column("handled_at", Instant),
    Index("ix_event_type_key", "type", "key", "at"),
    Index(
        "ix_event_open_due_at",
        "due_at",
        sqlite_where=Column("handled_at", BigInteger).is_(None),
        postgresql_where=Column("handled_at", BigInteger).is_(None),
    ),
    info=exempt("carries what an audited transaction already recorded"),
)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, as another feature sees it.

    `due_at` None means at once. An `id` given by the caller makes publishing it twice harmless.
    """

    type: str
    key: str
    payload: dict[str, Any] = field(default_factory=dict)
    due_at: datetime | None = None
    id: str = ""
    at: datetime | None = None


def publish(uow: UnitOfWork, event: Event) -> bool:
    """Store an event; False when one of the same id was there already (and nothing changed)."""
    values = {
        "id": event.id or new_id("evt"),
        "type": event.type,
        "key": event.key,
        "at": event.at or uow.now,
        "due_at": event.due_at or uow.now,
        "payload": event.payload,
        "handled_at": None,
    }
    dialect = postgresql if uow.dialect == "postgresql" else sqlite
    statement = dialect.insert(event_row).values(**values).on_conflict_do_nothing(index_elements=["id"])
    return uow.execute(statement.returning(event_row.c.id)).first() is not None


def publish_many(uow: UnitOfWork, events: Iterable[Event]) -> None:
    """`publish` in bulk for events without ids of their own."""
    now = to_micros(uow.now)
    rows = []
    for event in events:
        due = to_micros(event.due_at) if event.due_at else now
        rows.append((new_id("evt"), event.type, event.key, now, due, dumps(event.payload), None))
    if rows:
        uow.insert_many(event_row, ("id", "type", "key", "at", "due_at", "payload", "handled_at"), rows)


def withdraw(uow: UnitOfWork, event_type: str, key: str) -> bool:
    """Take back an event that nobody has handled; False when it was handled already or never was."""
    mine = and_(event_row.c.type == event_type, event_row.c.key == key, event_row.c.handled_at.is_(None))
    return uow.execute(delete(event_row).where(mine)).rowcount > 0


def due(reader: Reader, now: datetime, limit: int) -> Sequence[Event]:
    """Events that are due and unhandled, oldest first; on Postgres locked for this transaction."""
    c = event_row.c
    query = select(event_row).where(c.handled_at.is_(None), c.due_at <= now).order_by(c.due_at).limit(limit)
    rows = reader.execute(query.with_for_update(skip_locked=True) if reader.dialect == "postgresql" else query)
    return [Event(row.type, row.key, row.payload, row.due_at, row.id, row.at) for row in rows]


def next_due(reader: Reader) -> datetime | None:
    """When the next unhandled event becomes due; None when there is none."""
    query = select(event_row.c.due_at).where(event_row.c.handled_at.is_(None)).order_by(event_row.c.due_at)
    return reader.execute(query.limit(1)).scalar()


def mark_handled(uow: UnitOfWork, events: Sequence[Event]) -> None:
    """Say that these events have been looked at; they stay for later waits."""
    now = to_micros(uow.now)
    uow.update_many(event_row, "handled_at = ?", "id = ?", [(now, event.id) for event in events])


def since(reader: Reader, event_type: str, key: str, mark: datetime) -> Event | None:
    """The first event of this type and key at or after `mark`, None when there is none."""
    c = event_row.c
    query = select(event_row).where(c.type == event_type, c.key == key, c.at >= mark).order_by(c.at).limit(1)
    row = reader.execute(query).first()
    return Event(row.type, row.key, row.payload, row.due_at, row.id, row.at) if row else None


def older(reader: Reader, event_type: str, before: datetime, limit: int) -> list[str]:
    """Ids of events of this type from before that moment."""
    c = event_row.c
    return list(reader.execute(select(c.id).where(c.type == event_type, c.at < before).limit(limit)).scalars())


def drop(uow: UnitOfWork, event_type: str, ids: Sequence[str], before: datetime) -> int:
    """Delete those of these events that are of this type and from before that moment; how many went."""
    c = event_row.c
    return uow.execute(delete(event_row).where(c.id.in_(ids), c.type == event_type, c.at < before)).rowcount
