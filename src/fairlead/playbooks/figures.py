"""All SQL of the figures about playbooks; whatever the number of cases, each statement reads a bounded part.

Counts stop at `CAP`, shares look at the newest `SAMPLE` ended cases, and what only the audit record knows is
read for the newest `TRACED` cases. Whoever shows a figure says so where a bound was met.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from fairlead.kit.clock import to_micros
from fairlead.kit.unit_of_work import Reader
from fairlead.playbooks.model import CaseState

CAP = 10_000
SAMPLE, SAMPLE_A_WEEK = 20_000, 5_000
TRACED = 1_000
MAX_COUNT = 1_000_000
OPEN_STATES = (CaseState.READY, CaseState.WAITING, CaseState.PAUSED, CaseState.EXCEPTION)
MAX_STAGES_SEEN = 400

_HERE = "FROM playbook_case WHERE ended_at IS NULL AND playbook = ? AND stage = ?"
_COUNTS = "SELECT " + ", ".join(
    f"(SELECT count(*) FROM (SELECT 1 {_HERE} AND state = '{state.value}' LIMIT {CAP + 1}) AS c{state.value}), "
    f"(SELECT min(changed_at) {_HERE} AND state = '{state.value}')"
    for state in OPEN_STATES
)
_STATES = ", ".join(f"'{state.value}'" for state in OPEN_STATES)
_MIDDLE = f"SELECT changed_at {_HERE} AND state IN ({_STATES}) ORDER BY changed_at LIMIT ? OFFSET ?"
_NEXT_STAGE = "SELECT min(stage) FROM playbook_case WHERE ended_at IS NULL AND playbook = ? AND stage > ?"
_BETWEEN = "FROM playbook_case WHERE ended_at IS NOT NULL AND playbook = ? AND ended_at >= ? AND ended_at < ?"
_ENDS = f'SELECT "end", count(*) FROM (SELECT "end" {_BETWEEN} ORDER BY ended_at DESC LIMIT ?) AS newest GROUP BY "end"'
_FIRST_SAMPLED = f"SELECT ended_at {_BETWEEN} ORDER BY ended_at DESC LIMIT 1 OFFSET ?"
_TIMES = f'SELECT ended_at, ended_at - created_at {_BETWEEN} AND "end" = ? ORDER BY ended_at DESC LIMIT ?'
_COUNT_ENDED = f'SELECT count(*) FROM (SELECT 1 {_BETWEEN} AND "end" = ? LIMIT ?) AS counted'
_ENDED_IDS = f"SELECT id, created_at {_BETWEEN} ORDER BY ended_at DESC LIMIT ?"
_MOVED_IDS = (
    f"SELECT id, created_at, changed_at {_HERE} AND state = ? AND changed_at >= ? ORDER BY changed_at DESC LIMIT ?"
)
_AT_STAGE = (
    f"SELECT id, changed_at {_HERE} AND state = ? AND (changed_at > ? OR (changed_at = ? AND id > ?)) "
    "ORDER BY changed_at, id LIMIT ?"
)
_ENDED_AS = f"""SELECT id, ended_at {_BETWEEN} AND "end" = ? AND (ended_at < ? OR (ended_at = ? AND id < ?))
    ORDER BY ended_at DESC, id DESC LIMIT ?"""
_OF_PLAYBOOK = "SELECT id FROM playbook_case WHERE id = ANY(?) AND playbook = ?"
_ABOUT = "SELECT id, playbook, stage, state, customer_id, subject_id FROM playbook_case WHERE id = ANY(?)"
_OLDER = "FROM playbook_case WHERE ended_at IS NULL AND playbook = ? AND bundle"
_NEXT_BUNDLE = f"SELECT min(bundle) {_OLDER} > ?"
_ON_BUNDLE = f"SELECT count(*) FROM (SELECT 1 {_OLDER} = ? LIMIT {CAP + 1}) AS counted"
_BUNDLE_CASES = f"SELECT id, stage, customer_id, created_at {_OLDER} = ? LIMIT ?"


class StageCount(NamedTuple):
    """Open cases at a stage by state; `oldest` is when the one that stands there longest last moved, in microseconds.

    A figure above `CAP` means "more than that".
    """

    states: dict[str, int]
    oldest: int | None

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.states.values())

    @property
    def capped(self) -> bool:
        """Whether counting stopped before the end."""
        return any(count > CAP for count in self.states.values())


def stage_count(reader: Reader, playbook: str, stage: str) -> StageCount:
    """How many open cases stand at a stage, and since when the oldest does."""
    [row] = reader.fetch(_COUNTS, *([playbook, stage] * (2 * len(OPEN_STATES))))
    states = {state.value: int(row[2 * number]) for number, state in enumerate(OPEN_STATES)}
    moments = [row[2 * number + 1] for number in range(len(OPEN_STATES))]
    return StageCount(
        {state: count for state, count in states.items() if count},
        min((one for one in moments if one is not None), default=None),
    )


def middle_moment(reader: Reader, playbook: str, stage: str, count: int) -> int | None:
    """When the middle one of `count` cases at a stage last moved; for at most `CAP` of them."""
    take = 2 - count % 2
    rows = reader.fetch(_MIDDLE, playbook, stage, take, (count - 1) // 2)
    return sum(row[0] for row in rows) // len(rows) if rows else None


def stages_in_use(reader: Reader, playbook: str) -> list[str]:
    """Every stage at which an open case stands, those of older versions too; one index look each."""
    found: list[str] = []
    last = ""
    while len(found) < MAX_STAGES_SEEN:
        [(stage,)] = reader.fetch(_NEXT_STAGE, playbook, last)
        if stage is None:
            break
        found.append(stage)
        last = stage
    return found


def ends_between(reader: Reader, playbook: str, span: tuple[datetime, datetime], limit: int) -> dict[str, int]:
    """End → cases, of the newest `limit` that ended in the span; fewer than `limit` in all means every one."""
    since, until = map(to_micros, span)
    return {row[0]: int(row[1]) for row in reader.fetch(_ENDS, playbook, since, until, limit)}


def times_to_end(
    reader: Reader, playbook: str, end: str, span: tuple[datetime, datetime], limit: int = CAP
) -> list[tuple[int, float]]:
    """(ended at, seconds from opening) of the newest cases that ended so in the span."""
    since, until = map(to_micros, span)
    rows = reader.fetch(_TIMES, playbook, since, until, end, limit)
    return [(row[0], row[1] / 1_000_000) for row in rows]


def count_ended(reader: Reader, playbook: str, end: str, span: tuple[datetime, datetime], limit: int) -> int:
    """How many ended so in the span, counted up to `limit`."""
    since, until = map(to_micros, span)
    return int(reader.fetch(_COUNT_ENDED, playbook, since, until, end, limit)[0][0])


def recent_cases(
    reader: Reader, playbook: str, stages: Iterable[str], since: datetime, until: datetime
) -> tuple[dict[str, int], int | None]:
    """Id → when it was opened, of the cases that ended or moved last since then: `TRACED` of each at most.

    And from when on that is all of them, in microseconds; None when it is all since `since`.
    """
    start = to_micros(since)
    ended = reader.fetch(_ENDED_IDS, playbook, start, to_micros(until), TRACED)
    found = {row[0]: row[1] for row in ended}
    complete: list[int] = []
    if len(ended) == TRACED:
        row = reader.fetch(_FIRST_SAMPLED, playbook, start, to_micros(until), TRACED - 1)
        complete.append(row[0][0])
    moved = [
        row
        for stage in stages
        for state in OPEN_STATES
        for row in reader.fetch(_MOVED_IDS, playbook, stage, state.value, start, TRACED)
    ]
    moved.sort(key=lambda row: -row[2])
    if len(moved) >= TRACED:
        complete.append(moved[TRACED - 1][2])
    found.update((row[0], row[1]) for row in moved[:TRACED])
    return found, max(complete, default=None)


def cases_at(
    reader: Reader, playbook: str, stage: str, state: str, after: tuple[int, str], limit: int
) -> list[tuple[str, int]]:
    """(case, last moved) of a stage's open cases in a state, longest standing first, behind `after`."""
    moment, last = after
    return [tuple(row) for row in reader.fetch(_AT_STAGE, playbook, stage, state, moment, moment, last, limit)]


