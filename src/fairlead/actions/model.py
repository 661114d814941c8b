"""Actions as pure data: states, who may follow whom, retries, what a lease finds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from fairlead.actions.delivery import Receipt, ReceiptState
from fairlead.errors import InputError

MAX_KEY = 300
MAX_BODY_CHARS = 262_144
MAX_DETAIL = 2_000


class ActionState(StrEnum):
    """Where an action stands; one that is being delivered is a queued one with a lease."""

    QUEUED = "queued"
    HELD = "held"
    """Not delivered while a stop switch is on, or until the gate lets it through; looked at again by itself then."""
    SENT = "sent"
    REFUSED = "refused"
    FAILED = "failed"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    AMBIGUOUS = "ambiguous"
    """Perhaps sent; waits for a person's word and is never sent again by itself."""


_S = ActionState
TRANSITIONS: dict[ActionState, frozenset[ActionState]] = {
    _S.QUEUED: frozenset({_S.HELD, _S.SENT, _S.REFUSED, _S.FAILED, _S.EXPIRED, _S.WITHDRAWN, _S.AMBIGUOUS}),
    _S.HELD: frozenset({_S.QUEUED, _S.EXPIRED, _S.WITHDRAWN, _S.AMBIGUOUS}),
    _S.AMBIGUOUS: frozenset({_S.SENT, _S.FAILED, _S.QUEUED}),
    _S.SENT: frozenset(),
    _S.REFUSED: frozenset(),
    _S.FAILED: frozenset({_S.QUEUED, _S.WITHDRAWN}),
    _S.EXPIRED: frozenset(),
    _S.WITHDRAWN: frozenset(),
}
OPEN = frozenset({_S.QUEUED, _S.HELD})
MESSAGE = "message"
"""The connector of messages to customers: it picks the connector of the message's channel."""
DEFAULT_CHANNEL = "email"
MAX_THREAD = 200
MAX_PRIORITY = 9
_MAX_VALUE = 2**42 - 1


def may_follow(before: ActionState, after: ActionState) -> bool:
    """Whether an action may go from `before` to `after`; never from a state to itself."""
    return after in TRANSITIONS[before]


@dataclass(frozen=True, slots=True)
class ActionDraft:
    """An effect to be queued.

    `checkpoint` names the checkpoint whose automatic decision caused it, None where a person decided: only
    the former can be stopped. `serial_key` None means the customer, "" no order at all; order is kept within its
    `thread` (None: what the body says). Of what is due, the higher `priority` (-9 to 9) goes first, then what is worth
    more (minor units). `due_at` None means at once; `expires_at` None never. InputError for what cannot be stored.
    """

    idempotency_key: str
    connector: str
    kind: str
    body: dict[str, Any] = field(default_factory=dict)
    playbook: str | None = None
    checkpoint: str | None = None
    case_id: str | None = None
    customer_id: str | None = None
    serial_key: str | None = None
    due_at: datetime | None = None
    expires_at: datetime | None = None
    thread: str | None = None
    priority: int = 0
    value_minor: int | None = None

    def __post_init__(self) -> None:
        """Refuse an empty or overlong key and an action without connector or kind."""
        if not 0 < len(self.idempotency_key) <= MAX_KEY or "\0" in self.idempotency_key:
            message = f"an idempotency key has 1 to {MAX_KEY} characters and no NUL"
            raise InputError(message, field="idempotency_key")
        if not self.connector or not self.kind:
            message = "an action needs a connector and a kind"
            raise InputError(message, field="connector" if not self.connector else "kind")
        if abs(self.priority) > MAX_PRIORITY:
            message = f"a priority is from -{MAX_PRIORITY} to {MAX_PRIORITY}, not {self.priority}"
            raise InputError(message, field="priority")

    @property
    def outlet(self) -> str:
        """What rates and breakers count by: the connector, and for messages the channel as well."""
        if self.connector != MESSAGE:
            return self.connector
        return f"{MESSAGE}/{str(self.body.get('channel') or DEFAULT_CHANNEL)[:40]}"

    @property
    def thread_key(self) -> str:
        """The thread within which order is kept, "" for none."""
        given = self.body.get("thread") if self.thread is None else self.thread
        return given[:MAX_THREAD] if isinstance(given, str) else ""

    @property
    def rank(self) -> int:
        """One number to sort by, smaller first: priority, then value."""
        return -self.priority * (_MAX_VALUE + 1) - min(max(self.value_minor or 0, 0), _MAX_VALUE)


