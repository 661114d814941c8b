"""All SQL of merged customers: who stands for whom, and the history of merges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import and_, func, insert, or_, select, update

from fairlead.customers import tables as t
from fairlead.customers.joining import Edge
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork

COLUMNS = ("name", "company", "country", "language", "time_zone", "owner", "value_minor")
"""What a merged record may lend its survivor."""
_MEMBERS = "SELECT id, merged_into FROM customer WHERE merged_into = ANY(?) ORDER BY id"
_SURVIVORS = "SELECT id, merged_into FROM customer WHERE id = ANY(?)"


def survivors_of(reader: Reader, ids: Iterable[str]) -> dict[str, str]:
    """Who stands for each of these customers now, mostly they themselves; unknown ids are absent."""
    wanted = sorted(set(ids))
    return {one: survivor or one for one, survivor in reader.fetch(_SURVIVORS, wanted)} if wanted else {}


def members_of(reader: Reader, survivors: Iterable[str]) -> dict[str, list[str]]:
    """Who was merged into each of these, directly or not; those with nobody are absent."""
    wanted = sorted(set(survivors))
    found: dict[str, list[str]] = defaultdict(list)
    for one, survivor in reader.fetch(_MEMBERS, wanted) if wanted else ():
        found[survivor].append(one)
    return dict(found)


def families_of(reader: Reader, ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Every id under which the same customer is known, the survivor's first; an unknown id stands alone."""
    wanted = list(dict.fromkeys(ids))
    survivors = survivors_of(reader, wanted)
    members = members_of(reader, survivors.values())
    found = {}
    for one in wanted:
        survivor = survivors.get(one, one)
        found[one] = (survivor, *members.get(survivor, ()))
    return found


class Kin(NamedTuple):
    """Who is one customer: `survivors` by the ids asked for, `stands_for` every id of theirs to its survivor.

    `edges` are the merges that made it so, by survivor, oldest first.
    """

    survivors: Mapping[str, str]
    stands_for: Mapping[str, str]
    edges: Mapping[str, list[Edge]]


def kin_of(reader: Reader, ids: Iterable[str]) -> Kin:
    """The families of these customers; unknown ids are absent."""
    survivors = survivors_of(reader, ids)
    kept = dict.fromkeys(survivors.values())
    members = members_of(reader, kept) if kept else {}
    stands_for = {one: one for one in kept} | {one: who for who, others in members.items() for one in others}
    merged = [one for one, survivor in stands_for.items() if one != survivor]
    edges: dict[str, list[Edge]] = defaultdict(list)
    for row in standing_merges(reader, merged) if merged else ():
        edges[stands_for[row.other_id]].append(Edge(row.at, row.other_id, row.kept_id))
    return Kin(survivors, stands_for, edges)


def lock(uow: UnitOfWork, ids: Iterable[str]) -> dict[str, Any]:
    """The customers' rows, kept from others until the end and taken in one order; unknown ids are absent."""
    rows = {}
    for one in sorted(set(ids)):
        row = uow.execute(select(t.customer).where(t.customer.c.id == one).with_for_update()).first()
        if row is not None:
            rows[one] = row
    return rows


def standing_merges(reader: Reader, ids: Iterable[str]) -> list[Any]:
    """Merges that are not undone and concern any of these customers, oldest first."""
    wanted = sorted(set(ids))
    c = t.merge.c
    concerned = or_(among(reader, c.kept_id, wanted), among(reader, c.other_id, wanted))
    query = select(t.merge).where(c.undone_at.is_(None), concerned).order_by(c.at, c.id)
    return list(reader.execute(query))


def merges_of(reader: Reader, ids: Iterable[str]) -> list[Any]:
    """Every merge of these customers, undone ones too, newest first."""
    wanted = sorted(set(ids))
    c = t.merge.c
    query = select(t.merge).where(or_(among(reader, c.kept_id, wanted), among(reader, c.other_id, wanted)))
    return list(reader.execute(query.order_by(c.at.desc(), c.id.desc())))


def merges_page(reader: Reader, before: str | None, limit: int) -> list[Any]:
    """Merges by falling id; `before` is the last id of the page above."""
    query = select(t.merge)
    query = query.where(t.merge.c.id < before) if before else query
    return list(reader.execute(query.order_by(t.merge.c.id.desc()).limit(limit)))


def read_merge(reader: Reader, merge_id: str) -> Any:
    """The merge, None when there is none."""
    return reader.execute(select(t.merge).where(t.merge.c.id == merge_id)).first()


def insert_merge(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Write down a merge."""
    uow.execute(insert(t.merge).values(**values))


def close_merge(uow: UnitOfWork, merge_id: str, by: str, since: Mapping[str, Any]) -> bool:
    """Say that a merge is undone; False when it was already."""
    mine = and_(t.merge.c.id == merge_id, t.merge.c.undone_at.is_(None))
    done = update(t.merge).where(mine).values(undone_at=uow.now, undone_by=by, since=dict(since))
    return uow.execute(done).rowcount == 1


def point(uow: UnitOfWork, ids: Sequence[str], survivor: str | None) -> None:
    """From now on this customer stands for these; None: each for itself."""
    uow.execute(update(t.customer).where(among(uow, t.customer.c.id, ids)).values(merged_into=survivor))


def write_columns(uow: UnitOfWork, customer_id: str, values: Mapping[str, Any]) -> None:
    """Change columns of one customer."""
    uow.execute(update(t.customer).where(t.customer.c.id == customer_id).values(**values))


def forget(uow: UnitOfWork, ids: Sequence[str]) -> None:
    """Take everything personal out of the history of merges."""
    c = t.merge.c
    concerned = or_(among(uow, c.kept_id, ids), among(uow, c.other_id, ids))
    uow.execute(update(t.merge).where(concerned).values(brought={}, reason=""))
    uow.execute(update(t.customer).where(among(uow, t.customer.c.id, ids)).values(merge_base=None))


def timeline_length(reader: Reader, ids: Sequence[str]) -> dict[str, int]:
    """How many lines each of these customers' own timelines have; none is absent."""
    c = t.timeline.c
    query = select(c.customer_id, func.count()).where(among(reader, c.customer_id, ids)).group_by(c.customer_id)
    counted: list[Any] = list(reader.execute(query))
    return {one: int(lines) for one, lines in counted}


def rows_since(reader: Reader, customer_id: str, at: Any) -> dict[str, int]:
    """How many of a customer's own rows came after `at`, by what they are; none is absent."""
    kinds = {
        "identities": (t.identity, t.identity.c.added_at),
        "flags": (t.flag, t.flag.c.set_at),
        "consents": (t.consent, t.consent.c.recorded_at),
        "preferences": (t.preference, t.preference.c.at),
        "time zones": (t.zone, t.zone.c.at),
        "timeline lines": (t.timeline, t.timeline.c.at),
    }
    found = {}
    for name, (table, moment) in kinds.items():
        query = select(func.count()).select_from(table).where(table.c.customer_id == customer_id, moment > at)
        found[name] = int(reader.execute(query).scalar() or 0)
    return {name: count for name, count in found.items() if count}


_MERGED = "SELECT other_id, kept_id FROM customer_merge ORDER BY id"


def ever_joined(reader: Reader) -> dict[str, str]:
    """Every record that was ever merged or merged into, also where that was undone, by one name for its group."""
    leads: dict[str, str] = {}

    def root(one: str) -> str:
        while (up := leads.setdefault(one, one)) != one:
            leads[one] = one = leads[up]
        return one

    for other, kept in reader.fetch(_MERGED):
        leads[root(other)] = root(kept)
    return {one: root(one) for one in list(leads)}
