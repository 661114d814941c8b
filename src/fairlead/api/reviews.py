"""The queue over HTTP: find, claim, decide, take back; a key may look, only a person decides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request

from fairlead import reviews
from fairlead.api.autonomy import current_or_none
from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import library_of, require, services
from fairlead.api.review_shapes import (
    Claimed,
    CountOf,
    NextBody,
    NextReview,
    ResumeBody,
    ReviewDetail,
    ReviewItem,
    ReviewPage,
    SnoozeBody,
    VerdictAnswer,
    VerdictBody,
    Wanted,
    detail,
    item,
)
from fairlead.api.reviewing import check_target, labels_of, lease_of, reviewer_of, seen_review, sees_every_role
from fairlead.api.shapes import PathId
from fairlead.api.story import policy_of, read_story
from fairlead.checkpoints import SETTLEMENT
from fairlead.errors import ConflictError
from fairlead.kit.unit_of_work import UnitOfWork
from fairlead.people import Permission, Principal
from fairlead.reviews import QueueFilter, Review, Reviewer, View

if TYPE_CHECKING:
    from datetime import datetime

    from fairlead.kit.unit_of_work import Reader

NEXT_LOOK = 50
router = APIRouter(prefix="/v1/reviews", tags=["reviews"], responses=ERROR_RESPONSES)
Reading = Annotated[Principal, Depends(require(Permission.REVIEWS_READ))]
Deciding = Annotated[Principal, Depends(require(Permission.REVIEWS_DECIDE))]
_T = TypeVar("_T")


@router.get("")
def list_reviews(request: Request, principal: Reading, wanted: Annotated[Wanted, Query()]) -> ReviewPage:
    """Open reviews in the queue's order: higher priority first, then older.

    `q` and `customer` search all open reviews and take no view. Who decides sees the roles they hold, unless
    they manage reviews or audit and ask for `every_role`; who only looks sees all.
    """
    roles = _roles(principal, every=wanted.every_role)
    queue, after, limit = wanted.queue_filter(roles, principal.id), wanted.after, wanted.limit
    with services(request).database.reading() as reader:
        if wanted.q is not None:
            page = reviews.search(reader, wanted.q, roles=roles, after=after, limit=limit)
        elif wanted.customer is not None:
            page = reviews.search_customers(reader, [wanted.customer], roles=roles, after=after, limit=limit)
        else:
            page = reviews.page(reader, queue, after=after, limit=limit)
    return ReviewPage(items=[item(one) for one in page.items], next=page.cursor)


@router.get("/counts")
def count_reviews(request: Request, principal: Reading) -> dict[str, CountOf]:
    """How many open reviews each view has for you."""
    roles = _roles(principal, every=True)
    with services(request).database.reading() as reader:
        found = reviews.counts(reader, roles=roles, person=principal.id)
    return {view.value: CountOf(number=count.number, capped=count.capped) for view, count in found.items()}


@router.get("/next")
def look_at_next(request: Request, principal: Deciding) -> NextReview:
    """What `POST /v1/reviews/next` would probably claim; nothing is claimed by looking."""
    svc = services(request)
    with svc.database.reading() as reader:
        found = _next(reader, reviewer_of(principal), svc.clock.now())
    return NextReview(review=None if found is None else item(found))


@router.post("/next")
def claim_next(request: Request, principal: Deciding, body: NextBody | None = None) -> NextReview:
    """Claim what should be done next: first what was passed to you, else the highest ranked free review."""
    svc, wanted = services(request), body or NextBody()
    with svc.database.transaction() as uow:
        me, lease = reviewer_of(principal), lease_of(svc.settings)
        taken = reviews.claim_next(uow, me, lease, role=wanted.role, checkpoint=wanted.checkpoint)
        uow.after_commit(svc.wake)
    return NextReview(review=item(taken.review) if taken else None)


@router.get("/{review_id}")
def read_review(request: Request, principal: Reading, review_id: PathId) -> ReviewDetail:
    """The whole story, but for what is withheld until you have answered by yourself."""
    svc = services(request)
    with svc.database.reading() as reader:
        one = seen_review(reader, principal, review_id)
        story = read_story(
            reader, library_of(request), one, principal.id, svc.clock.now(),
            sensitive=principal.can(Permission.SENSITIVE_READ),
        )  # fmt: skip
    return detail(story)


@router.post("/{review_id}/claim")
def claim_review(request: Request, principal: Deciding, review_id: PathId) -> Claimed:
    """Make it yours for as long as you give signs of life; 409 says who was faster."""
    lease = lease_of(services(request).settings)
    taken = _do(request, principal, review_id, lambda uow, me: reviews.claim(uow, review_id, me, lease))
    return Claimed(review=item(taken.review), siblings=[item(one) for one in taken.siblings])


@router.post("/{review_id}/release")
def release_review(request: Request, principal: Deciding, review_id: PathId) -> ReviewItem:
    """Give it back to the queue for anybody."""
    return item(_do(request, principal, review_id, lambda uow, me: reviews.release(uow, review_id, me)))


@router.post("/{review_id}/heartbeat")
def keep_review(request: Request, principal: Deciding, review_id: PathId) -> ReviewItem:
    """A sign of life: your claim runs on from now."""
    lease = lease_of(services(request).settings)
    return item(_do(request, principal, review_id, lambda uow, me: reviews.heartbeat(uow, review_id, me, lease)))


@router.post("/{review_id}/snooze")
def snooze_review(request: Request, principal: Deciding, review_id: PathId, body: SnoozeBody) -> ReviewItem:
    """Put it away until then, as yours; its clock runs on."""
    verb = lambda uow, me: reviews.snooze(uow, review_id, me, body.until)  # noqa: E731
    return item(_do(request, principal, review_id, verb))


@router.post("/{review_id}/unsnooze")
def unsnooze_review(request: Request, principal: Deciding, review_id: PathId) -> ReviewItem:
    """Bring it back now."""
    return item(_do(request, principal, review_id, lambda uow, me: reviews.unsnooze(uow, review_id, me)))


@router.post("/{review_id}/resume")
def resume_review(request: Request, principal: Deciding, review_id: PathId, body: ResumeBody) -> ReviewItem:
    """The information asked for has come; the clock goes on with what was left of it."""
    why = body.reason or "said over the API"
    return item(_do(request, principal, review_id, lambda uow, me: reviews.resume(uow, review_id, me.actor, why)))


@router.post("/{review_id}/verdict")
def give_verdict(request: Request, principal: Deciding, review_id: PathId, body: VerdictBody) -> VerdictAnswer:
    """Decide. Refused with 409 when you do not hold it, when it is closed, or when it is not what you saw."""
    given, settings, library = body.given(), services(request).settings, library_of(request)

    def decide(uow: UnitOfWork, me: Reviewer) -> reviews.Decided:
        one = reviews.get(uow, review_id)
        check_target(uow, current_or_none(request, uow), body.to_role, body.to_person)

        def check(_checkpoint: str, value: Any) -> None:
            policy = policy_of(uow, library, one)
            if policy is None:
                message = "The policy of this checkpoint is not deployed any more, so no answer can be checked."
                raise ConflictError(message, code="no_policy")
            policy.answer.check(value)

        after = timedelta(seconds=settings.undo_s)
        return reviews.decide(
            uow, review_id, given, me, settlement=SETTLEMENT, labels=labels_of(library), check_answer=check,
            effective_after=after,
        )  # fmt: skip

    done = _do(request, principal, review_id, decide)
    return VerdictAnswer(
        review=item(done.review),
        settled=done.settled,
        missing=dict(done.missing),
        effective_at=done.effective_at,
    )


@router.post("/{review_id}/undo")
def undo_verdict(request: Request, principal: Deciding, review_id: PathId) -> ReviewItem:
    """Take your own verdict back before it takes effect; the review is yours again."""
    lease = lease_of(services(request).settings)
    verb = lambda uow, me: reviews.undo(uow, review_id, me, lease, settlement=SETTLEMENT)  # noqa: E731
    return item(_do(request, principal, review_id, verb))


def _do(request: Request, principal: Principal, review_id: str, verb: Callable[[UnitOfWork, Reviewer], _T]) -> _T:
    svc = services(request)
    with svc.database.transaction() as uow:
        one = seen_review(uow, principal, review_id)
        found = verb(uow, reviewer_of(principal, one.role))
        uow.after_commit(svc.wake)
    return found


def _roles(principal: Principal, *, every: bool) -> tuple[str, ...] | None:
    if not principal.can(Permission.REVIEWS_DECIDE) or (every and sees_every_role(principal)):
        return None
    return tuple(sorted(reviewer_of(principal).roles))


def _next(reader: Reader, me: Reviewer, now: datetime) -> Review | None:
    wanted = QueueFilter(View.UNCLAIMED, tuple(sorted(me.roles)))
    waiting = reviews.page(reader, wanted, limit=NEXT_LOOK).items
    for one in [*(one for one in waiting if one.assignee == me.id), *waiting]:
        if one.assignee in {None, me.id} and not _busy(reader, one, me, now):
            return one
    return None


def _busy(reader: Reader, one: Review, me: Reviewer, now: datetime) -> bool:
    return any(other.held_by_other(me.id, now) for other in reviews.siblings(reader, one))
