"""All SQL of the requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select, update

from fairlead.errors import NotFoundError
from fairlead.kit.columns import metadata
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.rights import tables as t


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
