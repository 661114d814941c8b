"""The queue's order: what a person may ask to see, and the ranges of indexes that hold it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    literal_column,
    select,
    type_coerce,
)

from fairlead.errors import InputError
from fairlead.kit.unit_of_work import Reader
from fairlead.reviews.model import Bucket
from fairlead.reviews.tables import review, tally


class View(StrEnum):
    """Which part of the open reviews; `mine` is what a person holds or was passed, `open` what can be worked
    on.
    """

    OPEN = "open"
    MINE = "mine"
    UNCLAIMED = "unclaimed"
    HIGH_VALUE = "high_value"
    OVERDUE = "overdue"
    NEEDS_INFORMATION = "needs_information"
    SNOOZED = "snoozed"
    LABELS = "labels"


SHELVES_OF = {
    View.OPEN: (Bucket.FREE, Bucket.ASSIGNED, Bucket.CLAIMED),
    View.MINE: (Bucket.ASSIGNED, Bucket.CLAIMED),
    View.UNCLAIMED: (Bucket.FREE, Bucket.ASSIGNED),
    View.SNOOZED: (Bucket.SNOOZED,),
}


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What a person wants to see.

    `roles` None means every role, else reviews of other roles are not shown. `mine` needs `person` and looks
    at no role; `snoozed` with a `person` shows theirs only. `checkpoint` goes with open, unclaimed and
    snoozed. `high_value` needs `min_value_minor`. Other combinations are an InputError: no index would serve
    them.
    """

    view: View = View.OPEN
    roles: tuple[str, ...] | None = None
    checkpoint: str | None = None
    person: str | None = None
    min_value_minor: int | None = None

    def __post_init__(self) -> None:
        by_shelf = self.view in SHELVES_OF
        usable = (
            (self.person is not None) >= (self.view is View.MINE)
            and (self.person is None or self.view in {View.MINE, View.SNOOZED})
            and (self.checkpoint is None or (by_shelf and self.person is None))
            and (self.min_value_minor is not None) == (self.view is View.HIGH_VALUE)
        )
        if not usable:
            message = f"The view {self.view.value!r} cannot be combined with these filters."
            raise InputError(message, code="filter", view=self.view)


class Order(NamedTuple):
    """What a page is sorted by, before the id; whole numbers or text, so that a cursor can hold it."""

    column: ColumnElement[Any]
    descending: bool = False


BY_RANK = Order(review.c.rank)
ORDERS = {
    View.HIGH_VALUE: Order(review.c.value_minor, descending=True),
    View.OVERDUE: Order(type_coerce(review.c.overdue_since, BigInteger)),
}
IS_OPEN = review.c.closed_at.is_(None)
Stream = tuple[ColumnElement[bool], ...]


def roles_in(reader: Reader, roles: tuple[str, ...] | None) -> list[str]:
    """The roles that are asked for, or every role that a review ever waited for."""
    if roles is not None:
        return sorted(set(roles))
    return sorted(row.role for row in reader.execute(select(tally.c.role).distinct()))


def streams_of(reader: Reader, wanted: QueueFilter) -> list[Stream]:
    """One range of one index each, which together hold what is wanted."""
    c = review.c
    shelves = SHELVES_OF.get(wanted.view)
    if shelves is not None and wanted.person is not None:
        return [(IS_OPEN, c.assignee == wanted.person, c.shelf == shelf) for shelf in shelves]
    roles = roles_in(reader, wanted.roles)
    if shelves is not None:
        where = () if wanted.checkpoint is None else (c.checkpoint == wanted.checkpoint,)
        return [(IS_OPEN, *where, c.role == role, c.shelf == shelf) for role in roles for shelf in shelves]
    return [(IS_OPEN, c.role == role, _special(wanted)) for role in roles]


def _special(wanted: QueueFilter) -> ColumnElement[bool]:
    if wanted.view is View.HIGH_VALUE:
        return review.c.value_minor >= wanted.min_value_minor
    if wanted.view is View.LABELS:
        return review.c.kind == literal_column("'label'")  # no parameter, or the partial index could not be used
    return review.c.overdue_since.is_not(None) if wanted.view is View.OVERDUE else review.c.needs_information.is_(True)
