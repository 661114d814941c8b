"""Who goes first."""

from __future__ import annotations

from hypothesis import given, strategies as st

from fairlead.jobs import WorkLane, lane_order


@given(st.integers(0, 10_000), st.integers(2, 50))
def test_every_window_has_its_import(start: int, share: int) -> None:
    """With all lanes busy one of any `share` picks in a row is an import, and most are interactive."""
    firsts = [lane_order(pick, share)[0] for pick in range(start, start + share)]

    assert 1 == firsts.count(WorkLane.IMPORT)
    assert (1 if share > 2 else 0) == firsts.count(WorkLane.TIMERS)


@given(st.integers(0, 10_000), st.integers(-3, 50))
def test_no_lane_is_forgotten(picks: int, share: int) -> None:
    """Each order names every lane once, whatever the numbers, so an idle lane costs its turn nothing."""
    order = lane_order(picks, share)

    assert sorted(WorkLane) == sorted(order)
    assert order.index(WorkLane.INTERACTIVE) <= 1
