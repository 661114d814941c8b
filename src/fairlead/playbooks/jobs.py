"""The engine's work as jobs: ready cases by lane, due events, due timers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from fairlead.checkpoints import DECISION
from fairlead.jobs import WorkLane
from fairlead.kit import events
from fairlead.kit.actors import TIMER
from fairlead.kit.database import Database
from fairlead.kit.events import Event
from fairlead.kit.faults import fault_point
from fairlead.kit.lanes import Lane
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.playbooks import store
from fairlead.playbooks.bundles import Bundle, BundleLibrary
from fairlead.playbooks.engine import Engine
from fairlead.playbooks.model import SpawnStage
from fairlead.playbooks.steering import interrupt_case
from fairlead.reviews import tell_askers

EVENTS_A_TURN = 200


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


def deliver(uow: UnitOfWork, due: Any, library: BundleLibrary) -> None:
    """Match events with the cases that wait for them or are interrupted by them, and tell the gate's askers."""
    tell_askers(uow, [event.key for event in due if event.type == DECISION])
    waiting = store.waiting_for(uow, sorted({event.key for event in due}))
    signals: list[tuple[str, dict[str, Any]]] = []
    for event in due:
        matched = {row.id for row in waiting if row.wait_type == event.type and row.wait_key == event.key}
        for case_id in sorted(matched):
            signal = _signal(uow, event, library)
            if signal is not None:
                signals.append((case_id, signal))
                uow.record(AuditEntry("case.signalled", case_id, {"event": event.id, "type": event.type, **signal}))
        if event.key.startswith("cus_"):
            _interrupt(uow, event, matched, library)
    store.wake(uow, signals, WorkLane.INTERACTIVE.value)


def _signal(uow: UnitOfWork, event: Event, library: BundleLibrary) -> dict[str, Any] | None:
    payload = event.payload
    if event.type == "decision":
        answer = payload.get("answer")
        outcome = "expired" if payload["verdict"] == "expired" else "approved" if answer is not None else "rejected"
        return {"outcome": outcome, "found": answer}
    if event.type == "action":
        return {"outcome": payload["state"], "result": payload.get("result")}
    if event.type == "case.ended":
        parent = store.read_case(uow, event.key)
        stage = library.load(uow, parent.bundle).playbooks[parent.playbook].playbook.stages[parent.stage]
        if isinstance(stage, SpawnStage) and stage.until == "all" and store.open_children(uow, event.key):
            return None
        return {"outcome": "done"}
    return {"outcome": event.type, "found": payload.get("found")}


def _interrupt(uow: UnitOfWork, event: Event, already: set[str], library: BundleLibrary) -> None:
    for row in store.open_cases_of(uow, event.key):
        if row.id in already or row.created_at > (event.at or uow.now):
            continue
        bundle: Bundle = library.load(uow, row.bundle)
        target = bundle.playbooks[row.playbook].playbook.interrupts.get(event.type)
        if target is None or target == row.stage:
            continue
        interrupt_case(uow, row.id, target, event.type, event.id)
