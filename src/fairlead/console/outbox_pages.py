"""The outbox: what waits, what went out to the letter, what failed and what nobody knows, and a word on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

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
from fairlead.api import require, services
from fairlead.connectors import MAX_SHOWN, read_copy, retry_failed, settle_unknown
from fairlead.console.shell import Posted, desk_of, go, posted, render
from fairlead.customers import names_of
from fairlead.people import Permission, Principal

if TYPE_CHECKING:
    from fairlead.kit.unit_of_work import UnitOfWork

PAGE = 50
STATES = {
    "repair": "To repair",
    "queued": "Queued",
    "held": "Held",
    "sent": "Sent",
    "refused": "Refused",
    "expired": "Expired",
    "withdrawn": "Withdrawn",
}
KINDS = {
    "queued": "", "held": "warn", "sent": "good", "refused": "bad", "failed": "bad", "expired": "warn",
    "withdrawn": "", "ambiguous": "warn",
}  # fmt: skip
CODES = {
    "quiet_hours": "quiet hours",
    "cap": "too many messages",
    "paused": "paused by the customer",
    "complaint_open": "a complaint is open",
    "withdrawn": "the customer wants none",
    "suppressed": "the address is shut",
    "no_consent": "nobody said yes",
    "consent_pending": "the yes is not confirmed",
    "consent_expired": "the yes has expired",
    "human_only": "only a person may write",
    "holdout": "drawn into the holdout",
    "no_address": "no address",
    "address_of_another": "somebody else's address",
    "unusable_address": "no address",
    "unknown_purpose": "unknown purpose",
    "channel_not_for_purpose": "not by this channel",
    "no_purpose": "no purpose",
    "erased": "the customer was erased",
    "restricted": "processing is restricted",
    "already_sent": "sent before",
}
"""The gate's codes in a few words."""

router = APIRouter()
Reading = Annotated[Principal, Depends(require(Permission.OUTBOX_READ))]
Managing = Annotated[Principal, Depends(require(Permission.OUTBOX_MANAGE))]
Form = Annotated[Posted, Depends(posted)]
State = Literal["repair", "queued", "held", "sent", "refused", "expired", "withdrawn", ""]


@router.get("/outbox")
def outbox(
    request: Request,
    principal: Reading,
    state: State = "repair",
    outlet: Annotated[str, Query(max_length=120)] = "",
    customer: Annotated[str, Query(max_length=64)] = "",
    before: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Actions of one state, newest first, and how each way out does."""
    svc = services(request)
    which = ActionFilter(state or None, outlet=outlet or None, customer_id=customer or None)
    with svc.database.reading() as reader:
        desk = desk_of(request, reader, principal)
        rows = actions_page(reader, which, before or None, PAGE + 1)
        names = names_of(reader, sorted({row.customer_id for row in rows if row.customer_id}))
        counts = open_counts(reader)
        ways = outlets_now(reader, parse_rates(svc.settings.delivery_rates), svc.clock.now())
    counts["repair"] = counts.get("failed", 0) + counts.get("ambiguous", 0)
    failed = sorted({row.outlet for row in rows if row.state.value == "failed"})
    return render(
        request, "outbox.html", desk, rows=rows[:PAGE], names=names, counts=counts, states=STATES, state=state,
        outlet=outlet, customer=customer, ways=ways, kinds=KINDS, codes=CODES, failed=failed,
        older=rows[PAGE - 1].id if len(rows) > PAGE else "", mail_is_set=bool(svc.settings.smtp_host),
    )  # fmt: skip


@router.get("/outbox/{action_id}")
def action(request: Request, principal: Reading, action_id: str) -> Response:
    """One action: what it carries, what the gate said, what was handed over and what the other side said."""
    return _shown(request, principal, action_id)


def _shown(request: Request, principal: Principal, action_id: str) -> Response:
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        found: Action = action_of(reader, action_id[:64])
        copy = copy_of(reader, found.id)
        names = names_of(reader, [found.customer_id] if found.customer_id else [])
    letter = read_copy(copy.content) if copy is not None and copy.content else None
    raw = copy.content[:MAX_SHOWN] if copy is not None else ""
    return render(
        request, "action.html", desk, one=found, copy=copy, letter=letter, raw=raw, names=names, kinds=KINDS,
        codes=CODES, cut=copy is not None and len(copy.content) > MAX_SHOWN,
    )  # fmt: skip


@router.post("/outbox/retries")
def retry_all(request: Request, principal: Managing, form: Form) -> Response:
    """Try everything again that failed for good at one outlet."""
    svc = services(request)
    outlet = form.text("outlet")[:120]
    with svc.database.transaction() as uow:
        retry_failed(uow, dead_letters(uow, outlet, now=uow.now), principal.actor)
        uow.after_commit(svc.wake)
    return go("/outbox", state="queued", outlet=outlet, said="resent")


@router.post("/outbox/{action_id}/word")
def word(request: Request, principal: Managing, action_id: str, form: Form) -> Response:
    """What somebody says about a failed or doubtful delivery."""
    svc = services(request)
    said = form.text("said")
    with svc.database.transaction() as uow:
        _take(uow, principal, action_id[:64], said, form.text("reason"))
        uow.after_commit(svc.wake)
    return go(f"/outbox/{action_id[:64]}", said="resent" if said in {"retry", "send_again"} else "settled")


def _take(uow: UnitOfWork, principal: Principal, action_id: str, said: str, reason: str) -> None:
    if said == "retry":
        retry_failed(uow, [action_id], principal.actor)
    elif said == "give_up":
        give_up(uow, action_id, principal.actor, reason=reason)
    else:
        settle_unknown(uow, action_id, said, principal.actor, reason=reason)
