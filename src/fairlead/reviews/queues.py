"""The queue: pages, search, counts, the next free review, and what the sweeps look for.

Every page is merged from a few streams. A stream is one range of one index (a role and a shelf, say) that is
already in order, so its cost does not depend on how many reviews wait. The streams' keys come by one
statement, the rows of the page by a second.
"""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    type_coerce,
    union_all,
)
from sqlalchemy.sql import CompoundSelect

from fairlead.errors import InputError, TooLargeError
from fairlead.kit import jsons
from fairlead.kit.ids import is_id
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.reviews import binding
from fairlead.reviews.model import OPEN_STATES, Bucket, Kind, Review, Reviewer, State, title_key
from fairlead.reviews.store import COLUMNS, DECIDES, as_review
from fairlead.reviews.tables import review, tally, verdict

MAX_PAGE = 200
MAX_STREAMS = 400  # SQLite joins at most 500 selects
MAX_CUSTOMERS = 50
COUNT_CAP = 1_000
_CURSOR_CHARS = 1_000


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


_SHELVES_OF = {
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
        by_shelf = self.view in _SHELVES_OF
        usable = (
            (self.person is not None) >= (self.view is View.MINE)
            and (self.person is None or self.view in {View.MINE, View.SNOOZED})
            and (self.checkpoint is None or (by_shelf and self.person is None))
            and (self.min_value_minor is not None) == (self.view is View.HIGH_VALUE)
        )
        if not usable:
            message = f"The view {self.view.value!r} cannot be combined with these filters."
            raise InputError(message, code="filter", view=self.view)


class Page(NamedTuple):
    """Some reviews in order; `cursor` continues behind the last one, None at the end."""

    items: list[Review]
    cursor: str | None


class Count(NamedTuple):
    """How many; `capped` when there are that many at least and counting stopped there."""

    number: int
    capped: bool

    def __str__(self) -> str:
        return f"{self.number:,}+" if self.capped else f"{self.number:,}"


class Order(NamedTuple):
    """What a page is sorted by, before the id; whole numbers or text, so that a cursor can hold it."""

    column: ColumnElement[Any]
    descending: bool = False


_BY_RANK = Order(review.c.rank)
_ORDERS = {
    View.HIGH_VALUE: Order(review.c.value_minor, descending=True),
    View.OVERDUE: Order(type_coerce(review.c.overdue_since, BigInteger)),
}
_BY_TITLE = Order(review.c.title_key)
_OPEN = review.c.closed_at.is_(None)
_Stream = tuple[ColumnElement[bool], ...]


def page(reader: Reader, wanted: QueueFilter, *, after: str | None = None, limit: int = 50) -> Page:
    """The next reviews: higher priority first, then older; high value by value, overdue by how long.

    `after` is an earlier page's cursor; InputError for any other text.
    """
    order = _ORDERS.get(wanted.view, _BY_RANK)
    return _merged(reader, _streams(reader, wanted), order, after, limit)


def search(
    reader: Reader,
    words: str,
    *,
    roles: tuple[str, ...] | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page:
    """Open reviews whose title begins with these words, upper or lower case, in the order of titles."""
    key = title_key(words)
    if not key:
        raise InputError("A search needs at least one letter or digit.", code="search")
    begins = (review.c.title_key >= key, review.c.title_key < key + "\U0010ffff")
    streams = [(_OPEN, review.c.role == role, *begins) for role in _roles(reader, roles)]
    return _merged(reader, streams, _BY_TITLE, after, limit)


def search_customers(
    reader: Reader,
    customer_ids: Sequence[str],
    *,
    roles: tuple[str, ...] | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page:
    """Open reviews of these customers (at most 50), in the order of the queue."""
    if len(customer_ids) > MAX_CUSTOMERS:
        raise TooLargeError(f"A search takes at most {MAX_CUSTOMERS} customers.", limit=MAX_CUSTOMERS, unit="customers")
    mine: list[_Stream] = [
        (review.c.customer_id == one, review.c.state == state)
        for one in dict.fromkeys(customer_ids)
        for state in OPEN_STATES
    ]
    if roles is not None:  # one customer's reviews are few, whatever their role
        mine = [(*stream, review.c.role.in_(sorted(set(roles)))) for stream in mine]
    return _merged(reader, mine, _BY_RANK, after, limit)


def _roles(reader: Reader, roles: tuple[str, ...] | None) -> list[str]:
    if roles is not None:
        return sorted(set(roles))
    return sorted(row.role for row in reader.execute(select(tally.c.role).distinct()))


def _streams(reader: Reader, wanted: QueueFilter) -> list[_Stream]:
    c = review.c
    shelves = _SHELVES_OF.get(wanted.view)
    if shelves is not None and wanted.person is not None:
        return [(_OPEN, c.assignee == wanted.person, c.shelf == shelf) for shelf in shelves]
    roles = _roles(reader, wanted.roles)
    if shelves is not None:
        where = () if wanted.checkpoint is None else (c.checkpoint == wanted.checkpoint,)
        return [(_OPEN, *where, c.role == role, c.shelf == shelf) for role in roles for shelf in shelves]
    return [(_OPEN, c.role == role, _special(wanted)) for role in roles]


def _special(wanted: QueueFilter) -> ColumnElement[bool]:
    if wanted.view is View.HIGH_VALUE:
        return review.c.value_minor >= wanted.min_value_minor
    if wanted.view is View.LABELS:
        return review.c.kind == literal_column("'label'")  # no parameter, or the partial index could not be used
    return review.c.overdue_since.is_not(None) if wanted.view is View.OVERDUE else review.c.needs_information.is_(True)


def _keys(streams: Sequence[_Stream], order: Order, after: tuple[Any, str] | None, limit: int) -> CompoundSelect[Any]:
    """The sort keys and ids of up to `limit` rows of every stream; each part is one index range."""
    column, c = order.column, review.c
    parts = []
    for stream in streams:
        part = select(column.label("key"), c.id).where(*stream)
        if after is not None:
            place, mark = tuple_(column, c.id), tuple_(*after)
            part = part.where(place < mark if order.descending else place > mark)
        ways = (column.desc(), c.id.desc()) if order.descending else (column, c.id)
        inner = part.order_by(*ways).limit(limit).subquery()
        parts.append(select(inner.c.key, inner.c.id))
    return union_all(*parts)


def _merged(reader: Reader, streams: Sequence[_Stream], order: Order, after: str | None, limit: int) -> Page:
    if not 1 <= limit <= MAX_PAGE:
        raise InputError(f"A page holds 1 to {MAX_PAGE} reviews.", limit=limit)
    if len(streams) > MAX_STREAMS:
        raise TooLargeError("Too many roles for one page; choose some.", limit=MAX_STREAMS, unit="streams")
    mark = None if after is None else _decoded(after, order)
    if not streams:
        return Page([], None)
    query = _keys(streams, order, mark, limit + 1)
    keys = sorted({(row.key, row.id) for row in reader.execute(query)}, reverse=order.descending)
    chosen = keys[:limit]
    whole = select(*COLUMNS).where(review.c.id.in_([row_id for _, row_id in chosen]))
    rows = {row.id: as_review(row) for row in reader.execute(whole)}
    items = [rows[row_id] for _, row_id in chosen if row_id in rows]
    return Page(items, _encoded(chosen[-1]) if len(keys) > limit else None)


def _encoded(key: tuple[Any, str]) -> str:
    return base64.urlsafe_b64encode(jsons.dumps(list(key)).encode()).decode().rstrip("=")


def _decoded(text: str, order: Order) -> tuple[Any, str]:
    wrong = InputError("This is not the cursor of an earlier page.", code="cursor")
    if len(text) > _CURSOR_CHARS:
        raise wrong
    try:
        found = jsons.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        raise wrong from None
    kind = str if order is _BY_TITLE else int
    match found:
        case [key, str(row_id)] if type(key) is kind and is_id(row_id, "rev"):
            if "\x00" not in key if isinstance(key, str) else abs(key) < 2**63:
                return key, row_id
    raise wrong


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
    result = {
        view: Count(sum(by_bucket[one] for one in shelves), capped=False) for view, shelves in _SHELVES_OF.items()
    }
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
    order = _ORDERS.get(wanted.view, _BY_RANK)
    for stream in _streams(reader, wanted):
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


def next_assigned(reader: Reader, person: str) -> Review | None:
    """The first waiting review that was passed to this person; None when there is none."""
    mine = (_OPEN, review.c.assignee == person, review.c.shelf == Bucket.ASSIGNED)
    row = reader.execute(select(*COLUMNS).where(*mine).order_by(review.c.rank, review.c.id).limit(1)).first()
    return as_review(row) if row else None


def next_free(
    uow: UnitOfWork, role: str, reviewer: Reviewer, *, after: tuple[int, str] | None, checkpoint: str | None
) -> tuple[int, Review] | None:
    """The first free review of the role behind `after` that this person may take, with its rank.

    Left out are customers somebody else is busy with and reviews this person has voted on. On Postgres the
    row comes locked, and rows that others are just taking are passed over.
    """
    c = review.c
    query = select(c.rank, *COLUMNS).where(_OPEN, c.role == role, c.shelf == Bucket.FREE)
    query = query.where(~_busy(reviewer, uow.now), ~_voted(reviewer))
    if checkpoint is not None:
        query = query.where(c.checkpoint == checkpoint)
    if after is not None:
        query = query.where(tuple_(c.rank, c.id) > tuple_(*after))
    query = query.order_by(c.rank, c.id).limit(1)
    if uow.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True, of=review)
    row = uow.execute(query).first()
    return (row[0], as_review(row[1:])) if row else None


# Counted per candidate, not joined: the planner then looks each candidate up by its index and can never
# choose to read every claim or every verdict first.
def _busy(reviewer: Reviewer, now: datetime) -> ColumnElement[bool]:
    other = review.alias("other").c
    held = (other.state == State.CLAIMED, other.claimed_by != reviewer.id, other.claimed_until > now)
    live = other.kind == Kind.DECISION.value
    found = select(func.count(other.id)).where(other.customer_id == review.c.customer_id, *held, live)
    return and_(found.correlate(review).scalar_subquery() > 0, DECIDES)


def _voted(reviewer: Reviewer) -> ColumnElement[bool]:
    c = verdict.c
    same = [
        func.substr(c.digest, start, length) == func.substr(review.c.digest, start, length)
        for start, length in ((1, binding.MATTER_CHARS), (binding.TERMS_FROM, binding.MAX_DIGEST_CHARS))
    ]
    given = (c.verdict.in_(("approve", "edit", "answer")), c.undone_at.is_(None))
    mine = (c.review_id == review.c.id, c.actor == str(reviewer.actor))
    found = select(func.count(c.id)).where(*mine, *given, *same)
    return found.correlate(review).scalar_subquery() > 0


def due(uow: UnitOfWork, now: datetime, limit: int) -> list[Review]:
    """Reviews whose clock has run out and that no sweep has dealt with, the longest overdue first."""
    ticking = (_OPEN, review.c.due_at.is_not(None), review.c.overdue_since.is_(None), review.c.due_at <= now)
    return _swept(uow, ticking, review.c.due_at, limit)


def lapsed(uow: UnitOfWork, now: datetime, limit: int) -> list[Review]:
    """Claims whose lease has run out."""
    return _swept(uow, (_OPEN, review.c.claimed_until <= now), review.c.claimed_until, limit)


def awake(uow: UnitOfWork, now: datetime, limit: int) -> list[Review]:
    """Reviews whose snooze is over."""
    return _swept(uow, (_OPEN, review.c.snoozed_until <= now), review.c.snoozed_until, limit)


def _swept(uow: UnitOfWork, where: _Stream, column: ColumnElement[Any], limit: int) -> list[Review]:
    query = select(*COLUMNS).where(*where).order_by(column, review.c.id).limit(limit)
    rows = uow.execute(query.with_for_update(skip_locked=True) if uow.dialect == "postgresql" else query)
    return [as_review(row) for row in rows]


def next_due(reader: Reader) -> datetime | None:
    """When a sweep next has something to do: a clock, lease or snooze that ends; None when nothing will."""
    c = review.c
    ticking = (c.due_at.is_not(None), c.overdue_since.is_(None))
    moments = []
    for column, where in ((c.due_at, ticking), (c.claimed_until, ()), (c.snoozed_until, ())):
        query = select(column).where(_OPEN, column.is_not(None), *where).order_by(column, c.id).limit(1)
        moments.append(reader.execute(query).scalar())
    return min((moment for moment in moments if moment is not None), default=None)
