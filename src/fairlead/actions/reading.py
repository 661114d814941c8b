"""What others read of actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairlead.actions import store
from fairlead.actions.model import ActionState, Scope
from fairlead.errors import NotFoundError
from fairlead.kit.unit_of_work import Reader

MAX_LISTED = 500


@dataclass(frozen=True, slots=True)
class Action:
    """An effect as it stands; `attempts` counts deliveries, `problem` says why the last is tried again."""

    id: str
    idempotency_key: str
    connector: str
    kind: str
    body: dict[str, Any]
    playbook: str | None
    checkpoint: str | None
    case_id: str | None
    customer_id: str | None
    serial_key: str | None
    state: ActionState
    due_at: datetime
    expires_at: datetime | None
    attempts: int
    result: dict[str, Any] | None
    problem: str | None
    created_at: datetime
    done_at: datetime | None


def action_of(reader: Reader, action_id: str) -> Action:
    """One action; NotFoundError when there is none."""
    rows = store.rows_of(reader, store.with_ids([action_id]), 1)
    if not rows:
        message = f"there is no action {action_id}"
        raise NotFoundError(message, action=action_id)
    return _action(rows[0])


def actions_of_case(reader: Reader, case_id: str) -> list[Action]:
    """The first 500 actions of a case, oldest first."""
    return [_action(row) for row in store.rows_of(reader, store.of_cases([case_id]), MAX_LISTED)]


def states_of(reader: Reader, action_ids: Sequence[str]) -> dict[str, ActionState]:
    """State by action id; unknown ids are absent."""
    return {one: ActionState(state) for one, state in store.states(reader, action_ids)}


def stops_on(reader: Reader) -> list[Scope]:
    """Scopes whose automatic actions are not delivered at present."""
    return store.stops(reader)


def _action(row: Any) -> Action:
    values = {name: getattr(row, name) for name in Action.__slots__ if name not in {"attempts", "state"}}
    attempts = row.attempt if row.begun is None else row.begun
    return Action(**values, attempts=attempts, state=ActionState(row.state))
