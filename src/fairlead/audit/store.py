"""All SQL of the audit record."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    LargeBinary,
    Select,
    Text,
    and_,
    cast,
    delete,
    func,
    insert,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.dialects import postgresql

from fairlead.audit import tables as t
from fairlead.audit.model import DIGEST_BYTES, SECRET_BYTES, EntryRow, SealRow
from fairlead.audit.ranges import format_ranges, gaps_of, parse_ranges
from fairlead.kit import jsons
from fairlead.kit.clock import from_micros

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fairlead.kit.unit_of_work import Reader, UnitOfWork

_PAGE = 500
_KEYS = "SELECT scope, secret FROM audit_key WHERE scope"
# A removed tail must not have its ids given out again: hence the seals, too.
_HIGHEST_ID = """SELECT max(
    coalesce((SELECT max(id) FROM audit_entry), 0),
    coalesce((SELECT highest FROM audit_seal ORDER BY no DESC LIMIT 1), 0))"""
_SEALS = 20
_GAPS = 200


def next_ids(uow: UnitOfWork, count: int) -> Sequence[int]:
    """`count` fresh entry ids; on Postgres they may leave gaps when a transaction is rolled back."""
    if uow.dialect == "postgresql":
        rows = uow.fetch("SELECT nextval('audit_entry_ids') FROM generate_series(1, ?)", count)
        return [row[0] for row in rows]
    first = 1 + uow.fetch(_HIGHEST_ID)[0][0]
    return range(first, first + count)


def secrets_of(uow: UnitOfWork, scopes: set[str]) -> dict[str, bytes]:
    """The commitment key of each scope, made where there was none.

    On Postgres a customer's key stays locked until this transaction ends: an erasure waits for it, and so
    finds the payloads that it is about to store.
    """
    fresh = scopes & uow.new_scopes
    known: dict[str, bytes] = _secrets(uow, sorted(scopes - fresh))
    made = [(scope, secrets.token_bytes(SECRET_BYTES)) for scope in sorted(scopes) if scope not in known]
    if not made:
        return known
    uow.new_scopes -= fresh
    if uow.dialect != "postgresql":
        uow.insert_many(t.key, ("scope", "secret"), made)
        return known | dict(made)
    if fresh:
        uow.insert_many(t.key, ("scope", "secret"), [pair for pair in made if pair[0] in fresh])
    known |= {scope: secret for scope, secret in made if scope in fresh}
    contested = [pair for pair in made if pair[0] not in fresh]
    for start in range(0, len(contested), _PAGE):
        page = contested[start : start + _PAGE]
        rows = [{"scope": scope, "secret": secret} for scope, secret in page]
        uow.execute(postgresql.insert(t.key).values(rows).on_conflict_do_nothing())
        known |= _secrets(uow, [scope for scope, _ in page])  # another transaction may have been first
    return known


def _secrets(uow: UnitOfWork, scopes: Sequence[str]) -> dict[str, bytes]:
    if uow.dialect != "postgresql":
        rows = uow.fetch(f"{_KEYS} IN (SELECT value FROM json_each(?))", jsons.dumps(scopes))
        return dict(rows)
    known: dict[str, bytes] = {}
    if "" in scopes:  # the workspace cannot be erased, and everybody would queue for its lock
        known |= dict(uow.fetch(f"{_KEYS} = ''"))
    if customers := [scope for scope in scopes if scope]:
        known |= dict(uow.fetch(f"{_KEYS} = ANY(?) ORDER BY scope FOR KEY SHARE", customers))
    return known


def insert_entries(uow: UnitOfWork, rows: Sequence[tuple[Any, ...]], bodies: Sequence[tuple[Any, ...]]) -> None:
    """Entries and their payloads, as plain values in column order."""
    uow.insert_many(t.entry, ("id", "at", "verb", "actor", "subject", "scope", "commitment"), rows)
    uow.insert_many(t.payload, ("entry_id", "scope", "body"), bodies)


def lock_sealing(uow: UnitOfWork) -> None:
    """One sealer at a time until this transaction ends; on SQLite the writer is alone anyway."""
    if uow.dialect == "postgresql":
        uow.execute(select(func.pg_advisory_xact_lock(0x0FA1)))


def last_seal(reader: Reader) -> SealRow | None:
    """The newest seal, None before the first."""
    query = _seal_query(reader).order_by(t.seal.c.no.desc()).limit(1)
    row = reader.execute(query).first()
    return _seal(row) if row else None


def recent_seals(reader: Reader, limit: int) -> list[SealRow]:
    """At most `limit` seals, newest first."""
    return [_seal(row) for row in reader.execute(_seal_query(reader).order_by(t.seal.c.no.desc()).limit(limit))]


def changes_since(reader: Reader, above: int | None, limit: int) -> list[tuple[int, str, str]]:
    """(id, verb, subject) above an id, by id; None: the newest entry alone."""
    c = t.entry.c
    query = select(c.id, *(_as_stored(reader, column) for column in (c.verb, c.subject)))
    if above is None:
        query = query.order_by(c.id.desc()).limit(1)
    else:
        query = query.where(c.id > above).order_by(c.id).limit(limit)
    rows: list[Any] = list(reader.execute(query))
    return [(row[0], _text(row[1]), _text(row[2])) for row in rows]


def seals(reader: Reader, above: int | None = None) -> Iterator[SealRow]:
    """Seals numbered above `above` in order, None for all; one that cannot be read has no ids."""
    while True:
        query = _seal_query(reader).order_by(t.seal.c.no).limit(_SEALS)
        page = reader.execute(query if above is None else query.where(t.seal.c.no > above)).all()
        yield from map(_seal, page)
        if len(page) < _SEALS:
            return
        above = page[-1].no


def insert_seal(uow: UnitOfWork, seal: SealRow) -> None:
    """Append a seal."""
    uow.execute(
        insert(t.seal).values(
            no=seal.no,
            at=from_micros(seal.at),
            entries=format_ranges(seal.ids),
            highest=seal.highest,
            missing=[list(gap) for gap in seal.missing],
            digests=seal.digests,
            previous=seal.previous,
            head=seal.head,
            signature=seal.signature,
        )
    )


def unsealed(reader: Reader, above: int, missing: Sequence[tuple[int, int]], limit: int) -> list[EntryRow]:
    """At most `limit` entries above `above` or in the missing ranges, by id; payloads are not read."""
    found: list[EntryRow] = []
    ranges = [t.entry.c.id.between(first, last) for first, last in missing]
    pages = [or_(*ranges[start : start + _GAPS]) for start in range(0, len(ranges), _GAPS)]
    for wanted in [*pages, t.entry.c.id > above]:
        if len(found) < limit:
            query = select(*_entry_columns(reader)).where(wanted).order_by(t.entry.c.id).limit(limit - len(found))
            found += [_entry(row, None, None) for row in reader.execute(query)]
    return found


def entries_between(reader: Reader, first: int, last: int, limit: int = 100_000) -> list[EntryRow]:
    """Whole entries with ids from `first` to `last` inclusive, with payload and key where they still exist.

    A payload that was given to another customer counts as gone.
    """
    same = and_(t.payload.c.entry_id == t.entry.c.id, t.payload.c.scope == t.entry.c.scope)
    joined = t.entry.outerjoin(t.payload, same).outerjoin(t.key, t.key.c.scope == t.entry.c.scope)
    body, secret = _as_stored(reader, t.payload.c.body), _as_stored(reader, t.key.c.secret)
    query = select(*_entry_columns(reader), body, secret).select_from(joined)
    query = query.where(t.entry.c.id.between(first, last)).order_by(t.entry.c.id).limit(limit)
    found = []
    rows: list[Any] = list(reader.execute(query))
    for row in rows:
        *_, payload, key = row
        readable = None if payload is None else _text(payload)
        found.append(_entry(row, readable, None if key is None else bytes(key)))
    return found


def entries_about(reader: Reader, subjects: Sequence[str], limit: int, before: int | None = None) -> list[EntryRow]:
    """The newest entries about any of these subjects, oldest first, with payloads that still exist.

    `before` leaves out this id and all above it.
    """
    joined = t.entry.outerjoin(t.payload, t.payload.c.entry_id == t.entry.c.id)
    query = select(*_entry_columns(reader), _as_stored(reader, t.payload.c.body)).select_from(joined)
    query = query.where(t.entry.c.subject.in_(subjects)).order_by(t.entry.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(t.entry.c.id < before)
    rows = reader.execute(query).all()
    return [_entry(row, None if row[7] is None else _text(row[7]), None) for row in reversed(rows)]


# The list is written out, because a partial index is only used where the statement repeats its condition.
_STEERED = ", ".join(f"'{verb}'" for verb in t.STEERED)
_STEERED_BETWEEN = f"""SELECT e.id, e.at, e.verb, e.actor, e.subject, e.scope, p.body
    FROM audit_entry AS e LEFT JOIN audit_payload AS p ON p.entry_id = e.id
    WHERE e.verb IN ({_STEERED}) AND e.at >= ? AND e.at < ? ORDER BY e.at DESC, e.id DESC LIMIT ?"""


def _bare(row: Any) -> EntryRow:
    """With the payload, without what only verification reads."""
    number, at, verb, actor, subject, scope, body = row
    return EntryRow(number, at, verb, actor, subject, scope, b"", body)


_OF_VERBS = """SELECT e.id, e.at, e.verb, e.actor, e.subject, e.scope, p.body
    FROM audit_entry AS e LEFT JOIN audit_payload AS p ON p.entry_id = e.id
    WHERE e.subject = ANY(?) AND e.verb = ANY(?) AND e.at >= ? AND e.at < ? ORDER BY e.id"""


def entries_of_verbs(
    reader: Reader, subjects: Sequence[str], verbs: Sequence[str], since: int, until: int
) -> list[EntryRow]:
    """Entries of these verbs about these subjects from `since` to before `until`, oldest first."""
    rows = reader.fetch(_OF_VERBS, list(subjects), list(verbs), since, until)
    return [_bare(row) for row in rows]


def steered_between(reader: Reader, since: int, until: int, limit: int) -> list[EntryRow]:
    """The newest entries of people stepping into cases from `since` to before `until`, newest first."""
    rows = reader.fetch(_STEERED_BETWEEN, since, until, limit)
    return [_bare(row) for row in rows]


def forget(uow: UnitOfWork, scope: str) -> int:
    """Destroy a scope's key and payloads; returns how many payloads there were.

    The key goes first: that waits for every transaction which is still storing a payload under it.
    """
    uow.execute(delete(t.key).where(t.key.c.scope == scope))
    return uow.execute(delete(t.payload).where(t.payload.c.scope == scope)).rowcount


# An intruder may have put anything into any column. SQLite keeps values of any type anywhere, so there every
# text and blob is read as the bytes that it is made of: what cannot be decoded is a finding, not a crash.
def _as_stored(reader: Reader, column: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(column, LargeBinary) if reader.dialect == "sqlite" else column


def _entry_columns(reader: Reader) -> list[ColumnElement[Any]]:
    c = t.entry.c
    texts = [_as_stored(reader, column) for column in (c.verb, c.actor, c.subject, c.scope, c.commitment)]
    return [c.id, type_coerce(c.at, BigInteger), *texts]


def _entry(row: Any, body: str | None, secret: bytes | None) -> EntryRow:
    number, at, verb, actor, subject, scope, commitment = row[:7]
    verb, actor, subject, scope = map(_text, (verb, actor, subject, scope))
    return EntryRow(number, at, verb, actor, subject, scope, bytes(commitment), body, secret)


def _text(value: str | bytes) -> str:
    if isinstance(value, str):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"\ufffd{value.hex()}"


def _seal_query(reader: Reader) -> Select[Any]:
    c = t.seal.c
    blobs = (c.entries, type_coerce(c.missing, Text), c.digests, c.previous, c.head, c.signature)
    stored = [_as_stored(reader, column) for column in blobs]
    return select(c.no, type_coerce(c.at, BigInteger), c.highest, *stored)


def _seal(row: Any) -> SealRow:
    no, at, highest, entries, missing, *blobs = row
    digests, previous, head, signature = map(bytes, blobs)
    try:
        ids = parse_ranges(_text(entries), len(digests) // DIGEST_BYTES)
        gaps = gaps_of(jsons.loads(_text(missing)))
    except ValueError:
        ids, gaps = (), ()
    return SealRow(no, at, ids, highest, gaps, digests, previous, head, signature)
