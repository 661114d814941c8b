"""All SQL of the customers but the search."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    Executable,
    Text,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql

from fairlead.customers import tables as t
from fairlead.customers.addresses import CHANNELS_OF, normalise_address
from fairlead.customers.lineage import members_of
from fairlead.customers.model import (
    CustomerDraft,
    Identity,
    IdentityKind,
    KnownIdentity,
    TimelineEntry,
    TimelineNote,
    fold,
)
from fairlead.errors import FaultError
from fairlead.kit.clock import from_micros, to_micros
from fairlead.kit.ids import new_id, new_ids
from fairlead.kit.jsons import loads
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork

_CUSTOMER_COLUMNS = (
    "id", "name", "name_folded", "company", "company_folded", "country", "language",
    "value_minor", "created_at",
)  # fmt: skip
_IDENTITY_COLUMNS = ("kind", "value", "customer_id", "source", "added_at")
_HOLDERS = (
    "SELECT i.value, COALESCE(c.merged_into, c.id) FROM customer_identity i JOIN customer c ON c.id = i.customer_id "
    "WHERE i.kind = ? AND i.value = ANY(?)"
)
_STANDING = "SELECT country, erased_at FROM customer WHERE id = ?"
_LOCK = "SELECT id, merged_into FROM customer WHERE id = ANY(?) ORDER BY id FOR UPDATE"
_ADDRESSEE = "SELECT name, language, erased_at IS NOT NULL FROM customer WHERE id = ?"
_FLAGS = (
    "SELECT customer_id, flag, value, set_at FROM customer_flag "
    "WHERE customer_id = ANY(?) AND (expires_at IS NULL OR expires_at > ?) ORDER BY set_at, id"
)
_IDENTITIES = (
    "SELECT kind, value, source, added_at, verified_at FROM customer_identity "
    "WHERE customer_id = ANY(?) ORDER BY kind, value"
)
_CLAIM = (
    postgresql.insert(t.identity)
    .from_select(
        list(_IDENTITY_COLUMNS),
        select(
            *(func.unnest(bindparam(name, type_=ARRAY(Text))) for name in _IDENTITY_COLUMNS[:-1]),
            bindparam("added_at", type_=t.identity.c.added_at.type),
        ),
    )
    .on_conflict_do_nothing()
    .returning(t.identity.c.kind, t.identity.c.value)
)


def _rows(reader: Reader, query: Executable) -> list[Any]:
    return list(reader.execute(query))


def holders_of(reader: Reader, identities: Iterable[Identity]) -> dict[Identity, str]:
    """Whose these identities are, survivors in place of merged records; those that nobody has are absent."""
    by_kind: dict[str, set[str]] = defaultdict(set)
    for kind, value in identities:
        by_kind[kind].add(value)
    found: dict[Identity, str] = {}
    for kind, values in by_kind.items():
        rows = reader.fetch(_HOLDERS, kind, list(values))
        found.update(((kind, value), holder) for value, holder in rows)
    return found


def with_address(reader: Reader, customer_ids: Iterable[str]) -> set[str]:
    """Which of these customers, none of them merged, have an e-mail address."""
    ids = sorted(customer_ids)
    if not ids:
        return set()
    families = {one: survivor for survivor, members in members_of(reader, ids).items() for one in members}
    mailed = among(reader, t.identity.c.customer_id, [*ids, *families])
    query = select(t.identity.c.customer_id).where(mailed, t.identity.c.kind == IdentityKind.EMAIL.value)
    return {families.get(row[0], row[0]) for row in reader.execute(query)}


def insert_customers(uow: UnitOfWork, new: Sequence[tuple[str, CustomerDraft]]) -> None:
    """New customers, under the ids given."""
    now = to_micros(uow.now)
    rows = [
        (one_id, d.name, fold(d.name), d.company, fold(d.company), d.country, d.language, d.value_minor, now)
        for one_id, d in new
    ]
    if rows:
        uow.insert_many(t.customer, _CUSTOMER_COLUMNS, rows)


def claim_identities(uow: UnitOfWork, added: dict[Identity, tuple[str, str]]) -> set[Identity]:
    """Store identities; answers with those stored, which lacks any that another transaction had first.

    Waits for other transactions that are storing the same ones, all in one order so that none wait in a ring.
    """
    if not added:
        return set()
    now = to_micros(uow.now)
    rows = [(kind, value, holder, source, now) for (kind, value), (holder, source) in sorted(added.items())]
    if uow.dialect != "postgresql":  # SQLite has one writer, so nobody can have come in between
        uow.insert_many(t.identity, _IDENTITY_COLUMNS, rows)
        return set(added)
    columns = dict(zip(_IDENTITY_COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
    stored: list[Any] = list(uow.execute(_CLAIM, {**columns, "added_at": uow.now}))
    return {(row.kind, row.value) for row in stored}


def take_back(uow: UnitOfWork, identities: Iterable[Identity], customer_ids: Sequence[str]) -> None:
    """Remove what this very transaction stored, after another turned out to be first."""
    c = t.identity.c
    for kind, value in identities:
        uow.execute(delete(t.identity).where(c.kind == kind, c.value == value))
    uow.execute(delete(t.customer).where(among(uow, t.customer.c.id, customer_ids)))


def insert_timeline(uow: UnitOfWork, notes: Sequence[TimelineNote]) -> None:
    """Lines of timelines, dated now."""
    now = to_micros(uow.now)
    ids = new_ids("tml", len(notes))
    rows = [(i, n.customer_id, now, n.kind, n.words, n.subject) for i, n in zip(ids, notes, strict=True)]
    if rows:
        uow.insert_many(t.timeline, ("id", "customer_id", "at", "kind", "words", "subject"), rows)


def timeline(reader: Reader, customer_id: str, limit: int, before: tuple[datetime, str] | None) -> list[TimelineEntry]:
    """Lines of one timeline, newest first, those before (at, id)."""
    c = t.timeline.c
    query = select(c.id, c.at, c.kind, c.words, c.subject).where(c.customer_id == customer_id)
    if before:
        query = query.where(or_(c.at < before[0], and_(c.at == before[0], c.id < before[1])))
        query = query.where(c.at <= before[0])  # says the range in a form that both planners use
    rows = _rows(reader, query.order_by(c.at.desc(), c.id.desc()).limit(limit))
    return [TimelineEntry(*row) for row in rows]


def customers(reader: Reader, ids: Sequence[str]) -> dict[str, Any]:
    """Rows by id; unknown ids are absent."""
    rows = _rows(reader, select(t.customer).where(among(reader, t.customer.c.id, ids))) if ids else []
    return {row.id: row for row in rows}


def bare_facts(reader: Reader, ids: Sequence[str]) -> list[Any]:
    """(id, country, language, owner, value_minor, whether erased) of these customers' own records."""
    c = t.customer.c
    query = select(c.id, c.country, c.language, c.owner, c.value_minor, c.erased_at.is_not(None))
    return _rows(reader, query.where(among(reader, c.id, ids)))


