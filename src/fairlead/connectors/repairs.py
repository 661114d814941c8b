"""A person's word on deliveries that went wrong, for the outbox and for the journal of mail at once."""

from __future__ import annotations

from collections.abc import Sequence

from fairlead.actions import ActionState, action_of, retry_dead, settle_ambiguous
from fairlead.connectors.mail_journal import allow_resend
from fairlead.errors import InputError
from fairlead.kit.actors import Actor
from fairlead.kit.unit_of_work import UnitOfWork

WORDS = {"arrived": ActionState.SENT, "not_arrived": ActionState.FAILED, "send_again": ActionState.QUEUED}
"""What somebody can say of a delivery whose fate is unknown."""
MAX_REASON = 500


def settle_unknown(uow: UnitOfWork, action_id: str, said: str, actor: Actor, *, reason: str) -> None:
    """Say what became of an ambiguous delivery: `arrived`, `not_arrived`, or `send_again`, which passes the gate anew.

    InputError for another word and without a reason, ConflictError when it is not ambiguous any more.
    """
    if said not in WORDS:
        message = f"{said!r:.40} is none of {', '.join(WORDS)}"
        raise InputError(message, field="outcome")
    if not 0 < len(reason.strip()) <= MAX_REASON:
        message = f"say how you know, in at most {MAX_REASON} characters"
        raise InputError(message, field="reason")
    settle_ambiguous(uow, action_id, WORDS[said], actor, reason=reason.strip())
    if WORDS[said] is ActionState.QUEUED:
        allow_resend(uow, action_of(uow, action_id).idempotency_key)


def retry_failed(uow: UnitOfWork, action_ids: Sequence[str], actor: Actor) -> int:
    """Queue what failed for good once more; how many. See `fairlead.actions.retry_dead` for what is refused."""
    keys = retry_dead(uow, action_ids, actor)
    for key in keys:
        allow_resend(uow, key)
    return len(keys)
