"""The outbox over HTTP: what was, will be and could not be delivered, and a person's word on it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StringConstraints
from starlette.requests import Request

from fairlead.actions import (
    Action,
    ActionFilter,
    action_of,
    actions_page,
    copy_of,
    dead_letters,
    give_up,
    open_counts,
    outlets_now,
    parse_rates,
)
from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import require, services
from fairlead.api.shapes import Before, Limit, PathId, Sent, Shown
from fairlead.connectors import retry_failed, settle_unknown
from fairlead.people import Permission, Principal

router = APIRouter(prefix="/v1", tags=["outbox"], responses=ERROR_RESPONSES)
Reading = Annotated[Principal, Depends(require(Permission.OUTBOX_READ))]
Managing = Annotated[Principal, Depends(require(Permission.OUTBOX_MANAGE))]
Why = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
Name = Annotated[str | None, Query(max_length=120)]
State = Literal["queued", "held", "sent", "refused", "failed", "expired", "withdrawn", "ambiguous", "repair"]


class ActionListed(Shown):
    """One action, without what it carries."""

    id: str
    state: str
    connector: str
    outlet: str = Field(description="The connector, and for messages the channel.")
    kind: str
    customer: str | None
    case: str | None
    attempts: int = Field(description="Deliveries begun.")
    detail: str = Field(description="What the other side, the gate or a person said last.")
    refused_for: str | None = Field(description="The gate's reason code, where it held or refused the message.")
    allowed_at: str | None = Field(description="When the gate would let it go, as far as it can foresee.")
    look_at: datetime | None = Field(description="When the gate is asked again about a held message.")
    due_at: datetime
    expires_at: datetime | None
    created_at: datetime
    done_at: datetime | None


class CopyShown(Shown):
    """What was handed over at the last delivery, to the letter; empty once the customer was erased."""

    state: str
    words: str = Field(description="What the other side said.")
    attempt: int
    at: datetime
    content: str


class ActionWhole(ActionListed):
    """One action with what it carries, what the gate said and what was handed over."""

    key: str = Field(description="Its idempotency key.")
    body: dict[str, Any]
    thread: str
    value_minor: int | None
    result: dict[str, Any] | None
    copy_: CopyShown | None = Field(alias="copy", serialization_alias="copy")


class ActionList(Shown):
    """Actions, newest first; `next` continues behind the last, null at the end."""

    items: list[ActionListed]
    next: str | None
    counts: dict[str, int] = Field(description="How many are queued, held, failed and ambiguous at all.")


class OutletShown(Shown):
    """How a way out does now."""

    name: str
    queued: int
    breaker: str = Field(description="closed, or open: nothing is tried but one delivery at `probe_at`")
    failures: int = Field(description="In a row.")
    probe_at: datetime | None
    problem: str
    per_second: float | None = Field(description="The most deliveries a second; null: no limit.")


class OutletList(Shown):
    """Every way out that has something to deliver, or was ever limited or failed."""

    items: list[OutletShown]


class RetryBody(Sent):
    """Try it again as it is, or give it up for good with a reason."""

    give_up: bool = False
    reason: Why | None = None


class SettleBody(Sent):
    """What became of a delivery of which nobody knows whether it arrived."""

    outcome: Literal["arrived", "not_arrived", "send_again"]
    reason: Why = Field(description="How that is known.")


class BulkBody(Sent):
    """Which connector's or outlet's dead letters to try again."""

    outlet: Annotated[str, StringConstraints(min_length=1, max_length=120)]


class BulkShown(Shown):
    """How many were queued; more than 1,000 take several calls."""

    retried: int


@router.get("/actions")
def list_actions(
    request: Request,
    _: Reading,
    state: State | None = None,
    connector: Name = None,
    outlet: Name = None,
    customer: Name = None,
    case: Name = None,
    before: Before = None,
    limit: Limit = 50,
) -> ActionList:
    """Actions, newest first; `state=repair` lists what waits for somebody's word: failed and ambiguous ones."""
    which = ActionFilter(state, connector, outlet, customer, case)
    with services(request).database.reading() as reader:
        rows = actions_page(reader, which, before, limit + 1)
        counts = open_counts(reader)
    items = [ActionListed(**_listed(row)) for row in rows[:limit]]
    return ActionList(items=items, next=items[-1].id if len(rows) > limit else None, counts=counts)


