"""The gate over HTTP: ask, poll, execute what was approved, read why."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from fairlead.api import gate_reports, outcomes
from fairlead.api.asking import MAX_WAIT_S, AskBody, Audience, ExecutedBody, body_of, documented
from fairlead.api.decision_access import decision_of, is_withheld, require_reading
from fairlead.api.discretion import discreet_record
from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import principal, services
from fairlead.api.waiting import DecisionWaiters
from fairlead.checkpoints import (
    Asked,
    Execution,
    approval_state,
    execute_approval,
    explain,
    explain_for_customer,
    lock_asked,
    page_of_asked,
    recall,
)
from fairlead.errors import FaultError, NotFoundError
from fairlead.kit import jsons
from fairlead.kit.clock import iso
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.people import Permission, Principal, PrincipalKind
from fairlead.reviews import RETRY_AFTER_S, Gate, GateTerms, PolicySource, Standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI

    from fairlead.api.http import Services
    from fairlead.checkpoints import CheckpointPolicy
    from fairlead.kit.unit_of_work import Reader
    from fairlead.playbooks import BundleLibrary

MAX_PAGE = 200
WITHHELD = "What is proposed or decided is withheld while a person answers the same without seeing it."
router = APIRouter(prefix="/v1/decisions", tags=["decisions"], responses=ERROR_RESPONSES)
Wait = Annotated[float, Query(ge=0, le=MAX_WAIT_S, description="Seconds to wait for a decision.")]


@dataclass(frozen=True)
class GateDoor:
    """What the routes of the gate share; in `app.state.gate_door`."""

    gate: Gate
    waiters: DecisionWaiters


def install_gate(app: FastAPI, policies: PolicySource, seed: bytes, *, currency: str = "EUR") -> None:
    """Add the gate to an application that `api.install` has prepared; `seed` keys the draws, as in the
    engine.
    """
    svc: Services = app.state.services
    if svc.settings.secret_key is None:
        raise FaultError("the gate needs the secret key; see settings.provide_secrets")
    secret = hmac.digest(svc.settings.secret_key.get_secret_value().encode(), b"fairlead approvals", "sha256")
    terms = GateTerms(seed, secret, timedelta(minutes=svc.settings.approval_min), currency)
    app.state.gate_door = GateDoor(Gate(terms, policies), DecisionWaiters(svc.database, svc.clock))
    for one in (outcomes.router, gate_reports.router, router):
        app.include_router(one)


def deployed_policies(library: BundleLibrary) -> PolicySource:
    """The policies of what is deployed now; NotFoundError names the checkpoint that was probably meant."""

    def policy(reader: Reader, checkpoint: str) -> CheckpointPolicy:
        known = library.current(reader).policies
        found = known.get(checkpoint)
        if found is None:
            hint = did_you_mean(checkpoint, known) or "None is deployed."
            raise NotFoundError(f"There is no checkpoint {checkpoint[:64]!r}. {hint}", checkpoint=checkpoint[:64])
        return found

    return policy


@router.post("", openapi_extra=documented(AskBody))
async def ask_for_decision(request: Request) -> Response:
    """Have a proposal decided: at once by policy and grant, or by a person, for whom `wait` waits a while.

    The same key and body give the decision as it stands now; the same key with another body is a 409.
    """
    raw = await request.body()
    standing, wait = await run_in_threadpool(_ask, request, raw)
    if wait and standing.state == "waiting":
        await _door(request).waiters.wait(standing.asked.id, wait)
        standing = await run_in_threadpool(_stands, request, standing.asked.id)
    return _answer(request, standing)


@router.get("")
async def list_decisions(
    request: Request,
    checkpoint: Annotated[str | None, Query(max_length=64)] = None,
    before: Annotated[str | None, Query(max_length=64, description="The `next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> Response:
    """Decisions newest first: a key's own of the last 30 days, or all of them for a person."""
    return _json(await run_in_threadpool(_page, request, checkpoint, before, limit))


@router.get("/{decision_id}")
async def read_decision(request: Request, decision_id: str, wait: Wait = 0) -> Response:
    """How it stands now; with `wait`, once it is decided or the time is up."""
    standing = await run_in_threadpool(_stands, request, decision_id)
    if wait and standing.state == "waiting":
        await _door(request).waiters.wait(standing.asked.id, wait)
        standing = await run_in_threadpool(_stands, request, decision_id)
    return _answer(request, standing, withheld=await run_in_threadpool(_is_withheld, request, decision_id))


@router.get("/{decision_id}/explanation")
def explain_decision(request: Request, decision_id: str, audience: Audience = "staff") -> Response:
    """Why: every reason for staff, or sentences that are fit to be shown to the customer."""
    who = principal(request)
    require_reading(who)
    with services(request).database.reading() as reader:
        one = decision_of(reader, who, decision_id)
        withheld = is_withheld(reader, who, decision_id)
    ruling = recall(one.record)
    words = _explained(one, who, withheld=withheld) if audience == "staff" else explain_for_customer(ruling)
    return _json({"id": one.id, "audience": audience, "explanation": words})