class ScopeKind(StrEnum):
    """What a stop switch stops."""

    WORKSPACE = "workspace"
    PLAYBOOK = "playbook"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class Scope:
    """Automatic actions of everything (`name` is "" then), of one playbook or of one checkpoint."""

    kind: ScopeKind
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse a name where none belongs, and none where one does."""
        if bool(self.name) == (self.kind is ScopeKind.WORKSPACE):
            message = f"a stop of kind {self.kind.value} " + ("takes no name" if self.name else "needs a name")
            raise InputError(message, field="name")

    def covers(self, playbook: str | None, checkpoint: str | None) -> bool:
        """Whether an action of this playbook and this automatic checkpoint (None: a person's) is stopped."""
        if checkpoint is None:
            return False
        if self.kind is ScopeKind.WORKSPACE:
            return True
        return self.name == (playbook if self.kind is ScopeKind.PLAYBOOK else checkpoint)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how late a failed delivery is tried again."""

    max_attempts: int = 6
    first_s: float = 2.0
    factor: float = 4.0
    longest_s: float = 3_600.0
    jitter: float = 0.5
    """Share of each pause that is spread, 0 to 1, so that a thousand failures do not return at once."""

    def pause(self, action_id: str, attempt: int) -> timedelta:
        """Before the attempt after `attempt` (from 1); the same for the same action and attempt."""
        full = min(self.longest_s, self.first_s * self.factor ** min(attempt - 1, 64))
        draw = int.from_bytes(hashlib.sha256(f"{action_id}/{attempt}".encode()).digest()[:8]) / 2**64
        return timedelta(seconds=full * (1 - self.jitter * draw))


@dataclass(frozen=True, slots=True)
class Ticket:
    """A queued action as a worker sees it; a ready one that has a `lease_token` was lost by its worker.

    `sending` is written before a message to a customer is handed over: one that is lost without it never left.
    """

    id: str
    connector: str
    kind: str
    playbook: str | None
    checkpoint: str | None
    case_id: str | None
    customer_id: str | None
    expires_at: datetime | None
    attempt: int
    lease_token: str | None
    withdrawn: bool
    outlet: str = ""
    sending: bool = False


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a worker delivers, with its idempotency key, and until when it is the worker's."""

    ticket: Ticket
    key: str
    body: dict[str, Any]
    lease_until: datetime
    due_at: datetime
    value_minor: int | None = None
    result: dict[str, Any] | None = None
    """What was written down of it so far, such as why the gate held it; None: nothing."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of an action, and the words and figures kept with it; `look_at` is when a held one is asked about."""

    state: ActionState
    result: dict[str, Any]
    look_at: datetime | None = None


def settled(state: ActionState, detail: str, attempts: int, *, perhaps_sent: bool = False) -> Settled:
    """An outcome; where a worker vanished during a delivery, nothing may claim that it was not sent.

    Only `held` can keep the doubt: it ends either in another delivery, whose answer clears it, or ambiguous.
    """
    result: dict[str, Any] = {"detail": detail.replace("\0", "")[:MAX_DETAIL], "attempts": attempts}
    if perhaps_sent:
        result["perhaps_sent"] = True
        state = state if state is ActionState.HELD else ActionState.AMBIGUOUS
    return Settled(state, result)


def before_delivery(
    ticket: Ticket, now: datetime, stops: Sequence[Scope], retry: RetryPolicy, *, gated: bool = False
) -> Settled | None:
    """What becomes of a ready action instead of a delivery; None: deliver it.

    `gated`: it passes the gate first, so that a lost lease alone does not mean that it was perhaps sent.
    """
    if ticket.withdrawn:
        state, words = ActionState.WITHDRAWN, "withdrawn before it was delivered"
    elif ticket.expires_at is not None and ticket.expires_at <= now:
        state, words = ActionState.EXPIRED, "not delivered in time"
    elif ticket.attempt >= retry.max_attempts:
        state, words = ActionState.FAILED, f"no result after {ticket.attempt} deliveries"
    elif any(stop.covers(ticket.playbook, ticket.checkpoint) for stop in stops):
        state, words = ActionState.HELD, "a stop switch is on"
    else:
        return None
    lost = ticket.sending if gated else ticket.lease_token is not None
    return settled(state, words, ticket.attempt, perhaps_sent=lost)


def after_delivery(ticket: Ticket, receipt: Receipt, retry: RetryPolicy) -> Settled | None:
    """What becomes of an action after a delivery; None: it is tried again later."""
    if receipt.state is not ReceiptState.FAILED:
        return settled(ActionState(receipt.state.value), receipt.detail, ticket.attempt)
    if ticket.withdrawn:
        return settled(ActionState.WITHDRAWN, receipt.detail, ticket.attempt)
    if ticket.attempt >= retry.max_attempts:
        return settled(ActionState.FAILED, receipt.detail, ticket.attempt)
    return None


def too_late(attempts: int, result: dict[str, Any] | None) -> Settled:
    """What becomes of a held action (with its result so far) whose time is over."""
    outcome = settled(ActionState.EXPIRED, "held until it was too late", attempts, perhaps_sent=doubtful(result))
    if result and "gate" in result:
        outcome.result["gate"] = result["gate"]
    return outcome


def taken_back(attempts: int, result: dict[str, Any] | None) -> Settled:
    """What becomes of an action that nobody is delivering when it is withdrawn."""
    return settled(ActionState.WITHDRAWN, "withdrawn before it was delivered", attempts, perhaps_sent=doubtful(result))


def doubtful(result: dict[str, Any] | None) -> bool:
    """Whether an action with this result may have been sent although nobody knows."""
    return bool(result and result.get("perhaps_sent"))
