"""All SQL of the requests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, and_, case, func, insert, or_, select, type_coerce, update

from fairlead.errors import NotFoundError
from fairlead.kit.clock import to_micros
from fairlead.kit.columns import metadata
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.rights import tables as t
from fairlead.rights.model import RequestState

NEVER = 2**62
"""Behind every moment, in microseconds."""


def insert_request(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Store a request."""
    uow.execute(insert(t.request).values(**values))


def change_request(uow: UnitOfWork, request_id: str, values: Mapping[str, Any]) -> None:
    """Write these columns."""
    uow.execute(update(t.request).where(t.request.c.id == request_id).values(**values))


def read_request(reader: Reader, request_id: str) -> Any:
    """The row; NotFoundError for an unknown id."""
    row = reader.execute(select(t.request).where(t.request.c.id == request_id)).first()
    if row is None:
        raise NotFoundError(f"There is no request {request_id[:64]}.", request=request_id[:64])
    return row


def waiting_page(reader: Reader, after: str | None, limit: int) -> list[Any]:
    """Those that wait, the first to be due first and what has no date last; `after` is the last id of the page above.

    A page that begins behind a request that was decided meanwhile is the first again.
    """
    c = t.request.c
    due = func.coalesce(type_coerce(c.due_at, BigInteger), NEVER)
    query = select(t.request).where(c.state == RequestState.ASKED.value).order_by(due, c.id).limit(limit)
    above = None if after is None else reader.execute(query.where(c.id == after)).first()
    if above is not None:
        mark = NEVER if above.due_at is None else to_micros(above.due_at)
        query = query.where(or_(due > mark, and_(due == mark, c.id > above.id)))
    return list(reader.execute(query))


def waiting_counts(reader: Reader, now: datetime) -> tuple[int, int]:
    """How many requests wait for a decision, and how many of them the law would have had decided."""
    c = t.request.c
    late = func.coalesce(func.sum(case((c.due_at < now, 1), else_=0)), 0)
    row: Any = reader.execute(select(func.count(), late).where(c.state == RequestState.ASKED.value)).one()
    return int(row[0]), int(row[1])


def requests_page(reader: Reader, state: str | None, before: str | None, limit: int) -> list[Any]:
    """Newest first; `before` is the last id of the page above."""
    c = t.request.c
    query = select(t.request).order_by(c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(c.state == state)
    if before is not None:
        query = query.where(c.id < before)
    return list(reader.execute(query))


def requests_of(reader: Reader, customer_ids: tuple[str, ...], limit: int = 100) -> list[Any]:
    """Those of these records, newest first."""
    c = t.request.c
    query = select(t.request).where(among(reader, c.customer_id, customer_ids)).order_by(c.id.desc()).limit(limit)
    return list(reader.execute(query))


def decided_by(reader: Reader, case_id: str) -> Any:
    """(decided_by, reason) of the newest decision in a case, None without one."""
    ruling, decision = metadata.tables["ruling"], metadata.tables["decision"]
    query = select(decision.c.decided_by, decision.c.reason).join_from(ruling, decision)
    query = query.where(ruling.c.case_id == case_id).order_by(ruling.c.created_at.desc(), ruling.c.id.desc()).limit(1)
    return reader.execute(query).first()
