"""What a playbook is for, in figures: the goal it states, and how sure a figure is.

Formulas: shares by the score interval of Wilson (1927); medians by the order statistics whose ranks hold a
binomial(n, 1/2) count with the wanted probability, which assumes nothing about how the times are spread.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from fairlead.kit.intervals import wilson
from fairlead.kit.yamlmarks import Node, did_you_mean

OBJECTIVE_KEYS = ("goal", "measure", "target", "by", "per", "owner")
MIN_CASES = 10
"""Below this many cases a figure is shown as too early to tell."""
CONFIDENCE = 0.95
BY_WINDOW = timedelta(days=28)
"""What a figure with a date to be reached by looks back over; a count looks back over everything."""
TREND_WEEKS = 12
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
OWNER = r"[^\s@,;<>]{1,64}@[^\s@,;<>]{1,190}|per_[0-9a-f]{24}"
MAX_TARGET = 1e12


class MeasureKind(StrEnum):
    """What an objective may be measured by; each is computed from rows that the engine writes anyway."""

    ENDED = "ended"
    COUNT_ENDED = "count_ended"
    MEDIAN_TIME_TO = "median_time_to"
    WITHOUT_PERSON = "without_person"
    OUTCOME = "outcome"


PERIODS = ("week", "month", "quarter")


class Measure(NamedTuple):
    """`of` is an end, a stage, a checkpoint or an outcome's name, as the kind wants it."""

    kind: MeasureKind
    of: str

    @property
    def words(self) -> str:
        """As a sentence's subject: `Share of cases that end as assigned`."""
        return {
            MeasureKind.ENDED: f"Share of ended cases that end as {self.of}",
            MeasureKind.COUNT_ENDED: f"Cases that end as {self.of}",
            MeasureKind.MEDIAN_TIME_TO: f"Median time from opening to {self.of}",
            MeasureKind.WITHOUT_PERSON: f"Share decided without a person at {self.of}",
            MeasureKind.OUTCOME: f"Share of decisions with the outcome {self.of}",
        }[self.kind]


@dataclass(frozen=True, slots=True)
class Objective:
    """What a playbook is to reach: `target` is a share from 0 to 1, a count, or seconds for a median.

    Exactly one of `by` (reached on that day and kept) and `per` (in each week, month or quarter) is set.
    `owner` is an e-mail address or a person's id.
    """

    goal: str
    measure: Measure
    target: float
    owner: str
    by: date | None = None
    per: str | None = None

    @property
    def at_most(self) -> bool:
        """Whether lower is better: only times are."""
        return self.measure.kind is MeasureKind.MEDIAN_TIME_TO


class Figure(NamedTuple):
    """A figure with how many cases it rests on and its 95 % interval.

    `value` is None without any case, `low` and `high` where there is no interval: too few cases, or a count.
    """

    value: float | None
    n: int
    low: float | None = None
    high: float | None = None


NONE = Figure(None, 0)


def parse_objective(
    node: Node, *, ends: Collection[str], stages: Collection[str], checkpoints: Collection[str]
) -> Objective:
    """The `objective:` of a playbook that has these ends, stages and checkpoints; SourceError at what is wrong."""
    fields = node.mapping(allowed=OBJECTIVE_KEYS, required=("goal", "measure", "target", "owner"))
    if ("by" in fields) == ("per" in fields):
        node.fail(
            "An objective is to be reached by a day or in each period.",
            suggestion="Write one of `per: month` and `by: 2027-03-31`.",
        )
    measure = _measure(fields["measure"], {"ends": ends, "stages": stages, "checkpoints": checkpoints})
    return Objective(
        goal=fields["goal"].text(max_chars=300, what="the goal"),
        measure=measure,
        target=_target(fields["target"], measure.kind),
        owner=fields["owner"].text(max_chars=256, pattern=OWNER, what="an owner (an e-mail address)"),
        by=_day(fields["by"]) if "by" in fields else None,
        per=fields["per"].one_of(PERIODS) if "per" in fields else None,
    )


def _measure(node: Node, known: Mapping[str, Collection[str]]) -> Measure:
    fields = node.mapping(allowed=[kind.value for kind in MeasureKind])
    if len(fields) != 1:
        kinds = ", ".join(MeasureKind)
        node.fail(f"A measure is exactly one of {kinds}.", suggestion="Write for example {ended: won}.")
    [(name, value)] = fields.items()
    kind = MeasureKind(name)
    of = value.text(max_chars=64, what="what is measured")
    named, allowed = {
        MeasureKind.ENDED: ("end", known["ends"]),
        MeasureKind.COUNT_ENDED: ("end", known["ends"]),
        MeasureKind.MEDIAN_TIME_TO: ("stage or end", {*known["stages"], *known["ends"]}),
        MeasureKind.WITHOUT_PERSON: ("checkpoint", known["checkpoints"]),
        MeasureKind.OUTCOME: ("", ()),
    }[kind]
    if named and of not in allowed:
        value.fail(f"This playbook has no {named} {of!r:.80}.", suggestion=did_you_mean(of, allowed), code="dangling")
    if not named and not re.fullmatch(r"[a-z][a-z0-9_.-]{0,63}", of):
        value.fail(f"{of!r:.80} is not an outcome's name.", suggestion="Use small letters, digits and _ . -")
    return Measure(kind, of)


