"""The engine's work as jobs: ready cases by lane, due events, due timers."""

from __future__ import annotations

from datetime import datetime, timedelta

from fairlead.jobs import WorkLane
from fairlead.kit import events
from fairlead.kit.actors import TIMER
from fairlead.kit.database import Database
from fairlead.kit.faults import fault_point
from fairlead.kit.lanes import Lane
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.playbooks import store
from fairlead.playbooks.delivering import deliver
from fairlead.playbooks.engine import Engine
from fairlead.playbooks.reruling import Reruled, rerule_some

EVENTS_A_TURN = 200
RERULED_A_TURN = 100


class CaseSource:
    """Ready cases of one lane."""

    def __init__(self, engine: Engine, lane: WorkLane) -> None:
        """One per lane."""
        self.name = f"cases-{lane.value}"
        self.lane = lane
        self._engine = engine

    def lease(self, limit: int, lease_s: float, token: str) -> int:
        """See `WorkSource.lease`."""
        with self._engine.database.transaction(Lane.BULK) as uow:
            until = uow.now + timedelta(seconds=lease_s)
            return store.lease(uow, self.lane.value, limit, uow.now, until, token)

    def run(self, token: str) -> None:
        """See `WorkSource.run`."""
        self._engine.run(token)

    def next_due(self) -> datetime | None:
        """See `WorkSource.next_due`."""
        with self._engine.database.reading() as reader:
            return store.next_ready(reader, self.lane.value)


class _TurnSource:
    """Work that needs no lease of its own: whoever runs takes due rows inside one transaction."""

    name = ""
    lane = WorkLane.TIMERS

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._database: Database = engine.database

    def lease(self, limit: int, lease_s: float, token: str) -> int:
        """Nothing is marked: `run` locks what it takes."""
        del limit, lease_s, token
        due = self.next_due()
        return int(due is not None and due <= self._database.clock.now())

    def run(self, token: str) -> None:
        """Turn after turn until nothing is due."""
        del token
        while self.turn():
            pass
        self._engine.wake()

    def turn(self) -> int:
        """Handle some due rows in one transaction; how many."""
        raise NotImplementedError

    def next_due(self) -> datetime | None:
        """See `WorkSource.next_due`."""
        raise NotImplementedError


class EventSource(_TurnSource):
    """Tells waiting cases what they waited for, and interrupts those whose playbook says so."""

    name = "events"
    lane = WorkLane.INTERACTIVE

    def turn(self) -> int:
        """See `_TurnSource.turn`."""
        with self._database.transaction(Lane.BULK) as uow:
            store.lock_events(uow, alone=True)
            due = events.due(uow, uow.now, EVENTS_A_TURN)
            if due:
                deliver(uow, due, self._engine.library)
                events.mark_handled(uow, due)
        fault_point("events.handled")
        return len(due)

    def next_due(self) -> datetime | None:
        """See `WorkSource.next_due`."""
        with self._database.reading() as reader:
            return events.next_due(reader)


class TimerSource(_TurnSource):
    """Ends waits whose time has come."""

    name = "timers"

    def turn(self) -> int:
        """See `_TurnSource.turn`."""
        with self._database.transaction(Lane.BULK) as uow:
            rows = store.due_timers(uow, uow.now, EVENTS_A_TURN)
            store.wake(uow, [(row.id, {"outcome": "timeout"}) for row in rows], WorkLane.TIMERS.value)
            for row in rows:
                payload = {"stage": row.stage, "waited_for": row.wait_type}
                uow.record(AuditEntry("case.timed_out", row.id, payload, row.customer_id, TIMER))
        return len(rows)

    def next_due(self) -> datetime | None:
        """See `WorkSource.next_due`."""
        with self._database.reading() as reader:
            return store.next_timer(reader)


def rerule_waiting(engine: Engine) -> Reruled:
    """Rule once more on every open review under the bundle that is current now; to be run after each deploy."""
    total, last = Reruled(), ""
    with engine.database.reading() as reader:
        bundle = engine.library.current(reader)
    while True:
        with engine.database.transaction(Lane.BULK) as uow:
            some = rerule_some(
                uow, bundle, after=last, limit=RERULED_A_TURN, seed=engine.settings.seed,
            )  # fmt: skip
        total, last = total.plus(some), some.last
        if not last:
            engine.wake()
            return total
