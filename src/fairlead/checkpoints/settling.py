"""Settling a ruling: its one decision is stored and told, or taken back before it takes effect."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fairlead.checkpoints import store
from fairlead.errors import ConflictError, NotFoundError
from fairlead.kit.actors import Actor
from fairlead.kit.events import Event, publish, withdraw
from fairlead.kit.unit_of_work import UnitOfWork

DECISION = "decision"
"""Type of the event that a decision publishes under its ruling's id, due when it takes effect."""


def settle(
    uow: UnitOfWork,
    ruling_id: str,
    verdict: str,
    answer: Mapping[str, Any] | None,
    actor: Actor,
    reason: str,
    effective_at: datetime,
) -> None:
    """Store the one decision of a ruling and tell whoever waits for it, from `effective_at` on.

    `answer` None means the proposal's own for approve, and that nothing is to be done for reject and expired.
    ConflictError when it was decided already, NotFoundError for an unknown ruling. The caller records the audit
    entry.
    """
    if verdict == "approve" and answer is None:
        answer = store.read_ruling(uow, ruling_id).proposal["answer"]
    elif not store.exists(uow, ruling_id):
        message = f"there is no ruling {ruling_id}"
        raise NotFoundError(message, ruling=ruling_id)
    stored = store.insert_decision(
        uow,
        {
            "ruling_id": ruling_id,
            "verdict": verdict,
            "answer": None if answer is None else dict(answer),
            "decided_by": str(actor),
            "reason": reason,
            "decided_at": uow.now,
            "effective_at": effective_at,
        },
    )
    if not stored:
        taken = store.read_decision(uow, ruling_id)
        message = "this was decided already"
        raise ConflictError(message, ruling=ruling_id, by=taken.decided_by if taken else "somebody")
    publish(uow, Event(DECISION, ruling_id, {"verdict": verdict, "answer": answer}, due_at=effective_at))


def unsettle(uow: UnitOfWork, ruling_id: str) -> bool:
    """Take a decision back before it takes effect; False when it already has."""
    if not withdraw(uow, DECISION, ruling_id):
        return False
    store.delete_decision(uow, ruling_id)
    return True


class Settling:
    """`settle` and `unsettle` as one object, for whoever is handed them."""

    settle = staticmethod(settle)
    unsettle = staticmethod(unsettle)


SETTLEMENT = Settling()
