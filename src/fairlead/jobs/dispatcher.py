"""Lease and sweep: the only authority on what runs next."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.engine import make_url

from fairlead.errors import ConflictError, NotFoundError
from fairlead.jobs.ear import PostgresEar
from fairlead.jobs.lanes import WorkLane, lane_order
from fairlead.jobs.model import JobRunner, Payload, WorkSource, guarded
from fairlead.jobs.wake import Bell
from fairlead.kit.clock import Clock, SystemClock
from fairlead.kit.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_BACK_OFF_S = 5.0
_CONTENDED_S = 0.2


@dataclass(frozen=True, slots=True)
class Pace:
    """How much a dispatcher takes at once and how often it looks."""

    slots: int = 2
    """Chunks under way in this process, over all lanes."""
    reserved: int = 1
    """Slots that imports never take, so that a live case waits for no import; less than `slots`."""
    chunk: int = 500
    """Rows leased at once."""
    lease_s: float = 60.0
    """Seconds until the rows of a dead worker are leased again."""
    sweep_s: float = 5.0
    """Seconds between two looks when nothing rings and nothing is due."""
    share: int = 4
    """With all lanes busy, one chunk in `share` is an import; see `lane_order`."""


class Dispatcher:
    """Leases chunks from sources and hands each to a runner as one job.

    It looks when woken, when a source's next row is due, when a chunk ends, and every `sweep_s` seconds.
    A chunk whose hand-over was lost, or whose worker died, is found when its lease has run out. While
    the database is away it tries again with growing pauses, at most 5 s.
    """

    def __init__(
        self,
        sources: Sequence[WorkSource],
        runner: JobRunner,
        *,
        pace: Pace | None = None,
        clock: Clock | None = None,
        listen_url: str | None = None,
    ) -> None:
        """Registers its jobs, so build it before the runner starts.

        `listen_url`: the database's URL; on Postgres `NOTIFY fairlead_wake` wakes too, SQLite is ignored.
        """
        self._sources = {source.name: source for source in sources}
        if len(self._sources) < len(sources):
            message = "two sources of work have the same name"
            raise ConflictError(message)
        self._turns = {lane: [s for s in sources if s.lane is lane] for lane in WorkLane}
        self._runner = runner
        self._pace = pace or Pace()
        self._clock = clock or SystemClock()
        self._bell = Bell()
        self._stopping = False
        self._picks = 0
        self._flying: dict[str, WorkLane] = {}
        self._ear: PostgresEar | None = None
        if listen_url and make_url(listen_url).get_backend_name() == "postgresql":
            self._ear = PostgresEar(listen_url, self._bell)
        self._thread = threading.Thread(target=self._loop, name="fairlead-dispatcher", daemon=True)
        for lane, turns in self._turns.items():
            if turns:
                runner.register(_job(lane), self._run_chunk, concurrency=max(1, self._room_for(lane)))

    def wake(self) -> None:
        """Look for work now; never blocks, safe from any thread and in a signal handler."""
        self._bell.ring()

    def start(self) -> None:
        """Begin to dispatch in a thread of its own; start the runner first."""
        if self._ear:
            self._ear.start()
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> bool:
        """Lease nothing more; False when a look was still under way after `timeout_s` seconds.

        Chunks under way go on: stop the runner next.
        """
        deadline = time.monotonic() + timeout_s
        self._stopping = True
        self._bell.ring()
        if self._ear:
            self._ear.stop(timeout_s)
        if self._thread.is_alive():
            self._thread.join(max(0.0, deadline - time.monotonic()))
        return not self._thread.is_alive()

    def drain(self, timeout_s: float) -> bool:
        """Dispatch in the caller's thread until nothing is ready or under way; instead of `start`.

        False when that took longer than `timeout_s` seconds. What waits for a later time is left waiting.
        """
        deadline = time.monotonic() + timeout_s
        while not self._stopping and time.monotonic() < deadline:
            leased = self._fill()
            if not leased and not self._under_way():
                return True
            self._bell.wait(min(_CONTENDED_S, deadline - time.monotonic()))
        return False

    def _loop(self) -> None:
        failures = 0
        while not self._stopping:
            if guarded("looking for work", self._look):
                failures = 0
                continue
            failures += 1
            self._bell.wait(min(0.1 * 2**failures, _MAX_BACK_OFF_S))

    def _look(self) -> None:
        """Lease what there is room for, then wait for the next reason to look."""
        self._fill()
        if not self._stopping:
            self._bell.wait(self._pause_s())

    def _fill(self) -> int:
        leased = 0
        while not self._stopping and self._lease_one():
            leased += 1
        return leased

    def _lease_one(self) -> bool:
        for lane in lane_order(self._picks, self._pace.share):
            turns = self._turns[lane]
            if not turns or len(self._under_way(lane)) >= self._room_for(lane) or self._full():
                continue
            for source in list(turns):
                token = new_id("lease")
                if source.lease(self._pace.chunk, self._pace.lease_s, token):
                    turns.remove(source)
                    turns.append(source)  # its neighbours go first next time
                    self._picks += 1
                    self._hand_over(source, token)
                    return True
        return False

    def _hand_over(self, source: WorkSource, token: str) -> None:
        self._flying[token] = source.lane
        try:
            self._runner.submit(_job(source.lane), {"source": source.name, "token": token})
        except BaseException:
            del self._flying[token]
            raise

    def _run_chunk(self, payload: Payload) -> None:
        try:
            source = self._sources.get(str(payload["source"]))
            if source is None:
                message = f"no source of work is called {payload['source']!r} here"
                raise NotFoundError(message)
            source.run(str(payload["token"]))
        finally:
            self._flying.pop(str(payload["token"]), None)
            self._bell.ring()

    def _under_way(self, lane: WorkLane | None = None) -> list[str]:
        """Tokens handed over and not back; what the runner no longer knows of is given up."""
        for known in self._turns:
            if self._turns[known] and not self._runner.pending(_job(known)):
                for token in [t for t, its in list(self._flying.items()) if its is known]:
                    self._flying.pop(token, None)
        return [token for token, its in list(self._flying.items()) if lane in (None, its)]

    def _full(self) -> bool:
        return len(self._under_way()) >= self._pace.slots

    def _room_for(self, lane: WorkLane) -> int:
        room = self._pace.slots
        return max(1, room - self._pace.reserved) if lane is WorkLane.IMPORT else room

    def _pause_s(self) -> float:
        """Until the next row is due, at most a sweep; a little when something is due that others hold."""
        if self._full():
            return self._pace.sweep_s
        dues = [due for source in self._sources.values() if (due := source.next_due())]
        if not dues:
            return self._pace.sweep_s
        wait_s = (min(dues) - self._clock.now()).total_seconds()
        return min(self._pace.sweep_s, wait_s if wait_s > 0 else _CONTENDED_S)


def _job(lane: WorkLane) -> str:
    return f"chunk.{lane.value}"
