"""Ways to wake a waiting thread: from this process, and from a signal."""

from __future__ import annotations

import queue
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

MAX_PAUSE_S = 5.0


class Bell:
    """One waiting thread, any number of ringers; rings between two waits count as one.

    `ring` may be called from a signal handler: unlike an Event's lock, SimpleQueue.put is reentrant.
    """

    def __init__(self) -> None:
        """Silent until rung."""
        self._rings: queue.SimpleQueue[None] = queue.SimpleQueue()

    def ring(self) -> None:
        """Wake the waiter, or the next one to wait; never blocks."""
        if self._rings.empty():
            self._rings.put(None)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until rung, at most `timeout_s` seconds (None: for ever); False when the time was up."""
        try:
            self._rings.get(timeout=None if timeout_s is None else max(0.0, timeout_s))
        except queue.Empty:
            return False
        with suppress(queue.Empty):
            while True:
                self._rings.get_nowait()
        return True


class StopSignal:
    """A wish to stop, made by SIGTERM, SIGINT or `request`; what a server or worker waits for."""

    def __init__(self) -> None:
        """Nothing is wished yet."""
        self._bell = Bell()
        self.requested = False

    def request(self) -> None:
        """Ask for the stop; safe in a signal handler and from any thread."""
        self.requested = True
        self._bell.ring()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until a stop was requested, at most `timeout_s` seconds; whether one was."""
        if not self.requested:
            self._bell.wait(timeout_s)
        return self.requested

    @contextmanager
    def on_signals(self) -> Iterator[StopSignal]:
        """Turn SIGTERM and SIGINT into a request while inside (main thread only).

        A second one does what it did before, so an impatient Ctrl-C still ends the process.
        """
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

        def handle(number: int, _frame: FrameType | None) -> None:
            signal.signal(number, before[signal.Signals(number)])
            self.request()

        for number in before:
            signal.signal(number, handle)
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
