"""Contacts with leads: logged on the page of a case, and how soon the first one was."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from fairlead.api import answered_blind, first_touch_csv, people_seen, require, services
from fairlead.console import case_pages
from fairlead.console.contacting import zone_of
from fairlead.console.shell import Posted, console_of, desk_of, go, posted, render
from fairlead.customers import names_of
from fairlead.errors import ConflictError, ForbiddenError, InputError
from fairlead.people import Permission, Principal
from fairlead.playbooks import read_case
from fairlead.sales import MIN_GROUP, TouchKind, first_touch, log_touch, remove_touch

if TYPE_CHECKING:
    from fairlead.kit.unit_of_work import Reader

SPANS = {"1": "a day", "7": "a week", "30": "30 days", "90": "90 days", "365": "a year"}
_MINUTE = timedelta(minutes=1)

router = APIRouter()
Reporting = Annotated[Principal, Depends(require(Permission.REPORTS_READ))]
Logging = Annotated[Principal, Depends(require(Permission.LEADS_TOUCH))]
Form = Annotated[Posted, Depends(posted)]


@router.get("/first-touch")
def report_page(
    request: Request, principal: Reporting, since: Annotated[str, Query(max_length=4)] = "30", form: str = ""
) -> Response:
    """How soon somebody was in touch with the leads of a time, and which of them still wait; `form=csv` as a file."""
    if since not in SPANS:
        raise InputError("Choose how far back.", field="since")
    now = services(request).clock.now()
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        report = first_touch(reader, now, now - timedelta(days=int(since)))
        people = people_seen(report, principal)
        if form == "csv":
            return first_touch_csv(report, people)
        longest = report.longest
        names = names_of(reader, [one.customer_id for one in longest if one.customer_id])
        hidden = {one.lead for one in longest if answered_blind(reader, one.case_id)}
    return render(
        request, "first_touch.html", desk, report=report, people=people, longest=longest, about=names, hidden=hidden,
        spans=SPANS, since=since, least=MIN_GROUP,
    )  # fmt: skip


@router.post("/cases/{case_id}/touches")
def log(request: Request, principal: Logging, case_id: str, form: Form) -> Response:
    """Somebody was in touch with the lead of a case; a refused form brings the page back."""
    try:
        kind = _kind(form)
        with services(request).database.transaction() as uow:
            moment = _moment(uow, principal, case_id, form.text("touch_at"), uow.now)
            log_touch(uow, principal.actor, case_id[:64], kind=kind, at=moment, note=form.text("touch_note"))
            uow.after_commit(console_of(request).feed.wake)
    except (ConflictError, InputError) as problem:
        return case_pages.again(request, principal, case_id, form, problem)
    return go(f"/cases/{case_id}", said="touched")


@router.post("/cases/{case_id}/touches/{touch_id}/remove")
def remove(request: Request, principal: Logging, case_id: str, touch_id: str, form: Form) -> Response:
    """A contact that was logged by mistake."""
    try:
        with services(request).database.transaction() as uow:
            others = principal.can(Permission.CASES_MANAGE)
            remove_touch(uow, principal.actor, case_id[:64], touch_id[:64], others=others)
    except (ConflictError, ForbiddenError, InputError) as problem:
        return case_pages.again(request, principal, case_id, form, problem)
    return go(f"/cases/{case_id}", said="untouched")


def _kind(form: Posted) -> TouchKind:
    kind = form.text("touch_kind")
    if kind not in set(TouchKind):
        raise InputError("Choose how you were in touch.", field="touch_kind")
    return TouchKind(kind)


def _moment(reader: Reader, principal: Principal, case_id: str, text: str, now: datetime) -> datetime | None:
    """The moment of a form that knows minutes only; None for now. One in the minute in which the lead came is that."""
    if not text:
        return None
    try:
        local = datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone_of(reader, principal, now)))
        moment = local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError("Give a day and a time.", code="moment", field="touch_at") from None
    came = read_case(reader, case_id[:64]).created_at
    return came if moment < came < moment + _MINUTE else moment
