"""Labels over HTTP: blind answers to drawn decisions, one by one and counted."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.requests import Request

from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import require, services
from fairlead.api.shapes import MAX_PAGE, Shown
from fairlead.evidence import label_counts, outcome_of, page_of_labels
from fairlead.people import Permission, Principal

if TYPE_CHECKING:
    from fairlead.evidence import Label

router = APIRouter(prefix="/v1", tags=["evidence"], responses=ERROR_RESPONSES)
Reading = Annotated[Principal, Depends(require(Permission.REPORTS_READ))]
Checkpoint = Annotated[str | None, Query(max_length=64)]


class LabelShown(Shown):
    """What a person answered without seeing the machine's answer."""

    id: str
    decision: str = Field(description="The id of the ruling.")
    review: str
    checkpoint: str
    segment: str
    producer: str
    path: str = Field(description="The path that the decision took.")
    source: str = Field(
        description="auto: answered after the machine had decided; assist: before the proposal was shown; human: "
        "the answer was the decision."
    )
    outcome: str = Field(description="agree, disagree, cannot_tell, or not_judged where a person must compare.")
    answer: Any = Field(description="null when the person could not tell.")
    agrees: bool | None = Field(description="By the checkpoint's `agree`.")
    lottery_p: float = Field(description="With what probability the decision was drawn.")
    agree_version: str | None = Field(description="The version of the policy that compared.")
    by: str
    at: datetime


class LabelPage(Shown):
    """Labels, newest first; `next` continues, as `before`."""

    items: list[LabelShown]
    next: str | None


class LabelCountShown(Shown):
    """Plain counts; what is drawn and neither answered nor overdue still waits or was closed without an answer."""

    checkpoint: str
    segment: str
    producer: str
    drawn: int = Field(description="Decisions drawn to be answered without seeing the machine's answer.")
    answered: int
    overdue: int = Field(description="Their review ran over its time and has no such answer.")
    agree: int
    disagree: int
    cannot_tell: int
    not_judged: int = Field(description="Answered, but a person must compare (`agree: graded`).")


class LabelCounts(Shown):
    """By checkpoint, segment and producer."""

    items: list[LabelCountShown]


@router.get("/labels")
def list_labels(
    request: Request,
    _: Reading,
    checkpoint: Checkpoint = None,
    before: Annotated[str | None, Query(max_length=64, description="The `next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> LabelPage:
    """Blind answers, newest first, of one checkpoint or all."""
    with services(request).database.reading() as reader:
        found = page_of_labels(reader, limit + 1, checkpoint=checkpoint, before=before)
    return LabelPage(
        items=[_shown(one) for one in found[:limit]], next=found[limit - 1].id if len(found) > limit else None
    )


@router.get("/labels/counts")
def count_labels(request: Request, _: Reading, checkpoint: Checkpoint = None) -> LabelCounts:
    """How many decisions were drawn, how many of those answered, and how the answers compare: counts only."""
    with services(request).database.reading() as reader:
        found = label_counts(reader, checkpoint)
    return LabelCounts(items=[LabelCountShown.model_validate(one) for one in found])


def _shown(one: Label) -> LabelShown:
    named = {name: getattr(one, name) for name in LabelShown.model_fields.keys() - {"decision", "review", "outcome"}}
    return LabelShown(decision=one.ruling_id, review=one.review_id, outcome=outcome_of(one), **named)
