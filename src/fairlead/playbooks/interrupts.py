"""Cases taken off their road by an event, or into the exceptions queue."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fairlead.kit.actors import SYSTEM
from fairlead.kit.events import Event
from fairlead.kit.jsons import dumps
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.playbooks import store
from fairlead.playbooks.model import CaseState
from fairlead.playbooks.results import MAX_FACTS_CHARS
from fairlead.playbooks.steering import to_stage, withdraw_work


def interrupt_case(uow: UnitOfWork, case_id: str, stage: str, event: Event) -> None:
    """Withdraw the case's reviews, timers and unsent actions and put it at `stage`, in this transaction.

    What the event found becomes facts, as where a stage waits for it; more than a case can hold is left out, and
    the audit entry says so.
    """
    row = store.read_case(uow, case_id, lock=True)
    if row.ended_at is not None or (row.resume or {}).get("taken_by"):
        return  # a person who has it in hand sees the event on the customer's timeline
    values = to_stage(uow, row, stage, SYSTEM, f"interrupted by {event.type}")
    values["mark_at"] = max(row.mark_at, (event.at or uow.now) + timedelta(microseconds=1))  # it is used up
    found = event.payload.get("found")
    facts = {**row.facts, **found} if isinstance(found, Mapping) else row.facts
    fits = len(dumps(facts)) <= MAX_FACTS_CHARS
    if fits and facts is not row.facts:
        values["facts"] = facts
    if row.state == CaseState.PAUSED.value:
        values |= {"state": row.state, "resume": {**(row.resume or {}), "state": CaseState.READY.value}}
    store.change_case(uow, case_id, row.version, values)
    payload: dict[str, Any] = {"from": row.stage, "to": stage, "event": event.type, "id": event.id}
    if isinstance(found, Mapping):
        payload |= {"found": dict(found)} if fits else {"left_out": "what it found is too large for the case"}
    uow.record(AuditEntry("case.interrupted", case_id, payload, row.customer_id))


def except_case(uow: UnitOfWork, case_id: str, code: str, words: str) -> None:
    """Put an open case into the exceptions queue, and withdraw what it had under way."""
    row = store.read_case(uow, case_id, lock=True)
    if row.ended_at is not None or row.state == CaseState.EXCEPTION.value:
        return
    withdraw_work(uow, row, SYSTEM, words)
    problem = {"stage": row.stage, "code": code, "words": words[:2_000]}
    values = {
        "state": CaseState.EXCEPTION.value, "problem": problem, "due_at": store.NEVER, "wait_type": None,
        "wait_key": None, "signal": None, "resume": None,
    }  # fmt: skip
    store.change_case(uow, case_id, row.version, values)
    uow.record(AuditEntry("case.excepted", case_id, problem, row.customer_id))
