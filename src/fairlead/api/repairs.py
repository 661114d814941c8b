"""Repairs over HTTP: what a person decided otherwise than the machine had done, and that it was put right."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.requests import Request

from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import require, services
from fairlead.api.reviewing import reviewer_of, sees_every_role
from fairlead.api.shapes import Before, Limit, PathId, Sent, Shown
from fairlead.evidence import Repair, finish_repair, repairs_page
from fairlead.people import Permission, Principal, Role

router = APIRouter(prefix="/v1/repairs", tags=["evidence"], responses=ERROR_RESPONSES)
Reading = Annotated[Principal, Depends(require(Permission.REVIEWS_READ))]
Deciding = Annotated[Principal, Depends(require(Permission.REVIEWS_DECIDE))]


class RepairShown(Shown):
    """A task for a role; `review` holds the answer that differs from what `ruling_id` did."""

    id: str
    review_id: str
    ruling_id: str
    checkpoint: str
    case_id: str | None
    customer_id: str | None
    role: str
    opened_at: datetime
    done_at: datetime | None = Field(description="null while it waits.")
    done_by: str | None
    note: str


class RepairPage(Shown):
    """Repairs, newest first; `next` continues, as `before`."""

    items: list[RepairShown]
    next: str | None


class DoneBody(Sent):
    """What was done about it."""

    note: str = Field(min_length=1, max_length=2_000)


def roles_for(who: Principal, *, to_see: bool) -> frozenset[str] | None:
    """Whose repairs a person may see, or finish; None: every role's."""
    if Role.ADMIN in who.roles or (to_see and sees_every_role(who)):
        return None
    return reviewer_of(who).roles


@router.get("")
def list_repairs(
    request: Request, who: Reading, *, done: bool = False, before: Before = None, limit: Limit = 50
) -> RepairPage:
    """What waits to be put right, or with `done=true` what was."""
    with services(request).database.reading() as reader:
        roles = roles_for(who, to_see=True)
        rows = repairs_page(reader, limit + 1, roles=roles, is_open=not done, before=before)
    items = [RepairShown.model_validate(one) for one in rows[:limit]]
    return RepairPage(items=items, next=items[-1].id if len(rows) > limit else None)


@router.post("/{repair_id}/done")
def finish(request: Request, who: Deciding, repair_id: PathId, body: DoneBody) -> RepairShown:
    """Say what was done; 409 when somebody was first, 403 without the role."""
    with services(request).database.transaction() as uow:
        found: Repair = finish_repair(uow, who.actor, repair_id, roles_for(who, to_see=False), body.note)
    return RepairShown.model_validate(found)
