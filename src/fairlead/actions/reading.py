"""What others read of actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairlead.actions import outlets, store
from fairlead.actions.model import ActionState, Scope
from fairlead.actions.pacing import OutletState, Rate
from fairlead.errors import InputError, NotFoundError
from fairlead.kit.unit_of_work import Reader

MAX_LISTED = 500


@dataclass(frozen=True, slots=True)
class Action:
    """An effect as it stands; `attempts` counts deliveries, `problem` says why the last is tried again.

    `outlet` is the connector, and for messages the channel. `look_at` is when the gate is asked again about a held one.
    """

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
    thread: str
    outlet: str
    value_minor: int | None
    look_at: datetime | None

    @property
    def gate(self) -> dict[str, Any]:
        """What the gate said last, where it held or refused the message; empty otherwise."""
        found = (self.result or {}).get("gate")
        return found if isinstance(found, dict) else {}


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


@dataclass(frozen=True, slots=True)
class Copy:
    """What was handed over at the last delivery, to the letter, and what the other side said.

    `content` is empty once the customer was erased.
    """

    state: str
    words: str
    attempt: int
    at: datetime
    content: str


@dataclass(frozen=True, slots=True)
class ActionFilter:
    """Which actions to list; None: any. `state` may be `repair`: failed and ambiguous ones."""

    state: str | None = None
    connector: str | None = None
    outlet: str | None = None
    customer_id: str | None = None
    case_id: str | None = None


@dataclass(frozen=True, slots=True)
class Outlet:
    """How a way out does now. `rate` None: no limit. `first_due` None: nothing is queued."""

    state: OutletState
    rate: Rate | None
    queued: int
    first_due: datetime | None


REPAIR = "repair"


def actions_page(reader: Reader, which: ActionFilter, before: str | None, limit: int) -> list[Action]:
    """Actions, newest first, at most 500; `before` is the id of the last one seen. InputError for an unknown state."""
    states = {REPAIR: ["failed", "ambiguous"]}.get(which.state or "", [which.state] if which.state else [])
    if unknown := [one for one in states if one not in set(ActionState)]:
        message = f"there is no state {unknown[0]!r:.80}; known are {', '.join(ActionState)}, {REPAIR}"
        raise InputError(message, field="state")
    wanted = {
        "connector": which.connector, "outlet": which.outlet, "customer_id": which.customer_id,
        "case_id": which.case_id,
    }  # fmt: skip
    condition = store.matching(states, {name: value for name, value in wanted.items() if value}, before)
    return [_action(row) for row in store.rows_of(reader, condition, min(limit, MAX_LISTED), newest=True)]


def open_counts(reader: Reader) -> dict[str, int]:
    """How many actions are queued, held, failed and ambiguous; states without any are absent."""
    return {row[0]: row[1] for row in outlets.counts(reader)}


def outlets_now(reader: Reader, rates: Mapping[str, Rate], now: datetime) -> list[Outlet]:
    """Every way out that has something queued or that was ever limited or failed, by name."""
    known = outlets.states(reader)
    waiting = {row[0]: (row[1], row[2]) for row in outlets.waiting(reader)}
    found = []
    for name in sorted({*known, *waiting}):
        queued, due = waiting.get(name, (0, None))
        rate = rates.get(name) or rates.get(name.partition("/")[0])
        found.append(Outlet(known.get(name) or OutletState(name, 0.0, now), rate, queued, due))
    return found


def ways_out(reader: Reader) -> set[str]:
    """Every connector and outlet by which something was ever to go out."""
    return {name for row in store.ways_out(reader) for name in row}


def copy_of(reader: Reader, action_id: str) -> Copy | None:
    """What was handed over for this action; None where a connector kept no copy, or nothing was delivered."""
    row = outlets.copy_of(reader, action_id)
    return None if row is None else Copy(row.state, row.words, row.attempt, row.at, row.content)


def _action(row: Any) -> Action:
    values = {name: getattr(row, name) for name in Action.__slots__ if name not in {"attempts", "state"}}
    attempts = row.attempt if row.begun is None else row.begun
    return Action(**values, attempts=attempts, state=ActionState(row.state))
