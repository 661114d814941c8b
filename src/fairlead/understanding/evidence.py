"""What a single column tells of the outcome, out of fold, and the signs of a leak that it alone can show.

A leak is a column that is only known, or only filled, once the outcome is: learning from it makes a score that
shines on the past and is blind for new leads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fairlead.understanding.cells import Order
from fairlead.understanding.columns import Column, Nature
from fairlead.understanding.features import Feature, moments_of
from fairlead.understanding.measures import Bools, Floats, Ints, auc, auc_estimate

_PRIOR = 20.0
NEARLY_SURE = 0.95
"""AUC of one column, lower bound, from which it is the outcome by another name."""
_PURE = 0.97
_PURE_RARE, _RARE = 0.9, 0.5
"""Where at most half of the leads convert, nine in ten is as odd."""
_PURE_SHARE = 0.2
_LEAST = 30
_IMPOSSIBLE = 0.03
_TELLS = 0.8
_LATER = 0.01
_LAG_TELLS = 0.6
_UNDERDISPERSED = 0.25
_TOO_EXACT = -3.7
"""Standard deviations; so little scatter comes once in 10,000 honest columns."""
_LEAST_GROUPS = 10
_MOST_BASE = 0.7


@dataclass(frozen=True, slots=True)
class Alone:
    """What one column alone tells: its out-of-fold conversion rate per row, and AUC with lower bound."""

    rate: Floats
    auc: float
    low: float
    impossible: int
    """Rows in a region where nearly no lead converts although at least 30 would be expected to."""
    expected: float
    """Conversions expected there at the average rate."""


def alone(codes: Ints, size: int, outcome: Bools, folds: Ints) -> Alone:
    """Judge one coded column; each row's rate comes from the other folds."""
    base = float(outcome.mean())
    rate = np.empty(len(codes))
    for fold in range(int(folds.max()) + 1):
        inside = folds == fold
        learnt = codes[~inside]
        n = np.bincount(learnt, minlength=size)
        hits = np.bincount(learnt, outcome[~inside], minlength=size)
        rate[inside] = ((hits + _PRIOR * base) / (n + _PRIOR))[codes[inside]]
    found = auc_estimate(rate, outcome)
    order = np.argsort(rate, kind="stable")
    hits = np.cumsum(outcome[order])
    rows = np.arange(1, len(order) + 1)
    empty = (hits <= _IMPOSSIBLE * base * rows) & (base * rows >= _LEAST)
    impossible = int(rows[empty].max()) if empty.any() else 0
    return Alone(rate, found.value, found.low, impossible, impossible * base)


def sign_of_leak(
    column: Column, features: Sequence[Feature], codes: Sequence[Ints], outcome: Bools, folds: Ints
) -> str | None:
    """The first sure sign that a column knows the outcome, in plain words; None when it shows none."""
    if reason := _presence(column.missing, outcome):
        return reason
    for feature, one in zip(features, codes, strict=True):
        found = alone(one, feature.size, outcome, folds)
        if found.low >= NEARLY_SURE:
            return (
                f"alone it tells almost surely which leads converted (AUC {found.auc:.2f} out of fold), "
                "so it is the outcome by another name"
            )
        if reason := _pure_region(one, feature.size, outcome, folds):
            return reason
    if column.nature is Nature.NUMBER and (reason := _group_rates(column.numbers, outcome)):
        return reason
    return None


def _presence(missing: Bools, outcome: Bools) -> str | None:
    """Whether being filled or not gives the outcome away."""
    filled = ~missing
    n, hits, base = int(filled.sum()), int(outcome[filled].sum()), float(outcome.mean())
    m, other = int(missing.sum()), int(outcome[missing].sum())
    if not n or not m:
        return None
    counts = f"{hits:,} of {n:,} filled rows converted, {other:,} of {m:,} empty ones"
    if hits >= _LEAST and hits >= _PURE * n and base <= _MOST_BASE:
        return f"it is filled only after the fact: {counts}"
    if n * base >= _LEAST and hits <= 0.01 * n * base:
        return f"it is filled only where a lead did not convert: {counts}"
    if auc(filled.astype(np.float64), outcome) >= _TELLS or auc(missing.astype(np.float64), outcome) >= _TELLS:
        return f"whether it is filled tells the outcome: {counts}"
    return None


