"""The engine's work as jobs: ready cases by lane, due events, due timers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from fairlead.actions import EVENT as ACTION
from fairlead.checkpoints import DECISION, read_decision
from fairlead.customers import MERGED, UNMERGED, families_of
from fairlead.errors import FairleadError, FaultError
from fairlead.jobs import WorkLane
from fairlead.kit import events
from fairlead.kit.actors import TIMER
from fairlead.kit.clock import to_micros
from fairlead.kit.database import Database
from fairlead.kit.events import Event
from fairlead.kit.faults import fault_point
from fairlead.kit.lanes import Lane
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.playbooks import store
from fairlead.playbooks.bundles import Bundle, BundleLibrary
from fairlead.playbooks.engine import Engine
from fairlead.playbooks.model import SpawnStage
from fairlead.playbooks.reruling import Reruled, rerule_some
from fairlead.playbooks.steering import except_case, interrupt_case
from fairlead.reviews import tell_askers

EVENTS_A_TURN = 200
RERULED_A_TURN = 100
CHILD_ENDED = "case.ended"


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


def deliver(uow: UnitOfWork, due: Sequence[Event], library: BundleLibrary) -> None:
    """Match events with the cases that wait for them or are interrupted by them, and tell the gate's askers.

    A case's wait ends with the first event that fits; an interrupt goes before it, whatever their order.
    """
    tell_askers(uow, [event.key for event in due if event.type == DECISION])
    keys = _keys(uow, due)
    waiting = store.waiting_for(uow, sorted({key for known in keys for key in known}))
    signals: dict[str, tuple[Event, dict[str, Any]]] = {}
    for event, known in zip(due, keys, strict=True):
        matched = [row for row in waiting if row.id not in signals and _fits(row, event, known)]
        for row in matched:
            signal = _signal(uow, event, library)
            if signal is not None:
                signals[row.id] = (event, signal)
        if event.key.startswith("cus_"):
            for case_id in _interrupt(uow, event, known, {row.id for row in matched}, library):
                signals.pop(case_id, None)
    store.wake(uow, [(case_id, signal) for case_id, (_, signal) in signals.items()], WorkLane.INTERACTIVE.value)
    for case_id, (event, signal) in signals.items():
        uow.record(AuditEntry("case.signalled", case_id, {"event": event.id, "type": event.type, **signal}))


def _keys(uow: UnitOfWork, due: Sequence[Event]) -> list[tuple[str, ...]]:
    """Whom each event concerns: what a customer does, also the cases of records that were merged with theirs."""
    families = families_of(uow, [event.key for event in due if event.key.startswith("cus_")])
    alone = {MERGED, UNMERGED}  # are about the one record that they name
    return [(event.key,) if event.type in alone else families.get(event.key, (event.key,)) for event in due]


def _fits(row: Any, event: Event, keys: Sequence[str]) -> bool:
    if row.wait_type != event.type or row.wait_key not in keys:
        return False
    return not event.key.startswith("cus_") or event.at is None or event.at >= row.mark_at


def _signal(uow: UnitOfWork, event: Event, library: BundleLibrary) -> dict[str, Any] | None:
    payload = event.payload
    if event.type == DECISION:
        return {"outcome": _outcome(uow, event), "found": payload.get("answer")}
    if event.type == ACTION:
        return {"outcome": payload["state"], "result": payload.get("result")}
    if event.type == CHILD_ENDED:
        parent = store.read_case(uow, event.key)
        stage = library.load(uow, parent.bundle).playbooks[parent.playbook].playbook.stages[parent.stage]
        if isinstance(stage, SpawnStage) and stage.until == "all" and store.open_children(uow, event.key):
            return None
        return {"outcome": "done"}
    at = to_micros(event.at or uow.now)
    return {"outcome": event.type, "found": payload.get("found"), "at": at}


def _outcome(uow: UnitOfWork, event: Event) -> str:
    """A rejection that no person but the clock gave is an expiry."""
    verdict = event.payload["verdict"]
    if verdict in {"expired", "blocked"}:
        return str(verdict)
    if event.payload.get("answer") is not None:
        return "approved"
    decision = read_decision(uow, event.key)
    return "expired" if decision is not None and decision.decided_by == str(TIMER) else "rejected"


def _interrupt(
    uow: UnitOfWork, event: Event, keys: Sequence[str], already: set[str], library: BundleLibrary
) -> list[str]:
    done = []
    for row in [row for key in keys for row in store.open_cases_of(uow, key)]:
        if row.id in already or row.created_at > (event.at or uow.now):
            continue
        try:
            bundle: Bundle = library.load(uow, row.bundle)
        except FaultError:
            raise
        except FairleadError as error:  # whatever its playbook says about this event, nobody here can read it
            except_case(uow, row.id, "bundle", f"this build cannot run its version: {error.message}")
            done.append(row.id)
            continue
        target = bundle.playbooks[row.playbook].playbook.interrupts.get(event.type)
        if target is not None and (target != row.stage or event.payload.get("found")):
            interrupt_case(uow, row.id, target, event)
            done.append(row.id)
    return done
