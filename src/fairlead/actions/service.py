"""What can be done with actions before and after their delivery."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement

from fairlead.actions import outlets, store
from fairlead.actions.gating import gate_key
from fairlead.actions.model import ActionDraft, ActionState, Scope, Settled, may_follow, settled, taken_back
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.guardrails import settle_contact
from fairlead.kit.actors import Actor
from fairlead.kit.events import Event, publish_many
from fairlead.kit.ids import new_ids
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork

EVENT = "action"
"""Type of the event that says what became of an action; its key is the action's id."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """`withdrawn` will not be delivered; `under_way` were being delivered: sent, or else not tried again."""

    withdrawn: tuple[str, ...] = ()
    under_way: tuple[str, ...] = ()


def queue_many(uow: UnitOfWork, drafts: Sequence[ActionDraft]) -> list[str]:
    """Queue effects; their ids, in order. A known idempotency key gives the id of the action that has it.

    No audit entry: the caller's own transition says what was queued. TooLargeError for a body of more than
    262,144 characters of JSON.
    """
    keys: dict[str, ActionDraft] = {}
    for draft in drafts:
        keys.setdefault(draft.idempotency_key, draft)
    known = store.ids_of_keys(uow, keys)
    fresh = [draft for key, draft in keys.items() if key not in known]
    if fresh:
        made = list(zip(new_ids("act", len(fresh)), fresh, strict=True))
        stored = store.insert_actions(uow, made)
        known.update((draft.idempotency_key, one) for one, draft in made if one in stored)
        if len(stored) < len(made):
            known.update(store.ids_of_keys(uow, [d.idempotency_key for one, d in made if one not in stored]))
    return [known[draft.idempotency_key] for draft in drafts]


def hold_for(uow: UnitOfWork, scope: Scope, actor: Actor) -> int:
    """Stop the automatic actions of a scope, later ones included, until `release_for`; how many are held now.

    What is being delivered at this moment is not called back; if it fails, it is held then.
    """
    if store.add_stop(uow, scope, str(actor)):
        uow.record(AuditEntry("action.stop_set", _name(scope), actor=actor))
    rows = [row for row in store.queued_where(uow, store.automatic_of(scope)) if row.lease_token is None]
    conclude(uow, [(row, settled(ActionState.HELD, "a stop switch is on", row.begun)) for row in rows], actor)
    return len(rows)


def release_for(uow: UnitOfWork, scope: Scope, actor: Actor) -> int:
    """Take a stop back and queue what no other stop covers, each in its old place; how many were queued."""
    if store.remove_stop(uow, scope):
        uow.record(AuditEntry("action.stop_lifted", _name(scope), actor=actor))
    others = store.stops(uow)
    held = store.held_where(uow, store.automatic_of(scope))
    rows = [row for row in held if not any(stop.covers(row.playbook, row.checkpoint) for stop in others)]
    queue_again(uow, rows, actor, "action.released")
    return len(rows)


def withdraw_of_cases(uow: UnitOfWork, case_ids: Sequence[str], actor: Actor) -> Withdrawal:
    """Take back what these cases queued and nobody delivered yet, held actions included."""
    return _withdraw(uow, store.of_cases(case_ids), actor) if case_ids else Withdrawal()


def withdraw_of_case(uow: UnitOfWork, case_id: str, actor: Actor) -> Withdrawal:
    """`withdraw_of_cases` for one."""
    return withdraw_of_cases(uow, [case_id], actor)


def forget_customer(uow: UnitOfWork, customer_id: str, actor: Actor) -> int:
    """After a customer was erased: withdraw what is open and empty what was done; returns how many are empty.

    What is being delivered at this moment keeps its body until this is called again.
    """
    _withdraw(uow, store.of_customer(customer_id), actor)
    count = store.blank(uow, customer_id)
    outlets.blank_copies(uow, customer_id)
    uow.record(AuditEntry("action.forgotten", customer_id, {"actions": count}, actor=actor))
    return count


def settle_ambiguous(uow: UnitOfWork, action_id: str, state: ActionState, actor: Actor, *, reason: str) -> None:
    """A person's word on an action that was perhaps sent: `sent`, `failed`, or `queued` to send it again.

    ConflictError when it is not ambiguous any more, InputError for another state.
    """
    row = store.lock_action(uow, action_id)
    if row is None:
        message = f"there is no action {action_id}"
        raise NotFoundError(message, action=action_id)
    if row.state != ActionState.AMBIGUOUS:
        message = f"action {action_id} is {row.state}, not ambiguous"
        raise ConflictError(message, action=action_id, state=row.state)
    if not may_follow(ActionState.AMBIGUOUS, state):
        message = f"an ambiguous action is settled as sent, failed or queued, not as {state.value}"
        raise InputError(message, field="state")
    if state is ActionState.QUEUED:
        queue_again(uow, [row], actor, "action.resent", afresh=True)
        return
    outcome = settled(state, reason, row.attempt)
    store.change_states(uow, [action_id], state, outcome.result, done=True)
    with suppress(NotFoundError):  # not a message to a customer
        settle_contact(uow, gate_key(row.idempotency_key), "accepted" if state is ActionState.SENT else "not_sent")
    tell(uow, [(row, outcome)], actor)


def conclude(uow: UnitOfWork, outcomes: Sequence[tuple[Any, Settled]], actor: Actor) -> None:
    """Write what became of queued actions; rows have id, case_id and customer_id."""
    if outcomes:
        store.settle(uow, [(row.id, one) for row, one in outcomes])
        tell(uow, outcomes, actor)


def _withdraw(uow: UnitOfWork, which: ColumnElement[bool], actor: Actor) -> Withdrawal:
    free: list[Any] = []
    busy: list[Any] = []
    for row in [*store.queued_where(uow, which), *store.held_where(uow, which)]:
        (free if row.lease_token is None else busy).append(row)
    store.mark_withdrawn(uow, [row.id for row in busy])
    conclude(uow, [(row, taken_back(row.begun, row.result)) for row in free], actor)
    uow.record_many(
        AuditEntry("action.withdrawal_asked", row.id, {"case": row.case_id}, row.customer_id, actor) for row in busy
    )
    return Withdrawal(tuple(row.id for row in free), tuple(row.id for row in busy))


def queue_again(uow: UnitOfWork, rows: Sequence[Any], actor: Actor, verb: str, *, afresh: bool = False) -> None:
    """Put actions back into the queue, in their old place, under an audit entry each; `afresh` forgets attempts."""
    if not rows:
        return
    store.change_states(uow, [row.id for row in rows], ActionState.QUEUED, None, done=False)
    store.enqueue_again(uow, rows, afresh=afresh)
    uow.record_many(AuditEntry(verb, row.id, {"case": row.case_id}, row.customer_id, actor) for row in rows)


def tell(uow: UnitOfWork, outcomes: Sequence[tuple[Any, Settled]], actor: Actor) -> None:
    """Audit what became of actions, and publish it for the cases that wait."""
    uow.record_many(
        AuditEntry(
            f"action.{one.state.value}",
            row.id,
            {"case": row.case_id, "result": one.result},
            row.customer_id,
            actor,
        )
        for row, one in outcomes
    )
    publish_many(uow, (Event(EVENT, row.id, {"state": one.state.value, "result": one.result}) for row, one in outcomes))


def _name(scope: Scope) -> str:
    return f"{scope.kind.value}:{scope.name}" if scope.name else scope.kind.value
