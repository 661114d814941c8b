"""Ways to wake a waiting thread: from this process, from a signal, from another worker through Postgres."""

from __future__ import annotations

import queue
import signal
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy.engine import make_url

from fairlead.jobs.model import log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

WAKE_CHANNEL = "fairlead_wake"
"""Postgres channel; `NOTIFY fairlead_wake` inside a transaction wakes every worker when it commits."""

_LISTEN_TURN_S = 0.5
_MAX_PAUSE_S = 5.0


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


class PostgresEar:
    """Rings a bell for every `NOTIFY fairlead_wake`; connects again by itself after Postgres was away."""

    def __init__(self, database_url: str, bell: Bell) -> None:
        """`database_url` is SQLAlchemy's; the thread starts with `start`."""
        url = make_url(database_url).set(drivername="postgresql")
        self._conninfo = url.render_as_string(hide_password=False)
        self._bell = bell
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen_again, name="fairlead-ear", daemon=True)

    def start(self) -> None:
        """Begin to listen; returns at once, also when Postgres is away."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Hang up; takes up to half a second."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _listen_again(self) -> None:
        pause = 0.1
        while not self._stopping.is_set():
            heard_at = time.monotonic()
            try:
                self._listen()
            except psycopg.Error as error:
                pause = 0.1 if time.monotonic() - heard_at > _MAX_PAUSE_S else min(pause * 2, _MAX_PAUSE_S)
                log.warning("not listening for wake-ups (%s); next try in %.1f s", type(error).__name__, pause)
                self._stopping.wait(pause)

    def _listen(self) -> None:
        with psycopg.connect(self._conninfo, autocommit=True, connect_timeout=5) as connection:
            connection.execute(f"LISTEN {WAKE_CHANNEL}")
            self._bell.ring()  # what was notified before we listened is found by a look
            while not self._stopping.is_set():
                for _ in connection.notifies(timeout=_LISTEN_TURN_S, stop_after=1):
                    self._bell.ring()
