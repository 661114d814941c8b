"""All SQL of consents and of the notices that were shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, insert, literal, or_, select

from fairlead.customers import tables as t
from fairlead.customers.consents import Notice, Notices, Said
from fairlead.customers.delivery_store import FAILED, PENDING, SKIPPED
from fairlead.kit.clock import from_micros, to_micros
from fairlead.kit.ids import new_id, new_ids
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork

_SAID = (
    "SELECT at, id, customer_id, purpose, channel, state, mechanism, source, expires_at, notice_id FROM consent "
    "WHERE customer_id = ANY(?) ORDER BY at, id"
)
_COLUMNS = ("id", "customer_id", "purpose", "channel", "state", "mechanism", "proof", "source", "actor", "notice_id",
            "expires_at", "at", "recorded_at")  # fmt: skip
_DELIVERY = ("id", "consent_id", "customer_id", "downstream", "why", "state", "attempt", "at", "due_at")


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


def take_turn(uow: UnitOfWork) -> None:
    """Wait until no other transaction takes rows of a file in; the turn ends with the transaction.

    Without it two imports of one file at once would each find its rows new. On SQLite the writer is alone.
    """
    if uow.dialect == "postgresql":
        uow.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(literal("fairlead consent import"), 0))))


def lock_customers(uow: UnitOfWork, ids: Iterable[str]) -> set[str]:
    """Keep these customers' rows from others until the end, taken in one order; who of them is erased by now."""
    c = t.customer.c
    query = select(c.id, c.erased_at).where(among(uow, c.id, sorted(set(ids)))).order_by(c.id)
    return {row.id for row in uow.execute(query.with_for_update()) if row.erased_at is not None}


def insert_consents(uow: UnitOfWork, rows: Sequence[Sequence[Any]]) -> None:
    """Append rows of plain values in the order of the table."""
    uow.insert_many(t.consent, _COLUMNS, rows)


def waiting_deliveries(reader: Reader, customer_ids: Sequence[str]) -> list[Any]:
    """(id, downstream, customer, purpose, channel) of what these customers' systems were not told yet."""
    d, c = t.delivery.c, t.consent.c
    query = select(d.id, d.downstream, c.customer_id, c.purpose, c.channel).join(t.consent, c.id == d.consent_id)
    mine = (among(reader, d.customer_id, customer_ids), d.customer_id == c.customer_id, d.state.in_((PENDING, FAILED)))
    return list(reader.execute(query.where(*mine).order_by(d.id)))


def overtake_deliveries(uow: UnitOfWork, rows: Sequence[tuple[str, str]]) -> None:
    """Skip deliveries, given as (why, id), that nobody has settled meanwhile."""
    now = to_micros(uow.now)
    uow.update_many(
        t.delivery, "state = 'skipped', why = ?, due_at = NULL, lease_token = NULL, at = ?",
        "id = ? AND state IN ('pending', 'failed')", [(why, now, one) for why, one in rows],
    )  # fmt: skip


def insert_deliveries(uow: UnitOfWork, rows: Sequence[tuple[str, str, str, str]]) -> None:
    """Append (consent, customer, downstream, why it is not told, "" where it is to be told now)."""
    now = to_micros(uow.now)
    uow.insert_many(t.delivery, _DELIVERY, [
        (one, *row, SKIPPED if row[-1] else PENDING, 0, now, None if row[-1] else now)
        for one, row in zip(new_ids("cdl", len(rows)), rows, strict=True)
    ])  # fmt: skip


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


def notice_texts(reader: Reader, notice_ids: Iterable[str]) -> dict[str, str]:
    """What these notices say, by id; unknown ids are absent."""
    c, wanted = t.notice.c, sorted(set(notice_ids))
    rows = reader.execute(select(c.id, c.text).where(among(reader, c.id, wanted))) if wanted else ()
    return {row.id: row.text for row in rows}


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
