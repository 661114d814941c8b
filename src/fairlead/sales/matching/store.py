"""All SQL of duplicates, and the records that are compared."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.customers import IdentityKind, Listed
from fairlead.kit import jsons
from fairlead.kit.clock import to_micros
from fairlead.kit.ids import new_id
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.sales.matching import tables as t
from fairlead.sales.matching.model import Record, digest_fields

_LEADS = "SELECT customer_id, fields, attributes FROM lead WHERE customer_id = ANY(?) ORDER BY id DESC"
_SEEN = "SELECT customer_id, digest FROM duplicate_seen WHERE customer_id = ANY(?)"
_MOST_LEADS = 5
_MOST_KEPT = 5
_TOWN = frozenset({"city", "town", "ort", "stadt", "ville", "ciudad", "citta", "città", "by", "plaats", "miasto"})


def digest_of(record: Record) -> str:
    """Changes exactly when the record would be compared differently."""
    return hashlib.sha256(jsons.dumps(digest_fields(record)).encode()).hexdigest()[:32]


def pair_digest(left: Record, right: Record) -> str:
    """The same for a pair, whichever comes first."""
    return hashlib.sha256("".join(sorted((digest_of(left), digest_of(right)))).encode()).hexdigest()[:32]


def records_of(reader: Reader, listed: Sequence[Listed]) -> list[Record]:
    """What can be compared of these customers: what they are known by, and what their newest leads add."""
    leads: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = defaultdict(list)
    family = {one: customer.id for customer in listed for one in customer.family}
    for customer_id, fields, attributes in reader.fetch(_LEADS, list(family)) if family else ():
        known = leads[family[customer_id]]
        if len(known) < _MOST_LEADS:
            known.append((jsons.loads(fields), jsons.loads(attributes)))
    return [_record(one, leads[one.id]) for one in listed]


def _record(one: Listed, leads: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Record:
    emails = [value for kind, value in one.identities if kind == IdentityKind.EMAIL]
    phones = [value for kind, value in one.identities if kind == IdentityKind.PHONE]
    city = postal_code = ""
    for fields, attributes in leads:
        emails += [str(fields["email"])] if fields.get("email") else []
        phones += [str(fields["phone"])] if fields.get("phone") else []
        postal_code = postal_code or str(fields.get("postal_code") or "")
        city = city or next((str(value) for name, value in attributes.items() if name.strip().casefold() in _TOWN), "")
    return Record(
        one.id, one.name, one.company, one.country or "", city[:200], postal_code[:40],
        tuple(dict.fromkeys(emails))[:_MOST_KEPT], tuple(dict.fromkeys(phones))[:_MOST_KEPT], one.owner or "",
    )  # fmt: skip


def seen_of(reader: Reader, ids: Sequence[str]) -> dict[str, str]:
    """The digests under which these customers were compared last; those never looked at are absent."""
    return dict(reader.fetch(_SEEN, list(ids))) if ids else {}


def mark_seen(uow: UnitOfWork, digests: Mapping[str, str]) -> None:
    """Remember that these were compared as they are."""
    uow.execute(delete(t.seen).where(among(uow, t.seen.c.customer_id, sorted(digests))))
    now = to_micros(uow.now)
    uow.insert_many(t.seen, ("customer_id", "digest", "at"), [(one, digest, now) for one, digest in digests.items()])


def known_pairs(reader: Reader, ids: Iterable[str]) -> dict[tuple[str, str], Row[Any]]:
    """Pairs that concern any of these customers, by both ids."""
    wanted = sorted(set(ids))
    c = t.pair.c
    query = select(t.pair).where(or_(among(reader, c.left_id, wanted), among(reader, c.right_id, wanted)))
    return {(row.left_id, row.right_id): row for row in reader.execute(query)} if wanted else {}


def put_pair(uow: UnitOfWork, values: Mapping[str, Any], *, again: bool) -> str | None:
    """Store a pair as open; its id, None when somebody else has just done so.

    `again`: it was settled before and at least one of the two changed since.
    """
    c = t.pair.c
    if again:
        mine = and_(c.left_id == values["left_id"], c.right_id == values["right_id"], c.digest != values["digest"])
        changed = update(t.pair).where(mine).values(**values, state="open", merge_id=None, changed_at=uow.now)
        return uow.execute(changed.returning(c.id)).scalar()
    dialect = postgresql if uow.dialect == "postgresql" else sqlite
    fresh = {"id": new_id("dup"), "state": "open", "found_at": uow.now, "changed_at": uow.now, **values}
    statement = dialect.insert(t.pair).values(**fresh).on_conflict_do_nothing(index_elements=["left_id", "right_id"])
    return uow.execute(statement.returning(c.id)).scalar()


def settle_pair(uow: UnitOfWork, pair_id: str, state: str, merge_id: str | None) -> bool:
    """Say what became of a pair; False when there is no such pair."""
    values = {"state": state, "merge_id": merge_id, "changed_at": uow.now}
    return uow.execute(update(t.pair).where(t.pair.c.id == pair_id).values(**values)).rowcount == 1


def pair_of_merge(reader: Reader, merge_id: str) -> Row[Any] | None:
    """The pair whose decision led to this merge, None for a merge by hand."""
    return reader.execute(select(t.pair).where(t.pair.c.merge_id == merge_id)).first()


def redigest(uow: UnitOfWork, pair_id: str, digest: str) -> None:
    """From now on the pair is settled for the two records as they are."""
    uow.execute(update(t.pair).where(t.pair.c.id == pair_id).values(digest=digest))


def pairs_page(reader: Reader, state: str | None, before: str | None, limit: int) -> list[Row[Any]]:
    """Pairs by falling id, of one state or of all; `before` is the last id of the page above."""
    query = select(t.pair)
    query = query.where(t.pair.c.state == state) if state else query
    query = query.where(t.pair.c.id < before) if before else query
    return list(reader.execute(query.order_by(t.pair.c.id.desc()).limit(limit)))


def pair_counts(reader: Reader) -> dict[str, int]:
    """How many pairs are in each state; states without any are absent."""
    query = select(t.pair.c.state, func.count()).group_by(t.pair.c.state)
    counted: list[Any] = list(reader.execute(query))
    return {state: int(pairs) for state, pairs in counted}


def ask_search(uow: UnitOfWork, asked_by: str) -> None:
    """Ask for a search, unless one that has not begun is asked for already."""
    if not searches_asked(uow):
        values = {"id": new_id("dse"), "asked_by": asked_by[:200], "asked_at": uow.now}
        uow.execute(insert(t.search).values(**values))


def searches_asked(reader: Reader) -> list[str]:
    """Searches that were asked for and not done."""
    query = select(t.search.c.id).where(t.search.c.done_at.is_(None)).order_by(t.search.c.asked_at)
    return list(reader.execute(query.limit(100)).scalars())


def searches_done(uow: UnitOfWork, ids: Sequence[str]) -> None:
    """These were done; finished ones of before are forgotten."""
    uow.execute(delete(t.search).where(t.search.c.done_at.is_not(None)))
    uow.execute(update(t.search).where(t.search.c.id.in_(list(ids))).values(done_at=uow.now))
