"""Playbooks over HTTP: one with its graph and figures, how far it has come, who left its path, schemas for editors."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from fairlead.api.case_story import StoryDeviation
from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import library_of, require, services
from fairlead.api.naming import actor_namer
from fairlead.api.shapes import Moment, Shown
from fairlead.errors import InputError, NotFoundError
from fairlead.kit.clock import iso
from fairlead.kit.exports import csv_chunks
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.people import Permission, Principal
from fairlead.playbooks import (
    CAP,
    KIND_WORDS,
    SCHEMAS,
    DeviationKind,
    DeviationSource,
    Span,
    find_deviations,
    graph_of,
    mermaid,
    overview,
    progress_of,
)
from fairlead.sales import assigned_by_hand

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fairlead.kit.unit_of_work import Reader
    from fairlead.playbooks import Bundle, Deviation, Figure, Overview, Playbook, Progress

MAX_DAYS = 366
MAX_LISTED = 1_000
CSV_HEADER = ("case", "kind", "words", "at", "by", "stage", "to", "reason", "detail")
DEVIATION_SOURCES: tuple[DeviationSource, ...] = (assigned_by_hand,)
"""What rooms beside the playbooks know of departures from the standard."""

router = APIRouter(tags=["playbooks"], responses=ERROR_RESPONSES)
Looking = Annotated[Principal, Depends(require(Permission.PLAYBOOKS_READ))]
LookingAtCases = Annotated[Principal, Depends(require(Permission.CASES_READ))]
Name = Annotated[str, Path(max_length=64)]


class FigureShown(Shown):
    """A figure with how many cases it rests on and its 95 % interval; null where there is none."""

    value: float | None
    n: int
    low: float | None
    high: float | None


class WeekShown(Shown):
    """A week of a trend, by the Monday on which it begins (UTC)."""

    begins: datetime
    figure: FigureShown


class ObjectiveShown(Shown):
    """What the playbook is to reach, and where it stands."""

    goal: str
    measure: str = Field(description="ended, count_ended, median_time_to, without_person or outcome")
    of: str
    words: str
    target: float = Field(description="A share from 0 to 1, a count, or seconds for a median.")
    at_most: bool = Field(description="Whether lower is better.")
    by: date | None
    per: str | None
    owner: str
    now: FigureShown
    since: datetime | None = Field(description="From when on the present figure looks; null: everything.")
    standing: str = Field(description="reached, near (the interval holds the target), missed, or early (too few cases)")
    previous: FigureShown | None = Field(description="Of the last whole period; null without periods.")
    weeks: list[WeekShown]
    note: str = Field(description="Where a figure rests on the newest cases only.")


class NodeShown(Shown):
    """A stage of the graph, or an interrupt."""

    name: str
    kind: str
    detail: str


class EdgeShown(Shown):
    """All ways from one node to another; `main`: on the road of an undisturbed case."""

    source: str
    target: str
    labels: list[str]
    main: bool


class ExitShown(Shown):
    """Cases that left a stage by one outcome in the last days."""

    outcome: str
    target: str
    cases: int


class StageFigures(Shown):
    """A stage as it stands now."""

    name: str
    is_known: bool = Field(description="false for a stage of an older version that still has cases.")
    open: int
    open_capped: bool = Field(description="Whether there are more than were counted; counting stops at 10,000 a state.")
    states: dict[str, int]
    median_age_s: float | None = Field(description="null where there are none or more than 10,000.")
    oldest_age_s: float | None
    exits: list[ExitShown]
    ended: int | None = Field(description="For an end: cases of the last days, counted up to 10,001.")


class PlaybookDetail(Shown):
    """A playbook as it is deployed now."""

    playbook: str
    description: str
    subject: str
    start: str
    version: str = Field(description="Digest of the workspace's deployed version.")
    nodes: list[NodeShown]
    edges: list[EdgeShown]
    mermaid: str
    days: int
    exits_complete_since: datetime | None = Field(
        description="The exits count every case from then on; null: for all the days."
    )
    stages: list[StageFigures]
    objective: ObjectiveShown | None


class DeviationShown(StoryDeviation):
    """A departure from the standard path, and which case took it."""

    case: str


class DeviationList(Shown):
    """Newest first, at most 1,000; the counts are of all that was found in the time."""

    since: datetime
    until: datetime
    counts: dict[str, int]
    capped: bool = Field(description="Whether there is more than was looked at.")
    items: list[DeviationShown]


@router.get("/v1/playbooks/{name}")
def show_playbook(
    request: Request,
    _: Looking,
    name: Name,
    days: Annotated[int, Query(ge=1, le=90, description="Over how many days exits are counted.")] = 30,
) -> PlaybookDetail:
    """Graph, live counts, ages and exits by stage, and the objective; quick at any number of cases."""
    svc = services(request)
    with svc.database.reading() as reader:
        bundle, playbook = deployed_playbook(library_of(request).current(reader), name)
        now = svc.clock.now()
        seen, stands = overview(reader, playbook, now, days), progress_of(reader, playbook, now)
    graph = graph_of(playbook)
    return PlaybookDetail(
        playbook=playbook.name, description=playbook.description, subject=playbook.subject, start=playbook.start,
        version=bundle.digest, nodes=[NodeShown.model_validate(one) for one in graph.nodes],
        edges=[EdgeShown.model_validate(one) for one in graph.edges], mermaid=mermaid(graph), days=days,
        exits_complete_since=seen.complete_since, stages=_stages(seen),
        objective=_objective(stands) if stands else None,
    )  # fmt: skip


def deployed_playbook(bundle: Bundle, name: str) -> tuple[Bundle, Playbook]:
    """The playbook of this name with its version; NotFoundError, with the closest name, when there is none."""
    if name not in bundle.playbooks:
        message = f"There is no playbook {name!r:.80}. {did_you_mean(name, bundle.playbooks) or ''}".rstrip()
        raise NotFoundError(message, playbook=name[:64])
    return bundle, bundle.playbooks[name].playbook


def _stages(seen: Overview) -> list[StageFigures]:
    return [
        StageFigures(
            name=one.name, is_known=one.known, open=one.count.total, open_capped=one.count.capped,
            states={state: min(count, CAP) for state, count in one.count.states.items()},
            median_age_s=one.median_s, oldest_age_s=one.oldest_s,
            exits=[ExitShown.model_validate(each) for each in one.exits], ended=one.ended,
        )
        for one in seen.stages
    ]  # fmt: skip


def _objective(stands: Progress) -> ObjectiveShown:
    objective = stands.objective
    return ObjectiveShown(
        goal=objective.goal, measure=objective.measure.kind.value, of=objective.measure.of,
        words=objective.measure.words, target=objective.target, at_most=objective.at_most, by=objective.by,
        per=objective.per, owner=objective.owner, now=_figure(stands.now), since=stands.since,
        standing=stands.standing.value, previous=_figure(stands.previous) if stands.previous else None,
        weeks=[WeekShown(begins=one.begins, figure=_figure(one.figure)) for one in stands.weeks], note=stands.note,
    )  # fmt: skip


def _figure(figure: Figure) -> FigureShown:
    return FigureShown.model_validate(figure)


@router.get("/v1/playbooks/{name}/deviations", response_model=DeviationList)
def list_deviations(
    request: Request,
    _: LookingAtCases,
    name: Name,
    since: Annotated[Moment | None, Query(description="From then on; default: 30 days ago.")] = None,
    until: Annotated[Moment | None, Query(description="Before then; default: now.")] = None,
    kind: Annotated[DeviationKind | None, Query(description="Only these.")] = None,
    paused_hours: Annotated[float, Query(gt=0, le=8_784, description="From when on a pause counts as long.")] = 24,
    format: Annotated[Literal["json", "csv"], Query(description="csv has all of them.")] = "json",  # noqa: A002
) -> Response | DeviationList:
    """Where people took cases off the standard path: who, when, why."""
    svc = services(request)
    with svc.database.reading() as reader:
        playbook = deployed_playbook(library_of(request).current(reader), name)[1]
        span = deviation_span(since, until, svc.clock.now())
        found = find_deviations(
            reader, playbook, span, paused_long=timedelta(hours=paused_hours), more=DEVIATION_SOURCES
        )
        items = [one for one in found.items if kind in {None, one.kind}]
        listed = deviations_told(reader, items if format == "csv" else items[:MAX_LISTED])
    if format == "csv":
        return deviations_csv(listed, name)
    counts = {one.value: count for one, count in found.counts.items()}
    return DeviationList(since=span.since, until=span.until, counts=counts, capped=found.capped, items=listed)


def deviation_span(since: datetime | None, until: datetime | None, now: datetime) -> Span:
    """The time asked for; InputError when it is none, or longer than 366 days."""
    end = until or now + timedelta(microseconds=1)
    start = since or end - timedelta(days=30)
    if not start < end:
        raise InputError("`since` must lie before `until`.", field="since")
    if end - start > timedelta(days=MAX_DAYS):
        raise InputError(f"At most {MAX_DAYS} days at once.", field="since")
    return Span(start, end)


def deviations_told(reader: Reader, items: Iterable[Deviation]) -> list[DeviationShown]:
    """With the names of who did it."""
    name = actor_namer(reader)
    return [
        DeviationShown(
            case=one.case_id, kind=one.kind.value, words=KIND_WORDS[one.kind], at=one.at,
            by=name(one.actor) if one.actor else "", stage=one.stage, to=one.to_stage, reason=one.reason,
            detail=one.detail,
        )
        for one in items
    ]  # fmt: skip


def deviations_csv(items: Iterable[DeviationShown], name: str) -> Response:
    """The list as a file for spreadsheets."""
    rows: Iterable[tuple[Any, ...]] = (
        (one.case, one.kind, one.words, iso(one.at), one.by, one.stage, one.to, one.reason, one.detail) for one in items
    )
    headers = {"Content-Disposition": f"attachment; filename=deviations-{name}.csv"}
    return StreamingResponse(csv_chunks(CSV_HEADER, rows), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/schemas/{kind}.json", include_in_schema=False)
def schema(kind: str) -> Response:
    """The JSON Schema of playbook or policy files; for editors, which send no key."""
    if kind not in SCHEMAS:
        raise NotFoundError(f"There is no schema {kind[:40]!r}. {did_you_mean(kind, SCHEMAS) or ''}".rstrip())
    return JSONResponse(SCHEMAS[kind](), media_type="application/schema+json", headers={"Cache-Control": "no-cache"})
