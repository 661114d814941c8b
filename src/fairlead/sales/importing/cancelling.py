"""Imports taken back: their open cases are cancelled, their leads stay and are marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairlead.errors import ConflictError
from fairlead.kit.actors import Actor
from fairlead.kit.clock import to_micros
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.playbooks import BundleLibrary, CaseVerb, states_of, steer
from fairlead.sales import import_store
from fairlead.sales.importing import store
from fairlead.sales.importing.model import CANCEL_WITHIN, MAY_CANCEL, ImportState


def cancel_import(uow: UnitOfWork, actor: Actor, import_id: str) -> ImportState:
    """Take an import back: it reads no further, and a worker cancels those of its cases that are open.

    Its leads stay, marked. ConflictError for one that is over, or that began more than 24 hours ago.
    """
    row = import_store.read_import(uow, import_id)
    if row.state not in MAY_CANCEL:
        message = f"The import is {row.state}; there is nothing to take back."
        raise ConflictError(message, code="not_cancellable", state=row.state)
    if uow.now - row.started_at > CANCEL_WITHIN:
        hours = int(CANCEL_WITHIN.total_seconds() // 3600)
        message = f"The import began more than {hours} hours ago; cancel its cases one by one."
        raise ConflictError(message, code="too_late", hours=hours)
    nothing_yet = row.state in (ImportState.DRAFT, ImportState.WAITING)
    state = ImportState.CANCELLED if nothing_yet else ImportState.CANCELLING
    values = {"state": state.value, "cancelled_by": str(actor), "cancelled_at": uow.now, "sketch": None}
    values |= {"finished_at": uow.now} if nothing_yet else {}
    if not store.change_state(uow, import_id, [ImportState(row.state)], values):
        raise ConflictError("The import moved on at this very moment; look again.", code="not_cancellable")
    store.drop_chunks(uow, import_id)
    if row.lease_token:
        store.release(uow, import_id, row.lease_token)
    uow.record(AuditEntry("lead_import.cancelled", import_id, {"was": row.state, "rows": row.rows}, actor=actor))
    return state


def take_back(uow: UnitOfWork, library: BundleLibrary, actor: Actor, import_id: str, leads: Sequence[Any]) -> int:
    """Cancel the cases of these leads that are still open and mark the leads; how many there were."""
    states = states_of(uow, [lead.case_id for lead in leads])
    open_ones = [lead for lead in leads if states.get(lead.case_id, "ended") != "ended"]
    for lead in sorted(open_ones, key=lambda one: one.case_id):
        steer(uow, library, actor, lead.case_id, CaseVerb.CANCEL, reason=f"import {import_id} was taken back")
    if open_ones:
        store.mark_cancelled(uow, [(lead.id, lead.fingerprint) for lead in open_ones], to_micros(uow.now))
        payload = {"leads": [lead.id for lead in open_ones]}
        uow.record(AuditEntry("lead_import.leads_taken_back", import_id, payload, actor=actor))
    return len(open_ones)


def end_cancel(uow: UnitOfWork, actor: Actor, import_id: str) -> None:
    """Every case that was open is cancelled."""
    values = {"state": ImportState.CANCELLED.value, "finished_at": uow.now}
    store.change_state(uow, import_id, [ImportState.CANCELLING], values)
    count = store.cancelled_count(uow, import_id)
    uow.record(AuditEntry("lead_import.taken_back", import_id, {"leads": count}, actor=actor))
