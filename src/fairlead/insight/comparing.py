"""Whether an arm does better than another, from who was drawn and what came of them; pure.

The reading has a fixed horizon: the first customers, in the order of their draws, until every arm has as many as were
planned. Which they are hangs on the draws alone and never on an outcome, so looking early or often changes nothing.

Formulas: shares by the score interval of Wilson (1927); differences by Newcombe (1998), method 10, which joins two of
those; with more than two arms each difference at 1 - 5 %/comparisons (Bonferroni).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import NormalDist
from typing import NamedTuple

from fairlead.experiments import RatioCheck, Verdict, check_ratio
from fairlead.kit.intervals import wilson

ERROR = 0.05
"""How often at most, over all comparisons of one reading, arms that are the same are told apart."""


class Counted(NamedTuple):
    """One customer in an experiment; `hit` says whether the outcome came within its time."""

    unit: str
    arm: str
    at: datetime
    hit: bool


class State(StrEnum):
    """`waiting`: not enough yet; `over`: it drew its last customer before there were enough; `alarm`: the arms are not
    as they were drawn, so nothing is read; `read`: the result, which later customers do not change.
    """

    WAITING = "waiting"
    OVER = "over"
    ALARM = "alarm"
    READ = "read"


class ArmOutcome(NamedTuple):
    """Of `n` customers `hits` had the outcome; `rate` None of nobody; `low` to `high` is Wilson's 95 % interval."""

    name: str
    n: int
    hits: int
    rate: float | None
    low: float
    high: float


class Difference(NamedTuple):
    """The rate of `arm` less that of the first arm; `clear` when the interval leaves 0 out."""

    arm: str
    value: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether 0 lies outside the interval."""
        return self.low > 0 or self.high < 0


class Comparison(NamedTuple):
    """One version of an experiment, read or not.

    `arms` are of the reading, or where there is none of everybody whose time is over. `open` customers still have time
    for their outcome; `later` ones came after the reading was full. `level` is that of each difference's interval.
    """

    version: int
    state: State
    per_arm: int
    arms: tuple[ArmOutcome, ...]
    differences: tuple[Difference, ...]
    against: str
    level: float
    check: RatioCheck
    open: int
    later: int
    words: str


class Question(NamedTuple):
    """What is compared: `arms` with their shares, the first being the one compared with; `over` when nobody is drawn
    any more.
    """

    version: int
    arms: Sequence[tuple[str, float]]
    per_arm: int
    within: timedelta
    over: bool


def compare(question: Question, people: Iterable[Counted], now: datetime) -> Comparison:
    """Read the experiment as far as it can be read at this moment."""
    ordered = sorted(people, key=lambda one: (one.at, one.unit))
    names = [name for name, _ in question.arms]
    counts = Counter(one.arm for one in ordered)
    check = check_ratio([share for _, share in question.arms], [counts[name] for name in names])
    ripe = [one for one in ordered if one.at + question.within <= now]
    full = _horizon(ordered, names, question.per_arm)
    state = _state(question, check, full=full is not None and full <= len(ripe), unripe=len(ordered) - len(ripe))
    taken = ripe[:full] if state is State.READ else ripe
    arms = tuple(_outcome(name, [one.hit for one in taken if one.arm == name]) for name in names)
    z, level = _level(len(names) - 1)
    return Comparison(
        version=question.version,
        state=state,
        per_arm=question.per_arm,
        arms=arms,
        differences=tuple(difference(arms[0], arm, z) for arm in arms[1:]) if state is State.READ else (),
        against=names[0],
        level=level,
        check=check,
        open=len(ordered) - len(ripe),
        later=len(ripe) - len(taken),
        words=_words(question, state, arms),
    )


def difference(first: ArmOutcome, other: ArmOutcome, z: float) -> Difference:
    """Newcombe's interval of the difference of two rates, each with somebody in it; z for one difference's level."""
    (p, (l, u)), (q, (m, v)) = ((arm.hits / arm.n, wilson(arm.hits, arm.n, z)) for arm in (other, first))  # noqa: E741  as in the paper
    value = p - q
    return Difference(
        other.name,
        value,
        max(-1.0, value - math.hypot(p - l, v - q)),
        min(1.0, value + math.hypot(u - p, q - m)),
    )


def _level(comparisons: int) -> tuple[float, float]:
    level = 1 - ERROR / max(1, comparisons)
    return NormalDist().inv_cdf((1 + level) / 2), level


def _horizon(ordered: Sequence[Counted], names: Sequence[str], per_arm: int) -> int | None:
    """How many of them, in order, it takes until each arm has enough; None while one has not."""
    left = dict.fromkeys(names, per_arm)
    short = len(left)
    for place, one in enumerate(ordered, 1):
        left[one.arm] -= 1
        if left[one.arm] == 0:
            short -= 1
            if short == 0:
                return place
    return None


def _state(question: Question, check: RatioCheck, *, full: bool, unripe: int) -> State:
    if check.verdict is Verdict.ALARM:
        return State.ALARM
    if full:
        return State.READ
    return State.OVER if question.over and not unripe else State.WAITING


def _outcome(name: str, hits: Sequence[bool]) -> ArmOutcome:
    n, found = len(hits), sum(hits)
    return ArmOutcome(name, n, found, found / n if n else None, *wilson(found, n))


def _words(question: Question, state: State, arms: Sequence[ArmOutcome]) -> str:
    if state is State.ALARM:
        return "Nothing is compared: the arms are not as they were drawn. Find the cause first."
    if state is State.READ:
        return (
            f"The result, at the planned {question.per_arm:,} customers in each arm. "
            "Neither who came later nor how often one looks changes it."
        )
    least = min(arms, key=lambda arm: arm.n)
    if state is State.OVER:
        return (
            f"No result: nobody is drawn any more, and {least.name} has {least.n:,} "
            f"of the {question.per_arm:,} customers planned for each arm."
        )
    return (
        f"Not enough yet: {least.name} has {least.n:,} of the {question.per_arm:,} customers planned for each arm, "
        "whose time for the outcome is over."
    )
