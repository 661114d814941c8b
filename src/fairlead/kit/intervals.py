"""Intervals of shares; pure."""

from __future__ import annotations

import math

Z95 = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""


def wilson(hits: float, n: float, z: float = Z95) -> tuple[float, float]:
    """Wilson's interval of the share hits / n, 95 % unless `z` is another; (0, 1) for nothing. Never leaves 0 to 1.

    None of `n` gives a lower end of exactly 0, all of them an upper end of exactly 1.
    """
    if n <= 0:
        return 0.0, 1.0
    share, z2 = hits / n, z**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = z * math.sqrt(max(0.0, share * (1 - share) / n) + z2 / (4 * n * n)) / (1 + z2 / n)
    return (0.0 if hits == 0 else middle - half), (1.0 if hits == n else middle + half)
