"""How many decisions the lottery drew, as changes that add up: counting rulings would read every one of them.

Each transaction leaves a row per checkpoint, segment and producer, so nobody waits for a counter; the sweep folds
them together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select

from fairlead.checkpoints import tables as t
from fairlead.kit.ids import new_ids
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork

_COLUMNS = ("id", "checkpoint", "segment", "producer", "change")
_c = t.draw_tally.c


class DrawnKey(NamedTuple):
    """Within what drawn decisions are counted."""

    checkpoint: str
    segment: str
    producer: str


def count_drawn(uow: UnitOfWork, counts: Mapping[DrawnKey, int]) -> None:
    """Add these to what was drawn."""
    changed = [(key, change) for key, change in counts.items() if change]
    ids = new_ids("drw", len(changed))
    rows = [(row_id, *key, change) for row_id, (key, change) in zip(ids, changed, strict=True)]
    if rows:
        uow.insert_many(t.draw_tally, _COLUMNS, rows)


def drawn(reader: Reader, checkpoint: str | None = None) -> dict[DrawnKey, int]:
    """How many decisions were ever drawn to be answered without the proposal."""
    key = (_c.checkpoint, _c.segment, _c.producer)
    query = select(*key, func.sum(_c.change).label("total")).group_by(*key)
    query = query if checkpoint is None else query.where(_c.checkpoint == checkpoint)
    return {DrawnKey(row.checkpoint, row.segment, row.producer): int(row.total) for row in reader.execute(query)}


def drawn_among(reader: Reader, ruling_ids: Sequence[str]) -> Counter[DrawnKey]:
    """How many of these rulings were drawn, by key."""
    r = t.ruling.c
    query = select(r.checkpoint, r.segment, r.producer).where(among(reader, r.id, ruling_ids), r.lottery.is_(True))
    rows = reader.execute(query) if ruling_ids else ()
    return Counter(DrawnKey(row.checkpoint, row.segment, row.producer) for row in rows)


def fold_drawn(uow: UnitOfWork, limit: int) -> int:
    """Replace up to `limit` rows by one per key; how many rows fewer there are."""
    query = select(*(_c[name] for name in _COLUMNS)).order_by(_c.id).limit(limit)
    rows: Sequence[Any] = uow.execute(
        query.with_for_update(skip_locked=True) if uow.dialect == "postgresql" else query
    ).all()
    counts: Counter[DrawnKey] = Counter()
    for row in rows:
        counts[DrawnKey(row.checkpoint, row.segment, row.producer)] += row.change
    if len(counts) == len(rows):
        return 0
    uow.execute(t.draw_tally.delete().where(among(uow, _c.id, [row.id for row in rows])))
    count_drawn(uow, counts)
    return len(rows) - len(counts)
