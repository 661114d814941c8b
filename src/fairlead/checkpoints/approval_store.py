"""All SQL of approvals, and of what was executed without one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.checkpoints import tables as t
from fairlead.kit.unit_of_work import Reader, UnitOfWork

_INSERT_APPROVAL = {
    module.__name__.rpartition(".")[2]: module.insert(t.approval)
    .on_conflict_do_nothing(index_elements=["ruling_id"])
    .returning(t.approval.c.ruling_id)
    for module in (postgresql, sqlite)
}


def insert_approval(uow: UnitOfWork, values: Mapping[str, Any]) -> bool:
    """Keep an approval that was issued, only the token's hash of it; False when there is one already."""
    return uow.execute(_INSERT_APPROVAL[uow.dialect], values).first() is not None


def consume_approval(uow: UnitOfWork, ruling_id: str, token_hash: str, execution: Mapping[str, Any]) -> bool:
    """Use it up; False when it was used, has expired, or the token is another."""
    a = t.approval.c
    mine = (
        a.ruling_id == ruling_id,
        a.token_hash == token_hash,
        a.consumed_at.is_(None),
        a.expires_at > uow.now,
    )
    change = update(t.approval).where(*mine).values(consumed_at=uow.now, execution=dict(execution))
    return uow.execute(change).rowcount == 1


def complete_execution(uow: UnitOfWork, ruling_id: str, begun: Mapping[str, Any], execution: Mapping[str, Any]) -> bool:
    """Put the result in the place of `begun`; False when somebody reported it already."""
    a = t.approval.c
    mine = (a.ruling_id == ruling_id, a.execution == dict(begun))
    return uow.execute(update(t.approval).where(*mine).values(execution=dict(execution))).rowcount == 1


def insert_unasked(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Keep an execution that no approval allowed."""
    uow.execute(insert(t.unasked).values(**values))


def unasked_executions(reader: Reader, limit: int, before: str | None = None) -> list[Row[Any]]:
    """Executions without a valid approval, newest first, from the one after id `before` on."""
    query = select(t.unasked).order_by(t.unasked.c.id.desc()).limit(limit)
    return list(reader.execute(query if before is None else query.where(t.unasked.c.id < before)))
