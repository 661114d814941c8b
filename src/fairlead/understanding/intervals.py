"""What a chance has meant so far, in words; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fairlead.kit.intervals import wilson


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
