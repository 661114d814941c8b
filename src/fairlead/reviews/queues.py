"""The queue: pages, search, counts, the next free review, and what the sweeps look for.

Every page is merged from a few streams. A stream is one range of one index (a role and a shelf, say) that is
already in order, so its cost does not depend on how many reviews wait. The streams' keys come by one
statement, the rows of the page by a second.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    select,
    tuple_,
    union_all,
)
from sqlalchemy.sql import CompoundSelect

from fairlead.errors import InputError, TooLargeError
from fairlead.kit import jsons
from fairlead.kit.ids import is_id
from fairlead.kit.unit_of_work import Reader
from fairlead.reviews.model import OPEN_STATES, Review, title_key
from fairlead.reviews.store import COLUMNS, as_review
from fairlead.reviews.streams import (
    BY_RANK,
    IS_OPEN,
    ORDERS,
    Order,
    QueueFilter,
    Stream,
    roles_in,
    streams_of,
)
from fairlead.reviews.tables import review

MAX_PAGE = 200
MAX_STREAMS = 400  # SQLite joins at most 500 selects
MAX_CUSTOMERS = 50
_CURSOR_CHARS = 1_000


class Page(NamedTuple):
    """Some reviews in order; `cursor` continues behind the last one, None at the end."""

    items: list[Review]
    cursor: str | None


_BY_TITLE = Order(review.c.title_key)


def page(reader: Reader, wanted: QueueFilter, *, after: str | None = None, limit: int = 50) -> Page:
    """The next reviews: higher priority first, then older; high value by value, overdue by how long.

    `after` is an earlier page's cursor; InputError for any other text.
    """
    order = ORDERS.get(wanted.view, BY_RANK)
    return _merged(reader, streams_of(reader, wanted), order, after, limit)


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
    streams = [(IS_OPEN, review.c.role == role, *begins) for role in roles_in(reader, roles)]
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
    mine: list[Stream] = [
        (review.c.customer_id == one, review.c.state == state)
        for one in dict.fromkeys(customer_ids)
        for state in OPEN_STATES
    ]
    if roles is not None:  # one customer's reviews are few, whatever their role
        mine = [(*stream, review.c.role.in_(sorted(set(roles)))) for stream in mine]
    return _merged(reader, mine, BY_RANK, after, limit)


def _keys(streams: Sequence[Stream], order: Order, after: tuple[Any, str] | None, limit: int) -> CompoundSelect[Any]:
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


def _merged(reader: Reader, streams: Sequence[Stream], order: Order, after: str | None, limit: int) -> Page:
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
