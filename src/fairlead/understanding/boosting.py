"""Gradient boosting by scikit-learn; imported only while a model is trained."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from fairlead.understanding.features import Feature
from fairlead.understanding.measures import Bools, Floats, Ints, auc, folds_of, log_loss

MOST_ITERATIONS = 300
MOST_PAIRED = 20
"""Columns of which any two may act together; all others act by themselves."""
_QUICK_ROWS = 20_000
STEP = 10


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep scikit-learn to one thread.

    On a machine that does other work as well, its threads wait for each other and take up to ten times as long;
    and one thread gives the same model everywhere.
    """
    with threadpool_limits(1):
        yield


@dataclass(frozen=True, slots=True)
class Coded:
    """The features of a history as codes, a column each."""

    features: Sequence[Feature]
    codes: Sequence[Ints]
    outcome: Bools

    def matrix(self, rows: Ints | slice = slice(None)) -> Floats:
        """As scikit-learn takes it: numbers missing as NaN, texts with missing as a level of their own."""
        return as_matrix(self.features, [codes[rows] for codes in self.codes])

    def only(self, which: Sequence[int]) -> Coded:
        """Some of the features."""
        return Coded([self.features[at] for at in which], [self.codes[at] for at in which], self.outcome)


def as_matrix(features: Sequence[Feature], codes: Sequence[Ints]) -> Floats:
    """See `Coded.matrix`."""
    found = np.column_stack([one.astype(np.float64) for one in codes])
    for at, feature in enumerate(features):
        if feature.is_ordered:
            found[codes[at] == feature.values, at] = np.nan
    return found


def _booster(features: Sequence[Feature], iterations: int, **settings: object) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=iterations,
        categorical_features=[not feature.is_ordered for feature in features],
        early_stopping=False,
        random_state=7,
        **settings,
    )


def _groups(count: int, paired: Sequence[int]) -> list[set[int]]:
    return [set(pair) for pair in itertools.combinations(sorted(paired), 2)] + [{at} for at in range(count)]


def fit_pairs(
    coded: Coded, rows: Ints | slice, paired: Sequence[int], iterations: int
) -> HistGradientBoostingClassifier:
    """A booster each of whose trees reads at most two columns, and two only of those in `paired`."""
    few = int(coded.outcome[rows].sum()) < 1_000  # noqa: PLR2004  then every leaf needs a larger share of them
    booster = _booster(
        coded.features, iterations,
        learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=40 if not few else 30, l2_regularization=5.0,
        interaction_cst=_groups(len(coded.features), paired),
    )  # fmt: skip
    return booster.fit(coded.matrix(rows), coded.outcome[rows])


def staged(booster: HistGradientBoostingClassifier, matrix: Floats) -> Floats:
    """Log-odds after every tenth iteration, a column each."""
    steps = booster.staged_decision_function(matrix)
    return np.column_stack([one.ravel() for number, one in enumerate(steps, 1) if number % STEP == 0])


def best_iterations(margins: Floats, outcome: Bools) -> int:
    """With the least out-of-fold log loss."""
    losses = [log_loss(sigmoid(margins[:, at]), outcome) for at in range(margins.shape[1])]
    return (int(np.argmin(losses)) + 1) * STEP


def sigmoid(margin: Floats) -> Floats:
    """From log-odds to a chance."""
    found: Floats = 1.0 / (1.0 + np.exp(-np.clip(margin, -500.0, 500.0)))
    return found


def strongest(coded: Coded) -> list[int]:
    """The columns that a free model leans on most, by what shuffling each costs; all while there are few."""
    count = len(coded.features)
    if count <= MOST_PAIRED:
        return list(range(count))
    rows = _some_rows(len(coded.outcome), _QUICK_ROWS)
    matrix, outcome = coded.matrix(rows), coded.outcome[rows]
    booster = _booster(coded.features, 60, learning_rate=0.1, max_leaf_nodes=15, min_samples_leaf=30)
    booster.fit(matrix, outcome)
    probe = matrix[: _QUICK_ROWS // 4].copy()
    whole = log_loss(booster.predict_proba(probe)[:, 1], outcome[: len(probe)])
    rng, costs = np.random.default_rng(7), []
    for at in range(count):
        kept = probe[:, at].copy()
        probe[:, at] = rng.permutation(kept)
        costs.append(log_loss(booster.predict_proba(probe)[:, 1], outcome[: len(probe)]) - whole)
        probe[:, at] = kept
    return sorted(int(at) for at in np.argsort(costs)[::-1][:MOST_PAIRED])


def quick_auc(coded: Coded) -> float:
    """Out-of-fold AUC of a small free model on at most 20,000 rows: what the columns tell together."""
    if not coded.features:
        return 0.5
    rows = _some_rows(len(coded.outcome), _QUICK_ROWS)
    matrix, outcome = coded.matrix(rows), coded.outcome[rows]
    folds = folds_of(len(rows), outcome, 3)
    margins = np.empty(len(rows))
    for fold in range(3):
        inside = folds == fold
        booster = _booster(coded.features, 60, learning_rate=0.1, max_leaf_nodes=8, min_samples_leaf=30)
        margins[inside] = booster.fit(matrix[~inside], outcome[~inside]).decision_function(matrix[inside])
    return auc(margins, outcome)


def _some_rows(rows: int, most: int) -> Ints:
    return np.arange(rows) if rows <= most else np.sort(np.random.default_rng(7).choice(rows, most, replace=False))
