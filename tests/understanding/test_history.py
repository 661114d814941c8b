"""Past leads as columns: outcomes told apart, samples, fingerprints."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.errors import InputError
from fairlead.understanding.history import HistoryBuilder
from tests.understanding.world import history_of


def outcomes(*values: Any, positive: str = "") -> list[bool]:
    """What these outcomes are taken for."""
    return history_of([{"a": 1, "outcome": value} for value in values], positive=positive).outcome


@pytest.mark.parametrize(
    ("yes", "no"),
    [("yes", "no"), ("1", "0"), (True, False), (1.0, 0.0), ("won", "lost"), ("JA", "nein"),
     ("Closed Won", "Closed Lost"), ("gagné", "perdu"), ("True", "false"), ("converted", "open"), ("qualified", "no")],
)  # fmt: skip
def test_outcomes_are_told_apart_by_themselves(yes: Any, no: Any) -> None:
    """The usual pairs of words in several languages, numbers and booleans."""
    assert outcomes(yes, no, yes) == [True, False, True]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (["no", "no"], "one_class"), (["won", "lost", "open"], "many_outcomes"), (["a", "b"], "unclear_outcome"),
        ([None, ""], "no_outcome"), (["yes", "won"], "unclear_outcome"),
    ],
)  # fmt: skip
def test_outcomes_that_cannot_be_told_apart_are_refused(values: list[Any], code: str) -> None:
    """With the values that there are, and how to say which one counts."""
    with pytest.raises(InputError) as refused:
        outcomes(*values)
    assert refused.value.reason == code


def test_saying_which_one_counts() -> None:
    """Then all others count as not converted; one that never comes is refused with those that do."""
    assert outcomes("won", "lost", "open", positive="Won") == [True, False, False]
    with pytest.raises(InputError, match="'lost'") as refused:
        outcomes("won", "lost", positive="wonn")
    assert refused.value.reason == "unknown_outcome"


def test_rows_without_outcome_are_counted_and_left_out() -> None:
    """A lead that is still open teaches nothing."""
    history = history_of([{"a": 1, "outcome": "yes"}, {"a": 2, "outcome": " "}, {"a": 3, "outcome": "no"}])
    assert (history.rows, history.without_outcome, history.columns["a"]) == (2, 1, [1, 3])


def test_a_long_history_keeps_a_sample_in_order() -> None:
    """No more rows than allowed, from all over the file, and the fingerprint is of all of them."""
    builder = HistoryBuilder({"a": "a"}, "y", most_rows=1_000)
    for at in range(20_000):
        builder.add({"a": at}, "yes" if at % 3 else "no", str(at))
    history = builder.build()
    kept = history.columns["a"]
    assert (history.rows, history.rows_given) == (1_000, 20_000)
    assert kept == sorted(kept)
    assert kept[0] < 200
    assert kept[-1] > 19_800


@given(st.lists(st.sampled_from(["yes", "no"]), min_size=2, max_size=20).filter(lambda given: len(set(given)) == 2))
@settings(max_examples=30)
def test_the_fingerprint_is_of_the_rows(values: list[str]) -> None:
    """The same rows give the same one; another outcome of one row does not."""
    rows = [{"a": at, "outcome": value} for at, value in enumerate(values)]
    other = [{**rows[0], "outcome": "no" if values[0] == "yes" else "yes"}, *rows[1:], {"a": 0, "outcome": values[0]}]
    assert history_of(rows).fingerprint == history_of(rows).fingerprint
    assert history_of(rows).fingerprint != history_of(other).fingerprint
