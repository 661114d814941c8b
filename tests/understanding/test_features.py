"""Columns as codes: the same while learning and while scoring, whatever the cells hold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from fairlead.understanding.cells import Order
from fairlead.understanding.columns import Choice, Column, Nature, columns_of, features_of, refused_by_nature
from fairlead.understanding.features import MOST_BINS, MOST_LEVELS, Feature, Kind, cuts_for, levels_for, short
from tests.understanding.world import history_of

CELLS = st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=8), st.booleans(), st.sampled_from(["Web"]))
FEATURES = (
    Feature("a", "a", Kind.NUMBER, cuts=(0.0, 1.5, 9.0)),
    Feature("a", "a", Kind.CATEGORY, levels=("web", "1", "yes"), shown=("Web", "1", "yes")),
    Feature("a", "a", Kind.GIVEN),
    Feature("a", "a", Kind.WEEKDAY),
    Feature("a", "a", Kind.HOUR),
    Feature("a", "a", Kind.DAYS, cuts=(1.0, 7.0), until="b"),
)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda one: one.kind.value)
@given(cells=st.lists(CELLS, max_size=12))
@settings(max_examples=25)
def test_any_cells_become_codes(feature: Feature, cells: list[Any]) -> None:
    """Every code is in range, and a cell has the same code alone as among others."""
    codes = feature.encode(cells, cells)
    assert len(codes) == len(cells)
    assert all(0 <= code < feature.size for code in codes)
    assert [int(feature.encode([one], [one])[0]) for one in cells] == codes.tolist()
    assert all(feature.words(int(code), cell) for code, cell in zip(codes, cells, strict=True))


def test_missing_is_a_code_of_its_own() -> None:
    """None, NaN, infinities and words for nothing are no number and no text."""
    number, text = FEATURES[0], FEATURES[1]
    nothing = [None, math.nan, math.inf, "n/a", ""]
    assert set(number.encode(nothing).tolist()) == {number.values}
    assert set(text.encode(nothing).tolist()) == {text.values}
    assert text.words(text.values) == "a is not known"
    assert text.encode(["never seen"]).tolist() == [len(text.levels)]


def test_a_number_is_told_by_its_value_and_a_text_as_it_is_spelt() -> None:
    """What a person reads in a reason."""
    size = Feature("employees", "Number_of employees", Kind.NUMBER, cuts=(10.0, 50.0))
    assert size.words(1, 42) == "Number of employees is 42"
    assert size.words(1) == "Number of employees is 10 to 50"
    assert FEATURES[1].words(0, "WEB") == "a is Web"
    assert FEATURES[2].words(1) == "a is not given"
    assert [short(one) for one in (1200, 29.85, 0.00123, 105.65)] == ["1,200", "29.85", "0.00123", "105.7"]


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=400))
@settings(max_examples=40)
def test_cuts_rise_and_are_few(numbers: list[float]) -> None:
    """At most 63 of them, each between two values that occur."""
    cuts = cuts_for(np.array(numbers))
    assert len(cuts) <= MOST_BINS
    assert list(cuts) == sorted(set(cuts)) or len(set(numbers)) > len(cuts)
    assert all(min(numbers) <= cut <= max(numbers) for cut in cuts)


def test_levels_join_spellings_and_leave_rare_ones_out() -> None:
    """A text counts from ten rows on, in all its spellings together."""
    levels, shown = levels_for(["Web"] * 8 + ["web "] * 4 + ["Fair"] * 9 + [None] * 50)
    assert (levels, shown) == (("web",), ("Web",))
    assert len(levels_for([f"t{at % 500}" for at in range(20_000)])[0]) == MOST_LEVELS


def column(values: list[Any], name: str = "x") -> Column:
    """One column of a history."""
    return Column(name, name, values)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([None] * 100, "empty"), (["same"] * 100, "constant"), (list(range(100)), "identity"),
        ([1000 + 7 * at for at in range(100)][::-1], "identity"), ([None] * 95 + [1, 2, 3, 4, 5], "empty"),
        ((["Ida Brandt", "Jonas Weber", "Maria Rossi"] * 40)[:100], "owner"),
        ((["ida@acme.de", "jonas@acme.de", "maria@acme.de"] * 40)[:100], "owner"),
    ],
)  # fmt: skip
def test_columns_that_cannot_tell_anything_are_refused(values: list[Any], kind: str) -> None:
    """Each with the kind of reason, in words."""
    refusal = refused_by_nature(column(values), 100, Choice())
    assert refusal is not None
    assert refusal.kind == kind
    assert len(refusal.why) > 10


def test_amounts_that_are_all_different_are_no_ids() -> None:
    """Revenue in whole units differs from row to row and is still an amount."""
    rng = np.random.default_rng(1)
    revenue = [int(v) for v in np.exp(rng.normal(13, 2, 500))]
    assert refused_by_nature(column(revenue, "revenue"), 500, Choice()) is None
    assert refused_by_nature(column(revenue, "customer no"), 500, Choice()) is not None


def test_an_owner_is_let_in_when_asked_for() -> None:
    """All of them by `owner`, or one by its name."""
    values = (["Ida Brandt", "Jonas Weber", "Maria Rossi"] * 40)[:100]
    for include in ("owner", "x"):
        assert refused_by_nature(column(values), 100, Choice(include=frozenset({include}))) is None


def test_free_text_counts_only_by_whether_it_is_given() -> None:
    """Where some rows have it; unique in every row, it is a name or id."""
    rows = 200
    note = column([f"text {at}" if at % 2 else None for at in range(rows)], "note")
    (feature,), refusal = features_of(note, rows, None)
    assert (feature.kind, refusal) == (Kind.GIVEN, None)
    features, refusal = features_of(column([f"text {at}" for at in range(rows)], "note"), rows, None)
    assert refusal is not None
    assert (features, refusal.kind) == ([], "identity")


def test_dates_need_the_moment_of_the_decision() -> None:
    """With it they are days before; without it nothing can be told; the moment itself is weekday and hour."""
    days = [f"{1 + at % 28:02d}.0{1 + at % 9}.2024" for at in range(100)]
    seen, time = column(days, "seen"), column([f"2024-12-{1 + at % 28:02d}T{at % 24:02d}:00:00Z" for at in range(100)])
    assert seen.nature is Nature.DATE
    assert features_of(seen, 100, None)[1] is not None
    (feature,), _ = features_of(seen, 100, time)
    assert (feature.kind, feature.until) == (Kind.DAYS, "x")
    assert [one.kind for one in features_of(time, 100, time)[0]] == [Kind.WEEKDAY, Kind.HOUR]


def test_three_styles_of_dates_in_one_column() -> None:
    """They are all read; order of day and month by the cells that show it."""
    mixed = column(["2024-05-03", "25.12.2023", "3 May 2024"] * 20)
    assert mixed.nature is Nature.DATE
    assert mixed.order is Order.DAY_FIRST


def test_columns_come_in_the_files_order() -> None:
    """So that reports read as the file does."""
    history = history_of([{"b": 1, "a": 2, "outcome": "yes"}, {"b": 1, "a": 2, "outcome": "no"}])
    assert [one.fact for one in columns_of(history)] == ["b", "a"]
