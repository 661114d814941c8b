"""One review: its page, and every verb on it as a posted form. Reading never changes anything."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from fairlead import reviews
from fairlead.api import Story, labels_of, nobody_left, read_story, require, reviewer_of, sees_every_role, services
from fairlead.checkpoints import SETTLEMENT, read_ruling
from fairlead.console.forms import answer_from, fields_of
from fairlead.console.note_pages import with_words
from fairlead.console.queue_pages import lease_of
from fairlead.console.shell import (
    Posted,
    console_of,
    desk_of,
    go,
    posted,
    render,
)
from fairlead.errors import ConflictError, FairleadError, ForbiddenError, InputError, NotFoundError
from fairlead.kit.ids import is_id
from fairlead.kit.unit_of_work import UnitOfWork
from fairlead.people import Permission, Principal, Role
from fairlead.reviews import Given, QueueFilter, Review, Reviewer, Verb, View
from fairlead.sales import note_of_case

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.kit.unit_of_work import Reader

SKIP_LOOK = 50
SNOOZES = {"1": "1 hour", "4": "4 hours", "24": "1 day", "72": "3 days", "168": "1 week"}
_MOVED_ON = {Verb.ESCALATE: "escalated", Verb.REQUEST_INFO: "asked", Verb.RETURN: "returned"}

router = APIRouter()
Reading = Annotated[Principal, Depends(require(Permission.REVIEWS_READ))]
Deciding = Annotated[Principal, Depends(require(Permission.REVIEWS_DECIDE))]
Form = Annotated[Posted, Depends(posted)]


@router.get("/reviews/{review_id}")
def review_page(request: Request, principal: Reading, review_id: str, done: str = "") -> Response:
    """The whole story; `done` names the review that was decided just before, so that it can be taken back."""
    return _page(request, principal, review_id, done=done)


def _page(
    request: Request,
    principal: Principal,
    review_id: str,
    *,
    done: str = "",
    typed: Posted | None = None,
    problem: FairleadError | None = None,
) -> Response:
    svc = services(request)
    now = svc.clock.now()
    with svc.database.reading() as reader:
        desk = desk_of(request, reader, principal)
        review = _seen(reader, principal, review_id)
        story = read_story(
            reader, console_of(request).library, review, principal.id, now,
            sensitive=principal.can(Permission.SENSITIVE_READ),
        )  # fmt: skip
        undo = _undoable(reader, done or review_id, principal, now)
        note = note_of_case(reader, review.case_id) if review.case_id else None
        roles = _roles(story, desk.bundle)
        stuck = review.id in nobody_left(reader, [review])
    me = reviewer_of(principal, review.role)
    return render(
        request, "review.html", desk, status=problem.status if problem else 200, story=story, review=review,
        fields=fields_of(story.schema, story.proposal, typed if _is_answer(typed) else None), undo=undo,
        mine=review.claimed_by == me.id and review.held(now), may_decide=_may(principal, review, me),
        roles=roles, snoozes=SNOOZES, typed=typed, problem=problem, me=me.id, undo_s=svc.settings.undo_s,
        lease_s=svc.settings.review_lease_min * 60, note=note, stuck=stuck,
        changes=[] if story.withheld or note is None else _changes(note.text, story),
    )  # fmt: skip


def _changes(text: str, story: Story) -> list[dict[str, Any]]:
    """What a note would change, each with the words that it was taken from."""
    found = next((value for name, value in [*story.found, *story.facts] if name == "record_changes"), None)
    return [with_words(text, change) for change in found or ()]


def _seen(reader: Reader, principal: Principal, review_id: str) -> Review:
    if not is_id(review_id, "rev"):
        raise NotFoundError("There is no such review.")
    review = reviews.get(reader, review_id)
    if not sees_every_role(principal) and review.role not in reviewer_of(principal, review.role).roles:
        raise ForbiddenError(f"This review is for the role {review.role}.", role=review.role)
    return review


def _may(principal: Principal, review: Review, me: Reviewer) -> bool:
    return principal.can(Permission.REVIEWS_DECIDE) and review.role in me.roles


def _is_answer(typed: Posted | None) -> bool:
    return typed is not None and typed.text("verdict") in {Verb.EDIT, Verb.ANSWER}


def _roles(story: Story, bundle: Any) -> list[str]:
    """To whom a review can be passed on: the roles of people and those that policies ask for, but its own."""
    known = {role.value for role in Role} - {Role.VIEWER.value}
    for policy in bundle.policies.values() if bundle else ():
        known |= {policy.review.role, *(rule.role for rule in policy.rules if rule.role)}
    return sorted(known - {story.review.role})


def _undoable(reader: Reader, review_id: str, principal: Principal, now: datetime) -> Review | None:
    """The review, if this person decided it and it has not taken effect yet."""
    one = reviews.find_many(reader, [review_id]).get(review_id)
    if one is None or one.state != "decided" or one.effective_at is None or one.effective_at <= now:
        return None
    return one if one.claimed_by == principal.id else None


def _do(request: Request, principal: Principal, review_id: str, verb: Callable[[UnitOfWork, Reviewer], Any]) -> Any:
    """One verb in one transaction, and a word to the open pages."""
    svc = services(request)
    with svc.database.transaction() as uow:
        review = _seen(uow, principal, review_id)
        found = verb(uow, reviewer_of(principal, review.role))
        uow.after_commit(console_of(request).feed.wake)
    return found


@router.post("/reviews/{review_id}/claim")
def claim(request: Request, principal: Deciding, review_id: str) -> Response:
    """Take it; who is slower sees who has it."""
    lease = lease_of(request)
    try:
        _do(request, principal, review_id, lambda uow, me: reviews.claim(uow, review_id, me, lease))
    except ConflictError as error:
        return _page(request, principal, review_id, problem=error)
    return go(f"/reviews/{review_id}")


@router.post("/reviews/{review_id}/heartbeat")
def heartbeat(request: Request, principal: Deciding, review_id: str) -> Response:
    """A sign of life from an open page."""
    lease = lease_of(request)
    _do(request, principal, review_id, lambda uow, me: reviews.heartbeat(uow, review_id, me, lease))
    return Response(status_code=204)


@router.post("/reviews/{review_id}/release")
def release(request: Request, principal: Deciding, review_id: str) -> Response:
    """Back to the queue for anybody."""
    return _moved(request, principal, review_id, "released", lambda uow, me: reviews.release(uow, review_id, me))


@router.post("/reviews/{review_id}/snooze")
def snooze(request: Request, principal: Deciding, review_id: str, form: Form) -> Response:
    """Put it away for one of the offered lengths."""
    hours = form.text("hours")
    if hours not in SNOOZES:
        raise InputError("Choose for how long to put the review away.", field="hours")
    until = timedelta(hours=int(hours))
    return _moved(
        request,
        principal,
        review_id,
        "snoozed",
        lambda uow, me: reviews.snooze(uow, review_id, me, uow.now + until),
    )


@router.post("/reviews/{review_id}/unsnooze")
def unsnooze(request: Request, principal: Deciding, review_id: str) -> Response:
    """Bring it back now."""
    verb = lambda uow, me: reviews.unsnooze(uow, review_id, me)  # noqa: E731
    return _moved(request, principal, review_id, "unsnoozed", verb, stay=True)


@router.post("/reviews/{review_id}/resume")
def resume(request: Request, principal: Deciding, review_id: str, form: Form) -> Response:
    """The information asked for has come."""
    why = form.text("reason") or "said at the desk"
    verb = lambda uow, me: reviews.resume(uow, review_id, me.actor, why)  # noqa: E731
    return _moved(request, principal, review_id, "resumed", verb, stay=True)


@router.post("/reviews/{review_id}/undo")
def undo(request: Request, principal: Deciding, review_id: str) -> Response:
    """Take one's own verdict back while it has no effect yet."""
    lease = lease_of(request)
    verb = lambda uow, me: reviews.undo(uow, review_id, me, lease, settlement=SETTLEMENT)  # noqa: E731
    return _moved(request, principal, review_id, "undone", verb, stay=True)


