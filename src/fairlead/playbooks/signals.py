"""What an event tells the case that waits for it: the outcome it goes on with."""

from __future__ import annotations

from typing import Any

from fairlead.actions import EVENT as ACTION
from fairlead.checkpoints import DECISION, read_decision
from fairlead.errors import FairleadError
from fairlead.kit.actors import TIMER
from fairlead.kit.clock import to_micros
from fairlead.kit.events import Event
from fairlead.kit.unit_of_work import UnitOfWork
from fairlead.playbooks import store
from fairlead.playbooks.bundles import BundleLibrary
from fairlead.playbooks.model import SpawnStage

CHILD_ENDED = "case.ended"


def signal_of(uow: UnitOfWork, event: Event, library: BundleLibrary, case_id: str) -> dict[str, Any] | None:
    """What the waiting case is told; None while it has to wait for more of them."""
    payload = event.payload
    if event.type == DECISION:
        return {"outcome": _outcome(uow, event), "found": payload.get("answer")}
    if event.type == ACTION:
        return _acted(uow, payload, library, case_id)
    if event.type == CHILD_ENDED:
        parent = store.read_case(uow, event.key)
        stage = library.load(uow, parent.bundle).playbooks[parent.playbook].playbook.stages[parent.stage]
        if isinstance(stage, SpawnStage) and stage.until == "all" and store.open_children(uow, event.key):
            return None
        return {"outcome": "done"}
    at = to_micros(event.at or uow.now)
    return {"outcome": event.type, "found": payload.get("found"), "at": at}


def _acted(uow: UnitOfWork, payload: dict[str, Any], library: BundleLibrary, case_id: str) -> dict[str, Any] | None:
    """What became of the act; a hold is no end of it where the stage does not say what comes then.

    A refusal says why in the fact `refused_for`: the gate's code, or `recipient` where the other side refused it.
    """
    result = payload.get("result") or {}
    if payload["state"] == "held":
        case = store.read_case(uow, case_id)
        try:
            stage = library.load(uow, case.bundle).playbooks[case.playbook].playbook.stages[case.stage]
        except FairleadError:
            return {"outcome": "held", "result": result}  # whoever can load it says what is wrong
        if "held" not in stage.next:
            return None
    if payload["state"] == "refused":
        code = (result.get("gate") or {}).get("code") or "recipient"
        return {"outcome": "refused", "result": result, "found": {"refused_for": code}}
    return {"outcome": payload["state"], "result": result}


def _outcome(uow: UnitOfWork, event: Event) -> str:
    """A rejection that no person but the clock gave is an expiry."""
    verdict = event.payload["verdict"]
    if verdict in {"expired", "blocked"}:
        return str(verdict)
    if event.payload.get("answer") is not None:
        return "approved"
    decision = read_decision(uow, event.key)
    return "expired" if decision is not None and decision.decided_by == str(TIMER) else "rejected"
