"""How good a score is: AUC, Brier, lift and reliability, each with its interval."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairlead.kit.intervals import Z95, wilson

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
_CLIP = 1e-12


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def as_list(self) -> list[float]:
        """Value, lower and upper bound, to four places."""
        return [round(self.value, 4), round(self.low, 4), round(self.high, 4)]


def ranks(scores: Floats) -> Floats:
    """From 1, the mean rank where scores are equal."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    found: Floats = (ends - (counts - 1) / 2.0)[inverse]
    return found


def auc(scores: Floats, outcome: Bools) -> float:
    """The share of (converted, not converted) pairs that the score orders rightly, ties half; 0.5 for one class."""
    positives = int(outcome.sum())
    negatives = len(outcome) - positives
    if not positives or not negatives:
        return 0.5
    total = float(ranks(scores)[outcome].sum()) - positives * (positives + 1) / 2.0
    return total / (positives * negatives)


def auc_estimate(scores: Floats, outcome: Bools) -> Estimate:
    """AUC with the interval of DeLong, DeLong and Clarke-Pearson (1988), by ranks (Sun and Xu 2014)."""
    value = auc(scores, outcome)
    m, n = int(outcome.sum()), int((~outcome).sum())
    if min(m, n) < 2:  # noqa: PLR2004  no variance of one
        return Estimate(value, 0.0, 1.0)
    whole = ranks(scores)
    above = (whole[outcome] - ranks(scores[outcome])) / n
    below = 1.0 - (whole[~outcome] - ranks(scores[~outcome])) / m
    spread = Z95 * math.sqrt(float(above.var(ddof=1)) / m + float(below.var(ddof=1)) / n)
    return Estimate(value, max(0.0, value - spread), min(1.0, value + spread))


def brier_estimate(chance: Floats, outcome: Bools) -> Estimate:
    """Mean squared distance of the stated chance from what happened, with a normal interval."""
    squares = (chance - outcome) ** 2
    spread = Z95 * float(squares.std()) / math.sqrt(len(squares))
    value = float(squares.mean())
    return Estimate(value, max(0.0, value - spread), min(1.0, value + spread))


def log_loss(chance: Floats, outcome: Bools) -> float:
    """Mean negative logarithm of the chance given to what happened."""
    p = np.clip(chance, _CLIP, 1.0 - _CLIP)
    return float(-np.where(outcome, np.log(p), np.log(1.0 - p)).mean())


def lift_estimate(scores: Floats, outcome: Bools, share: float = 0.1) -> Estimate:
    """How many times the average rate the best-scored share converts; equal scores at its edge count in part.

    The interval is Wilson's for the rate in that share, over the average rate.
    """
    base = float(outcome.mean())
    take = max(1.0, share * len(scores))
    edge = float(np.sort(scores)[-math.ceil(take)])
    sure = scores > edge
    tied = scores == edge
    part = (take - float(sure.sum())) / max(1.0, float(tied.sum()))
    hits = float(outcome[sure].sum()) + part * float(outcome[tied].sum())
    low, high = wilson(hits, take)
    return Estimate(hits / take / base, low / base, high / base) if base else Estimate(1.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Bin:
    """Leads that were given nearly the same chance, and how many of them converted."""

    low: float
    high: float
    mean: float
    n: int
    converted: int

    def as_list(self) -> list[float]:
        """Low, high and mean of the stated chance, leads, conversions."""
        return [round(self.low, 6), round(self.high, 6), round(self.mean, 6), self.n, self.converted]


def reliability(chance: Floats, outcome: Bools, bins: int = 10) -> list[Bin]:
    """At most `bins` groups of about equal size, by rising stated chance; equal chances stay together."""
    order = np.argsort(chance, kind="stable")
    p, y = chance[order], outcome[order]
    edges = {0, len(p)}
    for at in range(1, bins):
        edges.add(int(np.searchsorted(p, p[at * len(p) // bins], side="left")))
    cut = sorted(edges)
    return [
        Bin(float(p[a]), float(p[b - 1]), float(p[a:b].mean()), b - a, int(y[a:b].sum()))
        for a, b in itertools.pairwise(cut)
        if b > a
    ]


def folds_of(rows: int, outcome: Bools, count: int = 5, seed: int = 7) -> Ints:
    """Which of `count` folds each row belongs to, at random, with the same share of conversions in each."""
    found = np.zeros(rows, dtype=np.int64)
    rng = np.random.default_rng(seed)
    for group in (np.flatnonzero(outcome), np.flatnonzero(~outcome)):
        found[rng.permutation(group)] = np.arange(len(group)) % count
    return found