@router.post("/reviews/{review_id}/skip")
def skip(request: Request, principal: Deciding, review_id: str) -> Response:
    """Give it back, if one holds it, and claim the one that stands behind it in the queue."""
    lease = lease_of(request)

    def onward(uow: UnitOfWork, me: Reviewer) -> Review | None:
        one = reviews.get(uow, review_id)
        if one.is_label:
            message = "What was drawn or asked for cannot be skipped: answer, say that you cannot tell, or release it."
            raise ConflictError(message, code="drawn", review=review_id)
        if one.claimed_by == me.id and one.held(uow.now):
            reviews.release(uow, review_id, me)
        return _claim_behind(uow, one, me, lease)

    try:
        found = _do(request, principal, review_id, onward)
    except ConflictError as error:
        return _page(request, principal, review_id, problem=error)
    return go(f"/reviews/{found.id}", said="skipped") if found else go("/reviews", said="released")


def _claim_behind(uow: UnitOfWork, one: Review, me: Reviewer, lease: timedelta) -> Review | None:
    wanted = QueueFilter(View.UNCLAIMED, roles=tuple(sorted(me.roles)))
    waiting = [other for other in reviews.page(uow, wanted, limit=SKIP_LOOK).items if other.id != one.id]
    behind = [other for other in waiting if _place(other) > _place(one)] or waiting
    for other in behind:
        if other.assignee not in {None, me.id}:
            continue
        try:
            return reviews.claim(uow, other.id, me, lease).review
        except ConflictError:
            continue
    return None