def _target(node: Node, kind: MeasureKind) -> float:
    if kind is MeasureKind.MEDIAN_TIME_TO:
        return node.duration(least=timedelta(seconds=1)).total_seconds()
    if kind is MeasureKind.COUNT_ENDED:
        return node.number(least=1, most=MAX_TARGET)
    if isinstance(node.value, (int, float)) and not isinstance(node.value, bool) and node.value > 1:
        node.fail("A share is a number up to 1.", suggestion=f"Write {node.value / 100:g} for {node.value:g} %.")
    return node.number(least=0, most=1)


def _day(node: Node) -> date:
    text = node.text(max_chars=10, what="a day (2027-03-31)")
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else node.fail(_no_day(text))
    except ValueError:
        node.fail(_no_day(text))


def _no_day(text: str) -> str:
    return f"{text!r:.40} is not a day; write for example 2027-03-31."


def share_of(hits: int, n: int) -> Figure:
    """Hits / n with Wilson's interval; NONE for no case."""
    return Figure(hits / n, n, *wilson(hits, n)) if n > 0 else NONE


def median(values: Sequence[float], confidence: float = CONFIDENCE) -> Figure:
    """The median with the narrowest symmetric pair of order statistics that holds it with `confidence`.

    Below 6 values no pair does at 95 %, and the interval is absent.
    """
    ordered = sorted(values)
    n = len(ordered)
    if not n:
        return NONE
    middle = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    rank = _rank(n, (1 - confidence) / 2)
    if rank == 0:
        return Figure(middle, n)
    return Figure(middle, n, ordered[rank - 1], ordered[n - rank])


def _rank(n: int, tail: float) -> int:
    """The largest k with P(Binomial(n, 1/2) < k) at most `tail`; 0 when there is none."""
    below, rank = 0.0, 0
    for count in range(n):
        log = math.lgamma(n + 1) - math.lgamma(count + 1) - math.lgamma(n - count + 1) - n * math.log(2)
        below += math.exp(log)
        if below > tail:
            break
        rank = count + 1
    return rank


class Standing(StrEnum):
    """How a figure stands to its target, taking its interval into account."""

    REACHED = "reached"
    NEAR = "near"
    MISSED = "missed"
    EARLY = "early"


def standing(objective: Objective, figure: Figure) -> Standing:
    """`near` means that the interval holds the target, so nobody can tell yet; `early` that there are too few."""
    counts = objective.measure.kind is MeasureKind.COUNT_ENDED
    if figure.value is None or (not counts and figure.n < MIN_CASES):
        return Standing.EARLY
    beyond: Callable[[float], bool] = lambda value: (  # noqa: E731  one comparison, named once
        value <= objective.target if objective.at_most else value >= objective.target
    )
    if counts or figure.low is None or figure.high is None:
        return Standing.REACHED if beyond(figure.value) else Standing.MISSED
    if beyond(figure.low) and beyond(figure.high):
        return Standing.REACHED
    return Standing.NEAR if beyond(figure.low) or beyond(figure.high) else Standing.MISSED


def window_of(objective: Objective, now: datetime) -> tuple[datetime | None, datetime]:
    """From when to when the present figure looks; None means from the beginning.

    With `per` it is the period that runs now, in UTC, from its first Monday or day; with `by` the last 28
    days, and everything for a count.
    """
    if objective.per is not None:
        return _period_start(objective.per, now), now
    if objective.measure.kind is MeasureKind.COUNT_ENDED:
        return None, now
    return now - BY_WINDOW, now


def _period_start(per: str, now: datetime) -> datetime:
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if per == "week":
        return midnight - timedelta(days=midnight.weekday())
    month = midnight.month if per == "month" else 3 * ((midnight.month - 1) // 3) + 1
    return midnight.replace(month=month, day=1)


def last_period(objective: Objective, now: datetime) -> tuple[datetime, datetime] | None:
    """The last whole week, month or quarter; None for an objective with a day."""
    if objective.per is None:
        return None
    end = _period_start(objective.per, now)
    return _period_start(objective.per, end - timedelta(days=1)), end


def weeks_until(now: datetime, count: int = TREND_WEEKS) -> list[datetime]:
    """The Mondays, at midnight UTC, on which the last `count` weeks begin; the last one is the running week."""
    monday = _period_start("week", now)
    return [monday - timedelta(weeks=back) for back in reversed(range(count))]
