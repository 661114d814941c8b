"""Long polls: any number of requests wait, one look at the database serves them all.

A waiting request holds neither a thread nor a connection, only an entry in a table here. The look runs in a
thread
of the pool while anybody waits, and not at all when nobody does.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from fairlead.checkpoints import effective_ones
from fairlead.errors import FairleadError
from fairlead.kit.logs import get_logger

if TYPE_CHECKING:
    from fairlead.kit.clock import Clock
    from fairlead.kit.database import Database

MAX_WAIT_S = 30
MOST_WAITERS = 2_000
LOOK_S = 0.15
_PAGE = 500

log = get_logger(__name__)


class DecisionWaiters:
    """Lets requests of one event loop wait until a decision has taken effect; one per application."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """`clock` tells what has taken effect; the waiting itself is by the machine's own time."""
        self._database = database
        self._clock = clock
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def wait(self, ruling_id: str, seconds: float) -> None:
        """Return when it has taken effect, when the time is up, or at once when 2,000 others wait already."""
        if seconds <= 0 or sum(map(len, self._waiting.values())) >= MOST_WAITERS:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(ruling_id, []).append(done)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            async with asyncio.timeout(min(seconds, MAX_WAIT_S)):
                await done
        except TimeoutError:
            return
        finally:
            self._forget(ruling_id, done)

    def _forget(self, ruling_id: str, done: asyncio.Future[None]) -> None:
        others = self._waiting.get(ruling_id, [])
        if done in others:
            others.remove(done)
        if not others:
            self._waiting.pop(ruling_id, None)

    async def _look(self) -> None:
        while self._waiting:
            started = time.monotonic()
            try:
                settled = await run_in_threadpool(self._settled, list(self._waiting))
            except FairleadError as error:  # the waiters wait on; the database may be back before they leave
                log.warning("waiting_look_failed", code=error.reason)
                settled = set()
            for ruling_id in settled:
                for done in self._waiting.get(ruling_id, ()):
                    if not done.done():
                        done.set_result(None)
            # A look that takes long comes seldom.
            await asyncio.sleep(max(LOOK_S, 4 * (time.monotonic() - started)))

    def _settled(self, ruling_ids: list[str]) -> set[str]:
        found: set[str] = set()
        with self._database.reading() as reader:
            for start in range(0, len(ruling_ids), _PAGE):
                found |= effective_ones(reader, ruling_ids[start : start + _PAGE], self._clock.now())
        return found