@router.get("/outlets")
def list_outlets(request: Request, _: Reading) -> OutletList:
    """How each way out does: what is queued, whether its breaker is open, how fast it may be used."""
    svc = services(request)
    with svc.database.reading() as reader:
        found = outlets_now(reader, parse_rates(svc.settings.delivery_rates), svc.clock.now())
    items = [
        OutletShown(
            name=one.state.name, queued=one.queued, breaker="open" if one.state.opened_at else "closed",
            failures=one.state.failures, probe_at=one.state.probe_at, problem=one.state.problem,
            per_second=one.rate.per_s if one.rate else None,
        )
        for one in found
    ]  # fmt: skip
    return OutletList(items=items)


@router.get("/actions/{action_id}")
def read_action(request: Request, _: Reading, action_id: PathId) -> ActionWhole:
    """One action with its body, the gate's words, and the exact copy of what was handed over."""
    with services(request).database.reading() as reader:
        return _whole(action_of(reader, action_id), copy_of(reader, action_id))


@router.post("/actions/retries")
def retry_all(request: Request, who: Managing, body: BulkBody) -> BulkShown:
    """Try everything again that failed for good at one connector or outlet and whose time is not over."""
    svc = services(request)
    with svc.database.transaction() as uow:
        ids = dead_letters(uow, body.outlet, now=uow.now)
        count = retry_failed(uow, ids, who.actor)
        uow.after_commit(svc.wake)
    return BulkShown(retried=count)


@router.post("/actions/{action_id}/retry")
def retry_action(request: Request, who: Managing, action_id: PathId, body: RetryBody) -> ActionWhole:
    """Try a failed action again with all its attempts, or give it up; a message passes the gate anew."""
    svc = services(request)
    with svc.database.transaction() as uow:
        if body.give_up:
            give_up(uow, action_id, who.actor, reason=body.reason or "")
        else:
            retry_failed(uow, [action_id], who.actor)
        uow.after_commit(svc.wake)
        return _whole(action_of(uow, action_id), copy_of(uow, action_id))


@router.post("/actions/{action_id}/settle")
def settle_action(request: Request, who: Managing, action_id: PathId, body: SettleBody) -> ActionWhole:
    """Say what became of an ambiguous delivery; it is sent again only on this word."""
    svc = services(request)
    with svc.database.transaction() as uow:
        settle_unknown(uow, action_id, body.outcome, who.actor, reason=body.reason)
        uow.after_commit(svc.wake)
        return _whole(action_of(uow, action_id), copy_of(uow, action_id))


def _listed(one: Action) -> dict[str, Any]:
    return {
        "id": one.id, "state": one.state.value, "connector": one.connector, "outlet": one.outlet, "kind": one.kind,
        "customer": one.customer_id, "case": one.case_id, "attempts": one.attempts,
        "detail": one.problem or str((one.result or {}).get("detail", "")), "refused_for": one.gate.get("code"),
        "allowed_at": one.gate.get("allowed_at"), "look_at": one.look_at, "due_at": one.due_at,
        "expires_at": one.expires_at, "created_at": one.created_at, "done_at": one.done_at,
    }  # fmt: skip


def _whole(one: Action, copy: Any) -> ActionWhole:
    return ActionWhole(
        **_listed(one), key=one.idempotency_key, body=one.body, thread=one.thread, value_minor=one.value_minor,
        result=one.result, copy=None if copy is None else CopyShown.model_validate(copy),
    )  # fmt: skip
