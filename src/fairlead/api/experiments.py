"""Experiments over HTTP: who was drawn into what, and whether that is as the shares say."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.requests import Request

from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import require, services
from fairlead.api.shapes import PathId, Sent, Shown
from fairlead.experiments import GoalKind, PlanState, Standing, Verdict, stop_experiment
from fairlead.insight import MAX_DAYS, Comparison, ExperimentReport, State, report_of, reports
from fairlead.people import Permission, Principal

router = APIRouter(prefix="/v1/experiments", tags=["experiments"], responses=ERROR_RESPONSES)
Reporting = Annotated[Principal, Depends(require(Permission.REPORTS_READ))]
Stopping = Annotated[Principal, Depends(require(Permission.SWITCHES_SET))]
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


class OutcomeShown(Shown):
    """By which an experiment is judged."""

    kind: GoalKind
    names: list[str]
    within_s: float


class PlanShown(Shown):
    """What experiments.yaml declares, and how it stands."""

    version: int
    state: PlanState
    drawing: bool = Field(description="Whether anybody is drawn now.")
    winner: str | None = Field(description="Of a stopped one: the arm that everybody new gets.")
    reason: str
    by: str
    at: datetime
    words: str
    arms: dict[str, float]
    otherwise: str
    eligible: str = Field(description="The condition; empty for everybody.")
    begins: datetime | None
    ends: datetime | None
    outcome: OutcomeShown
    per_arm: int


class ArmOutcomeShown(Shown):
    """Of `n` customers `hits` had the outcome; `low` and `high` are Wilson's 95 % interval of `rate`."""

    name: str
    n: int
    hits: int
    rate: float | None
    low: float
    high: float


class DifferenceShown(Shown):
    """The rate of an arm less that of the first one, with Newcombe's interval."""

    arm: str
    value: float
    low: float
    high: float
    clear: bool = Field(description="Whether the interval leaves 0 out.")


class ComparisonShown(Shown):
    """What came of the arms of the version in force."""

    version: int
    state: State
    per_arm: int
    arms: list[ArmOutcomeShown]
    against: str
    level: float = Field(description="Confidence of each difference's interval.")
    differences: list[DifferenceShown] = Field(description="Empty while the state is not read.")
    check: CheckShown
    open: int = Field(description="Customers who still have time for the outcome.")
    later: int = Field(description="Customers who came after the reading was full.")
    words: str


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
    plan: PlanShown | None = Field(description="Only of those in experiments.yaml.")
    comparison: ComparisonShown | None = Field(description="Only of those in experiments.yaml.")


class ExperimentList(Shown):
    """By name."""

    items: list[ExperimentShown]


class StopBody(Sent):
    """Which arm everybody new gets from now on, and why."""

    arm: str = Field(min_length=1, max_length=64)
    reason: str = Field(min_length=1, max_length=500)


class StopShown(Shown):
    """How it stands now."""

    name: str
    winner: str
    changed: bool = Field(description="false: it was stopped for this arm before.")


@router.get("")
def list_experiments(request: Request, _: Reporting, days: Days = 90) -> ExperimentList:
    """Every experiment with its arms and its sample-ratio check."""
    svc = services(request)
    with svc.database.reading() as reader:
        now = svc.clock.now()
        found = reports(reader, now, days)
    return ExperimentList(items=[_shown(one, now) for one in found])


@router.get("/{name}")
def show_experiment(request: Request, _: Reporting, name: PathId, days: Days = 90) -> ExperimentShown:
    """One experiment."""
    svc = services(request)
    with svc.database.reading() as reader:
        now = svc.clock.now()
        return _shown(report_of(reader, name, now, days), now)


@router.post("/{name}/stop")
def stop(request: Request, who: Stopping, name: PathId, body: StopBody) -> StopShown:
    """Stop one for an arm; 409 where it was stopped for another one."""
    with services(request).database.transaction() as uow:
        changed = stop_experiment(uow, who.actor, name, body.arm, body.reason)
    return StopShown(name=name, winner=body.arm, changed=changed)


def _shown(report: ExperimentReport, now: datetime) -> ExperimentShown:
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
        plan=_plan(report.standing, now) if report.standing else None,
        comparison=_comparison(report.comparison) if report.comparison else None,
    )  # fmt: skip


def _plan(standing: Standing, now: datetime) -> PlanShown:
    plan, goal = standing.plan, standing.plan.goal
    return PlanShown(
        version=plan.version, state=standing.state, drawing=standing.draws(now), winner=standing.winner,
        reason=standing.reason, by=standing.by, at=standing.at, words=plan.words, arms=dict(plan.arms),
        otherwise=plan.otherwise, eligible=plan.condition, begins=plan.begins,
        ends=plan.ends, per_arm=plan.per_arm,
        outcome=OutcomeShown(kind=goal.kind, names=list(goal.names), within_s=goal.within.total_seconds()),
    )  # fmt: skip


def _comparison(one: Comparison) -> ComparisonShown:
    return ComparisonShown(
        version=one.version, state=one.state, per_arm=one.per_arm, against=one.against, level=one.level,
        arms=[ArmOutcomeShown.model_validate(arm) for arm in one.arms],
        differences=[DifferenceShown.model_validate(each) for each in one.differences],
        check=CheckShown.model_validate(one.check), open=one.open, later=one.later, words=one.words,
    )  # fmt: skip
