"""Duplicates over HTTP: pairs that were found, merging two customers, taking a merge back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.requests import Request

from fairlead import customers, reviews
from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import require, services
from fairlead.api.shapes import Before, PathId, Reason, Sent, Shown
from fairlead.kit.unit_of_work import Reader
from fairlead.people import Permission, Principal
from fairlead.reviews import Mode
from fairlead.sales import pairs_page, undo_merge

MAX_PAGE = 200
router = APIRouter(prefix="/v1", tags=["duplicates"], responses=ERROR_RESPONSES)
Reading = Annotated[Principal, Depends(require(Permission.CUSTOMERS_READ))]
Editing = Annotated[Principal, Depends(require(Permission.CUSTOMERS_EDIT))]


class ReasonShown(Shown):
    """One thing for (above 0) or against the two being one customer."""

    code: str
    words: str
    add: float


class PairShown(Shown):
    """Two records that look like one customer; the numbers of `reasons` add up to `score`."""

    id: str
    left: str = Field(description="The customer with the lower id.")
    right: str
    relation: str = Field(description="same_person or same_account")
    score: float | None = Field(description="0 to 1: how much speaks for the two being one.")
    band: str | None = Field(description="sure or unsure")
    reasons: list[ReasonShown]
    flags: list[str] = Field(description="mixed_script: a name has letters of several alphabets.")
    withheld: bool = Field(
        description="Somebody has to answer without the score: score and band are null, reasons and flags empty."
    )
    state: str = Field(description="open, merged, different or gone (one was erased)")
    case: str
    merge: str | None = Field(description="The merge that was made of it, also once it was taken back.")
    found_at: datetime


class PairPage(Shown):
    """Pairs, newest first; `next` continues behind the last, null at the end."""

    items: list[PairShown]
    next: str | None


class MergeBody(Sent):
    """Which customer is merged into the one of the address, and why; the reason is kept."""

    other: Annotated[str, Field(max_length=64)]
    reason: Annotated[Reason, Field(min_length=1, max_length=500)]


class MergeShown(Shown):
    """A merge that stands: `kept` answers for `other` from now on."""

    id: str
    kept: str
    other: str


class UnmergeShown(Shown):
    """What taking a merge back did."""

    id: str
    survivor: str = Field(description="Keeps what came since the merge.")
    other: str = Field(description="Stands for itself again, with exactly what it had.")
    kept_since: dict[str, int] = Field(description="How many rows of each kind the survivor keeps.")
    changed_columns: list[str] = Field(description="Columns changed meanwhile, which were left.")
    carried: list[tuple[str, str]] = Field(description="(purpose, channel) withdrawn meanwhile: withdrawn for both.")


@router.get("/duplicates")
def list_duplicates(
    request: Request,
    _: Reading,
    state: Literal["open", "merged", "different", "gone"] | None = None,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> PairPage:
    """Pairs of customers that look like one, newest first."""
    with services(request).database.reading() as reader:
        rows = pairs_page(reader, state, before, limit + 1)
        items = [_shown(row, withheld=_withheld(reader, row)) for row in rows[:limit]]
    return PairPage(items=items, next=items[-1].id if len(rows) > limit else None)


def _withheld(reader: Reader, row: Any) -> bool:
    """Whether a person still has to answer without being told what the machine thinks."""
    if row.state != "open":
        return False
    return any(one.is_open and one.mode is not Mode.ASSIST for one in reviews.of_case(reader, row.case_id))


def _shown(row: Any, *, withheld: bool) -> PairShown:
    return PairShown(
        id=row.id, left=row.left_id, right=row.right_id, relation=row.relation, withheld=withheld,
        score=None if withheld else row.score, band=None if withheld else row.band,
        reasons=[] if withheld else [ReasonShown(**reason) for reason in row.reasons],
        flags=[] if withheld else row.flags, state=row.state, case=row.case_id, merge=row.merge_id,
        found_at=row.found_at,
    )  # fmt: skip


@router.post("/customers/{customer_id}/merge")
def merge_customers(request: Request, who: Editing, customer_id: PathId, body: MergeBody) -> MergeShown:
    """Let this customer stand for another one, too; it can be taken back."""
    svc = services(request)
    with svc.database.transaction() as uow:
        merge_id = customers.merge(uow, who.actor, customer_id, body.other, reason=body.reason)
        made = customers.read_merge(uow, merge_id)
        uow.after_commit(svc.wake)
    return MergeShown(id=made.id, kept=made.kept_id, other=made.other_id)


@router.post("/merges/{merge_id}/undo")
def undo_one_merge(request: Request, who: Editing, merge_id: PathId) -> UnmergeShown:
    """Take a merge back; what came since stays with the survivor, and withdrawn consents count for both."""
    svc = services(request)
    with svc.database.transaction() as uow:
        done = undo_merge(uow, who.actor, merge_id)
        uow.after_commit(svc.wake)
    return UnmergeShown(id=done.merge_id, survivor=done.survivor_id, other=done.other_id, **done.as_dict())
