"""Who may write next: interactive work goes before bulk work."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from fairlead.errors import FaultError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIT_S = 30.0


class Lane(StrEnum):
    """The two lanes of a process's writer."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


class WriteLanes:
    """One writer at a time in this process; a waiting interactive writer goes before every bulk writer.

    On SQLite both lanes share the one place that the database has. On Postgres rows are locked by the
    database, so only bulk writers queue here (decision record 0004).
    """

    def __init__(self, *, exclusive: bool, wait_s: float = WAIT_S) -> None:
        """`exclusive`: interactive writers, too, go one at a time; `wait_s` bounds the wait for a turn."""
        self._exclusive = exclusive
        self._wait_s = wait_s
        self._turn = threading.Condition()
        self._taken = False
        self._mine = threading.local()
        self._interactive_waiting = 0

    @contextmanager
    def hold(self, lane: Lane) -> Iterator[None]:
        """Wait for a turn and keep it; UnavailableError after 30 s, FaultError when this thread has one."""
        if getattr(self._mine, "holds", False):
            message = "a transaction was opened inside a transaction of the same thread; pass the unit of work on"
            raise FaultError(message)
        queued = self._exclusive or lane is Lane.BULK
        if queued:
            self._take(lane)
        self._mine.holds = True
        try:
            yield
        finally:
            self._mine.holds = False
            if queued:
                self._give()

    def _give(self) -> None:
        with self._turn:
            self._taken = False
            self._turn.notify_all()

    def _take(self, lane: Lane) -> None:
        with self._turn:
            interactive = lane is Lane.INTERACTIVE
            self._interactive_waiting += interactive
            try:
                free = self._turn.wait_for(
                    lambda: not self._taken and (interactive or not self._interactive_waiting), self._wait_s
                )
            finally:
                self._interactive_waiting -= interactive
            if not free:
                message = f"no turn to write within {self._wait_s:.0f} s; the database is overloaded or stuck"
                raise UnavailableError(message)
            self._taken = True
