"""How many rows fit into one bulk transaction."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

MOST = 500
LEAST_ALONE = 20
"""On SQLite, where every other writer waits: below this the fixed cost of a transaction is most of it, and on
a busy machine smaller ones would only make it busier."""
LEAST_BESIDE = 100
"""On Postgres, where others wait only for the rows themselves."""

WAITING = 4


class Started(NamedTuple):
    """When a transaction began, by the clock and by the thread's own CPU time."""

    wall_s: float
    own_s: float


class BatchPace:
    """Learns from the last transactions how many rows take a given time; safe for threads."""

    def __init__(self, target_ms: float, *, exclusive: bool) -> None:
        """`exclusive`: one transaction at a time in the whole database, as on SQLite."""
        self._target_s = target_ms / 1000
        self._least = LEAST_ALONE if exclusive else LEAST_BESIDE
        self._row_s = 0.0005
        self._lock = threading.Lock()

    def size(self) -> int:
        """Rows for the next transaction."""
        with self._lock:
            return max(self._least, min(MOST, int(self._target_s / self._row_s)))

    def start(self) -> Started:
        """To be called inside the transaction: the wait for its turn is not its length."""
        return Started(time.perf_counter(), time.thread_time())

    def note(self, rows: int, started: Started) -> None:
        """The transaction has ended; from the thread that started it.

        Counted is what it cost this thread. By the clock, transactions of a busy machine would be made ever
        smaller, and so dearer; the clock counts where most of the time is spent waiting for the disk or the
        server.
        """
        own_s, wall_s = time.thread_time() - started.own_s, time.perf_counter() - started.wall_s
        seconds = max(own_s, wall_s / WAITING)
        with self._lock:
            self._row_s = 0.7 * self._row_s + 0.3 * max(seconds / max(rows, 1), 1e-6)
