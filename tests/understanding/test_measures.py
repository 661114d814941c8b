"""The figures by which a score is judged, against their definitions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn.metrics import roc_auc_score

from fairlead.kit.intervals import wilson
from fairlead.understanding.calibration import ISOTONIC_FROM, calibrate
from fairlead.understanding.intervals import like_this
from fairlead.understanding.measures import (
    auc,
    auc_estimate,
    brier_estimate,
    folds_of,
    lift_estimate,
    log_loss,
    reliability,
)


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40))
@settings(max_examples=60)
def test_auc_is_the_share_of_pairs_in_order(rows: list[tuple[int, bool]]) -> None:
    """Ties count half; with one class only it is 0.5."""
    scores, outcome = np.array([float(s) for s, _ in rows]), np.array([won for _, won in rows])
    pairs = [(a, b) for (a, won), (b, other) in itertools.product(rows, rows) if won and not other]
    wanted = sum((a > b) + 0.5 * (a == b) for a, b in pairs) / len(pairs) if pairs else 0.5
    assert auc(scores, outcome) == pytest.approx(wanted)
    if pairs:
        assert auc(scores, outcome) == pytest.approx(float(roc_auc_score(outcome, scores)))


def test_the_interval_of_auc_covers() -> None:
    """In nearly all of 200 samples the true value lies inside."""
    rng, inside = np.random.default_rng(1), 0
    for _ in range(200):
        outcome = rng.random(400) < 0.2
        found = auc_estimate(rng.normal(size=400) + outcome, outcome)
        inside += found.low <= 0.7602 <= found.high
    assert inside >= 180


def test_lift_counts_the_best_tenth() -> None:
    """All conversions in the best tenth are a lift of ten; equal scores share the place at the edge."""
    outcome = np.arange(1_000) < 100
    assert lift_estimate(-np.arange(1_000.0), outcome).value == pytest.approx(10.0)
    assert lift_estimate(np.zeros(1_000), outcome).value == pytest.approx(1.0)


def test_reliability_accounts_for_every_lead() -> None:
    """Groups do not overlap and hold all leads and conversions."""
    rng = np.random.default_rng(2)
    chance = np.round(rng.random(999), 2)
    outcome = rng.random(999) < chance
    bins = reliability(chance, outcome)
    assert sum(one.n for one in bins) == 999
    assert sum(one.converted for one in bins) == int(outcome.sum())
    assert all(a.high < b.low for a, b in itertools.pairwise(bins))


def test_wilson_holds_its_share() -> None:
    """Inside 0 and 1, around the share; nothing seen is anything."""
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(23, 100)
    assert low == pytest.approx(0.1584, abs=1e-3)
    assert high == pytest.approx(0.3220, abs=1e-3)
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == pytest.approx(1.0)


def test_what_such_scores_have_come_to() -> None:
    """The group that the chance falls into, in one sentence; None where the report has no groups."""
    report = {"reliability": [[0.0, 0.1, 0.05, 400, 20], [0.1, 0.4, 0.2, 412, 95]]}
    found = like_this(report, 0.2)
    assert found is not None
    assert found["words"] == "of 100 leads scored like this, 23 converted (n = 412, 19 to 27)"
    assert like_this(report, 0.99) == found
    assert like_this({}, 0.2) is None
    assert like_this({"reliability": [["x"]]}, 0.2) is None


def test_folds_share_the_conversions() -> None:
    """Each fold has a fifth of the rows and of the conversions, up to one."""
    outcome = np.arange(1_003) % 7 == 0
    folds = folds_of(1_003, outcome)
    won = [int(outcome[folds == fold].sum()) for fold in range(5)]
    assert max(won) - min(won) <= 1


@pytest.mark.parametrize("rows", [600, 12_000])
def test_calibration_mends_a_wrong_scale(rows: int) -> None:
    """Log-odds that are three times too large and shifted become chances that come true; the order stays."""
    rng = np.random.default_rng(rows)
    true = rng.normal(-1, 1, rows)
    outcome = rng.random(rows) < 1 / (1 + np.exp(-true))
    wrong = 3 * true + 2
    found = calibrate(wrong, outcome)
    chance = found.chance(wrong)
    assert log_loss(chance, outcome) < log_loss(1 / (1 + np.exp(-true)), outcome) + 0.02
    assert abs(float(chance.mean()) - float(outcome.mean())) < 0.02
    order = np.argsort(wrong)
    assert (np.diff(chance[order]) >= 0).all()
    assert ((chance > 0) & (chance < 1)).all()
    if min(outcome.sum(), (~outcome).sum()) < ISOTONIC_FROM:
        assert found.kind == "platt"


def test_a_bent_curve_takes_the_free_calibration() -> None:
    """Where the truth is no line of log-odds and there are leads enough, it is followed."""
    rng = np.random.default_rng(5)
    margin = rng.normal(size=20_000)
    outcome = rng.random(20_000) < np.where(margin < 0, 0.1, 0.6)
    found = calibrate(margin, outcome)
    assert found.kind == "isotonic"
    assert float(found.chance(np.array([-1.0]))[0]) == pytest.approx(0.1, abs=0.03)
    assert float(found.chance(np.array([1.0]))[0]) == pytest.approx(0.6, abs=0.03)


def test_a_useless_score_gives_everybody_the_average() -> None:
    """A margin that points the wrong way is not turned round."""
    rng = np.random.default_rng(6)
    outcome = rng.random(800) < 0.3
    chance = calibrate(-outcome.astype(float) + rng.normal(0, 0.1, 800), outcome).chance(np.linspace(-2, 2, 5))
    assert np.allclose(chance, outcome.mean(), atol=0.01)
    assert brier_estimate(chance, np.array([True] * 5)).value > 0
