"""How far a playbook has come towards its objective, from stored rows; and what its stages look like now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from fairlead import audit
from fairlead.checkpoints import RulingMade, rulings_between
from fairlead.evidence import outcome_values
from fairlead.kit import jsons
from fairlead.kit.clock import to_micros
from fairlead.kit.unit_of_work import Reader
from fairlead.playbooks import figures
from fairlead.playbooks.figures import CAP, MAX_COUNT, SAMPLE, SAMPLE_A_WEEK, TRACED
from fairlead.playbooks.model import CheckpointStage, EndStage, Playbook
from fairlead.playbooks.objectives import (
    Figure,
    MeasureKind,
    Objective,
    Standing,
    last_period,
    median,
    share_of,
    standing,
    weeks_until,
    window_of,
)

MAX_RULINGS = 20_000
_START = datetime(1970, 1, 1, tzinfo=UTC)
_ALONE = "auto"
_BY_PEOPLE = frozenset({"assist", "human"})
Span = tuple[datetime, datetime]


class Week(NamedTuple):
    """One point of a trend; the last week is still running."""

    begins: datetime
    figure: Figure


@dataclass(frozen=True, slots=True)
class Progress:
    """An objective with where it stands.

    `since` None: from the beginning. `previous` is the last whole period, None without periods. `note` says
    where a figure rests on the newest cases only, "" where it rests on all.
    """

    objective: Objective
    now: Figure
    since: datetime | None
    standing: Standing
    previous: Figure | None
    previous_span: Span | None
    weeks: list[Week]
    note: str = ""


class _Source(NamedTuple):
    """A measure's raw material: what happened in a span, as (microseconds, figure's part)."""

    figure: Callable[[Span], Figure]
    weeks: Callable[[Sequence[datetime], datetime], list[Figure]]
    note: str


def progress_of(reader: Reader, playbook: Playbook, now: datetime) -> Progress | None:
    """Where the playbook stands; None when it states no objective. Reads a bounded number of rows."""
    objective = playbook.objective
    if objective is None:
        return None
    since, until = window_of(objective, now)
    until += timedelta(microseconds=1)  # what happened at this very moment counts
    starts = weeks_until(now)
    source = _source(reader, playbook, objective, (min(starts[0], since or starts[0]), until))
    before = last_period(objective, now)
    current = source.figure((since or _START, until))
    weeks = [Week(start, one) for start, one in zip(starts, source.weeks(starts, until), strict=True)]
    return Progress(
        objective, current, since, standing(objective, current), source.figure(before) if before else None, before,
        weeks, source.note,
    )  # fmt: skip


def _source(reader: Reader, playbook: Playbook, objective: Objective, widest: Span) -> _Source:
    kind, of = objective.measure
    if kind in {MeasureKind.ENDED, MeasureKind.COUNT_ENDED}:
        return _by_ends(reader, playbook.name, of, widest, counting=kind is MeasureKind.COUNT_ENDED)
    if kind is MeasureKind.MEDIAN_TIME_TO:
        before = last_period(objective, widest[1])
        span = (min(widest[0], before[0]) if before else widest[0], widest[1])
        return _by_times(reader, playbook, of, span)
    return _by_rulings(reader, playbook, objective, widest)


def _by_ends(reader: Reader, name: str, end: str, widest: Span, *, counting: bool) -> _Source:
    def look(span: Span, limit: int) -> Figure:
        if counting:
            count = figures.count_ended(reader, name, end, span, MAX_COUNT)
            return Figure(float(count), count)
        found = figures.ends_between(reader, name, span, limit)
        return share_of(found.get(end, 0), sum(found.values()))

    def weeks(starts: Sequence[datetime], until: datetime) -> list[Figure]:
        ends = [*starts[1:], until]
        return [look((start, stop), SAMPLE_A_WEEK) for start, stop in zip(starts, ends, strict=True)]

    note = ""
    if not counting and sum(figures.ends_between(reader, name, widest, SAMPLE).values()) == SAMPLE:
        note = f"Of the newest {SAMPLE:,} cases, by week of the newest {SAMPLE_A_WEEK:,}."
    return _Source(lambda span: look(span, SAMPLE), weeks, note)


def _by_times(reader: Reader, playbook: Playbook, target: str, span: Span) -> _Source:
    ends = {stage.end for stage in playbook.stages.values() if isinstance(stage, EndStage)}
    if target in ends:
        times = figures.times_to_end(reader, playbook.name, target, span, CAP)
        note = f"Of the newest {CAP:,} cases." if len(times) == CAP else ""
    else:
        opened, complete = figures.recent_cases(reader, playbook.name, playbook.stages, *span)
        times = _first_arrivals(reader, opened, target, span)
        note = "" if complete is None else f"Of the {TRACED:,} cases that ended and the {TRACED:,} that moved last."

    def figure(part: Span) -> Figure:
        first, last = map(to_micros, part)
        return median([seconds for at, seconds in times if first <= at < last])

    def weeks(starts: Sequence[datetime], until: datetime) -> list[Figure]:
        return [figure((start, min(start + timedelta(weeks=1), until))) for start in starts]

    return _Source(figure, weeks, note)


def _first_arrivals(reader: Reader, opened: Mapping[str, int], stage: str, span: Span) -> list[tuple[int, float]]:
    """(when, seconds from opening) of each case's first arrival at the stage, as far as it lies in the span."""
    found: dict[str, int] = {}
    for entry in audit.happenings(reader, list(opened), ["case.moved"], *span):
        if entry.body is not None and jsons.loads(entry.body).get("to") == stage:
            found.setdefault(entry.subject, entry.at)
    return [(at, (at - opened[case]) / 1_000_000) for case, at in found.items()]


def _by_rulings(reader: Reader, playbook: Playbook, objective: Objective, span: Span) -> _Source:
    kind, of = objective.measure
    places = {stage.checkpoint for stage in playbook.stages.values() if isinstance(stage, CheckpointStage)}
    wanted = [of] if kind is MeasureKind.WITHOUT_PERSON else sorted(places)
    before = last_period(objective, span[1])
    since = min(span[0], before[0]) if before else span[0]
    made: list[RulingMade] = []
    for checkpoint in wanted:
        made += rulings_between(reader, checkpoint, since, span[1], MAX_RULINGS)
    capped = len(made) >= MAX_RULINGS
    mine = figures.only_of(reader, playbook.name, sorted({one.case_id for one in made}))
    made = [one for one in made if one.case_id in mine]
    if kind is MeasureKind.OUTCOME:
        values = outcome_values(reader, [one.id for one in made], of)
        judged = [(one.at, values[one.id] is True) for one in made if isinstance(values.get(one.id), bool)]
    else:
        judged = [(one.at, one.path == _ALONE) for one in made if one.path == _ALONE or one.path in _BY_PEOPLE]

    def figure(part: Span) -> Figure:
        first, last = map(to_micros, part)
        hits = [hit for at, hit in judged if first <= at < last]
        return share_of(sum(hits), len(hits))

    def weeks(starts: Sequence[datetime], until: datetime) -> list[Figure]:
        return [figure((start, min(start + timedelta(weeks=1), until))) for start in starts]

    return _Source(figure, weeks, f"Of the newest {MAX_RULINGS:,} decisions." if capped else "")
