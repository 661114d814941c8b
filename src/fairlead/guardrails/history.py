"""The gate's log as the history that other rules are tried on; read page by page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from fairlead.customers import ever_joined
from fairlead.guardrails.model import Code, LogState, Verdict
from fairlead.guardrails.remembering import recalled
from fairlead.guardrails.replaying import Asked
from fairlead.kit.clock import from_micros, to_micros
from fairlead.kit.jsons import loads
from fairlead.kit.unit_of_work import Reader

PAGE = 1_000
# A try's place was given back before the key's next place, which remembers when; that of the last try stands in the
# log itself. (Answer and log are joined in one statement; `next` is the memory of the key's next allowed asking.)
_ASKED = (
    "SELECT a.id, a.at, a.key, a.customer_id, a.channel, a.purpose, a.class, a.sender, a.verdict, a.code, a.memory, "
    "l.state, l.released_at, l.settled_at, CASE WHEN a.verdict = 'allowed' THEN (SELECT b.memory FROM contact_answer b "
    "WHERE b.key = a.key AND b.verdict = 'allowed' AND (b.at, b.id) > (a.at, a.id) ORDER BY b.at, b.id LIMIT 1) END "
    "FROM contact_answer a LEFT JOIN contact_log l ON l.key = a.key WHERE a.at >= ? AND a.at <= ? AND "
)
_NOBODYS = _ASKED + "a.customer_id IS NULL AND (a.at, a.id) > (?, ?) ORDER BY a.at, a.id LIMIT ?"
_EVERYBODYS = (
    _ASKED + "(a.customer_id, a.at, a.id) > (?, ?, ?) ORDER BY a.customer_id, a.at, a.id LIMIT ?"
)  # fmt: skip
_FAMILYS = _ASKED + "a.customer_id = ANY(?) AND (a.at, a.id) > (?, ?) ORDER BY a.at, a.id LIMIT ?"
_COUNT = "SELECT count(*) FROM contact_answer WHERE at >= ? AND at <= ?"
_NEWEST = "SELECT at FROM contact_answer WHERE at >= ? AND at <= ? ORDER BY at DESC LIMIT 1 OFFSET ?"


def asked_between(reader: Reader, since: datetime, until: datetime) -> int:
    """How many times the gate was asked."""
    return int(reader.fetch(_COUNT, to_micros(since), to_micros(until))[0][0])


def newest_since(reader: Reader, since: datetime, until: datetime, most: int) -> datetime:
    """`since`, or the later moment from which there are at most `most` askings."""
    rows = reader.fetch(_NEWEST, to_micros(since), to_micros(until), most)
    return max(since, from_micros(rows[0][0] + 1)) if rows else since


def history(reader: Reader, since: datetime, until: datetime) -> Iterator[Asked]:
    """Every asking from `since` to `until`, in the order that `replay` takes: nobody's first, then by party."""
    low, high = to_micros(since), to_micros(until)
    last: tuple[int, str] = (-1, "")
    while rows := reader.fetch(_NOBODYS, low, high, *last, PAGE):
        yield from (_asked(row, "") for row in rows)
        last = (rows[-1][1], rows[-1][0])
    joined = ever_joined(reader)
    later: dict[str, set[str]] = {}
    mark: tuple[str, int, str] = ("", -1, "")
    while rows := reader.fetch(_EVERYBODYS, low, high, *mark, PAGE):
        for row in rows:
            if row[3] in joined:
                later.setdefault(joined[row[3]], set()).add(row[3])
            else:
                yield _asked(row, row[3])
        mark = (rows[-1][3], rows[-1][1], rows[-1][0])
    for party, members in sorted(later.items()):
        last = (-1, "")
        while rows := reader.fetch(_FAMILYS, low, high, sorted(members), *last, PAGE):
            yield from (_asked(row, party) for row in rows)
            last = (rows[-1][1], rows[-1][0])


def _asked(row: Any, party: str) -> Asked:
    (row_id, at, key, customer, channel, purpose, cls, sender, verdict, code, memory, state, released, settled,
     following) = row  # fmt: skip
    if following is not None:
        released, revived = loads(following).get("released"), None
    else:
        revived = settled if released is not None and state == LogState.ACCEPTED.value else None
    return Asked(
        row_id, from_micros(at), key, party, customer, channel, purpose, cls, sender, Verdict(verdict), Code(code),
        recalled(loads(memory), customer), _moment(released), _moment(revived),
    )  # fmt: skip


def _moment(micros: int | None) -> datetime | None:
    return from_micros(micros) if micros is not None else None
