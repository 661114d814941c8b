"""Reports on the gate: what was approved and never done, and what was done without leave."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import require, services
from fairlead.checkpoints import approval_state, unasked_executions, unexecuted
from fairlead.kit import jsons
from fairlead.kit.clock import iso
from fairlead.kit.exports import csv_chunks
from fairlead.people import Permission, Principal

MAX_ROWS = 1_000
router = APIRouter(prefix="/v1/reports", tags=["reports"], responses=ERROR_RESPONSES)
Reading = Annotated[Principal, Depends(require(Permission.REPORTS_READ))]
Limit = Annotated[int, Query(ge=1, le=MAX_ROWS)]
Before = Annotated[str | None, Query(max_length=64, description="The `next` of the page before.")]
Format = Literal["json", "csv"]

_UNEXECUTED = ("decision", "checkpoint", "asked_by", "verdict", "effective_at", "expired_at", "execution")
_UNASKED = (
    "id",
    "decision",
    "checkpoint",
    "reported_by",
    "at",
    "why",
    "ok",
    "answer",
    "digest",
    "decided_digest",
)


@router.get("/approved-never-executed")
def approved_never_executed(
    request: Request,
    _: Reading,
    before: Before = None,
    limit: Limit = 100,
    format: Format = "json",  # noqa: A002
) -> Response:
    """What programs were allowed to do in the last 30 days and did not report as done, newest first.

    `execution` says why it is here: `none` (never fetched), `expired` (not used in time), `begun` (never
    finished).
    """
    svc = services(request)
    now = svc.clock.now()
    latest = now - timedelta(minutes=svc.settings.approval_min)
    with svc.database.reading() as reader:
        found = unexecuted(reader, limit + 1, now, latest, before)
    rows = [
        (one.id, one.checkpoint, one.asker, one.verdict, _at(one.effective_at), _at(one.expires_at),
         approval_state(one, now))
        for one in found[:limit]
    ]  # fmt: skip
    return _report(_UNEXECUTED, rows, found[limit - 1].id if len(found) > limit else None, format)


@router.get("/executed-unasked")
def executed_unasked(
    request: Request,
    _: Reading,
    before: Before = None,
    limit: Limit = 100,
    format: Format = "json",  # noqa: A002
) -> Response:
    """What programs reported as done without a valid approval, or other than approved, newest first."""
    with services(request).database.reading() as reader:
        found = unasked_executions(reader, limit + 1, before)
    rows = [
        (row.id, row.ruling_id, row.checkpoint, row.api_key_id, _at(row.at), row.why, row.body["ok"],
         None if row.body["answer"] is None else jsons.dumps(row.body["answer"]), row.body["digest"],
         row.body["decided"])
        for row in found[:limit]
    ]  # fmt: skip
    return _report(_UNASKED, rows, found[limit - 1].id if len(found) > limit else None, format)


def _at(moment: Any) -> str | None:
    return None if moment is None else iso(moment)


def _report(header: Sequence[str], rows: Sequence[Sequence[Any]], following: str | None, wanted: str) -> Response:
    if wanted == "csv":
        headers = {"Content-Disposition": "attachment; filename=report.csv"}
        if following:
            headers["X-Next"] = following
        return StreamingResponse(csv_chunks(header, rows), media_type="text/csv; charset=utf-8", headers=headers)
    items = [dict(zip(header, row, strict=True)) for row in rows]
    return Response(jsons.dumps({"items": items, "next": following}), media_type="application/json")
