"""Experiments for people who judge by them: arms, whether they are as drawn, and messages that were not sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fairlead.api import require, services
from fairlead.console import words
from fairlead.console.shell import Posted, desk_of, go, posted, render
from fairlead.errors import ConflictError, InputError
from fairlead.experiments import ALARM_P, stop_experiment
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
Stopping = Annotated[Principal, Depends(require(Permission.SWITCHES_SET))]
Form = Annotated[Posted, Depends(posted)]


@router.get("/experiments")
def experiments_page(
    request: Request, principal: Reporting, since: Annotated[str, Query(max_length=4)] = "90", form: str = ""
) -> Response:
    """All experiments; messages not sent are those of the last `since` days; `form=csv` has the arms as a file."""
    if since not in SPANS:
        raise InputError("Choose how far back.", field="since")
    if form == "csv":
        svc = services(request)
        with svc.database.reading() as reader:
            found = reports(reader, svc.clock.now(), int(since))
        headers = {"Content-Disposition": "attachment; filename=experiments.csv"}
        chunks = csv_chunks(CSV_HEADER, _rows(found))
        return StreamingResponse(chunks, media_type="text/csv; charset=utf-8", headers=headers)
    return _page(request, principal, since)


def _page(
    request: Request, principal: Principal, since: str, typed: Posted | None = None, problem: tuple[str, str] = ("", "")
) -> Response:
    """`problem`: the experiment that could not be stopped, and why; `typed` is what stood in its form."""
    svc = services(request)
    with svc.database.reading() as reader:
        desk = desk_of(request, reader, principal)
        found = reports(reader, svc.clock.now(), int(since))
        name = words.actor_namer(reader)
        stoppers = {one.figures.name: name(one.standing.by) for one in found if one.standing and one.standing.winner}
    return render(
        request, "experiments.html", desk, found=found, spans=SPANS, since=since, alarm=ALARM_P, stoppers=stoppers,
        may_stop=principal.can(Permission.SWITCHES_SET), typed=typed, problem=problem,
        status=422 if problem[0] else 200,
    )  # fmt: skip


@router.post("/experiments/{name}/stop")
def stop(request: Request, principal: Stopping, name: str, form: Form) -> Response:
    """From now on nobody is drawn, and everybody new gets the arm that was chosen."""
    try:
        why = _why(form)
        with services(request).database.transaction() as uow:
            stop_experiment(uow, principal.actor, name[:64], form.text("arm"), why)
    except (ConflictError, InputError) as error:
        principal.require(Permission.REPORTS_READ)
        return _page(request, principal, "90", typed=form, problem=(name[:64], error.message))
    return go("/experiments", said="experiment_stopped")


def _why(form: Posted) -> str:
    if not form.text("reason"):
        raise InputError("Say why: it stands in the record.", field="reason")
    return form.text("reason")


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
