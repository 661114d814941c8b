"""All SQL of identity checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from fairlead.identity import tables as t
from fairlead.identity.model import CodeState
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork

_code = t.identity_code.c


def asked_of_address(reader: Reader, digest: str, since: datetime) -> list[datetime]:
    """When codes for this address were asked for after `since`, oldest first."""
    query = select(_code.at).where(_code.address_digest == digest, _code.at > since).order_by(_code.at)
    return list(reader.execute(query).scalars())


def asked_of_customer(reader: Reader, family: Sequence[str], since: datetime) -> int:
    """How many codes were asked for after `since` for these records."""
    mine = among(reader, _code.customer_id, family) & (_code.at > since)
    return int(reader.execute(select(func.count()).select_from(t.identity_code).where(mine)).scalar() or 0)


def insert_code(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Write down a code."""
    uow.execute(insert(t.identity_code).values(**values))


def open_codes(reader: Reader, family: Sequence[str], now: datetime) -> list[Any]:
    """The codes of these records that can still be used, newest first; kept from others in a transaction."""
    mine = among(reader, _code.customer_id, family) & (_code.state == CodeState.OPEN) & (_code.expires_at > now)
    query = select(t.identity_code).where(mine).order_by(_code.at.desc(), _code.id.desc())
    return list(reader.execute(query.with_for_update() if isinstance(reader, UnitOfWork) else query))


def replace_codes(uow: UnitOfWork, family: Sequence[str]) -> None:
    """No open code of these records can be used any more."""
    mine = among(uow, _code.customer_id, family) & (_code.state == CodeState.OPEN)
    uow.execute(update(t.identity_code).where(mine).values(state=CodeState.REPLACED.value, digest=""))


def count_try(uow: UnitOfWork, code_id: str, state: CodeState) -> None:
    """One more try, after which the code is in this state."""
    values: dict[str, Any] = {"tries": _code.tries + 1, "state": state.value}
    if state is not CodeState.OPEN:
        values["digest"] = ""
    uow.execute(update(t.identity_code).where(_code.id == code_id).values(**values))
