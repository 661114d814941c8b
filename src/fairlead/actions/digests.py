"""Messages that a full cap held for a digest: when one of them gets a place, the others go out with it as one message.

The one with the place carries them: it alone was let through by the gate, for the same customer, address, purpose,
tags and sender as theirs. They are leased and marked as leaving in the transaction that let it through, so a worker
that vanishes leaves all of them in doubt, and nobody sends one of them again by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from fairlead.actions import store
from fairlead.actions.delivery import Delivery, Receipt
from fairlead.actions.model import ActionState, Parcel, RetryPolicy, Scope, Settled, before_delivery, doubtful, settled
from fairlead.guardrails import WhenFull
from fairlead.kit.actors import Actor
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork

MOST = 20
"""Messages in a digest; what is more waits for the next place."""
_ALIKE = ("channel", "purpose", "to", "sender", "automatic", "language")
_BY_ITSELF = ("sealed", "reply_to_message")
_WITH = "together_with"


def held_for_digest(result: Mapping[str, Any] | None) -> bool:
    """Whether the gate's last answer about an action was that a cap is full that puts messages together."""
    facts = ((result or {}).get("gate") or {}).get("facts") or {}
    return any(one.get("when_full") == WhenFull.DIGEST.value for one in facts.get("full", ()))


def take_up(
    uow: UnitOfWork, runner: str, carrier: Parcel, stops: Sequence[Scope], retry: RetryPolicy, now: datetime, by: Actor
) -> list[Parcel]:
    """The others that go out with `carrier`, in the order in which they were due; from now on they may have left.

    The caller holds the customer's lock, and the gate has just let the carrier through.
    """
    kind = _kind(carrier.body)
    if carrier.ticket.customer_id is None or kind is None:
        return []
    fit = []
    for parcel in store.waiting_beside(uow, carrier, MOST * 5):
        alike = held_for_digest(parcel.result) and not doubtful(parcel.result) and _kind(parcel.body) == kind
        if alike and before_delivery(parcel.ticket, now, stops, retry, gated=True) is None:
            fit.append(parcel)
    taken = fit[: MOST - 1]
    if taken:
        marks = {one.ticket.id: {**(one.result or {}), _WITH: carrier.ticket.id} for one in taken}
        store.lease_beside(uow, runner, carrier.ticket.id, marks)
        uow.record_many(
            AuditEntry("action.put_together", one.ticket.id, {"case": one.ticket.case_id, _WITH: carrier.ticket.id},
                       one.ticket.customer_id, by)
            for one in taken
        )  # fmt: skip
    return [replace(one, ticket=replace(one.ticket, attempt=one.ticket.attempt + 1)) for one in taken]


def as_parts(others: Sequence[Parcel]) -> tuple[Delivery, ...]:
    """The others as a connector gets them with the carrier's delivery."""
    return tuple(Delivery(one.key, one.ticket.kind, one.body, one.ticket.customer_id) for one in others)


def told_of(receipt: Receipt, words: str) -> Receipt:
    """The receipt of a digest as one of its messages keeps it."""
    return replace(receipt, detail=f"{words}: {receipt.detail}" if receipt.detail else words)


def lost_with(parcel: Parcel) -> Settled | None:
    """What becomes of a message whose worker vanished while it left in another one's digest; None: it did not."""
    other = (parcel.result or {}).get(_WITH)
    if not parcel.ticket.sending or not other:
        return None
    words = f"a worker vanished while it was sent in one message with {other}"
    return settled(ActionState.AMBIGUOUS, words, parcel.ticket.attempt - 1)


def _kind(body: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """What messages have in common that may be one; None for one that goes by itself."""
    if any(body.get(name) for name in _BY_ITSELF):
        return None
    tags = body.get("tags")
    listed = tuple(sorted(map(str, tags))) if isinstance(tags, list) else ()
    return (*(str(body.get(name)) for name in _ALIKE), listed)