def cases_ended_as(
    reader: Reader, playbook: str, end: str, before: tuple[int, str], limit: int
) -> list[tuple[str, int]]:
    """(case, ended at) of the cases that ended so, newest first, behind `before`."""
    moment, last = before
    rows = reader.fetch(_ENDED_AS, playbook, 0, 2**62, end, moment, moment, last, limit)
    return [tuple(row) for row in rows]


def only_of(reader: Reader, playbook: str, case_ids: Sequence[str]) -> set[str]:
    """Those of these cases that are the playbook's."""
    return {row[0] for row in reader.fetch(_OF_PLAYBOOK, list(case_ids), playbook)}


class CaseHead(NamedTuple):
    """As much of a case as a list of other things shows."""

    id: str
    playbook: str
    stage: str
    state: str
    customer_id: str | None
    subject_id: str


def heads_of(reader: Reader, case_ids: Sequence[str]) -> dict[str, CaseHead]:
    """The heads of these cases by id."""
    return {row[0]: CaseHead(*row) for row in reader.fetch(_ABOUT, list(case_ids))}


def bundles_in_use(reader: Reader, playbook: str) -> dict[str, int]:
    """Version → open cases that run under it, counted up to `CAP` + 1; one index look each."""
    found: dict[str, int] = {}
    last = ""
    while len(found) < MAX_STAGES_SEEN:
        [(bundle,)] = reader.fetch(_NEXT_BUNDLE, playbook, last)
        if bundle is None:
            break
        found[bundle] = int(reader.fetch(_ON_BUNDLE, playbook, bundle)[0][0])
        last = bundle
    return found


def cases_on(reader: Reader, playbook: str, bundle: str, limit: int) -> list[Any]:
    """(id, stage, customer, opened at) of open cases under a version."""
    return reader.fetch(_BUNDLE_CASES, playbook, bundle, limit)
