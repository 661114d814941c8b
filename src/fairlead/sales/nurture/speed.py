"""How soon somebody was in touch: waits that are over and waits that still run, in figures. Pure.

Leads that still wait must count, or a team looks the faster the more leads it leaves lying. So the median is that of
Kaplan and Meier (1958), in which a lead that waits counts for as long as it has waited, and its interval that of
Brookmeyer and Crowley (1982) on the log-log scale with Greenwood's variance; neither assumes how waits are spread.
Shares have Wilson's interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from fairlead.kit.intervals import Z95
from fairlead.playbooks import Figure, share_of
from fairlead.sales.nurture.waits import Wait, by_the_clock

HORIZONS = (("5 minutes", 300.0), ("1 hour", 3_600.0), ("1 day", 86_400.0))
MIN_GROUP = 5
"""Teams and people with fewer leads have no figures of their own; fewer leads that were touched have no median."""
_HALF = 0.5 + 1e-12  # products of shares that are a half are off by rounding


class Share(NamedTuple):
    """Leads with a contact within `seconds`, of those that had so long; `words` is how long in words."""

    words: str
    seconds: float
    figure: Figure


class Speed(NamedTuple):
    """Figures of some leads. `median` is in seconds, its value None where it cannot be told yet."""

    n: int
    touched: int
    waiting: int
    closed: int
    median: Figure
    shares: tuple[Share, ...]


Elapsed = Callable[[Wait, datetime], float]
"""Seconds from a lead's arrival to a moment, by the clock or in working time."""


def speed_of(waits: Sequence[Wait], now: datetime, elapsed: Elapsed = by_the_clock) -> Speed:
    """The figures of these leads at this moment."""
    lengths = [(elapsed(one, one.until(now)), one.touched_at is not None) for one in waits]
    touched = sum(is_touched for _, is_touched in lengths)
    waiting = sum(one.runs for one in waits)
    shares = tuple(Share(words, seconds, _within(waits, lengths, seconds, now, elapsed)) for words, seconds in HORIZONS)
    median = median_wait(lengths) if touched >= MIN_GROUP else Figure(None, len(waits))
    return Speed(len(waits), touched, waiting, len(waits) - touched - waiting, median, shares)


def _within(
    waits: Sequence[Wait], lengths: Sequence[tuple[float, bool]], seconds: float, now: datetime, elapsed: Elapsed
) -> Figure:
    """The share touched in time, of leads that came long enough ago and were not closed before the time was over."""
    hits = n = 0
    for one, (length, is_touched) in zip(waits, lengths, strict=True):
        if is_touched and length <= seconds:
            in_time = True
        elif length >= seconds:
            in_time = False
        else:  # it waits for less than that, or was closed earlier: nobody knows
            continue
        if elapsed(one, now) >= seconds:
            n += 1
            hits += in_time
    return share_of(hits, n)


def median_wait(lengths: Iterable[tuple[float, bool]]) -> Figure:
    """The median of waits in seconds, each with whether it is over, and its 95 % interval.

    `value` is None where less than half can be said to be over: the median is not identifiable yet. `high` is None
    where the interval is open to above, `low` where it has not begun. `n` is all of them.
    """
    ordered = sorted(lengths)
    at_risk = n = len(ordered)
    share, variance = 1.0, 0.0
    middle = low = high = None
    for length, group in groupby(ordered, key=lambda one: one[0]):
        ends = [is_over for _, is_over in group]
        over = sum(ends)
        if over:
            share *= 1 - over / at_risk
            variance += over / (at_risk * (at_risk - over)) if at_risk > over else 0.0
            below, above = _band(share, variance)
            middle = length if middle is None and share <= _HALF else middle
            low = length if low is None and below <= _HALF else low
            high = length if high is None and above <= _HALF else high
        at_risk -= len(ends)
    return Figure(middle, n, low, high)


def _band(share: float, variance: float) -> tuple[float, float]:
    """The 95 % band of a survival function at one moment."""
    if share <= 1e-12:  # noqa: PLR2004  rounding of the last step to 0
        return 0.0, 1.0  # nobody is left at risk: how much longer it could have been is not known
    if share >= 1.0:
        return 1.0, 1.0
    width = Z95 * math.sqrt(variance) / abs(math.log(share))
    return share ** math.exp(width), share ** math.exp(-width)
