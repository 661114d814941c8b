"""Intervals of shares and drawn lots: against other ways to compute the same."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st
from scipy.stats import binom, binomtest, kstest

from fairlead.kit.draws import draw
from fairlead.kit.intervals import Z95, wilson

SEED = b"a seed of thirty-two characters."


@st.composite
def seen(draw_from: st.DrawFn) -> tuple[int, int]:
    """How many of how many, at least one."""
    n = draw_from(st.integers(1, 5_000))
    return draw_from(st.integers(0, n)), n


@given(seen())
def test_the_interval_is_wilsons(found: tuple[int, int]) -> None:
    """The same ends as from an independent implementation, and 0 or 1 exactly where none or all were hits."""
    hits, n = found
    low, high = wilson(hits, n)
    other = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((other.low, other.high), abs=1e-9)
    assert 0 <= low <= hits / n <= high <= 1
    assert (low == 0) == (hits == 0)
    assert (high == 1) == (hits == n)


@given(seen(), st.floats(0, 1))
def test_inside_is_what_the_score_test_does_not_reject(found: tuple[int, int], share: float) -> None:
    """By the definition: a share is inside when what was seen is within 1.96 of its own standard errors."""
    hits, n = found
    low, high = wilson(hits, n)
    off = abs(hits / n - share) - Z95 * math.sqrt(share * (1 - share) / n)
    if abs(off) > 1e-9:
        assert (low <= share <= high) == (off < 0)


@given(seen())
def test_hits_and_misses_mirror_each_other(found: tuple[int, int]) -> None:
    """What is sure of the one is sure of the other; more of the same makes it surer."""
    hits, n = found
    low, high = wilson(hits, n)
    assert wilson(n - hits, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)
    more = wilson(10 * hits, 10 * n)
    assert more[1] - more[0] < high - low
    if hits < n:
        above = wilson(hits + 1, n)
        assert above[0] > low
        assert above[1] > high or high == 1


@pytest.mark.parametrize("n", [20, 50, 200])
def test_it_covers_what_it_promises(n: int) -> None:
    """Summed up exactly over every outcome: 95 % on average over the shares, and never far below."""
    ends = [wilson(hits, n) for hits in range(n + 1)]
    covered = []
    for step in range(1, 100):
        share = step / 100
        chances = binom.pmf(range(n + 1), n, share)
        covered.append(sum(chance for chance, (low, high) in zip(chances, ends, strict=True) if low <= share <= high))
    assert sum(covered) / len(covered) == pytest.approx(0.95, abs=0.01)
    assert min(covered) > 0.83


@pytest.mark.parametrize("n", [0, 0.0, -1])
def test_nothing_seen_says_nothing(n: float) -> None:
    """Anything is possible, and nothing is divided by nothing."""
    assert wilson(0, n) == (0.0, 1.0)


def test_weights_need_not_be_whole() -> None:
    """Half a hit lies between none and one, at both ends."""
    ends = [wilson(hits, 7.5) for hits in (0, 0.5, 1, 3.25, 7.5)]
    assert all(one[0] < two[0] and one[1] < two[1] for one, two in pairwise(ends))


@given(st.lists(st.text(st.characters()), max_size=4))
def test_a_lot_is_the_same_on_every_retry(names: list[str]) -> None:
    """At least 0, less than 1, and another one under another seed; also for texts that are no Unicode."""
    lot = draw(SEED, *names)
    assert 0 <= lot < 1
    assert draw(SEED, *names) == lot
    assert draw(SEED + b"!", *names) != lot


@given(st.lists(st.text(max_size=6), min_size=1, max_size=4), st.lists(st.text(max_size=6), min_size=1, max_size=4))
def test_no_two_lists_of_names_run_together(one: list[str], other: list[str]) -> None:
    """`ab, c` is not `a, bc`, and an empty name is a name."""
    assert (draw(SEED, *one) == draw(SEED, *other)) == (one == other)
    assert draw(SEED, "".join(one), "") != draw(SEED, "".join(one))


def test_known_lots() -> None:
    """Figures that must not change between versions: half-finished lotteries and experiments hang on them."""
    assert draw(b"k") == 0.5458002546897567
    assert draw(b"k", "lead-assignment", "case_1") == 0.34926721037608777
    assert draw(b"k", "lead-assignment", "case_2") == 0.8151405946441689


def test_lots_are_fair() -> None:
    """Uniform over the cases, for the shares of a lottery in particular, and those of two seeds have no bond."""
    cases = [f"case_{number}" for number in range(20_000)]
    ours = [draw(SEED, "lottery", case) for case in cases]
    theirs = [draw(b"another", "lottery", case) for case in cases]
    assert kstest(ours, "uniform").pvalue > 0.001
    for share in (0.01, 0.05, 0.5):
        hits = sum(lot < share for lot in ours)
        low, high = wilson(hits, len(ours))
        assert low - 0.002 <= share <= high + 0.002
    both = sum(mine < 0.5 and other < 0.5 for mine, other in zip(ours, theirs, strict=True))
    assert both / len(cases) == pytest.approx(0.25, abs=0.015)
