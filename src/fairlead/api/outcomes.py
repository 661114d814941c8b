"""Outcomes over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from fairlead.api.asking import OutcomeBody, body_of, documented
from fairlead.api.decision_access import decision_of, require_reading
from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import principal, services
from fairlead.evidence import Outcome, OutcomeReport, outcomes_of, report_outcome
from fairlead.kit import jsons
from fairlead.kit.clock import iso
from fairlead.people import Permission

router = APIRouter(prefix="/v1", tags=["decisions"], responses=ERROR_RESPONSES)


@router.post("/outcomes", openapi_extra=documented(OutcomeBody))
async def add_outcome(request: Request) -> Response:
    """Say what came of a decision; 201 the first time, 200 when the same was said before."""
    raw = await request.body()
    outcome, is_new = await run_in_threadpool(_report, request, raw)
    return Response(jsons.dumps(_shown(outcome)), 201 if is_new else 200, media_type="application/json")


@router.get("/decisions/{decision_id}/outcomes")
def list_outcomes(request: Request, decision_id: str) -> Response:
    """What came of a decision, oldest report first, at most 500."""
    who = principal(request)
    require_reading(who)
    with services(request).database.reading() as reader:
        decision_of(reader, who, decision_id)
        found = outcomes_of(reader, decision_id)
    return Response(jsons.dumps({"items": [_shown(one) for one in found]}), media_type="application/json")


def _report(request: Request, raw: bytes) -> tuple[Outcome, bool]:
    who = principal(request)
    who.require(Permission.OUTCOMES_REPORT)
    body = body_of(OutcomeBody, raw)
    report = OutcomeReport(body.decision, body.name, body.value, body.happened_at, body.key)
    with services(request).database.transaction() as uow:
        decision_of(uow, who, body.decision)
        return report_outcome(uow, who.actor, report)


def _shown(one: Outcome) -> dict[str, Any]:
    return {
        "id": one.id, "decision": one.ruling_id, "name": one.name, "value": one.value, "source": one.source,
        "key": one.key, "happened_at": iso(one.happened_at), "recorded_at": iso(one.recorded_at),
    }  # fmt: skip
