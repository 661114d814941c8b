"""All SQL of requests: what was asked under which idempotency key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.checkpoints import tables as t
from fairlead.kit.unit_of_work import Reader, UnitOfWork

_READ_REQUEST = select(t.request).where(
    *(t.request.c[name] == bindparam(f"this_{name}") for name in ("api_key_id", "checkpoint", "key"))
)
_INSERT_REQUEST = {
    module.__name__.rpartition(".")[2]: module.insert(t.request).on_conflict_do_nothing().returning(t.request.c.key)
    for module in (postgresql, sqlite)
}


def read_request(reader: Reader, api_key_id: str, checkpoint: str, key: str) -> Row[Any] | None:
    """What was asked under this idempotency key, None when nothing was."""
    these = {"this_api_key_id": api_key_id, "this_checkpoint": checkpoint, "this_key": key}
    return reader.execute(_READ_REQUEST, these).first()


def insert_request(uow: UnitOfWork, values: Mapping[str, Any]) -> bool:
    """Reserve an idempotency key; False when it is taken."""
    return uow.execute(_INSERT_REQUEST[uow.dialect], values).first() is not None


def drop_request(uow: UnitOfWork, api_key_id: str, checkpoint: str, key: str, before: datetime) -> None:
    """Free one idempotency key, if it was used before that moment."""
    r = t.request.c
    mine = (r.api_key_id == api_key_id, r.checkpoint == checkpoint, r.key == key, r.at < before)
    uow.execute(delete(t.request).where(*mine))


def forget_requests(uow: UnitOfWork, before: datetime, limit: int) -> int:
    """Drop idempotency keys older than `before`; how many went."""
    r = t.request.c
    old = select(r.ruling_id).where(r.at < before).limit(limit)
    return uow.execute(delete(t.request).where(r.ruling_id.in_(old), r.at < before)).rowcount
