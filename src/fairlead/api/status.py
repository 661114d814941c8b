"""Is it alive, is it ready, how is it doing: for whoever runs Fairlead."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import literal, select
from starlette.requests import Request
from starlette.responses import Response

from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import require, services
from fairlead.people import Permission, Principal

router = APIRouter()


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """The process answers; nothing else is looked at, so that a slow database does not get it killed."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: ERROR_RESPONSES[503]})
def ready(request: Request) -> dict[str, str]:
    """The database answers too; 503 while it does not."""
    with services(request).database.reading() as reader:
        reader.execute(select(literal(1)))
    return {"status": "ready"}


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request, _: Annotated[Principal, Depends(require(Permission.METRICS_READ))]) -> Response:
    """Figures in the Prometheus text format, for whoever holds `metrics:read`.

    There is no exception for loopback: behind a proxy on the same machine everybody comes from there.
    """
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)
