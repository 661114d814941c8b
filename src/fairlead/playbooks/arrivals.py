"""When subjects came in: the first case about each, read by the order in which cases were opened."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from fairlead.kit.clock import from_micros, to_micros
from fairlead.kit.unit_of_work import Reader

_SLACK = timedelta(hours=1)
"""Transactions that run side by side make ids in another order than they began."""
_FIRST_FROM = "SELECT id, created_at FROM playbook_case WHERE id >= ? ORDER BY id LIMIT 1"
_ARRIVED = """SELECT id, subject_id, customer_id, created_at, ended_at,
    CASE WHEN wait_type = 'case.ended' THEN changed_at END
    FROM playbook_case WHERE id >= ? AND created_at >= ? AND subject_kind = ? AND parent_id IS NULL
    ORDER BY id DESC LIMIT ?"""
_OF_SUBJECT = """SELECT id, subject_id, customer_id, created_at, ended_at,
    CASE WHEN wait_type = 'case.ended' THEN changed_at END
    FROM playbook_case WHERE subject_kind = ? AND subject_id = ? AND parent_id IS NULL ORDER BY id LIMIT 1"""
_STAMP = slice(len("case_"), len("case_") + 14)
_STAMPS = 1 << 56


class Arrival(NamedTuple):
    """A case that something opened, not another case.

    `aside_at`: since when it waits for cases that it started, None where it does not.
    """

    case_id: str
    subject_id: str
    customer_id: str | None
    at: datetime
    ended_at: datetime | None
    aside_at: datetime | None


def arrivals_since(reader: Reader, subject_kind: str, since: datetime, limit: int) -> list[Arrival]:
    """The newest `limit` cases about this kind of subject that were opened since then, newest first."""
    first = _first_id(reader, to_micros(since - _SLACK))
    return [_arrival(row) for row in reader.fetch(_ARRIVED, first, to_micros(since), subject_kind, limit)]


def arrival_of(reader: Reader, subject_kind: str, subject_id: str) -> Arrival | None:
    """The first case about a subject, None without any."""
    rows = reader.fetch(_OF_SUBJECT, subject_kind, subject_id)
    return _arrival(rows[0]) if rows else None


def _first_id(reader: Reader, since: int) -> str:
    """The least id of a case that was opened at or after `since`, in microseconds; halves the span of all ids.

    Ids sort by when they were made, which is when the case was opened, and looking up the next one costs
    a step in the primary key: no index on the moment is needed, which every opened case would pay for.
    """
    low, high = 0, _STAMPS - 1
    while low < high:
        middle = (low + high) // 2
        rows = reader.fetch(_FIRST_FROM, f"case_{middle:014x}")
        if not rows or rows[0][1] >= since:
            high = middle
        else:
            low = int(rows[0][0][_STAMP], 16) + 1
    return f"case_{low:014x}"


def _arrival(row: tuple[str, str, str | None, int, int | None, int | None]) -> Arrival:
    case_id, subject_id, customer_id, created, ended, aside = row
    return Arrival(case_id, subject_id, customer_id, from_micros(created), _moment(ended), _moment(aside))


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)
