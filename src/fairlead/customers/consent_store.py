"""All SQL of consents and of the notices that were shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, insert, or_, select

from fairlead.customers import tables as t
from fairlead.customers.consents import Notice, Notices, Said
from fairlead.kit.clock import from_micros
from fairlead.kit.ids import new_id
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork

_SAID = (
    "SELECT at, id, customer_id, purpose, channel, state, mechanism, source, expires_at, notice_id FROM consent "
    "WHERE customer_id = ANY(?) ORDER BY at, id"
)


def said_of(reader: Reader, ids: Sequence[str]) -> list[Said]:
    """Every row of these records' own, oldest first."""
    return [
        Said(from_micros(at), one, customer, purpose, channel, state, mechanism, source,
             from_micros(ends) if ends is not None else None, notice_id)
        for at, one, customer, purpose, channel, state, mechanism, source, ends, notice_id
        in reader.fetch(_SAID, sorted(ids))
    ]  # fmt: skip


def row_of(reader: Reader, consent_id: str) -> Any:
    """The whole row, None when there is none."""
    return reader.execute(select(t.consent).where(t.consent.c.id == consent_id)).first()


def rows_of(reader: Reader, ids: Sequence[str], limit: int, before: tuple[datetime, str] | None) -> list[Any]:
    """Whole rows of these records, newest first, those before (recorded_at, id)."""
    c = t.consent.c
    query = select(t.consent).where(among(reader, c.customer_id, ids))
    if before:
        earlier = or_(c.recorded_at < before[0], and_(c.recorded_at == before[0], c.id < before[1]))
        query = query.where(earlier)
    return list(reader.execute(query.order_by(c.recorded_at.desc(), c.id.desc()).limit(limit)))


def insert_consent(uow: UnitOfWork, customer_id: str, values: dict[str, Any]) -> str:
    """Append a row; its id. `at` defaults to now."""
    row_id = new_id("cns")
    whole = {"at": uow.now, **values, "id": row_id, "customer_id": customer_id, "recorded_at": uow.now}
    uow.execute(insert(t.consent).values(**whole))
    return row_id


def notices_for(reader: Reader, said: Iterable[Said]) -> Notices:
    """The notices that these rows name, and what the same notices say now."""
    wanted = sorted({one.notice_id for one in said if one.notice_id})
    if not wanted:
        return Notices({}, {})
    c = t.notice.c
    by_id = {row.id: _notice(row) for row in reader.execute(select(t.notice).where(among(reader, c.id, wanted)))}
    names = sorted({one.name for one in by_id.values()})
    newest = select(c.name, c.language, func.max(c.version).label("version")).where(among(reader, c.name, names))
    last = newest.group_by(c.name, c.language).subquery()
    same = and_(c.name == last.c.name, c.language == last.c.language, c.version == last.c.version)
    rows = reader.execute(select(c.name, c.language, c.digest).join(last, same))
    return Notices(by_id, {(row.name, row.language): row.digest for row in rows})


def notice(reader: Reader, notice_id: str) -> tuple[Notice, str] | None:
    """The notice and its text; None when there is none."""
    row = reader.execute(select(t.notice).where(t.notice.c.id == notice_id)).first()
    return (_notice(row), row.text) if row is not None else None


def newest_notice(reader: Reader, name: str, language: str, version: int | None = None) -> Notice | None:
    """The newest version, or exactly this one; None when it was never published."""
    c = t.notice.c
    query = select(t.notice).where(c.name == name, c.language == language)
    query = query.where(c.version == version) if version is not None else query
    row = reader.execute(query.order_by(c.version.desc()).limit(1)).first()
    return _notice(row) if row is not None else None


def all_notices(reader: Reader, limit: int) -> list[Any]:
    """Every version with its text, by name and language, newest first."""
    c = t.notice.c
    return list(reader.execute(select(t.notice).order_by(c.name, c.language, c.version.desc()).limit(limit)))


def insert_notice(uow: UnitOfWork, one: Notice, text: str, actor: str) -> None:
    """Store a version."""
    values = {
        "id": one.id, "name": one.name, "language": one.language, "version": one.version, "digest": one.digest,
        "text": text, "actor": actor, "at": uow.now,
    }  # fmt: skip
    uow.execute(insert(t.notice).values(**values))


def by_survivor(said: Iterable[Said], stands_for: Mapping[str, str]) -> dict[str, list[Said]]:
    """Rows by who stands for the record they are about."""
    found: dict[str, list[Said]] = defaultdict(list)
    for one in said:
        found[stands_for[one.customer_id]].append(one)
    return found


def _notice(row: Any) -> Notice:
    return Notice(row.id, row.name, row.version, row.language, row.digest)
