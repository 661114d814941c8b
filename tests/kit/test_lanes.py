"""One writer at a time, interactive work first, every wait bounded."""

from __future__ import annotations

import threading

import pytest

from fairlead.errors import FaultError, UnavailableError
from fairlead.kit.lanes import Lane, WriteLanes


class WatchedCondition(threading.Condition):
    """Tells when somebody has begun to wait, so that tests need no clock."""

    def __init__(self) -> None:
        super().__init__()
        self.parked = threading.Semaphore(0)

    def wait(self, timeout: float | None = None) -> bool:
        """Called with the lock held: whoever takes the lock next finds the waiter waiting."""
        self.parked.release()
        return super().wait(timeout)


class Queue:
    """Writers that come one after the other and note the order in which they got their turn."""

    def __init__(self, *, exclusive: bool) -> None:
        self.lanes = WriteLanes(exclusive=exclusive)
        self.turn = WatchedCondition()
        self.lanes._turn = self.turn
        self.order: list[str] = []
        self.threads: list[threading.Thread] = []

    def come(self, name: str, lane: Lane) -> None:
        """Returns when the writer waits for its turn."""

        def write() -> None:
            with self.lanes.hold(lane):
                self.order.append(name)

        self.threads.append(threading.Thread(target=write))
        self.threads[-1].start()
        assert self.turn.parked.acquire(timeout=30)

    def finish(self) -> list[str]:
        """The order of turns, when everybody had one."""
        for thread in self.threads:
            thread.join(30)
        return self.order


def test_interactive_goes_before_waiting_bulk() -> None:
    """Bulk writers that came first wait until no interactive writer is waiting."""
    queue = Queue(exclusive=True)
    with queue.lanes.hold(Lane.BULK):
        for number in range(3):
            queue.come(f"bulk {number}", Lane.BULK)
        for number in range(3):
            queue.come(f"interactive {number}", Lane.INTERACTIVE)
    order = queue.finish()
    assert [name.split()[0] for name in order] == ["interactive"] * 3 + ["bulk"] * 3


def test_shared_interactive_writers_do_not_queue() -> None:
    """On Postgres interactive writers go while a bulk writer writes; bulk writers still take turns."""
    queue = Queue(exclusive=False)
    with queue.lanes.hold(Lane.BULK):
        queue.come("bulk", Lane.BULK)
        others = [threading.Thread(target=_hold, args=(queue.lanes, queue.order)) for _ in range(2)]
        for thread in others:
            thread.start()
        for thread in others:
            thread.join(30)
        assert queue.order == ["interactive", "interactive"]
    assert queue.finish() == ["interactive", "interactive", "bulk"]


def _hold(lanes: WriteLanes, order: list[str]) -> None:
    with lanes.hold(Lane.INTERACTIVE):
        order.append("interactive")


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("outer", Lane)
@pytest.mark.parametrize("inner", Lane)
def test_a_turn_inside_a_turn_is_refused(exclusive: bool, outer: Lane, inner: Lane) -> None:
    """The same thread asking twice would wait for itself; it is told so, and its first turn stays good."""
    lanes = WriteLanes(exclusive=exclusive)
    with lanes.hold(outer):
        with pytest.raises(FaultError, match="inside a transaction"), lanes.hold(inner):
            pytest.fail("two turns at once")
        with pytest.raises(FaultError, match="inside a transaction"), lanes.hold(inner):
            pytest.fail("two turns at once")
    with lanes.hold(inner):
        pass


def test_the_wait_is_bounded() -> None:
    """Who gets no turn in time is told that the database is overloaded, and is in nobody's way after."""
    lanes = WriteLanes(exclusive=True, wait_s=0)
    refused: list[Exception] = []

    def late(lane: Lane) -> None:
        try:
            with lanes.hold(lane):
                pytest.fail("no turn was free")
        except UnavailableError as error:
            refused.append(error)

    with lanes.hold(Lane.BULK):
        for lane in Lane:
            thread = threading.Thread(target=late, args=(lane,))
            thread.start()
            thread.join(30)
    assert len(refused) == 2
    with lanes.hold(Lane.BULK):
        pass


def test_an_error_gives_the_turn_back() -> None:
    """A failing writer does not block the next."""
    lanes = WriteLanes(exclusive=True, wait_s=0)
    with pytest.raises(KeyError), lanes.hold(Lane.INTERACTIVE):
        raise KeyError
    with lanes.hold(Lane.BULK):
        pass
