"""Teams: who is in them, what each has and is due, when each is in; and handing leads over by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from fairlead.api import require, services
from fairlead.console import case_pages
from fairlead.console.shell import Posted, console_of, desk_of, go, posted, render
from fairlead.console.titles import About, titles_of
from fairlead.errors import ConflictError, FairleadError, InputError, NotFoundError
from fairlead.people import (
    Nobody,
    OffHours,
    Permission,
    Principal,
    TeamRules,
    Terms,
    WorkingHours,
    add_absence,
    change_team,
    close_team,
    colleagues_of,
    create_team,
    get_team,
    list_people,
    list_teams,
    local_span,
    parse_holidays,
    parse_week,
    put_member,
    remove_member,
    reopen_team,
    set_hours,
    withdraw_absence,
)
from fairlead.sales import WINDOW, Handed, hand_over, mark_worked, misroutes, team_views, unassigned

if TYPE_CHECKING:
    from fairlead.kit.unit_of_work import UnitOfWork

OFF_HOURS = {
    OffHours.ASSIGN: "give it to the next shift",
    OffHours.WAIT: "wait until somebody is in",
    OffHours.ON_CALL: "give it to who is on call",
}
NOBODY = {Nobody.HOLD: "hold it and try again", Nobody.QUEUE: "let it go on without an owner"}
MAX_NUMBER_CHARS = 12
MOST_WAITING = 20

router = APIRouter()
Seeing = Annotated[Principal, Depends(require(Permission.PEOPLE_READ))]
Managing = Annotated[Principal, Depends(require(Permission.TEAMS_MANAGE))]
Handing = Annotated[Principal, Depends(require(Permission.CASES_MANAGE))]
Form = Annotated[Posted, Depends(posted)]


@router.get("/teams")
def teams(request: Request, principal: Seeing) -> Response:
    """Every team with how it stands."""
    return _list(request, principal)


def _list(
    request: Request, principal: Principal, typed: Posted | None = None, problem: FairleadError | None = None
) -> Response:
    now = services(request).clock.now()
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        views = team_views(reader, list_teams(reader), now)
        wrong = misroutes(reader, now - WINDOW)
        known = {one.team.name for one in views}
        lost = [row for row in unassigned(reader) if row.team not in known]
        return render(
            request, "teams.html", desk, status=problem.status if problem else 200, views=views, wrong=wrong,
            lost=lost[:MOST_WAITING], typed=typed, problem=problem,
        )  # fmt: skip


@router.post("/teams")
def make(request: Request, principal: Managing, form: Form) -> Response:
    """A team without members."""
    name = form.text("name")
    try:
        with services(request).database.transaction() as uow:
            create_team(uow, principal.actor, name=name, title=form.text("title"))
    except (ConflictError, InputError) as problem:
        return _list(request, principal, form, problem)
    return go(f"/teams/{name}", said="team_made")


@router.get("/teams/{name}")
def team(request: Request, principal: Seeing, name: str) -> Response:
    """One team."""
    return _page(request, principal, name)


def _page(
    request: Request,
    principal: Principal,
    name: str,
    typed: Posted | None = None,
    problem: FairleadError | None = None,
) -> Response:
    now = services(request).clock.now()
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        found = get_team(reader, name[:64])
        [view] = team_views(reader, [found], now)
        people = [one for one in list_people(reader) if one.disabled_at is None]
        waiting = [row for row in unassigned(reader) if row.team == name][:MOST_WAITING]
        about = titles_of(reader, [About(row.case_id, row.subject_id, row.customer_id) for row in waiting])
        context = {
            "view": view, "people": people, "inside": {seat.member.person_id for seat in view.seats},
            "others": [one.name for one in list_teams(reader) if one.name != name and one.closed_at is None],
            "coming": view.coming, "names": {one.id: one.name for one in people},
            "waiting": waiting, "about": about, "off_hours": OFF_HOURS, "nobody": NOBODY,
            "wrong": misroutes(reader, now - WINDOW).get(name),
        }  # fmt: skip
        status = problem.status if problem else 200
        return render(request, "team.html", desk, status=status, typed=typed, problem=problem, **context)


@router.post("/teams/{name}/{what}")
def change(request: Request, principal: Managing, name: str, what: str, form: Form) -> Response:
    """One change of a team; a refused one brings the page back with what was typed."""
    verb = _CHANGES.get(what)
    if verb is None:
        raise NotFoundError("There is no such change of a team.")
    try:
        with services(request).database.transaction() as uow:
            verb(uow, principal, name[:64], form)
    except (ConflictError, InputError) as problem:
        return _page(request, principal, name, form, problem)
    return go(f"/teams/{name}", said="team_changed")


def _put(uow: UnitOfWork, principal: Principal, name: str, form: Posted) -> None:
    skills = frozenset(form.text("skills").lower().replace(",", " ").split())
    terms = Terms(
        _number(form, "weight", 1.0), _whole(form, "capacity"), _whole(form, "daily"), skills,
        form.text("on_call") == "yes",
    )  # fmt: skip
    person_id = _chosen(form)
    zone = _zone(uow, person_id)
    start = local_span(zone, first, first)[0] if (first := _day(form, "from")) else None
    end = local_span(zone, last, last)[1] if (last := _day(form, "to")) else None
    put_member(uow, principal.actor, name, person_id, terms, from_at=start, until_at=end)


def _remove(uow: UnitOfWork, principal: Principal, name: str, form: Posted) -> None:
    remove_member(uow, principal.actor, name, _chosen(form))


def _away(uow: UnitOfWork, principal: Principal, _name: str, form: Posted) -> None:
    person_id, first, last = _chosen(form), _day(form, "from"), _day(form, "to")
    if first is None or last is None:
        raise InputError("Give the first and the last day.", code="day", field="from")
    if last < first:
        raise InputError("The last day comes before the first.", code="span", field="to")
    begin, end = local_span(_zone(uow, person_id), first, last)
    add_absence(uow, principal.actor, person_id, begin, end, reason=form.text("reason"))


def _back(uow: UnitOfWork, principal: Principal, _name: str, form: Posted) -> None:
    withdraw_absence(uow, principal.actor, form.text("absence")[:64])


def _hours(uow: UnitOfWork, principal: Principal, _name: str, form: Posted) -> None:
    person_id, week = _chosen(form), form.text("week")
    if not week:
        set_hours(uow, principal.actor, person_id, None)
        return
    holidays = parse_holidays(form.text("holidays").replace(",", " ").split())
    set_hours(uow, principal.actor, person_id, WorkingHours(form.text("zone") or "UTC", parse_week(week), holidays))


def _rules(uow: UnitOfWork, principal: Principal, name: str, form: Posted) -> None:
    before: TeamRules = get_team(uow, name).rules
    off, nobody = form.text("off_hours"), form.text("nobody")
    if off not in set(OffHours) or nobody not in set(Nobody):
        raise InputError("Choose what becomes of a lead.", field="off_hours")
    days = _whole(form, "open_days")
    rules = replace(
        before, off_hours=OffHours(off), nobody=Nobody(nobody), fallback=form.text("fallback"),
        owner_wins=form.text("owner_wins") == "yes", owner_hours=_number(form, "owner_hours", before.owner_hours),
        open_days=before.open_days if days is None else days,
    )  # fmt: skip
    change_team(uow, principal.actor, name, title=form.text("title") or None, rules=rules)


def _close(uow: UnitOfWork, principal: Principal, name: str, form: Posted) -> None:
    (reopen_team if form.text("wanted") == "open" else close_team)(uow, principal.actor, name)


_CHANGES = {
    "members": _put, "remove": _remove, "absences": _away, "back": _back, "hours": _hours, "rules": _rules,
    "close": _close,
}  # fmt: skip


@router.post("/cases/{case_id}/assign")
def assign(request: Request, principal: Handing, case_id: str, form: Form) -> Response:
    """Hand the lead of a case to somebody; a refused hand-over brings the page back."""
    try:
        with services(request).database.transaction() as uow:
            hand_over(
                uow, principal.actor, case_id[:64], _chosen(form), kind=_kind(form),
                reason=form.text("hand_reason"),
            )  # fmt: skip
            uow.after_commit(console_of(request).feed.wake)
    except (ConflictError, InputError) as problem:
        return case_pages.again(request, principal, case_id, form, problem)
    return go(f"/cases/{case_id}", said="handed")


@router.post("/cases/{case_id}/worked")
def worked(request: Request, principal: Handing, case_id: str) -> Response:
    """The lead of a case needs no more work."""
    with services(request).database.transaction() as uow:
        mark_worked(uow, principal.actor, case_id[:64])
    return go(f"/cases/{case_id}", said="worked")


def _kind(form: Posted) -> Handed:
    kind = form.text("kind")
    if kind not in set(Handed):
        raise InputError("Say why the lead changes hands.", field="kind")
    return Handed(kind)


def _chosen(form: Posted) -> str:
    person_id = form.text("person")[:64]
    if not person_id:
        raise InputError("Choose a person.", field="person")
    return person_id


def _zone(uow: UnitOfWork, person_id: str) -> str | None:
    found = colleagues_of(uow, [person_id], uow.now).get(person_id)
    if found is None:
        raise InputError("There is no such person.", field="person")
    return found.zone


def _number(form: Posted, name: str, default: float) -> float:
    text = form.text(name).replace(",", ".")
    try:
        return float(text[: MAX_NUMBER_CHARS + 1]) if text else default
    except ValueError:
        raise InputError(f"{text[:20]!r} is no number.", field=name) from None


def _whole(form: Posted, name: str) -> int | None:
    text = form.text(name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_NUMBER_CHARS):
        raise InputError(f"{text[:20]!r} is no whole number.", field=name)
    return int(text)


def _day(form: Posted, name: str) -> date | None:
    text = form.text(name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InputError(f"{text[:20]!r} is no day; write 2027-03-01.", code="day", field=name) from None
