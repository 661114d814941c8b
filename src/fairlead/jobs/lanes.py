"""Lanes of ready work, and who goes first."""

from __future__ import annotations

from enum import StrEnum


class WorkLane(StrEnum):
    """Which ready work goes first; the order of the members is the order of rank."""

    INTERACTIVE = "interactive"
    TIMERS = "timers"
    IMPORT = "import"


_TURNS = tuple(WorkLane)


def lane_order(picks: int, share: int) -> tuple[WorkLane, ...]:
    """The lanes in the order in which they are asked after `picks` chunks were leased.

    Interactive, then timers, then import; but of every `share` picks one asks import first and, where
    `share` is 3 or more, another asks timers first. So with all lanes busy, imports and timers each get
    at least one chunk in `share`, and no lane starves. `share` below 2 is read as 2.
    """
    share = max(2, share)
    place = picks % share
    if place == share - 1:
        first = WorkLane.IMPORT
    elif share > 2 and place == (share - 1) // 2:  # noqa: PLR2004  with 2 there is no third turn to give
        first = WorkLane.TIMERS
    else:
        return _TURNS
    return (first, *(lane for lane in _TURNS if lane is not first))
