"""What failed for good: tried again by a person's word, one or all of a connector's, or given up with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_

from fairlead.actions import store
from fairlead.actions.model import OPEN, ActionState, settled
from fairlead.actions.service import queue_again, tell
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.guardrails import expire_reservations, stale_reservations
from fairlead.kit.actors import Actor
from fairlead.kit.unit_of_work import Reader, UnitOfWork

MAX_REASON = 500
MAX_BULK = 1_000
_UNSENT = frozenset({ActionState.REFUSED, ActionState.FAILED, ActionState.EXPIRED, ActionState.WITHDRAWN})


def dead_letters(reader: Reader, connector: str, *, now: datetime, limit: int = MAX_BULK) -> list[str]:
    """Ids of what failed for good at this connector, or at one channel's outlet, oldest first, at most 1,000.

    What is too late to be delivered by its own time is left out.
    """
    field = "outlet" if "/" in connector else "connector"
    which = and_(store.matching([ActionState.FAILED], {field: connector}, None), store.in_time(now))
    return [row.id for row in store.rows_of(reader, which, min(limit, MAX_BULK))]


def retry_dead(uow: UnitOfWork, action_ids: Sequence[str], actor: Actor) -> list[str]:
    """Queue failed actions anew, in their old order, with all their attempts; the idempotency keys that come back.

    A message passes the gate again. NotFoundError for an unknown id, ConflictError for one that has not failed or
    whose time is over: then nothing is queued. InputError for more than 1,000.
    """
    if len(action_ids) > MAX_BULK:
        message = f"{len(action_ids)} actions are too many at once; at most {MAX_BULK}"
        raise InputError(message, field="ids")
    rows = [_failed(uow, one) for one in sorted(set(action_ids))]
    for row in rows:
        if row.expires_at is not None and row.expires_at <= uow.now:
            message = f"action {row.id} was to be delivered by {row.expires_at:%Y-%m-%d %H:%M} UTC; that is over"
            raise ConflictError(message, action=row.id, state=row.state)
    queue_again(uow, rows, actor, "action.retried", afresh=True)
    return [row.idempotency_key for row in rows]


def give_up(uow: UnitOfWork, action_id: str, actor: Actor, *, reason: str) -> None:
    """Withdraw a failed action for good. ConflictError for one that has not failed, InputError without a reason."""
    if not 0 < len(reason.strip()) <= MAX_REASON:
        message = f"giving up needs a reason of at most {MAX_REASON} characters"
        raise InputError(message, field="reason")
    row = _failed(uow, action_id)
    outcome = settled(ActionState.WITHDRAWN, f"given up: {reason.strip()}", row.attempt)
    outcome.result["failed"] = (row.result or {}).get("detail", "")
    store.change_states(uow, [action_id], outcome.state, outcome.result, done=True)
    tell(uow, [(row, outcome)], actor)


def settle_stale(uow: UnitOfWork, before: datetime, limit: int = 500) -> int:
    """End places under the caps that were taken before that moment and whose fate nobody told; how many.

    One whose action ended unsent is given back; one whose action is open is left to it; every other may have been
    sent and keeps its place.
    """
    keys = stale_reservations(uow, before, limit)
    states = store.states_of_gate_keys(uow, keys)
    over = [key for key in keys if states.get(key) not in OPEN]
    expire_reservations(uow, over, [key for key in over if states.get(key) in _UNSENT])
    return len(over)


def _failed(uow: UnitOfWork, action_id: str) -> Any:
    row = store.lock_action(uow, action_id)
    if row is None:
        message = f"there is no action {action_id}"
        raise NotFoundError(message, action=action_id)
    if row.state != ActionState.FAILED:
        message = f"action {action_id} is {row.state}, not failed"
        raise ConflictError(message, action=action_id, state=row.state)
    return row