def _place(one: Review) -> tuple[int, datetime, str]:
    return -one.priority, one.created_at, one.id


@router.post("/reviews/{review_id}/verdict")
def verdict(request: Request, principal: Deciding, review_id: str, form: Form) -> Response:
    """Decide, and go on to the next review; refused verdicts come back with everything that was typed."""
    try:
        decided = _do(request, principal, review_id, lambda uow, me: _decide(request, uow, review_id, form, me))
    except (ConflictError, InputError) as error:
        return _page(request, principal, review_id, typed=form, problem=error)
    given = Verb(form.text("verdict"))
    if not decided.settled and given in {Verb.ANSWER, Verb.CANNOT_TELL} and decided.review.state == "claimed":
        return go(f"/reviews/{review_id}", said="labelled")
    svc = services(request)
    with svc.database.transaction() as uow:
        onward = reviews.claim_next(uow, reviewer_of(principal), lease_of(request))
        uow.after_commit(console_of(request).feed.wake)
    plain = "compared" if decided.review.is_label else ""
    said = _MOVED_ON.get(given, plain if decided.settled else "voted")
    if onward is None:
        path = f"/reviews/{review_id}" if decided.settled else "/reviews"
        return go(path, said=said or "empty", done=review_id if decided.settled else None)
    return go(f"/reviews/{onward.review.id}", said=said, done=review_id if decided.settled else None)


def _decide(request: Request, uow: UnitOfWork, review_id: str, form: Posted, me: Reviewer) -> reviews.Decided:
    one = reviews.get(uow, review_id)
    story = read_story(
        uow, console_of(request).library, one, me.id, uow.now, sensitive=True
    )  # fmt: skip  nothing of it is shown here
    word = form.text("verdict")
    if word not in set(Verb):
        raise InputError("Choose what to do with this review.", field="verdict")
    answer = None
    if word in {Verb.EDIT, Verb.ANSWER}:
        before = read_ruling(uow, one.ruling_id).proposal["answer"] if word == Verb.EDIT else None
        answer = answer_from(story.schema, form, before)
    given = Given(Verb(word), form.text("digest"), answer, form.text("reason"), form.text("to_role") or None)

    def check(_checkpoint: str, value: Any) -> None:
        if story.policy is None:
            message = "The policy of this checkpoint is not deployed any more, so no answer can be checked."
            raise ConflictError(message, code="no_policy")
        story.policy.answer.check(value)

    return reviews.decide(
        uow, review_id, given, me, settlement=SETTLEMENT, labels=labels_of(console_of(request).library),
        check_answer=check,
        effective_after=timedelta(seconds=services(request).settings.undo_s),
    )  # fmt: skip


def _moved(
    request: Request,
    principal: Principal,
    review_id: str,
    said: str,
    verb: Callable[[UnitOfWork, Reviewer], Any],
    *,
    stay: bool = False,
) -> Response:
    try:
        _do(request, principal, review_id, verb)
    except ConflictError as error:
        return _page(request, principal, review_id, problem=error)
    return go(f"/reviews/{review_id}" if stay else "/reviews", said=said)