def lock_customer(uow: UnitOfWork, customer_id: str) -> Any:
    """The customer's row, kept from others until the end; None when there is none."""
    return uow.execute(select(t.customer).where(t.customer.c.id == customer_id).with_for_update()).first()


def lock_rows(uow: UnitOfWork, ids: Sequence[str]) -> list[str]:
    """Keep these customers' rows from others until the end, in order of id; those that are merged. Postgres only."""
    return [one for one, survivor in uow.fetch(_LOCK, list(ids)) if survivor is not None] if ids else []


def addressee_of(reader: Reader, customer_id: str) -> Any:
    """(name, language, whether erased) of a customer's own row; None when there is none."""
    rows = reader.fetch(_ADDRESSEE, customer_id)
    return rows[0] if rows else None


def standing_of(reader: Reader, customer_id: str) -> tuple[str | None, bool]:
    """(country, whether erased) of a customer's own row; FaultError when there is none."""
    rows = reader.fetch(_STANDING, customer_id)
    if not rows:
        message = f"customer {customer_id} has no row"
        raise FaultError(message)
    return rows[0][0], rows[0][1] is not None


def flags_of(reader: Reader, ids: Sequence[str], now: datetime) -> list[tuple[str, str, Any, datetime]]:
    """(customer, flag, value, since when) of rows that have not expired, oldest first: the last one counts."""
    rows = reader.fetch(_FLAGS, sorted(ids), to_micros(now))
    return [(one, flag, None if value is None else loads(value), from_micros(at)) for one, flag, value, at in rows]


