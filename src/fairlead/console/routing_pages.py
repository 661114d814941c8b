"""The dry run of routing: past leads given out once more, and nothing written."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from fairlead.api import require, services
from fairlead.console.shell import desk_of, render
from fairlead.errors import InputError
from fairlead.people import Permission, Principal
from fairlead.sales import Change, dry_run, parse_change

if TYPE_CHECKING:
    from typing import Any

SPANS = {"1": "a day", "7": "a week", "30": "30 days", "90": "90 days", "365": "a year"}
MAX_CHANGES = 50

router = APIRouter()
Seeing = Annotated[Principal, Depends(require(Permission.PEOPLE_READ))]


@router.get("/routing")
def routing(
    request: Request,
    principal: Seeing,
    since: str = "30",
    changes: Annotated[str, Query(alias="set", max_length=10_000)] = "",
) -> Response:
    """Who would have got past leads with the teams as they are, or changed."""
    svc, problem = services(request), None
    report: dict[str, Any] | None = None
    now = svc.clock.now()
    with svc.database.reading() as reader:
        desk = desk_of(request, reader, principal)
        try:
            wanted = _read(since, changes)
            report = dry_run(reader, now, now - timedelta(days=int(since)), wanted)
        except InputError as error:
            problem = error
    status = problem.status if problem else 200
    return render(
        request, "routing.html", desk, status=status, report=report, spans=SPANS, since=since, changes=changes,
        problem=problem,
    )  # fmt: skip


def _read(since: str, changes: str) -> list[Change]:
    if since not in SPANS:
        raise InputError("Choose how far back.", field="since")
    lines = [line.strip() for line in changes.splitlines() if line.strip()]
    if len(lines) > MAX_CHANGES:
        raise InputError(f"At most {MAX_CHANGES} changes at once.", field="set")
    return [parse_change(line) for line in lines]
