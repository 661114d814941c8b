"""Rights: what customers ask of their own data, when the law has it done, and the documents of approved exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from fairlead import reviews, rights
from fairlead.api import export_response, require, services
from fairlead.console.customer_pages import check_customer_id, customer_page
from fairlead.console.shell import Posted, desk_of, go, posted, render
from fairlead.customers import names_of
from fairlead.errors import ConflictError, InputError
from fairlead.people import Permission, Principal
from fairlead.rights import RECTIFIABLE, Asked, Right

if TYPE_CHECKING:
    from fairlead.console.shell import Console

PAGE = 50
STATES = {"asked": "To be decided", "done": "Done", "refused": "Refused", "gone": "Overtaken"}
router = APIRouter()
Reading = Annotated[Principal, Depends(require(Permission.CUSTOMERS_READ))]
Editing = Annotated[Principal, Depends(require(Permission.CUSTOMERS_EDIT))]
Taking = Annotated[Principal, Depends(require(Permission.RIGHTS_EXPORT))]
Form = Annotated[Posted, Depends(posted)]


@router.get("/rights")
def requests(
    request: Request,
    principal: Reading,
    state: Literal["asked", "done", "refused", "gone"] = "asked",
    before: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Requests of one state, newest first; those that wait by when they are due, overdue ones first."""
    return _page(request, principal, state, before)


def _page(
    request: Request, principal: Principal, state: str, before: str = "", problem: tuple[str, str] = ("", "")
) -> Response:
    """`problem`: the request that could not be extended, and why."""
    svc = services(request)
    with svc.database.reading() as reader:
        desk = desk_of(request, reader, principal)
        if state == "asked":
            rows = rights.waiting_page(reader, before or None, PAGE + 1)
        else:
            rows = rights.requests_page(reader, state, before or None, PAGE + 1)
        counts = rights.waiting_counts(reader, svc.clock.now())
        names = names_of(reader, sorted({row.customer_id for row in rows}))
        waiting = {row.case_id: next((one for one in reviews.of_case(reader, row.case_id) if one.is_open), None)
                   for row in rows[:PAGE] if row.state == "asked"}  # fmt: skip
    older = rows[PAGE - 1].id if len(rows) > PAGE else ""
    return render(
        request, "rights.html", desk, rows=rows[:PAGE], names=names, states=STATES, state=state, older=older,
        waiting=waiting, kept=rights.KEPT, counts=counts, problem=problem, status=422 if problem[0] else 200,
    )  # fmt: skip


@router.post("/customers/{customer_id}/rights")
def ask(request: Request, principal: Editing, customer_id: str, form: Form) -> Response:
    """Write a request down; it is decided as a review."""
    check_customer_id(customer_id)
    svc = services(request)
    console: Console = request.app.state.console
    changes = {name: form.text(name) for name in RECTIFIABLE if form.text(name)}
    try:
        asked = Asked(_right(form.text("right")), form.text("identity"), form.text("reason"), changes)
        with svc.database.transaction() as uow:
            bundle = console.library.current(uow)
            rights.open_request(uow, principal.actor, bundle, customer_id, asked)
            uow.after_commit(svc.wake)
    except (ConflictError, InputError) as error:
        return customer_page(request, principal, customer_id, problem=error)
    return go("/rights", said="right_asked")


@router.post("/rights/{request_id}/extension")
def extend(request: Request, principal: Editing, request_id: str, form: Form) -> Response:
    """Give a request the two more months that the law allows."""
    try:
        with services(request).database.transaction() as uow:
            rights.extend_request(
                uow, principal.actor, request_id[:64], reason=form.text("reason"), told=form.text("told")
            )
    except (ConflictError, InputError) as error:
        return _page(request, principal, "asked", problem=(request_id[:64], error.message))
    return go("/rights", said="right_extended")


@router.get("/rights/{request_id}/export")
def export(request: Request, principal: Taking, request_id: str) -> Response:
    """The document of an approved export, as a download."""
    return export_response(services(request).database, principal, request_id[:64])


def _right(text: str) -> Right:
    try:
        return Right(text)
    except ValueError as error:
        raise InputError("Say what the customer asks for.", field="right") from error