def flag_rows(reader: Reader, ids: Sequence[str], now: datetime) -> list[Any]:
    """Whole rows that have not expired, oldest first: the last one counts."""
    c = t.flag.c
    alive = or_(c.expires_at.is_(None), c.expires_at > now)
    return _rows(reader, select(t.flag).where(among(reader, c.customer_id, ids), alive).order_by(c.set_at, c.id))


def addresses_of(reader: Reader, ids: Sequence[str]) -> list[Any]:
    """(customer, kind, value, whether verified) of every identity."""
    c = t.identity.c
    query = select(c.customer_id, c.kind, c.value, c.verified_at.is_not(None))
    return _rows(reader, query.where(among(reader, c.customer_id, ids)))


def identities_of(reader: Reader, ids: Sequence[str]) -> list[KnownIdentity]:
    """Identities of these customers, by kind and value."""
    return [
        KnownIdentity(kind, value, source, from_micros(at), None if verified is None else from_micros(verified))
        for kind, value, source, at, verified in reader.fetch(_IDENTITIES, sorted(ids))
    ]


def insert_identity(uow: UnitOfWork, identity: Identity, customer_id: str, source: str) -> str:
    """Whose the identity is now: this customer's, or that of whoever had it first."""
    if identity not in (held := holders_of(uow, [identity])):
        if claim_identities(uow, {identity: (customer_id, source)}):
            return customer_id
        held = holders_of(uow, [identity])
    return held.get(identity, "")


def set_verified(uow: UnitOfWork, identity: Identity, family: Sequence[str]) -> bool:
    """False when none of these records of one customer has such an identity."""
    c = t.identity.c
    mine = and_(c.kind == identity[0], c.value == identity[1], among(uow, c.customer_id, family))
    return uow.execute(update(t.identity).where(mine).values(verified_at=uow.now)).rowcount == 1


def insert_flag(uow: UnitOfWork, customer_id: str, values: dict[str, Any]) -> str:
    """Append a flag row; its id."""
    row_id = new_id("flg")
    uow.execute(insert(t.flag).values(id=row_id, customer_id=customer_id, set_at=uow.now, **values))
    return row_id


def holder_of_address(reader: Reader, spellings: Sequence[str]) -> str | None:
    """The customer, no merged record, who has one of these as an identity of any kind; None when nobody has."""
    c = t.identity.c
    kinds = ("email", "phone", "external_id")
    survivor = func.coalesce(t.customer.c.merged_into, t.customer.c.id)
    query = select(survivor).join(t.identity, c.customer_id == t.customer.c.id)
    return reader.execute(query.where(c.kind.in_(kinds), c.value.in_(spellings)).limit(1)).scalar()


def set_owner(uow: UnitOfWork, customer_id: str, owner: str | None) -> None:
    """Write the owner."""
    uow.execute(update(t.customer).where(t.customer.c.id == customer_id).values(owner=owner))


def blank(uow: UnitOfWork, customer_id: str) -> None:
    """Take everything personal out of the customer's rows; what was consented to and when stays."""
    blanks = {"name": "", "name_folded": "", "company": "", "company_folded": ""}
    unknown = dict.fromkeys(("country", "language", "time_zone", "owner", "value_minor"))
    mine = t.customer.c.id == customer_id
    uow.execute(update(t.customer).where(mine).values(**blanks, **unknown, erased_at=uow.now))
    uow.execute(delete(t.identity).where(t.identity.c.customer_id == customer_id))
    uow.execute(delete(t.flag).where(t.flag.c.customer_id == customer_id))
    uow.execute(update(t.consent).where(t.consent.c.customer_id == customer_id).values(proof={}, source=""))
    uow.execute(delete(t.zone).where(t.zone.c.customer_id == customer_id))
    uow.execute(delete(t.preference).where(t.preference.c.customer_id == customer_id))
    uow.execute(update(t.timeline).where(t.timeline.c.customer_id == customer_id).values(words=""))
    uow.execute(update(t.delivery).where(t.delivery.c.customer_id == customer_id).values(why=""))


def reaches_of(reader: Reader, ids: Sequence[str]) -> list[tuple[str, str]]:
    """(channel, normalised address) of everything under which these records can be written to or called."""
    c = t.identity.c
    rows: list[Any] = list(reader.execute(select(c.kind, c.value).where(among(reader, c.customer_id, ids))))
    return sorted({(one, normalise_address(one, value)) for kind, value in rows for one in CHANNELS_OF.get(kind, ())})
