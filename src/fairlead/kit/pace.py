"""How many rows fit into one bulk transaction."""

from __future__ import annotations

import threading

MOST = 500
LEAST_ALONE = 20
"""On SQLite, where every other writer waits: below this the fixed cost of a transaction is most of it, and on a
busy machine smaller ones would only make it busier."""
LEAST_BESIDE = 100
"""On Postgres, where others wait only for the rows themselves."""


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

    def note(self, rows: int, seconds: float) -> None:
        """What one took, the wait for its turn not counted."""
        with self._lock:
            self._row_s = 0.7 * self._row_s + 0.3 * max(seconds / max(rows, 1), 1e-6)
