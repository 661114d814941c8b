"""Counts of the queue: exact up to a bound, from running tallies where there are any."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from sqlalchemy import (
    func,
    literal,
    select,
)

from fairlead.kit.unit_of_work import Reader
from fairlead.reviews.model import Bucket
from fairlead.reviews.streams import (
    BY_RANK,
    ORDERS,
    SHELVES_OF,
    QueueFilter,
    View,
    streams_of,
)
from fairlead.reviews.tables import review, tally

COUNT_CAP = 1_000


class Count(NamedTuple):
    """How many; `capped` when there are that many at least and counting stopped there."""

    number: int
    capped: bool

    def __str__(self) -> str:
        return f"{self.number:,}+" if self.capped else f"{self.number:,}"


def counts(
    reader: Reader,
    *,
    roles: tuple[str, ...] | None = None,
    person: str | None = None,
    min_value_minor: int | None = None,
) -> dict[View, Count]:
    """How many open reviews each view has; a view that lacks its person or value is left out.

    Exact from running counts, except mine and high value, which are counted up to 1,000.
    """
    by_bucket: dict[str, int] = defaultdict(int)
    for (_, role, bucket), number in tallies(reader).items():
        if roles is None or role in roles:
            by_bucket[bucket] += number
    result = {view: Count(sum(by_bucket[one] for one in shelves), capped=False) for view, shelves in SHELVES_OF.items()}
    del result[View.MINE]
    result[View.OVERDUE] = Count(by_bucket[Bucket.OVERDUE], capped=False)
    result[View.NEEDS_INFORMATION] = Count(by_bucket[Bucket.NEEDS_INFORMATION], capped=False)
    result[View.LABELS] = Count(by_bucket[Bucket.LABEL], capped=False)
    if person is not None:
        result[View.MINE] = _counted(reader, QueueFilter(View.MINE, person=person))
    if min_value_minor is not None:
        wanted = QueueFilter(View.HIGH_VALUE, roles=roles, min_value_minor=min_value_minor)
        result[View.HIGH_VALUE] = _counted(reader, wanted)
    return result


def _counted(reader: Reader, wanted: QueueFilter) -> Count:
    left = COUNT_CAP
    order = ORDERS.get(wanted.view, BY_RANK)
    for stream in streams_of(reader, wanted):
        # The order changes no count; it keeps the planner on the index where it would hope to read
        # fewer rows off the table itself.
        some = select(literal(1)).select_from(review).where(*stream)
        some = some.order_by(order.column.desc() if order.descending else order.column).limit(left + 1)
        left -= reader.execute(select(func.count()).select_from(some.subquery())).scalar_one()
        if left < 0:
            return Count(COUNT_CAP, capped=True)
    return Count(COUNT_CAP - left, capped=False)


def tallies(reader: Reader) -> dict[tuple[str, str, str], int]:
    """Open reviews by checkpoint, role and bucket; what adds up to 0 is left out."""
    c = tally.c
    total = func.sum(c.change).label("total")
    query = select(c.checkpoint, c.role, c.bucket, total).group_by(c.checkpoint, c.role, c.bucket)
    rows = reader.execute(query)
    return {(row.checkpoint, row.role, row.bucket): int(row.total) for row in rows if row.total}
