"""Experiments for people who judge by them: arms, whether they are as drawn, and messages that were not sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fairlead.api import require, services
from fairlead.console.shell import desk_of, render
from fairlead.errors import InputError
from fairlead.experiments import ALARM_P
from fairlead.insight import ExperimentReport, reports
from fairlead.kit.exports import csv_chunks
from fairlead.people import Permission, Principal

SPANS = {"7": "week", "30": "30 days", "90": "90 days", "365": "year"}
CSV_HEADER = (
    "experiment", "unit", "arm", "n", "share_expected", "share_found", "low", "high", "drawn", "p_value", "verdict",
    "counted", "outcomes", "rate", "rate_low", "rate_high", "comparison",
)  # fmt: skip

router = APIRouter()
Reporting = Annotated[Principal, Depends(require(Permission.REPORTS_READ))]


@router.get("/experiments")
def experiments_page(
    request: Request, principal: Reporting, since: Annotated[str, Query(max_length=4)] = "90", form: str = ""
) -> Response:
    """All experiments; messages not sent are those of the last `since` days; `form=csv` has the arms as a file."""
    if since not in SPANS:
        raise InputError("Choose how far back.", field="since")
    svc = services(request)
    with svc.database.reading() as reader:
        desk = desk_of(request, reader, principal)
        now = svc.clock.now()
        found = reports(reader, now, int(since))
    if form == "csv":
        headers = {"Content-Disposition": "attachment; filename=experiments.csv"}
        chunks = csv_chunks(CSV_HEADER, _rows(found))
        return StreamingResponse(chunks, media_type="text/csv; charset=utf-8", headers=headers)
    return render(request, "experiments.html", desk, found=found, spans=SPANS, since=since, alarm=ALARM_P)


def _rows(found: Iterable[ExperimentReport]) -> Iterator[tuple[Any, ...]]:
    for report in found:
        figures, check = report.figures, report.figures.check
        outcomes = {one.name: one for one in report.comparison.arms} if report.comparison else {}
        for arm in figures.arms:
            said = outcomes.get(arm.name)
            yield (
                figures.name, figures.unit, arm.name, arm.n, arm.expected, arm.share, arm.low, arm.high, figures.n,
                check.p_value, check.verdict.value,
                *((said.n, said.hits, said.rate, said.low, said.high) if said else (None,) * 5),
                report.comparison.state.value if report.comparison else None,
            )  # fmt: skip
