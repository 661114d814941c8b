"""Events delivered: each one wakes the cases that wait for it, or interrupts those that must not go on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairlead.checkpoints import DECISION
from fairlead.customers import MERGED, UNMERGED, families_of
from fairlead.errors import FairleadError, FaultError
from fairlead.jobs import WorkLane
from fairlead.kit.events import Event
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.playbooks import store
from fairlead.playbooks.bundles import Bundle, BundleLibrary
from fairlead.playbooks.interrupts import except_case, interrupt_case
from fairlead.playbooks.signals import signal_of
from fairlead.reviews import tell_askers


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
            signal = signal_of(uow, event, library, row.id)
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
