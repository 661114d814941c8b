"""What the gate is asked about a message of the outbox, and what becomes of the message by its answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from fairlead.actions.delivery import ReceiptState
from fairlead.actions.model import DEFAULT_CHANNEL, ActionState, Parcel, Settled, settled
from fairlead.errors import FairleadError, InputError
from fairlead.guardrails import Attempt, GateAnswer, Sender, Verdict
from fairlead.kit.clock import iso

MAX_KEY, MAX_KIND = 200, 64
OUTCOMES = {
    ReceiptState.SENT: "accepted",
    ReceiptState.REFUSED: "not_sent",
    ReceiptState.FAILED: "not_sent",
    ReceiptState.AMBIGUOUS: "unknown",
}
"""What the gate is told of each answer of a connector."""


def gate_key(key: str) -> str:
    """The key by which the gate knows a message: the action's own, or a digest of one that is too long."""
    return key if len(key) <= MAX_KEY else f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def attempt_of(parcel: Parcel) -> Attempt:
    """The parcel as the gate is asked about it; InputError for a body that does not say what it is for."""
    body, ticket = parcel.body, parcel.ticket
    if not body.get("purpose"):
        message = "A message to a customer says what it is for: `purpose`, one of the contact rules'."
        raise InputError(message, code="no_purpose", field="purpose")
    sender = _word(body, "sender") or Sender.API.value
    automatic = body["automatic"] is not False if "automatic" in body else sender != Sender.AGENT
    tags = body.get("tags")
    return Attempt(
        gate_key(parcel.key), ticket.customer_id, channel_of(body), _word(body, "to"), _word(body, "purpose"), sender,
        ticket.kind[:MAX_KIND], tuple(map(str, tags)) if isinstance(tags, list) else (), parcel.value_minor,
        ticket.case_id, automatic, bool(body.get("reply_to_message")), parcel.due_at,
    )  # fmt: skip


def channel_of(body: Mapping[str, Any]) -> str:
    """The channel that a message names, e-mail without one."""
    return _word(body, "channel") or DEFAULT_CHANNEL


def stopped_by(answer: GateAnswer, attempts: int, *, perhaps_sent: bool) -> Settled | None:
    """What becomes of a message by the gate's answer; None: it may go. Nothing was delivered, so no attempt counts."""
    if answer.verdict is Verdict.ALLOWED:
        return None
    state = ActionState.HELD if answer.verdict is Verdict.HELD else ActionState.REFUSED
    outcome = settled(state, answer.words, attempts - 1, perhaps_sent=perhaps_sent)
    outcome.result["gate"] = {
        "code": answer.code.value,
        "words": answer.words,
        "allowed_at": iso(answer.allowed_at) if answer.allowed_at else None,
        "facts": answer.facts,
        "checks": [list(one) for one in answer.checks],
    }
    return Settled(outcome.state, outcome.result, answer.ask_again_at if outcome.state is ActionState.HELD else None)


def unfit(error: FairleadError, attempts: int, *, perhaps_sent: bool) -> Settled:
    """What becomes of a message about which the gate cannot even be asked."""
    outcome = settled(ActionState.REFUSED, error.message, attempts - 1, perhaps_sent=perhaps_sent)
    outcome.result["gate"] = {"code": error.reason, "words": error.message}
    return outcome


def _word(body: Mapping[str, Any], name: str) -> str:
    found = body.get(name)
    return found.strip() if isinstance(found, str) else ""
