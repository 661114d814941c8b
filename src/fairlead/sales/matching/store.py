"""All SQL of duplicates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.kit.ids import new_id
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.sales.matching import tables as t


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
