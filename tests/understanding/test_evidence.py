"""The single signs of a leak, each where it must show and where it must not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from fairlead.understanding.columns import Column
from fairlead.understanding.evidence import Alone, alone, later_than_decision, sign_of_leak
from fairlead.understanding.features import Feature, Kind, cuts_for, levels_for
from fairlead.understanding.measures import Bools, folds_of

N = 3_000
RNG = np.random.default_rng(4)
OUTCOME: Bools = RNG.random(N) < 0.2
FOLDS = folds_of(N, OUTCOME)


def sign(values: list[Any]) -> str | None:
    """What speaks against a column with these cells."""
    column = Column("x", "x", values)
    if column.nature.value == "number":
        feature = Feature("x", "x", Kind.NUMBER, cuts=cuts_for(column.numbers))
    else:
        levels, shown = levels_for(values)
        feature = Feature("x", "x", Kind.CATEGORY, levels=levels, shown=shown)
    return sign_of_leak(column, [feature], [feature.encode(values)], OUTCOME, FOLDS)


def judged(values: list[Any]) -> Alone:
    """What numbers tell alone."""
    feature = Feature("x", "x", Kind.NUMBER, cuts=cuts_for(np.array(values, dtype=float)))
    return alone(feature.encode(values), feature.size, OUTCOME, FOLDS)


def filled(converted: float, other: float) -> list[Any]:
    """Cells that are there with one chance for converted leads and another for the rest."""
    there = RNG.random(N) < np.where(OUTCOME, converted, other)
    return ["something" if here else None for here in there]


@pytest.mark.parametrize(
    ("converted", "other", "part"),
    [(0.6, 0.0, "only after the fact"), (0.0, 0.5, "did not convert"), (0.95, 0.1, "tells the outcome"),
     (0.02, 0.9, "tells the outcome")],
)  # fmt: skip
def test_being_filled_can_give_the_outcome_away(converted: float, other: float, part: str) -> None:
    """In either direction, with the counts."""
    found = sign(filled(converted, other))
    assert found is not None
    assert part in found
    assert "converted" in found


@pytest.mark.parametrize(("converted", "other"), [(0.7, 0.6), (0.9, 0.5), (0.5, 0.5), (0.3, 0.1)])
def test_honest_gaps_are_let_pass(converted: float, other: float) -> None:
    """Better leads are often better described."""
    assert sign(filled(converted, other)) is None


@pytest.mark.parametrize("words", [("won", "lost"), ("7", "3"), ("B", "A")])
def test_a_copy_under_any_name_is_found(words: tuple[str, str]) -> None:
    """With a few cells wrong."""
    wrong = RNG.random(N) < 0.02
    found = sign([words[0] if won else words[1] for won in OUTCOME ^ wrong])
    assert found is not None
    assert "by another name" in found


def test_a_value_that_only_converted_leads_have() -> None:
    """Half of them have it, and hardly anybody else."""
    pure = RNG.random(N) < np.where(OUTCOME, 0.5, 0.001)
    assert "converted leads nearly only" in (sign([9 if one else int(RNG.integers(5)) for one in pure]) or "")


def test_an_earlier_purchase_is_honest() -> None:
    """Two of three with it convert, as in real campaigns, and that is no leak."""
    before = RNG.random(N) < np.where(OUTCOME, 0.3, 0.04)
    assert sign(["success" if one else "unknown" for one in before]) is None


def test_a_rate_that_was_computed_from_these_outcomes() -> None:
    """Per account, this lead counted in; the same rate of other leads of the account is honest."""
    account = RNG.integers(0, 150, N)
    size = np.bincount(account, minlength=150)
    own = np.bincount(account, OUTCOME, minlength=150) / size
    assert "computed from these outcomes" in (sign([round(float(v), 4) for v in own[account]]) or "")
    others = RNG.binomial(40, 0.2, 150) / 40
    assert sign([float(v) for v in others[account]]) is None


def test_honest_straight_lines_are_not_too_exact() -> None:
    """Of 60 columns whose values convert at rates on a line, none is taken for computed."""
    alarms = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        level = rng.integers(0, 12, N)
        outcome = rng.random(N) < 0.05 + 0.03 * level
        column = Column("x", "x", [int(v) for v in level])
        feature = Feature("x", "x", Kind.NUMBER, cuts=cuts_for(column.numbers))
        codes = feature.encode(column.values)
        alarms += sign_of_leak(column, [feature], [codes], outcome, folds_of(N, outcome)) is not None
    assert alarms == 0


def test_a_region_where_nobody_converts_is_measured() -> None:
    """Calls too short to buy in: how many rows, and how many conversions were to be expected there."""
    length = np.where(OUTCOME, 200 + RNG.integers(0, 400, N), RNG.integers(5, 500, N))
    found = judged(length.tolist())
    assert found.impossible > 600
    assert found.expected == pytest.approx(found.impossible * float(OUTCOME.mean()))
    assert judged(RNG.normal(size=N).tolist()).impossible == 0


def test_a_column_of_noise_tells_nothing() -> None:
    """Out of fold, so that many values do not help it."""
    found = judged(RNG.normal(size=N).tolist())
    assert abs(found.auc - 0.5) < 0.06
    assert found.low < 0.5


def dates(days: Any) -> Column:
    """So many days from the decision."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    return Column("x", "x", [(start + timedelta(hours=at, days=float(d))).isoformat() for at, d in enumerate(days)])


def test_a_date_behind_the_decision_is_a_leak_only_when_it_tells() -> None:
    """The last contact, later for those who bought; a planned date says nothing and passes, an earlier one too."""
    time = dates(np.zeros(N))
    after = dates(np.where(OUTCOME, RNG.gamma(4, 10, N), RNG.gamma(1, 5, N)))
    found = later_than_decision(after, time, OUTCOME)
    assert found is not None
    assert "was not known then" in found
    assert later_than_decision(dates(RNG.uniform(5, 50, N)), time, OUTCOME) is None
    assert later_than_decision(dates(-RNG.gamma(2, 10 + 10 * OUTCOME, N)), time, OUTCOME) is None
