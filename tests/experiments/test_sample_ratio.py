"""The sample-ratio check: known values, false alarms, power, and when it says nothing."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.experiments import Verdict, check_all, check_ratio, least_units

HALVES = (0.5, 0.5)
RUNS = 4_000


@pytest.mark.parametrize(
    ("shares", "counts", "p", "method"),
    [
        (HALVES, (10, 10), 1.0, "exact binomial"),
        # 2 · (1 + 20 + 190) / 2^20, by hand
        (HALVES, (2, 18), 422 / 2**20, "exact binomial"),
        # (50² + 50²) / 500 = 10, one degree of freedom: the tail is erfc(sqrt(10 / 2))
        (HALVES, (550, 450), math.erfc(math.sqrt(5)), "chi-square"),
        # two degrees of freedom: the tail is exp(-x / 2); x = (30² + 0 + 30²) / 200
        ((1 / 3, 1 / 3, 1 / 3), (230, 200, 170), math.exp(-4.5), "chi-square"),
    ],
)
def test_values_reckoned_by_hand(shares: tuple[float, ...], counts: tuple[int, ...], p: float, method: str) -> None:
    """Exact while the smallest arm expects fewer than 50, chi-square from there on."""
    check = check_ratio(shares, counts)
    assert check.p_value == pytest.approx(p, rel=1e-9)
    assert check.method == method


@pytest.mark.parametrize(
    ("shares", "n"), [(HALVES, 40), (HALVES, 400), ((0.05, 0.95), 160), ((0.05, 0.95), 3_000), ((0.2, 0.3, 0.5), 100)]
)
def test_a_sound_draw_hardly_ever_raises_the_alarm(shares: tuple[float, ...], n: int) -> None:
    """Over 4,000 seeded sound experiments at most 12 alarms, where at most 4 are expected."""
    rng = random.Random(f"{shares} {n}")
    seen: dict[tuple[int, ...], Verdict] = {}
    alarms = 0
    for _ in range(RUNS):
        arms = rng.choices(range(len(shares)), shares, k=n) if n <= 400 else [_binomial(rng, n, shares[0])]
        counts = tuple(arms.count(one) for one in range(len(shares))) if n <= 400 else (arms[0], n - arms[0])
        if counts not in seen:
            seen[counts] = check_ratio(shares, counts).verdict
        assert seen[counts] is not Verdict.TOO_FEW
        alarms += seen[counts] is Verdict.ALARM
    assert alarms <= 12


def _binomial(rng: random.Random, n: int, share: float) -> int:
    """Successes by the gaps between them: one number for each success, not for each try."""
    found, at = 0, 0
    while True:
        at += int(math.log(1 - rng.random()) / math.log1p(-share)) + 1
        if at > n:
            return found
        found += 1


def test_a_lost_tenth_of_one_arm_is_noticed() -> None:
    """Of 10,000 halves a tenth of one arm is lost on the way: an alarm; of 100 nobody could tell."""
    assert check_ratio(HALVES, (5_000, 4_500)).verdict is Verdict.ALARM
    assert check_ratio(HALVES, (50, 45)).verdict is Verdict.FITS
    assert "Do not compare" in check_ratio(HALVES, (5_000, 4_500)).words


@given(st.floats(0.001, 0.5))
@settings(max_examples=40)
def test_a_verdict_is_given_only_where_an_empty_arm_would_be_noticed(share: float) -> None:
    """From `least` units on an arm without anybody raises the alarm; below it nothing does, however odd."""
    shares = (share, 1 - share)
    least = least_units(shares)
    assert check_ratio(shares, (0, 2 * least)).verdict is Verdict.ALARM
    assert check_ratio(shares, (0, least - 1)).verdict is Verdict.TOO_FEW
    assert check_ratio(shares, (least - 1, 0)).verdict is Verdict.TOO_FEW


@given(st.lists(st.integers(0, 400), min_size=2, max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_a_p_value_is_one_and_does_not_hang_on_the_order_of_arms(counts: list[int], rng: random.Random) -> None:
    """Within 0 to 1, and the same for arms in another order."""
    weights = [rng.randint(1, 9) for _ in counts]
    pairs = [(weight / sum(weights), count) for weight, count in zip(weights, counts, strict=True)]
    one = check_ratio([a for a, _ in pairs], [b for _, b in pairs])
    rng.shuffle(pairs)
    other = check_ratio([a for a, _ in pairs], [b for _, b in pairs])
    if sum(counts) == 0:
        assert (one.p_value, one.verdict) == (None, Verdict.TOO_FEW)
        return
    assert one.p_value is not None
    assert 0 <= one.p_value <= 1
    assert other.p_value == pytest.approx(one.p_value, rel=1e-6, abs=1e-12)


def test_versions_are_judged_together_and_pay_for_their_number() -> None:
    """One broken version among sound ones is an alarm of the whole; those with too few are left out, never excused."""
    sound, broken, few = check_ratio(HALVES, (500, 500)), check_ratio(HALVES, (700, 500)), check_ratio(HALVES, (3, 0))
    whole = check_all([sound, broken, few])
    assert whole.verdict is Verdict.ALARM
    assert whole.p_value == pytest.approx(2 * (broken.p_value or 0))
    assert whole.n == 2_203
    assert check_all([sound, few]).verdict is Verdict.FITS
    assert check_all([few, few]).verdict is Verdict.TOO_FEW
    assert check_all([]).verdict is Verdict.TOO_FEW