def _pure_region(codes: Ints, size: int, outcome: Bools, folds: Ints) -> str | None:
    """A set of values, found in the other folds, that nearly only converted leads have."""
    base = float(outcome.mean())
    if base > _MOST_BASE:
        return None
    least = _PURE_RARE if base <= _RARE else _PURE
    rows = hits = 0
    for fold in range(int(folds.max()) + 1):
        inside = folds == fold
        n = np.bincount(codes[~inside], minlength=size)
        won = np.bincount(codes[~inside], outcome[~inside], minlength=size)
        pure = (won >= least * n) & (n >= 5)  # noqa: PLR2004  fewer can be pure by chance
        chosen = pure[codes[inside]]
        rows += int(chosen.sum())
        hits += int(outcome[inside][chosen].sum())
    if rows >= _LEAST and hits >= least * rows and hits >= _PURE_SHARE * int(outcome.sum()):
        return f"some of its values come with converted leads nearly only: {hits:,} of {rows:,} such rows converted"
    return None


def _group_rates(numbers: Floats, outcome: Bools) -> str | None:
    """A number that equals the conversion rate of the rows that share it more exactly than chance allows.

    Rows with the same honest value convert at that value's rate with binomial scatter. Where the scatter around a
    straight line is a quarter of that or less, the number was computed from these very outcomes.
    """
    known = np.isfinite(numbers)
    values, inverse, n = np.unique(numbers[known], return_inverse=True, return_counts=True)
    often = n >= 2  # noqa: PLR2004  one row scatters by nothing
    if often.sum() < _LEAST_GROUPS or n[often].sum() < 0.5 * known.sum():
        return None
    weight = n[often].astype(np.float64)
    share = np.bincount(inverse, outcome[known])[often] / weight
    x = values[often]
    mean_x, mean_y = np.average(x, weights=weight), np.average(share, weights=weight)
    spread = np.average((x - mean_x) ** 2, weights=weight)
    if spread <= 0.0:
        return None
    slope = np.average((x - mean_x) * (share - mean_y), weights=weight) / spread
    fit = mean_y + slope * (x - mean_x)
    inner = (fit > 0.01) & (fit < 0.99)  # noqa: PLR2004  at the ends there is no scatter to miss
    free = int(inner.sum()) - 2
    between = float((weight * (share - mean_y) ** 2).sum() / (weight.sum() * mean_y * (1 - mean_y)))
    if free < _LEAST_GROUPS - 2 or between < 0.02:  # noqa: PLR2004  tells nothing, so it copies nothing
        return None
    scatter = float((weight * (share - fit) ** 2 / (fit * (1 - fit)))[inner].sum() / free)
    # Wilson and Hilferty (1931): a chi-squared variable over its degrees of freedom, as a normal one.
    chance = (scatter ** (1 / 3) - 1 + 2 / (9 * free)) / (2 / (9 * free)) ** 0.5
    if scatter <= _UNDERDISPERSED and chance < _TOO_EXACT:
        return (
            "it follows the conversion rate of the rows that share a value more exactly than chance allows, "
            "so it was computed from these outcomes"
        )
    return None


def later_than_decision(column: Column, time: Column, outcome: Bools) -> str | None:
    """For a date: it lies behind the moment of the decision, and how far, or whether it is there, tells the outcome."""
    moments = moments_of(column.values, column.order)
    decided = moments_of(time.values, time.order if time.nature is Nature.DATE else Order.DAY_FIRST)
    known = np.isfinite(moments) & np.isfinite(decided)
    later = known & (moments > decided)
    if int(later.sum()) < max(_LEAST, _LATER * int(known.sum())):
        return None
    lag = np.where(known, moments - decided, -1.0)
    tells = max(_either_way(lag[known], outcome[known]), _either_way(later.astype(np.float64), outcome))
    if tells < _LAG_TELLS:
        return None
    return (
        f"in {int(later.sum()):,} of {int(known.sum()):,} rows it is later than the decision's {time.label!r}, "
        "and how much later tells the outcome; it was not known then"
    )


def _either_way(scores: Floats, outcome: Bools) -> float:
    found = auc(scores, outcome)
    return max(found, 1.0 - found)
