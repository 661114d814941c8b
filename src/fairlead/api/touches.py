"""Contacts with leads over HTTP, and the report about how soon the first one was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, status
from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fairlead import reviews
from fairlead.api.callers import first_request
from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import require, services
from fairlead.api.shapes import Moment, PathId, Sent, Shown
from fairlead.errors import ConflictError, ForbiddenError
from fairlead.kit.exports import csv_chunks
from fairlead.kit.ids import new_id
from fairlead.people import Permission, Principal, PrincipalKind
from fairlead.reviews import Mode
from fairlead.sales import (
    MAX_TOUCH_NOTE,
    FirstTouch,
    Group,
    Speed,
    Touch,
    TouchKind,
    Wait,
    first_touch,
    log_touch,
    remove_touch,
    touch_by_id,
    touches_of,
    visible_people,
)

if TYPE_CHECKING:
    from fairlead.kit.unit_of_work import Reader

DEFAULT_SPAN = timedelta(days=30)
CSV_HEADER = (
    "of", "id", "name", "time", "leads", "touched", "waiting", "closed", "median_s", "median_low_s", "median_high_s",
    "within_5_min", "within_1_hour", "within_1_day",
)  # fmt: skip

router = APIRouter(prefix="/v1", tags=["leads"], responses=ERROR_RESPONSES)
Logging = Annotated[Principal, Depends(require(Permission.LEADS_TOUCH))]
Reading = Annotated[Principal, Depends(require(Permission.CASES_READ))]
Reporting = Annotated[Principal, Depends(require(Permission.REPORTS_READ))]


class TouchBody(Sent):
    """A contact as whoever made it tells it."""

    kind: TouchKind
    at: Moment | None = Field(None, description="null: now. Never to come, never before the lead came.")
    note: Annotated[str, StringConstraints(max_length=MAX_TOUCH_NOTE)] = ""
    person: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = Field(
        None, description="Who was in touch. null: you; a program leaves it open. Others need cases:manage or a key."
    )
    idempotency_key: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None, description="Remembered 30 days: the same contact told twice is logged once."
    )


class TouchShown(Shown):
    """A contact with a lead."""

    id: str
    lead: str
    case_id: str
    kind: TouchKind
    at: datetime
    person_id: str | None = Field(description="null where a program did not say who it was.")
    note: str
    made_by: str
    made_at: datetime


class TouchList(Shown):
    """Newest first, at most 200."""

    items: list[TouchShown]


class FigureShown(Shown):
    """A figure with its 95 % interval; null where it cannot be told yet, or the interval is open there."""

    value: float | None
    n: int
    low: float | None
    high: float | None


class ShareShown(Shown):
    """Of leads that had so long, the share with a contact within `seconds`."""

    words: str
    seconds: float
    figure: FigureShown


class SpeedShown(Shown):
    """How soon somebody was in touch with some leads."""

    n: int
    touched: int
    waiting: int
    closed: int = Field(description="Ended or put aside before anybody was in touch, with nobody to be.")
    median: FigureShown = Field(description="Seconds, by Kaplan and Meier; leads that wait count.")
    shares: list[ShareShown]


class GroupShown(Shown):
    """A team or a person; figures are null below five leads."""

    id: str
    name: str
    n: int
    speed: SpeedShown | None
    working: SpeedShown | None


class WaitShown(Shown):
    """A lead that nobody was in touch with yet; team and person are left out while a review of it is blind."""

    lead: str
    case_id: str
    at: datetime
    waits_s: float
    team: str
    person_id: str | None


class FirstTouchShown(Shown):
    """Leads that came in the time, and how soon somebody was in touch with them."""

    since: datetime
    until: datetime
    complete_since: datetime | None = Field(description="Set where only the newest 20,000 were looked at.")
    speed: SpeedShown = Field(description="By the clock.")
    working: SpeedShown = Field(description="In the working hours of who has each lead.")
    teams: list[GroupShown]
    people: list[GroupShown] = Field(description="Everybody's with teams:manage, else your own.")
    longest: list[WaitShown] = Field(description="The 50 that have waited longest.")


@router.post("/leads/{lead}/touches", status_code=status.HTTP_201_CREATED)
def log_contact(request: Request, who: Logging, lead: PathId, body: TouchBody) -> TouchShown:
    """Say that somebody was in touch with a lead (its id, or its case's); it then counts as worked."""
    _check_person(who, body.person)
    svc, fresh = services(request), new_id("touch")
    with svc.database.transaction() as uow:
        if body.idempotency_key is not None:
            said = [lead, body.model_dump(mode="json", exclude={"idempotency_key"})]
            known = first_request(uow, who, f"touch/{body.idempotency_key}", said, fresh)
            if known != fresh:
                return TouchShown.model_validate(touch_by_id(uow, known))
        new = log_touch(
            uow, who.actor, lead, kind=body.kind, at=body.at, note=body.note, person_id=body.person, touch_id=fresh
        )
        uow.after_commit(svc.wake)
    return TouchShown.model_validate(new)


def _check_person(who: Principal, person_id: str | None) -> None:
    mine = who.kind is PrincipalKind.PERSON and not who.can(Permission.CASES_MANAGE)
    if person_id not in {None, who.id} and mine:
        message = "Contacts of others are logged by themselves, or by somebody who manages cases."
        raise ForbiddenError(message, permission=Permission.CASES_MANAGE.value)


@router.get("/leads/{lead}/touches")
def list_contacts(request: Request, _: Reading, lead: PathId) -> TouchList:
    """Contacts with a lead; 409 while one of its case's reviews must not know what was done."""
    with services(request).database.reading() as reader:
        found = touches_of(reader, lead)
        if any(answered_blind(reader, case_id) for case_id in {one.case_id for one in found}):
            message = "A person answers a review of this case without knowing what was done before."
            raise ConflictError(message, code="withheld", lead=lead)
    return TouchList(items=[TouchShown.model_validate(one) for one in found])


@router.delete("/leads/{lead}/touches/{touch_id}", status_code=status.HTTP_204_NO_CONTENT)
def remove_contact(request: Request, who: Logging, lead: PathId, touch_id: PathId) -> Response:
    """Take back a contact that was logged by mistake, within a day; others' with cases:manage."""
    with services(request).database.transaction() as uow:
        remove_touch(uow, who.actor, lead, touch_id, others=who.can(Permission.CASES_MANAGE))
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.get("/reports/first-touch", response_model=FirstTouchShown)
def first_touch_report(
    request: Request,
    who: Reporting,
    since: Annotated[Moment | None, Query(description="Leads that came from then on; default: 30 days ago.")] = None,
    format: Annotated[Literal["json", "csv"], Query(description="csv has the figures, not the leads.")] = "json",  # noqa: A002
) -> Response | FirstTouchShown:
    """How soon somebody was in touch: median and shares, by team and person, and who waits longest."""
    svc = services(request)
    now = svc.clock.now()
    with svc.database.reading() as reader:
        report = first_touch(reader, now, since or now - DEFAULT_SPAN)
        longest = [_wait(reader, one, now) for one in report.longest]
    people = people_seen(report, who)
    if format == "csv":
        return first_touch_csv(report, people)
    return FirstTouchShown(
        since=report.since, until=report.until, complete_since=report.complete_since,
        speed=SpeedShown.model_validate(report.speed), working=SpeedShown.model_validate(report.working),
        teams=[GroupShown.model_validate(one) for one in report.teams],
        people=[GroupShown.model_validate(one) for one in people], longest=longest,
    )  # fmt: skip


def people_seen(report: FirstTouch, who: Principal) -> tuple[Group, ...]:
    """Whose figures the caller may see."""
    return visible_people(report, who.id, manages=who.can(Permission.TEAMS_MANAGE))


def answered_blind(reader: Reader, case_id: str) -> bool:
    """Whether somebody answers a review of the case without knowing what was decided or done before."""
    return any(one.is_open and one.mode is not Mode.ASSIST for one in reviews.of_case(reader, case_id))


def first_touch_csv(report: FirstTouch, people: tuple[Group, ...]) -> Response:
    """The figures as a file for spreadsheets: a line for all, each team and each person, by each way of counting."""
    headers = {"Content-Disposition": "attachment; filename=first-touch.csv"}
    chunks = csv_chunks(CSV_HEADER, _rows(report, people))
    return StreamingResponse(chunks, media_type="text/csv; charset=utf-8", headers=headers)


def _rows(report: FirstTouch, people: tuple[Group, ...]) -> Iterator[tuple[Any, ...]]:
    whole = Group("", "all leads", report.speed.n, report.speed, report.working)
    for kind, groups in (("all", (whole,)), ("team", report.teams), ("person", people)):
        for one in groups:
            for clock, speed in (("clock", one.speed), ("working", one.working)):
                yield (kind, one.id, one.name, clock, one.n, *(_cells(speed) if speed else [None] * 9))


def _cells(speed: Speed) -> list[float | None]:
    median = speed.median
    shares = [share.figure.value for share in speed.shares]
    return [speed.touched, speed.waiting, speed.closed, median.value, median.low, median.high, *shares]


def _wait(reader: Reader, one: Wait, now: datetime) -> WaitShown:
    hidden = answered_blind(reader, one.case_id)
    return WaitShown(
        lead=one.lead, case_id=one.case_id, at=one.at, waits_s=(now - one.at).total_seconds(),
        team="" if hidden else one.team, person_id=None if hidden else one.person_id,
    )  # fmt: skip


__all__ = ["Touch", "router"]
