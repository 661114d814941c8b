"""What a playbook's stages look like now, and how cases leave them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from fairlead import audit
from fairlead.kit import jsons
from fairlead.kit.clock import from_micros, to_micros
from fairlead.kit.unit_of_work import Reader
from fairlead.playbooks import figures
from fairlead.playbooks.figures import CAP, StageCount
from fairlead.playbooks.model import EndStage, Playbook
from fairlead.playbooks.progress import Span

_LEFT = {
    "case.moved": "", "case.interrupted": "interrupted", "case.skipped": "skipped", "case.redirected": "redirected",
    "case.cancelled": "cancelled",
}  # fmt: skip
"""How a case leaves a stage, by the verb on record; "" where the record names the outcome itself."""


class Exit(NamedTuple):
    """Cases that left a stage by one outcome."""

    outcome: str
    target: str
    cases: int


@dataclass(frozen=True, slots=True)
class StageNow:
    """A stage as it stands now: how many open cases, their ages in seconds, and who left it lately.

    `median_s` is None where there are none or more than 10,000. For an end, `ended` counts the cases of the
    last days, None elsewhere. `known` is False for a stage of an older version.
    """

    name: str
    count: StageCount
    median_s: float | None
    oldest_s: float | None
    exits: list[Exit] = field(default_factory=list)
    ended: int | None = None
    known: bool = True


@dataclass(frozen=True, slots=True)
class Overview:
    """All stages of a playbook; `complete_since` says from when on the exits count every case, None: all days."""

    stages: list[StageNow]
    days: int
    complete_since: datetime | None


def overview(
    reader: Reader, playbook: Playbook, now: datetime, days: int, *, exits: bool = True, only: str | None = None
) -> Overview:
    """Counts and ages of every stage, those of older versions that are in use too, and the exits of the last `days`.

    `only`: of this one stage; no stage at all when there is none of that name. `exits` False leaves them out.
    """
    used = figures.stages_in_use(reader, playbook.name)
    names = [*playbook.stages, *(name for name in used if name not in playbook.stages)]
    span = (now - timedelta(days=days), now + timedelta(microseconds=1))
    left: dict[str, list[Exit]] = {}
    complete = None
    if exits:
        opened, complete = figures.recent_cases(reader, playbook.name, used, *span)
        left = exits_of(reader, opened, span)
    stages = [
        _stage_now(reader, playbook, name, now, span, left.get(name, []), open_cases=name in used)
        for name in names
        if only in {None, name}
    ]
    return Overview(stages, days, None if complete is None else from_micros(complete))


def _stage_now(
    reader: Reader, playbook: Playbook, name: str, now: datetime, span: Span, exits: list[Exit], *, open_cases: bool
) -> StageNow:
    count = figures.stage_count(reader, playbook.name, name) if open_cases else StageCount({}, None)
    middle = None
    if 0 < count.total <= CAP:
        middle = figures.middle_moment(reader, playbook.name, name, count.total)
    stage = playbook.stages.get(name)
    ended = None
    if isinstance(stage, EndStage):
        ended = figures.count_ended(reader, playbook.name, stage.end, span, CAP + 1)
    return StageNow(
        name, count, _age(middle, now), _age(count.oldest, now), exits, ended, stage is not None,
    )  # fmt: skip


def _age(moment: int | None, now: datetime) -> float | None:
    return None if moment is None else max(0.0, (to_micros(now) - moment) / 1_000_000)


def exits_of(reader: Reader, case_ids: Iterable[str], span: Span) -> dict[str, list[Exit]]:
    """Stage → who left it by which outcome in the span, most first, as the record of these cases has it."""
    counted: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for entry in audit.happenings(reader, list(case_ids), list(_LEFT), *span):
        if entry.body is not None:
            body = jsons.loads(entry.body)
            outcome = _LEFT[entry.verb] or body["outcome"]
            counted[body["from"]][outcome, body.get("to") or ""] += 1
    return {
        stage: [Exit(outcome, target, count) for (outcome, target), count in sorted(ways.items(), key=_most_first)]
        for stage, ways in counted.items()
    }


def _most_first(item: tuple[tuple[str, str], int]) -> tuple[int, tuple[str, str]]:
    return -item[1], item[0]
