"""Looking back at rulings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from fairlead.checkpoints import store
from fairlead.checkpoints.model import Path
from fairlead.kit.clock import to_micros
from fairlead.kit.unit_of_work import Reader

_QUIET = {"least_strict", "score_enough", "price_unknown", "price_not_reached", "price_not_in_experiments"}


class FirstRuling(NamedTuple):
    """A case's first ruling: its path, whether facts were missing, and the reasons that narrowed it.

    `reasons` are rule ids where a rule spoke, else the reason's code (`no_grant`, `score_below`, …).
    """

    path: str
    needs_information: bool
    reasons: tuple[str, ...]


def first_rulings(reader: Reader, case_ids: Sequence[str]) -> dict[str, FirstRuling]:
    """The first ruling of each of at most 500 cases; cases without one are left out."""
    found: dict[str, FirstRuling] = {}
    for row in store.rulings_of_cases(reader, case_ids):
        if row.case_id not in found:
            found[row.case_id] = FirstRuling(row.path, bool(row.record["needs_information"]), _reasons(row.record))
    return found


class RulingMade(NamedTuple):
    """When a case was ruled on and which path it got; `case_id` is never None here. `at` in microseconds."""

    id: str
    at: int
    path: str
    case_id: str


def rulings_between(reader: Reader, checkpoint: str, since: datetime, until: datetime, limit: int) -> list[RulingMade]:
    """The newest `limit` rulings on cases at a checkpoint from `since` to before `until`, newest first."""
    rows = store.rulings_between(reader, checkpoint, to_micros(since), to_micros(until), limit)
    return [RulingMade(*row) for row in rows]


def _reasons(record: dict[str, Any]) -> tuple[str, ...]:
    return tuple(
        reason.get("rule") or reason["code"]
        for step in record["steps"]
        for reason in step["reasons"]
        if reason["path"] != Path.AUTO.value and reason["code"] not in _QUIET
    )
