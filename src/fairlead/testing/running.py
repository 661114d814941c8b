"""Everything that a worker does, in the caller's thread and on a clock that the test owns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead import reviews
from fairlead.actions import OutboxSource, RetryPolicy
from fairlead.checkpoints import SETTLEMENT
from fairlead.errors import FaultError
from fairlead.jobs import WorkLane
from fairlead.kit.ids import new_id
from fairlead.kit.lanes import Lane
from fairlead.playbooks import CaseSource, Engine, EventSource, TimerSource

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from fairlead.actions import Connector
    from fairlead.jobs import WorkSource
    from fairlead.testing.clock import FakeClock

MAX_TURNS = 10_000


class UntilIdle:
    """Runs cases, events, timers, the outbox and the clocks of reviews, until nothing is due.

    No thread, no sleep: the same turns in the same order every time. The engine's database must have been
    opened with `clock`.
    """

    def __init__(
        self,
        engine: Engine,
        clock: FakeClock,
        connectors: Mapping[str, Connector],
        *,
        chunk: int = 500,
        lease_s: float = 60.0,
        retry: RetryPolicy | None = None,
    ) -> None:
        """`chunk` is how many rows are leased at once; `connectors` are those that actions name."""
        self.engine = engine
        self.clock = clock
        self._chunk = chunk
        self._lease_s = lease_s
        self.sources: list[WorkSource] = [
            EventSource(engine),
            TimerSource(engine),
            *(CaseSource(engine, lane) for lane in WorkLane),
            OutboxSource(engine.database, connectors, now=clock.now, retry=retry),
        ]

    def run(self) -> int:
        """Do all that is due at this moment of the clock; how many chunks and sweeps had something to do.

        FaultError when it does not come to an end within 10,000 of them.
        """
        turns = idle = 0
        while idle < 2:  # noqa: PLR2004  the outbox settles what has expired without handing out any work
            done = self._sweep() + sum(map(self._drain, self.sources))
            turns, idle = turns + done, 0 if done else idle + 1
            if turns > MAX_TURNS:
                message = f"still something to do after {MAX_TURNS} turns"
                raise FaultError(message)
        return turns

    def run_for(self, span: timedelta) -> int:
        """`run` at every moment within `span` at which something is due; the clock then stands at its end."""
        end = self.clock.now() + span
        turns = self.run()
        while (moment := self.next_due()) is not None and moment <= end:
            self.clock.advance(max(moment, self.clock.now()) - self.clock.now())
            done = self.run()
            if not done and self.next_due() == moment:
                message = f"something is due at {moment} and nobody takes it"
                raise FaultError(message)
            turns += done
        self.clock.advance(end - self.clock.now())
        return turns

    def next_due(self) -> datetime | None:
        """The next moment at which anything happens by itself; None when everything waits for somebody."""
        with self.engine.database.reading() as reader:
            moments = [reviews.next_due(reader)]
        moments += [source.next_due() for source in self.sources]
        return min((moment for moment in moments if moment is not None), default=None)

    def _drain(self, source: WorkSource) -> int:
        turns = 0
        while turns <= MAX_TURNS:
            token = new_id("lease")
            if not source.lease(self._chunk, self._lease_s, token):
                break
            source.run(token)
            turns += 1
        return turns

    def _sweep(self) -> int:
        with self.engine.database.transaction(Lane.BULK) as uow:
            found = reviews.expire_due(uow, uow.now, self._chunk, settlement=SETTLEMENT).count
            found += len(reviews.release_lapsed(uow, uow.now, self._chunk))
            return found + len(reviews.wake_snoozed(uow, uow.now, self._chunk))
