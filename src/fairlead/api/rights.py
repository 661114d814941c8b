"""A customer's rights over HTTP: write a request down, see what became of it, take an approved export."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fairlead import rights
from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import library_of, require, services
from fairlead.api.shapes import Before, PathId, Sent, Shown
from fairlead.people import Permission, Principal
from fairlead.rights import Asked, RequestState, Right

if TYPE_CHECKING:
    from fairlead.kit.database import Database

MAX_PAGE = 200
router = APIRouter(prefix="/v1", tags=["rights"], responses=ERROR_RESPONSES)
Reading = Annotated[Principal, Depends(require(Permission.CUSTOMERS_READ))]
Editing = Annotated[Principal, Depends(require(Permission.CUSTOMERS_EDIT))]
Taking = Annotated[Principal, Depends(require(Permission.RIGHTS_EXPORT))]


class RequestBody(Sent):
    """What a customer asked for, and how it is known that it was they."""

    customer: Annotated[str, Field(min_length=1, max_length=64)]
    right: Right
    identity_checked: Annotated[str, Field(min_length=1, max_length=500, description="How, not with what.")]
    reason: Annotated[str, Field(max_length=500)] = ""
    changes: dict[str, str] = Field(
        default_factory=dict, description="Of a rectification: name, company, country, email, phone → the right text."
    )


class ExtensionBody(Sent):
    """Why a request takes longer, and how the customer was told so."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]
    told: Annotated[str, Field(min_length=1, max_length=500, description="How the customer was told, and when.")]


class RequestShown(Shown):
    """A request; `due_at` is one month after it was asked, by law, or three if it was extended."""

    id: str
    customer: str
    right: str
    state: str = Field(description="asked, done, refused, or gone (the customer was erased meanwhile)")
    case: str
    asked_by: str
    asked_at: datetime
    due_at: datetime | None = Field(description="Null for what no customer asked for: nothing is due by law.")
    overdue: bool
    extension: dict[str, Any] | None = Field(description="Who gave it two more months: by, at, reason, told, was_due.")
    origin: Literal["customer", "retention"]
    decided_by: str | None
    decided_at: datetime | None
    result: dict[str, Any] | None = Field(description="What was done: changes, counts, or the reason of a refusal.")


class RequestPage(Shown):
    """Requests; `next` continues behind the last, null at the end. Counts are of all that wait."""

    items: list[RequestShown]
    next: str | None
    waiting: int
    overdue: int


@router.post("/rights", status_code=201)
def open_request(request: Request, who: Editing, body: RequestBody) -> RequestShown:
    """Write a request down; a person decides about it at the desk before anything is done."""
    svc = services(request)
    asked = Asked(body.right, body.identity_checked, body.reason, body.changes)
    with svc.database.transaction() as uow:
        bundle = library_of(request).current(uow)
        made = rights.open_request(uow, who.actor, bundle, body.customer, asked)
        uow.after_commit(svc.wake)
        return shown(rights.read_request(uow, made), uow.now)


@router.get("/rights")
def list_requests(
    request: Request,
    _: Reading,
    state: Literal["asked", "done", "refused", "gone"] | None = None,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> RequestPage:
    """Requests, newest first; those that wait (`state=asked`) by when they are due, overdue ones first."""
    svc = services(request)
    now = svc.clock.now()
    with svc.database.reading() as reader:
        if state == "asked":
            rows = rights.waiting_page(reader, before, limit + 1)
        else:
            rows = rights.requests_page(reader, state, before, limit + 1)
        waiting, overdue = rights.waiting_counts(reader, now)
    items = [shown(row, now) for row in rows[:limit]]
    last = items[-1].id if len(rows) > limit else None
    return RequestPage(items=items, next=last, waiting=waiting, overdue=overdue)


@router.get("/rights/{request_id}")
def show_request(request: Request, _: Reading, request_id: PathId) -> RequestShown:
    """One request."""
    svc = services(request)
    with svc.database.reading() as reader:
        return shown(rights.read_request(reader, request_id), svc.clock.now())


@router.post("/rights/{request_id}/extension")
def extend_request(request: Request, who: Editing, request_id: PathId, body: ExtensionBody) -> RequestShown:
    """Give a request the two more months that the law allows, once and before its month is over."""
    with services(request).database.transaction() as uow:
        row = rights.extend_request(uow, who.actor, request_id, reason=body.reason, told=body.told)
        return shown(row, uow.now)


@router.get("/rights/{request_id}/export")
def take_export(request: Request, who: Taking, request_id: PathId) -> Response:
    """The document of an approved export, made of what is stored now; people only, and each time is recorded."""
    return export_response(services(request).database, who, request_id)


def export_response(database: Database, who: Principal, request_id: str) -> Response:
    """The document as a download; ForbiddenError before it was approved."""
    with database.transaction() as uow:
        rights.note_export(uow, who.actor, request_id)

    def pieces() -> Iterator[str]:
        with database.reading() as reader:
            yield from rights.export_for(reader, request_id)

    headers = {"Content-Disposition": f'attachment; filename="{request_id}.json"', "Cache-Control": "no-store"}
    return StreamingResponse(pieces(), media_type="application/json", headers=headers)


def shown(row: Any, now: datetime) -> RequestShown:
    """A stored request as programs see it at this moment."""
    names = ("id", "state", "asked_by", "asked_at", "due_at", "decided_by", "decided_at", "extension", "origin")
    result = None if row.state == RequestState.ASKED.value else row.result
    return RequestShown(
        **{name: getattr(row, name) for name in names},
        customer=row.customer_id, right=row.kind, case=row.case_id, result=result,
        overdue=row.state == RequestState.ASKED.value and row.due_at is not None and row.due_at < now,
    )  # fmt: skip
