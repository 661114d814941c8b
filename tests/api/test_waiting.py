"""Long polls: any number wait on one look, nobody waits longer than asked, and nothing is left behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from fairlead.api import waiting
from fairlead.api.waiting import DecisionWaiters
from fairlead.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fairlead.testing.clock import FakeClock

LONG = 20.0


class Looks:
    """Stands for the database: says what is settled, and counts who asked for what."""

    def __init__(self, settled: Callable[[int], Any]) -> None:
        """`settled` gets the number of the look, from 1; an exception it returns is raised."""
        self.settled = settled
        self.asked: list[list[str]] = []

    def __call__(self, ruling_ids: list[str]) -> set[str]:
        """One look."""
        self.asked.append(sorted(ruling_ids))
        found = self.settled(len(self.asked))
        if isinstance(found, Exception):
            raise found
        return set(found)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One look follows the other at once."""
    monkeypatch.setattr(waiting, "LOOK_S", 0.0)
    return


def waiters(clock: FakeClock, looks: Looks, monkeypatch: pytest.MonkeyPatch) -> DecisionWaiters:
    """Waiters over these looks."""
    made = DecisionWaiters(None, clock)  # type: ignore[arg-type]  # never read: the looks answer
    monkeypatch.setattr(made, "_settled", looks)
    return made


async def ended(made: DecisionWaiters) -> None:
    """Wait until nobody looks any more."""
    if made._looking is not None:
        await asyncio.wait_for(made._looking, LONG)


def test_one_look_serves_all(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of requests for a few decisions cost one query, which names each decision once."""
    looks = Looks(lambda _: {"rul_0", "rul_1", "rul_2"})
    made = waiters(clock, looks, monkeypatch)

    async def scene() -> None:
        waits = [made.wait(f"rul_{number % 3}", LONG) for number in range(300)]
        await asyncio.wait_for(asyncio.gather(*waits), LONG)
        await ended(made)

    asyncio.run(scene())
    assert looks.asked == [["rul_0", "rul_1", "rul_2"]]
    assert made._waiting == {}


def test_only_who_is_settled_goes_on(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision wakes its own waiters and no others; these are asked about alone from then on."""
    looks = Looks(lambda number: {"rul_a"} if number == 1 else {"rul_b"} if number == 3 else set())
    made = waiters(clock, looks, monkeypatch)
    order: list[str] = []

    async def wait(name: str) -> None:
        await made.wait(name, LONG)
        order.append(name)

    async def scene() -> None:
        await asyncio.wait_for(asyncio.gather(wait("rul_b"), wait("rul_a")), LONG)
        await ended(made)

    asyncio.run(scene())
    assert order == ["rul_a", "rul_b"]
    assert looks.asked == [["rul_a", "rul_b"], ["rul_b"], ["rul_b"]]


def test_the_time_asked_for_is_the_longest(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """It returns without an error when time is up, leaves nothing behind, and the looking ends."""
    looks = Looks(lambda _: set())
    made = waiters(clock, looks, monkeypatch)

    async def scene() -> None:
        await asyncio.wait_for(made.wait("rul_a", 0.01), LONG)
        assert made._waiting == {}
        await ended(made)

    asyncio.run(scene())


def test_nobody_waits_longer_than_the_bound(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request for hours is let go at the bound."""
    monkeypatch.setattr(waiting, "MAX_WAIT_S", 0.01)
    made = waiters(clock, Looks(lambda _: set()), monkeypatch)

    async def scene() -> None:
        await asyncio.wait_for(made.wait("rul_a", 1e9), LONG)
        await ended(made)

    asyncio.run(scene())
    assert made._waiting == {}


@pytest.mark.parametrize("seconds", [0, -1.0])
def test_without_a_wait_nobody_looks(clock: FakeClock, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """A request that does not want to wait costs no query and no task."""
    looks = Looks(lambda _: set())
    made = waiters(clock, looks, monkeypatch)
    asyncio.run(made.wait("rul_a", seconds))
    assert looks.asked == []
    assert made._looking is None


def test_the_crowd_is_bounded(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than the bound is answered at once, as if its time were up; the others wait on."""
    monkeypatch.setattr(waiting, "MOST_WAITERS", 2)
    free = {"now": False}
    made = waiters(clock, Looks(lambda _: {"rul_a"} if free["now"] else set()), monkeypatch)

    async def scene() -> None:
        two = [asyncio.create_task(made.wait("rul_a", LONG)) for _ in range(2)]
        await asyncio.sleep(0)
        await asyncio.wait_for(made.wait("rul_a", LONG), LONG)
        assert not any(task.done() for task in two)
        free["now"] = True
        await asyncio.wait_for(asyncio.gather(*two), LONG)
        await ended(made)

    asyncio.run(scene())


def test_a_database_that_is_away_ends_no_wait(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that fails is made again; whoever waits hears of the decision when the database is back."""
    looks = Looks(lambda number: UnavailableError("gone") if number < 4 else {"rul_a"})
    made = waiters(clock, looks, monkeypatch)

    async def scene() -> None:
        await asyncio.wait_for(made.wait("rul_a", LONG), LONG)
        await ended(made)

    asyncio.run(scene())
    assert len(looks.asked) == 4


def test_a_caller_who_leaves_is_forgotten(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that is cancelled takes its own entry along and nobody else's."""
    free = {"now": False}
    made = waiters(clock, Looks(lambda _: {"rul_a"} if free["now"] else set()), monkeypatch)

    async def scene() -> None:
        leaves, stays = (asyncio.create_task(made.wait("rul_a", LONG)) for _ in range(2))
        await asyncio.sleep(0)
        leaves.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaves
        assert [len(each) for each in made._waiting.values()] == [1]
        free["now"] = True
        await asyncio.wait_for(stays, LONG)
        await ended(made)

    asyncio.run(scene())
    assert made._waiting == {}


def test_looking_begins_again_after_it_ended(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next request after a quiet time is served as the first was."""
    looks = Looks(lambda _: {"rul_a"})
    made = waiters(clock, looks, monkeypatch)

    async def scene() -> None:
        for _ in range(3):
            await asyncio.wait_for(made.wait("rul_a", LONG), LONG)
            await ended(made)

    asyncio.run(scene())
    assert len(looks.asked) == 3
