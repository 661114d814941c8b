"""From a model's log-odds to the chance that a lead converts, learnt on rows the model had not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fairlead.understanding.measures import Bools, Floats, log_loss

ISOTONIC_FROM = 1_000
"""Conversions, and non-conversions, from which the curve is learnt freely instead of as one bent line."""
_GROUPS = 100
_EPSILON = 1e-6
_STEPS = 50


@dataclass(frozen=True, slots=True)
class Calibration:
    """`platt`: chance = 1 / (1 + exp(-(slope · x + shift))); `isotonic`: straight lines between rising knots."""

    kind: str
    slope: float = 1.0
    shift: float = 0.0
    xs: tuple[float, ...] = ()
    ys: tuple[float, ...] = ()

    def chance(self, margin: Floats) -> Floats:
        """Rises, or stays, with the log-odds; never 0 or 1."""
        if self.kind == "isotonic":
            return np.interp(margin, self.xs, self.ys)
        found: Floats = 1.0 / (1.0 + np.exp(-np.clip(self.slope * margin + self.shift, -13.0, 13.0)))
        return found


def calibrate(margin: Floats, outcome: Bools) -> Calibration:
    """Platt's line; with conversions enough the isotonic curve over 100 groups, if it says more of unseen rows."""
    line = _platt(margin, outcome)
    if min(int(outcome.sum()), int((~outcome).sum())) < ISOTONIC_FROM:
        return line
    even = np.arange(len(margin)) % 2 == 0
    losses = [
        sum(log_loss(fit(margin[half], outcome[half]).chance(margin[~half]), outcome[~half]) for half in (even, ~even))
        for fit in (_platt, _isotonic)
    ]
    return _isotonic(margin, outcome) if losses[1] < losses[0] else line


def _platt(margin: Floats, outcome: Bools) -> Calibration:
    """Newton's method with halved steps on the log loss, with Platt's (1999) softened targets."""
    hits = float(outcome.sum())
    misses = len(outcome) - hits
    target = np.where(outcome, (hits + 1.0) / (hits + 2.0), 1.0 / (misses + 2.0))
    share = float(target.mean())
    level = float(np.log(share / (1.0 - share)))
    middle, scale = float(margin.mean()), max(float(margin.std()), _EPSILON)
    design = np.column_stack([(margin - middle) / scale, np.ones(len(margin))])
    weights = np.array([0.0, level])
    loss = _loss(design, weights, target)
    for _ in range(_STEPS):
        p = 1.0 / (1.0 + np.exp(-(design @ weights)))
        curve = (design * np.maximum(p * (1.0 - p), _EPSILON)[:, None]).T @ design
        step = np.linalg.solve(curve + _EPSILON * np.eye(2), design.T @ (p - target))
        while (tried := _loss(design, weights - step, target)) > loss and float(np.abs(step).max()) > _EPSILON:
            step /= 2.0
        weights, gained, loss = weights - step, loss - tried, tried
        if gained < _EPSILON:
            break
    if weights[0] <= 0.0:  # worse than guessing: everybody gets the average
        return Calibration("platt", 0.0, level)
    slope = float(weights[0]) / scale
    return Calibration("platt", slope, float(weights[1]) - slope * middle)


def _loss(design: Floats, weights: Floats, target: Floats) -> float:
    log_odds = design @ weights
    return float((np.logaddexp(0.0, log_odds) - target * log_odds).sum())


def _isotonic(margin: Floats, outcome: Bools) -> Calibration:
    order = np.argsort(margin, kind="stable")
    blocks: list[tuple[float, float, float]] = []
    for part in np.array_split(order, _GROUPS):
        # Half a lead of the average kind keeps a group from saying never or always.
        blocks.append(
            (
                float(len(part)),
                float(margin[part].mean()),
                float(outcome[part].sum() + outcome.mean() / 2.0) / (len(part) + 0.5),
            )
        )
        while len(blocks) > 1 and blocks[-2][2] >= blocks[-1][2]:
            (n, x, y), (m, u, v) = blocks[-2:]
            blocks[-2:] = [(n + m, (n * x + m * u) / (n + m), (n * y + m * v) / (n + m))]
    xs = [x for _, x, _ in blocks]
    ys = [min(max(y, _EPSILON), 1.0 - _EPSILON) for _, _, y in blocks]
    return Calibration("isotonic", xs=tuple(xs), ys=tuple(ys))
