"""A seeded generator of lead histories with one planted leak each, and honest columns that predict strongly.

Column names say nothing, so that only what the cells tell can give a leak away. No product code reads this module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Cells = list[Any]
START = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LeakyHistory:
    """Columns by name, what became of each lead, and which columns are what."""

    columns: Mapping[str, Cells]
    outcome: Bools
    leak: str
    """Column that knows the outcome; "" when none was planted."""
    strong: Mapping[str, str]
    """Honest columns that predict strongly, or look odd → their kind."""
    time: str


@dataclass(frozen=True, slots=True)
class _World:
    rng: np.random.Generator
    outcome: Bools
    decided: list[datetime]

    @property
    def n(self) -> int:
        return len(self.outcome)

    def some(self, converted: float, other: float) -> Bools:
        """True with one chance for converted leads and another for the others."""
        found: Bools = self.rng.random(self.n) < np.where(self.outcome, converted, other)
        return found

    def dates(self, days: Floats, present: Bools) -> Cells:
        """Days from the decision, as ISO texts where present."""
        return [
            (moment + timedelta(days=float(day))).date().isoformat() if here else None
            for moment, day, here in zip(self.decided, days, present, strict=True)
        ]


def _copy(w: _World) -> Cells:
    flip = w.rng.random(w.n) < w.rng.uniform(0.0, 0.03)
    words = (["closed", "open"], ["B", "A"], ["stage 6", "stage 2"])[int(w.rng.integers(3))]
    return [words[0] if won else words[1] for won in w.outcome ^ flip]


def _rounded(w: _World) -> Cells:
    return [round(float(v), 3) for v in w.outcome + w.rng.normal(0.0, w.rng.uniform(0.05, 0.25), w.n)]


def _filled_after(w: _World) -> Cells:
    return w.dates(w.rng.gamma(2.0, 10.0, w.n), w.some(w.rng.uniform(0.6, 1.0), 0.0))


def _filled_when_lost(w: _World) -> Cells:
    why = ("price", "timing", "competitor", "no answer")
    return [why[int(w.rng.integers(4))] if here else None for here in w.some(0.0, w.rng.uniform(0.5, 0.9))]


def _talk(w: _World) -> Cells:
    """How long the deciding conversation took, in seconds: those who buy talk on, those who do not hang up."""
    length = np.exp(w.rng.normal(5.0, 0.8, w.n) + w.outcome * w.rng.uniform(0.9, 1.4))
    return [int(v) for v in np.where(w.outcome, np.maximum(length, w.rng.uniform(60, 120)), length)]


def _afterwards(w: _World) -> Cells:
    """What happens to customers only: invoices, onboarding mails."""
    return [int(v) for v in np.where(w.some(w.rng.uniform(0.5, 0.95), 0.002), 1 + w.rng.poisson(2.0, w.n), 0)]


def _later_date(w: _World) -> Cells:
    return w.dates(np.where(w.outcome, w.rng.gamma(3.0, 12.0, w.n), w.rng.gamma(1.2, 9.0, w.n)), w.some(1.0, 1.0))


def _group_rate(w: _World) -> Cells:
    """The conversion rate of each lead's account, this lead counted in."""
    group = w.rng.integers(0, max(20, w.n // int(w.rng.integers(8, 40))), w.n)
    n = np.bincount(group)
    share = np.bincount(group, w.outcome) / np.maximum(n, 1)
    return [round(float(v), 4) for v in share[group]]


def _group_rate_percent(w: _World) -> Cells:
    return [round(100.0 * v) for v in _group_rate(w)]


def _numbered(w: _World) -> Cells:
    """Ids from another series once a lead becomes a customer."""
    first, second = np.cumsum(~w.outcome), 900_000 + np.cumsum(w.outcome)
    return [int(v) for v in np.where(w.outcome, second, 100_000 + first)]


def _stage(w: _World) -> Cells:
    """A stage that is moved on after the outcome, as it stands on the day of the export."""
    last = w.some(w.rng.uniform(0.75, 0.95), 0.01)
    early = w.rng.integers(1, 5, w.n)
    return ["signed" if here else f"step {step}" for here, step in zip(last, early, strict=True)]


def _rated(w: _World) -> Cells:
    """A rating that the salesperson corrects once the outcome is known."""
    level = w.rng.normal(3.0, 1.0, w.n) + w.outcome * w.rng.uniform(2.0, 3.0)
    return [int(v) for v in np.clip(np.rint(level), 1, 7)]


LEAKS: Mapping[str, Callable[[_World], Cells]] = {
    "copy of the outcome": _copy,
    "outcome with noise": _rounded,
    "filled after conversion": _filled_after,
    "filled when lost": _filled_when_lost,
    "length of the deciding talk": _talk,
    "counted afterwards": _afterwards,
    "later date": _later_date,
    "group rate with own outcome": _group_rate,
    "group rate in per cent": _group_rate_percent,
    "number given on conversion": _numbered,
    "stage moved afterwards": _stage,
    "rating corrected afterwards": _rated,
}
"""Kind → what makes the column."""


def leaky_history(kind: str | None, seed: int, rows: int = 3_000) -> LeakyHistory:
    """A made-up history with a leak of this kind (None: without), as different from seed to seed as can be."""
    rng = np.random.default_rng([seed, 0 if kind is None else 1 + list(LEAKS).index(kind)])
    honest, strong, signal = _honest(rng, rows)
    base = rng.uniform(0.06, 0.3)
    spread = rng.uniform(0.7, 1.3)
    logit = spread * signal
    logit += _shift_for(logit, base)
    outcome = rng.random(rows) < 1.0 / (1.0 + np.exp(-logit))
    decided = [START + timedelta(hours=8.0 * at) for at in range(rows)]
    world = _World(rng, outcome, decided)
    honest["created"] = [moment.isoformat() for moment in decided]
    recency = np.maximum(1.0, rng.gamma(2.0, 40.0, rows) - 15.0 * signal)
    honest["seen"] = world.dates(-recency, np.ones(rows, dtype=np.bool_))
    honest["due"] = world.dates(rng.uniform(5, 60, rows), np.ones(rows, dtype=np.bool_))
    strong |= {"seen": "earlier date", "due": "planned date"}
    names = list(honest)
    columns = {f"c{at:02d}": honest[name] for at, name in enumerate(names)}
    renamed = {name: f"c{at:02d}" for at, name in enumerate(names)}
    leak = ""
    if kind is not None:
        leak = f"c{len(names):02d}"
        columns[leak] = LEAKS[kind](world)
    return LeakyHistory(
        columns, outcome, leak, {renamed[name]: what for name, what in strong.items()}, renamed["created"]
    )


def _honest(rng: np.random.Generator, n: int) -> tuple[dict[str, Cells], dict[str, str], Floats]:
    """Columns known before the decision, the strong ones among them, and the log-odds they add up to."""
    wealth = rng.normal(0.0, 1.0, n)
    region = rng.integers(0, 6, n)
    before = rng.random(n) < rng.uniform(0.03, 0.12)
    interest = rng.gamma(1.0, 1.0, n)
    tenure = rng.exponential(2.0, n)
    small = rng.random(n) < 0.4  # noqa: PLR2004  a share of the leads
    effect = rng.normal(0.0, 0.5, 6)
    past = np.clip(rng.beta(2, 8, 40), 0.01, 0.99)
    source = rng.integers(0, 40, n)
    signal = (
        0.6 * wealth + effect[region] + 2.2 * before + 0.8 * np.minimum(interest, 3.0)
        - 0.4 * tenure - 0.7 * small + 2.0 * (past[source] - 0.2)
    )  # fmt: skip
    employees = np.where(small, np.nan, np.round(np.exp(rng.normal(4.0, 1.2, n))))
    columns: dict[str, Cells] = {
        "wealth": [round(float(v), 2) for v in 50_000 * np.exp(0.5 * wealth)],
        "region": [f"region {v}" for v in region],
        "before": ["success" if v else "unknown" for v in before],
        "interest": [int(v) for v in np.floor(interest * 4)],
        "tenure": [round(float(v), 1) for v in tenure],
        "employees": [None if np.isnan(v) else int(v) for v in employees],
        "past": [round(float(v), 3) for v in past[source]],
        "source": [f"source {v}" for v in source],
        "noise": [int(v) for v in rng.integers(0, 100, n)],
        "letter": ["abcdefgh"[int(v)] for v in rng.integers(0, 8, n)],
    }
    strong = {
        "wealth": "continuous, all different", "before": "earlier purchase", "interest": "strong count",
        "tenure": "strong number", "employees": "honestly missing", "past": "rate of an earlier period",
    }  # fmt: skip
    if rng.random() < 0.5:  # noqa: PLR2004  every other history has one column that is stronger than the rest
        need = rng.normal(0.0, 1.0, n)
        signal = signal + rng.uniform(0.8, 1.3) * need
        columns["need"] = [round(float(v), 2) for v in need]
        strong["need"] = "stronger than the rest"
    return columns, strong, signal


def _shift_for(logit: Floats, base: float) -> float:
    """What to add so that `base` of the leads convert on average."""
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        if float((1.0 / (1.0 + np.exp(-(logit + middle)))).mean()) < base:
            low = middle
        else:
            high = middle
    return (low + high) / 2
