"""Teams, absences and assignments over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Path, status
from starlette.requests import Request
from starlette.responses import Response

from fairlead import reviews
from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import require, services
from fairlead.api.shapes import PathId
from fairlead.api.team_shapes import (
    AbsenceBody,
    AbsenceShown,
    CaseAssignment,
    HandBody,
    HoursBody,
    MemberBody,
    NewTeamBody,
    RulesBody,
    TeamPage,
    TeamShown,
    Worked,
)
from fairlead.errors import ConflictError, NotFoundError
from fairlead.people import (
    Permission,
    Principal,
    TeamRules,
    add_absence,
    change_team,
    close_team,
    create_team,
    get_team,
    list_teams,
    put_member,
    remove_member,
    reopen_team,
    set_hours,
    withdraw_absence,
)
from fairlead.playbooks import read_case
from fairlead.reviews import Mode
from fairlead.sales import assignment_of, hand_over, mark_worked, team_views

if TYPE_CHECKING:
    from fairlead.kit.unit_of_work import Reader

router = APIRouter(prefix="/v1", tags=["teams"], responses=ERROR_RESPONSES)
Seeing = Annotated[Principal, Depends(require(Permission.PEOPLE_READ))]
Managing = Annotated[Principal, Depends(require(Permission.TEAMS_MANAGE))]
Reading = Annotated[Principal, Depends(require(Permission.CASES_READ))]
Handing = Annotated[Principal, Depends(require(Permission.CASES_MANAGE))]
NamePath = Annotated[str, Path(max_length=64)]


@router.get("/teams")
def show_teams(request: Request, who: Seeing) -> TeamPage:
    """Every team, by name, closed ones too."""
    with services(request).database.reading() as reader:
        return TeamPage(items=[_shown(request, reader, who, one.name) for one in list_teams(reader)])


@router.get("/teams/{name}")
def show_team(request: Request, who: Seeing, name: NamePath) -> TeamShown:
    """One team with loads, shares of 30 days, and when each is in again."""
    with services(request).database.reading() as reader:
        return _shown(request, reader, who, name)


@router.post("/teams", status_code=status.HTTP_201_CREATED)
def make_team(request: Request, who: Managing, body: NewTeamBody) -> TeamShown:
    """Make a team without members; 409 when there is one of this name."""
    with services(request).database.transaction() as uow:
        create_team(uow, who.actor, name=body.name, title=body.title or "", rules=body.rules(TeamRules()))
        return _shown(request, uow, who, body.name)


@router.patch("/teams/{name}")
def edit_team(request: Request, who: Managing, name: NamePath, body: RulesBody) -> TeamShown:
    """Change how it shares out its leads, close it or open it again."""
    with services(request).database.transaction() as uow:
        change_team(uow, who.actor, name, title=body.title, rules=body.rules(get_team(uow, name).rules))
        if body.closed is not None:
            (close_team if body.closed else reopen_team)(uow, who.actor, name)
        return _shown(request, uow, who, name)


@router.put("/teams/{name}/members/{person_id}")
def put_team_member(request: Request, who: Managing, name: NamePath, person_id: PathId, body: MemberBody) -> TeamShown:
    """Put somebody into a team, or on other terms; earlier terms stay in the history."""
    with services(request).database.transaction() as uow:
        put_member(uow, who.actor, name, person_id, body.terms(), from_at=body.from_at, until_at=body.until_at)
        return _shown(request, uow, who, name)


@router.delete("/teams/{name}/members/{person_id}", status_code=status.HTTP_204_NO_CONTENT)
def remove_team_member(request: Request, who: Managing, name: NamePath, person_id: PathId) -> Response:
    """Take somebody out of a team from now on; leads that they have stay theirs."""
    with services(request).database.transaction() as uow:
        remove_member(uow, who.actor, name, person_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.put("/people/{person_id}/hours", status_code=status.HTTP_204_NO_CONTENT)
def put_hours(request: Request, who: Managing, person_id: PathId, body: HoursBody) -> Response:
    """Say when somebody works, or that no hours are kept."""
    with services(request).database.transaction() as uow:
        set_hours(uow, who.actor, person_id, body.hours())
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post("/people/{person_id}/absences", status_code=status.HTTP_201_CREATED)
def plan_absence(request: Request, who: Managing, person_id: PathId, body: AbsenceBody) -> AbsenceShown:
    """Plan a time away."""
    with services(request).database.transaction() as uow:
        new = add_absence(uow, who.actor, person_id, body.from_at, body.until_at, reason=body.reason)
    return AbsenceShown.of(new, private=True)


@router.delete("/absences/{absence_id}", status_code=status.HTTP_204_NO_CONTENT)
def cancel_absence(request: Request, who: Managing, absence_id: PathId) -> Response:
    """Take a planned absence back, also while it lasts."""
    with services(request).database.transaction() as uow:
        withdraw_absence(uow, who.actor, absence_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.get("/cases/{case_id}/assignment")
def show_assignment(request: Request, _: Reading, case_id: PathId) -> CaseAssignment:
    """Who has the lead of this case, why, and why nobody else; 409 while one of its reviews must not know."""
    with services(request).database.reading() as reader:
        read_case(reader, case_id)
        if any(one.is_open and one.mode is not Mode.ASSIST for one in reviews.of_case(reader, case_id)):
            message = "A person answers a review of this case without knowing what was decided before."
            raise ConflictError(message, code="withheld", case=case_id)
        return _assignment(reader, case_id)


@router.post("/leads/{lead}/assign")
def assign_lead(request: Request, who: Handing, lead: PathId, body: HandBody) -> CaseAssignment:
    """Give a lead (its id, or its case's) to somebody by hand; counted as hand-made, misroutes as such."""
    svc = services(request)
    with svc.database.transaction() as uow:
        given = hand_over(uow, who.actor, lead, body.person, kind=body.kind, reason=body.reason, team=body.team)
        uow.after_commit(svc.wake)
        return _assignment(uow, given.case_id)


@router.post("/leads/{lead}/worked")
def lead_worked(request: Request, who: Handing, lead: PathId) -> Worked:
    """Say that a lead needs no more work: it no longer counts against anybody's capacity."""
    with services(request).database.transaction() as uow:
        return Worked(changed=mark_worked(uow, who.actor, lead))


def _assignment(reader: Reader, case_id: str) -> CaseAssignment:
    found = assignment_of(reader, case_id)
    if found is None:
        raise NotFoundError("Nothing was assigned in this case.", case=case_id)
    return CaseAssignment.model_validate(found)


def _shown(request: Request, reader: Reader, who: Principal, name: str) -> TeamShown:
    [view] = team_views(reader, [get_team(reader, name)], services(request).clock.now())
    return TeamShown.of(view, private=who.can(Permission.TEAMS_MANAGE))
