"""Whether units really fell into the arms as the shares say; pure.

Where they did not, the experiment is broken somewhere (units lost on one side, an arm that changes who is counted),
and no comparison of its arms means anything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

ALARM_P = 0.001
"""Rarely enough that a page looked at every week seldom cries wolf; a broken draw falls below it soon."""
EXACT_BELOW = 50
"""Expected units in the smallest arm from which the chi-square distribution is close enough."""


class Verdict(StrEnum):
    """What the check says."""

    FITS = "fits"
    ALARM = "alarm"
    TOO_FEW = "too_few"


class RatioCheck(NamedTuple):
    """`p_value` None for nobody drawn; `least` is the number of units from which a verdict is given."""

    n: int
    p_value: float | None
    verdict: Verdict
    method: str
    least: int
    words: str


def least_units(shares: Sequence[float]) -> int:
    """From how many units on an arm that got nobody at all would raise the alarm, so that silence says something.

    The smallest n with (1 - smallest share)^n at most half of 0.001: 11 for halves, 149 where the smallest is 5 %.
    """
    return math.ceil(math.log(ALARM_P / 2) / math.log1p(-min(shares)))


def check_ratio(shares: Sequence[float], counts: Sequence[int]) -> RatioCheck:
    """Compare how many units each arm has with its share; shares are above 0 and 1 together.

    Two-sided. From 50 expected units in the smallest arm on Pearson's chi-square goodness of fit; below it the exact
    binomial test, with more than two arms one for each arm times their number (Bonferroni).
    """
    n, least = sum(counts), least_units(shares)
    if n == 0:
        return RatioCheck(0, None, Verdict.TOO_FEW, "none", least, "Nobody was drawn yet.")
    exact = n * min(shares) < EXACT_BELOW
    p = _exact(shares, counts, n) if exact else _chi_square(shares, counts, n)
    return _told(n, p, "exact binomial" if exact else "chi-square", least)


def check_all(checks: Sequence[RatioCheck]) -> RatioCheck:
    """One answer over the versions of an experiment: the smallest p-value times the number of those with enough units.

    Versions with too few units are left out; where all have, so has the whole.
    """
    if len(checks) == 1:
        return checks[0]
    n = sum(one.n for one in checks)
    told = [one for one in checks if one.verdict is not Verdict.TOO_FEW and one.p_value is not None]
    if not told:
        words = "Nobody was drawn yet." if n == 0 else "Too few to tell under each of the versions."
        return RatioCheck(n, None, Verdict.TOO_FEW, "none", min((one.least for one in checks), default=0), words)
    worst = min(told, key=lambda one: one.p_value or 0.0)
    p = min(1.0, (worst.p_value or 0.0) * len(told))
    method = worst.method if len(told) == 1 else f"{worst.method}, worst of {len(told)} versions"
    return _told(n, p, method, worst.least)


def _told(n: int, p: float, method: str, least: int) -> RatioCheck:
    if n < least:
        words = f"Too few to tell: {n:,} drawn, a verdict needs {least:,}."
        return RatioCheck(n, p, Verdict.TOO_FEW, method, least, words)
    if p < ALARM_P:
        words = "Alarm: the arms are not as they were drawn. Do not compare them before the cause is found."
        return RatioCheck(n, p, Verdict.ALARM, method, least, words)
    return RatioCheck(n, p, Verdict.FITS, method, least, "The arms are as the shares say.")


def _exact(shares: Sequence[float], counts: Sequence[int], n: int) -> float:
    from scipy.stats import binomtest  # type: ignore[import-untyped]  # noqa: PLC0415  heavy; only reports need it

    tests = list(zip(counts, shares, strict=True))
    tests = tests[:1] if len(tests) == 2 else tests  # noqa: PLR2004  of two arms one says it all
    worst = min(float(binomtest(count, n, share).pvalue) for count, share in tests)
    return min(1.0, worst * len(tests))


def _chi_square(shares: Sequence[float], counts: Sequence[int], n: int) -> float:
    from scipy.special import chdtrc  # type: ignore[import-untyped]  # noqa: PLC0415  heavy; only reports need it

    pairs = zip(counts, shares, strict=True)
    statistic = math.fsum((count - n * share) ** 2 / (n * share) for count, share in pairs)
    return float(chdtrc(len(shares) - 1, statistic))