@router.post("/{decision_id}/executed", openapi_extra=documented(ExecutedBody))
async def report_execution(request: Request, decision_id: str) -> Response:
    """Use the approval up: say that the execution begins, how it went, or both at once.

    Whatever is reported as done without a valid approval is refused and kept for the report of unasked
    executions.
    """
    raw = await request.body()
    return _json(await run_in_threadpool(_execute, request, decision_id, raw))


def _door(request: Request) -> GateDoor:
    door: GateDoor = request.app.state.gate_door
    return door


def _ask(request: Request, raw: bytes) -> tuple[Standing, float]:
    who = principal(request)
    who.require(Permission.DECISIONS_ASK)
    body = body_of(AskBody, raw)
    asked = body.request()
    with services(request).database.transaction() as uow:
        return _door(request).gate.decide(uow, who, asked), body.wait


def _stands(request: Request, decision_id: str) -> Standing:
    who, svc, gate = principal(request), services(request), _door(request).gate
    require_reading(who)
    with svc.database.reading() as reader:
        one = decision_of(reader, who, decision_id)
        seen = gate.look(reader, who, one, svc.clock.now())
    if seen is not None:
        return seen
    with svc.database.transaction() as uow:
        return gate.standing(uow, who, decision_of(uow, who, decision_id))


def _is_withheld(request: Request, decision_id: str) -> bool:
    with services(request).database.reading() as reader:
        return is_withheld(reader, principal(request), decision_id)


def _execute(request: Request, decision_id: str, raw: bytes) -> dict[str, Any]:
    who = principal(request)
    who.require(Permission.DECISIONS_EXECUTE)
    body = body_of(ExecutedBody, raw)
    said = Execution(body.approval, body.digest, body.answer, body.ok, body.result)
    with services(request).database.transaction() as uow:
        one = lock_asked(uow, decision_of(uow, who, decision_id))
        refusal = execute_approval(uow, one, who.actor, said)
    if refusal is not None:
        raise refusal
    state = "begun" if said.ok is None else "executed" if said.ok else "failed"
    return {"id": one.id, "execution": state, "answer": one.to_execute(uow.now)}


def _page(request: Request, checkpoint: str | None, before: str | None, limit: int) -> dict[str, Any]:
    who, svc = principal(request), services(request)
    require_reading(who)
    key_id = who.id if who.kind is PrincipalKind.API_KEY else None
    with svc.database.reading() as reader:
        found = page_of_asked(reader, limit + 1, key_id=key_id, checkpoint=checkpoint, before=before)
    now = svc.clock.now()
    items = [
        {
            "id": one.id, "checkpoint": one.checkpoint, "state": one.state(now), "path": one.path,
            "verdict": None if one.state(now) == "waiting" else one.verdict,
            "created_at": iso(one.created_at),
            "execution": approval_state(one, now),
        }
        for one in found[:limit]
    ]  # fmt: skip
    return {"items": items, "next": found[limit - 1].id if len(found) > limit else None}


def _explained(one: Asked, who: Principal, *, withheld: bool) -> str:
    return WITHHELD if withheld else explain(recall(_seen(one, who)))


def _seen(one: Asked, who: Principal) -> Mapping[str, Any]:
    """The record of the ruling, without what only some may know."""
    return one.record if who.can(Permission.SENSITIVE_READ) else discreet_record(one.record)


def _answer(request: Request, standing: Standing, *, withheld: bool = False) -> Response:
    one, now, approval = standing.asked, standing.now, standing.approval
    waiting = standing.state == "waiting"
    review = None
    if standing.review_id is not None:
        url = services(request).settings.public_url
        review = {"id": standing.review_id, "url": f"{url}/reviews/{standing.review_id}"}
    body = {
        "id": one.id,
        "checkpoint": one.checkpoint,
        "state": standing.state,
        "path": one.path,
        "answer": None if withheld else one.to_execute(now),
        "verdict": None if waiting else one.verdict,
        "reason": None if waiting else one.reason,
        "effective_at": None if one.effective_at is None else iso(one.effective_at),
        "explanation": _explained(one, principal(request), withheld=withheld),
        "ruling": None if withheld else _seen(one, principal(request)),
        "approval": approval and {
            "token": approval.token, "digest": approval.digest, "expires_at": iso(approval.expires_at),
        },
        "execution": "open" if approval else approval_state(one, now),
        "review": review,
        "customer": one.customer_id,
        "retry_after": RETRY_AFTER_S if waiting else None,
    }  # fmt: skip
    headers = {"Retry-After": str(RETRY_AFTER_S)} if waiting else None
    return Response(jsons.dumps(body), 200, headers, "application/json")


def _json(body: Any) -> Response:
    return Response(jsons.dumps(body), media_type="application/json")
