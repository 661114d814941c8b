"""Shares with their intervals, and what a chance has meant so far, in words; pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

Z95 = 1.959963984540054


def wilson(hits: float, n: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; (0, 1) for nothing seen."""
    if n <= 0:
        return 0.0, 1.0
    share, z2 = hits / n, Z95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * math.sqrt(max(0.0, share * (1 - share) / n) + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def like_this(report: Mapping[str, Any], chance: float) -> dict[str, Any] | None:
    """How many past leads that were given about this chance converted; None where the report does not say.

    `n` and `converted` of the model's validation, `low` and `high` of Wilson's interval, and one sentence.
    """
    bins: Sequence[Any] = report.get("reliability") or ()
    usable = [one for one in bins if isinstance(one, Sequence) and len(one) == 5 and one[3] > 0]  # noqa: PLR2004
    if not usable:
        return None
    low, high, _, n, won = min(
        usable, key=lambda one: (max(one[0] - chance, chance - one[1], 0.0), abs(one[2] - chance))
    )
    least, most = wilson(won, n)
    words = (
        f"of 100 leads scored like this, {100 * won / n:.0f} converted "
        f"(n = {n:,.0f}, {100 * least:.0f} to {100 * most:.0f})"
    )
    return {"from": low, "to": high, "n": int(n), "converted": int(won), "low": least, "high": most, "words": words}
