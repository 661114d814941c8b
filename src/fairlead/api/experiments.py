"""Experiments over HTTP: who was drawn into what, and whether that is as the shares say."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.requests import Request

from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import require, services
from fairlead.api.shapes import PathId, Shown
from fairlead.experiments import Verdict
from fairlead.insight import MAX_DAYS, ExperimentReport, report_of, reports
from fairlead.people import Permission, Principal

router = APIRouter(prefix="/v1/experiments", tags=["experiments"], responses=ERROR_RESPONSES)
Reporting = Annotated[Principal, Depends(require(Permission.REPORTS_READ))]
Days = Annotated[int, Query(ge=1, le=MAX_DAYS, description="How far back messages not sent are counted.")]


class ArmShown(Shown):
    """An arm over all versions; `low` and `high` are Wilson's 95 % interval of `share`."""

    name: str
    n: int
    expected: float = Field(description="The mean share over the units, each as it was drawn.")
    share: float | None = Field(description="null while nobody was drawn.")
    low: float
    high: float


class CheckShown(Shown):
    """Whether the arms are as the shares say."""

    n: int
    p_value: float | None
    verdict: Verdict
    method: str
    least: int = Field(description="From how many units on there is a verdict.")
    words: str


class VersionShown(Shown):
    """The shares under which units were drawn from a moment on."""

    version: str
    since: datetime
    shares: dict[str, float]
    n: int
    ineligible: int
    check: CheckShown


class UnsentForShown(Shown):
    """Messages of a purpose."""

    purpose: str
    messages: int
    customers: int


class UnsentShown(Shown):
    """Messages that the gate refused because of the holdout."""

    since: datetime
    messages: int
    customers: int
    purposes: list[UnsentForShown]


class ExperimentShown(Shown):
    """An experiment as it stands."""

    name: str
    unit: str
    n: int = Field(description="Drawn units, without ineligible ones.")
    ineligible: int
    arms: list[ArmShown]
    check: CheckShown
    versions: list[VersionShown] = Field(description="Oldest first.")
    unsent: UnsentShown | None = Field(description="Only of the contact holdout.")
    share_now: float | None = Field(description="Of the contact holdout: what the rules in force say; 0: nobody.")


class ExperimentList(Shown):
    """By name."""

    items: list[ExperimentShown]


@router.get("")
def list_experiments(request: Request, _: Reporting, days: Days = 90) -> ExperimentList:
    """Every experiment with its arms and its sample-ratio check."""
    svc = services(request)
    with svc.database.reading() as reader:
        found = reports(reader, svc.clock.now(), days)
    return ExperimentList(items=[_shown(one) for one in found])


@router.get("/{name}")
def show_experiment(request: Request, _: Reporting, name: PathId, days: Days = 90) -> ExperimentShown:
    """One experiment."""
    svc = services(request)
    with svc.database.reading() as reader:
        return _shown(report_of(reader, name, svc.clock.now(), days))


def _shown(report: ExperimentReport) -> ExperimentShown:
    figures = report.figures
    return ExperimentShown(
        name=figures.name,
        unit=figures.unit,
        n=figures.n,
        ineligible=figures.ineligible,
        arms=[ArmShown.model_validate(one) for one in figures.arms],
        check=CheckShown.model_validate(figures.check),
        versions=[
            VersionShown(
                version=one.version, since=one.since, shares=dict(one.shares), n=one.n, ineligible=one.ineligible,
                check=CheckShown.model_validate(one.check),
            )
            for one in figures.versions
        ],
        unsent=UnsentShown.model_validate(report.unsent) if report.unsent else None,
        share_now=report.share_now,
    )  # fmt: skip
