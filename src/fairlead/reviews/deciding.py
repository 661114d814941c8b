"""Verdicts: one winner, bound to what was shown, and taken back only before they take effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fairlead.errors import ConflictError, ForbiddenError
from fairlead.kit.clock import iso
from fairlead.kit.unit_of_work import UnitOfWork
from fairlead.reviews import binding, store
from fairlead.reviews.binding import Needs
from fairlead.reviews.model import (
    Given,
    Labelling,
    Mode,
    Review,
    Reviewer,
    Settlement,
    Verb,
    Vote,
    answer_key,
    clock_stopped,
    has_voted,
    missing,
    passed_on,
)
from fairlead.reviews.refusals import conflict, lost
from fairlead.reviews.service import (
    UNCLAIMED,
    check_role,
    closing,
    get,
    mine,
    moved,
    record,
    step,
    take_if_free,
)

CheckAnswer = Callable[[str, Any], None]


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a verdict.

    `settled` means the ruling has its decision, to take effect at `effective_at`. Otherwise the review goes
    on: a label was stored, a vote counted (`missing` says whose it still takes), or it was passed on.
    """

    review: Review
    settled: bool
    missing: Needs = ()
    effective_at: datetime | None = None


def decide(
    uow: UnitOfWork,
    review_id: str,
    given: Given,
    reviewer: Reviewer,
    *,
    settlement: Settlement,
    labels: Labelling,
    check_answer: CheckAnswer,
    effective_after: timedelta,
) -> Decided:
    """Give a verdict on a review that one holds.

    Refused with ConflictError when the review is closed (who, what, when), somebody else's, or not what the
    page showed (`stale`, with `changed` by part); with ForbiddenError without the role or on a second vote.
    `check_answer(checkpoint, answer)` raises InputError for an answer off the checkpoint's schema. `labels`
    keeps what was answered without the proposal, in this very transaction.
    """
    one = mine(uow, review_id, reviewer, given.verdict)
    _check_shown(one, given)
    check_role(one, reviewer)
    if given.answer is not None:
        check_answer(one.checkpoint, given.answer)
    if given.verdict is Verb.ESCALATE:
        return _escalate(uow, one, given, reviewer)
    if given.verdict is Verb.REQUEST_INFO:
        return _request_info(uow, one, given, reviewer)
    if given.verdict is Verb.RETURN:
        return _return(uow, one, given, reviewer)
    if one.mode is Mode.BLIND:
        return _label(uow, one, given, reviewer, labels)
    if one.mode is Mode.LABEL:
        return _settle_label(uow, one, given, reviewer, labels)
    decided = _vote(uow, one, given, reviewer, settlement, effective_after)
    if decided.settled and one.mode is Mode.HUMAN:
        labels.keep(uow, one, given.answer, reviewer.actor)
    return decided


def _check_shown(one: Review, given: Given) -> None:
    changed = binding.changes(given.digest, one.digest, one.role, one.needs)
    if changed:
        words = " and ".join(changed)
        raise ConflictError(
            f"The {words} changed while you were looking; see the difference and decide again.",
            code="stale", review=one.id, changed=changed, digest=one.digest,
        )  # fmt: skip


def _payload(given: Given) -> dict[str, Any]:
    return {"verdict": given.verdict, "answer": given.answer, "reason": given.reason, "digest": given.digest}


def _log(uow: UnitOfWork, one: Review, word: str, given: Given, reviewer: Reviewer) -> None:
    who = (str(reviewer.actor), reviewer.name)
    store.add_log(uow, one, word, who, answer=given.answer, reason=given.reason)


def _label(uow: UnitOfWork, one: Review, given: Given, reviewer: Reviewer, labels: Labelling) -> Decided:
    """The answer given before the proposal was seen; the same person now sees it and decides."""
    _log(uow, one, "label" if given.verdict is Verb.ANSWER else given.verdict, given, reviewer)
    after = moved(uow, one, "review.labelled", reviewer.actor, _payload(given), blind=False)
    labels.keep(uow, one, given.answer, reviewer.actor)
    return Decided(after, settled=False)


def _settle_label(uow: UnitOfWork, one: Review, given: Given, reviewer: Reviewer, labels: Labelling) -> Decided:
    """The answer closes the review and touches nothing else: ruling, decision, case and actions stand.

    It counts at once. There is nothing to undo, and who looked at what the machine did is blind no more.
    """
    changes = closing(step(uow, one, given.verdict), uow.now) | {"effective_at": uow.now}
    after = moved(uow, one, "review.labelled", reviewer.actor, _payload(given), **changes)
    _log(uow, one, given.verdict, given, reviewer)
    labels.keep(uow, one, given.answer, reviewer.actor)
    return Decided(after, settled=True, effective_at=uow.now)


def _vote(
    uow: UnitOfWork, one: Review, given: Given, reviewer: Reviewer, settlement: Settlement, after: timedelta
) -> Decided:
    votes = store.votes_of(uow, one.id)
    me = str(reviewer.actor)
    if has_voted(votes, me, one.digest):
        if not get(uow, one.id).is_open:  # one's own other click was first, between our two reads
            raise lost(uow, one.id, reviewer.id)
        raise ForbiddenError("You have voted on this review; it takes somebody else.", code="already_voted")
    key = answer_key(given.answer)
    votes = [*votes, Vote(me, given.verdict, key, one.digest)]
    left = missing(one.needs, votes, key, one.digest)
    payload = _payload(given) | {"needs": dict(one.needs), "missing": dict(left)}
    if left and given.verdict is not Verb.REJECT:
        _log(uow, one, given.verdict, given, reviewer)
        waiting = moved(uow, one, "review.voted", reviewer.actor, payload, **_before(one, left))
        return Decided(waiting, settled=False, missing=left)
    effective_at = uow.now + after
    changes = closing(step(uow, one, given.verdict), uow.now) | {"effective_at": effective_at}
    payload["effective_at"] = effective_at
    decided = moved(uow, one, "review.decided", reviewer.actor, payload, **changes)
    _log(uow, one, given.verdict, given, reviewer)
    settlement.settle(uow, one.ruling_id, given.verdict.value, given.answer, reviewer.actor, given.reason, effective_at)
    return Decided(decided, settled=True, effective_at=effective_at)


def _before(one: Review, left: Needs) -> dict[str, Any]:
    """The columns that put it before whoever is still missing: the same role first, then the next."""
    role = one.role if one.role in dict(left) else left[0][0]
    digest = binding.rebind(one.digest, role, one.needs)
    return UNCLAIMED | {"role": role, "quorum": dict(one.needs)[role], "digest": digest}


def _escalate(uow: UnitOfWork, one: Review, given: Given, reviewer: Reviewer) -> Decided:
    """The same review for another role or person; what a verdict binds to changes with the role."""
    role = given.to_role or one.role
    needs = passed_on(one.needs, one.role, role)
    changes = UNCLAIMED | {
        "role": role,
        "assignee": given.to_person,
        "quorum": dict(needs)[role],
        "needs": needs,
        "digest": binding.rebind(one.digest, role, needs),
    }
    payload = _payload(given) | {"to_role": role, "to_person": given.to_person}
    _log(uow, one, given.verdict, given, reviewer)
    return Decided(moved(uow, one, "review.escalated", reviewer.actor, payload, **changes), settled=False)


def _request_info(uow: UnitOfWork, one: Review, given: Given, reviewer: Reviewer) -> Decided:
    """The clock stands still until `resume`; the review stays the asker's to come back to."""
    changes = UNCLAIMED | {"assignee": reviewer.id, "needs_information": True} | clock_stopped(one, uow.now)
    _log(uow, one, given.verdict, given, reviewer)
    after = moved(uow, one, "review.information_requested", reviewer.actor, _payload(given), **changes)
    return Decided(after, settled=False)


def _return(uow: UnitOfWork, one: Review, given: Given, reviewer: Reviewer) -> Decided:
    _log(uow, one, given.verdict, given, reviewer)
    after = moved(uow, one, "review.returned", reviewer.actor, _payload(given), **UNCLAIMED)
    return Decided(after, settled=False)


def undo(uow: UnitOfWork, review_id: str, reviewer: Reviewer, lease: timedelta, *, settlement: Settlement) -> Review:
    """Take one's own verdict back before it takes effect; the review is then claimed again for `lease`.

    If somebody else is busy with the customer by now, it waits for this person instead.
    ConflictError when it took effect already (`too_late`) or is not decided; ForbiddenError for anybody but
    the person whose verdict settled it. Votes of others stay.
    """
    one = get(uow, review_id)
    target = step(uow, one, Verb.UNDO)
    last = store.last_closing(uow, one.id)
    if last is None or last.actor != str(reviewer.actor):
        raise ForbiddenError("Only the person who decided can take it back.", code="not_yours", review=one.id)
    if one.effective_at is None or uow.now >= one.effective_at:
        raise _too_late(one)
    reopened = {"state": target, "assignee": reviewer.id, "closed_at": None, "effective_at": None}
    after = store.move(uow, one, **UNCLAIMED | reopened)
    if after is None:
        raise lost(uow, one.id, reviewer.id)
    if not settlement.unsettle(uow, one.ruling_id):
        raise _too_late(one)
    store.take_back(uow, last.id)
    record(uow, after, "review.undone", reviewer.actor, {"verdict": last.verdict})
    again = take_if_free(uow, after, reviewer, lease)
    return again.review if again else after


def _too_late(one: Review) -> ConflictError:
    at = None if one.effective_at is None else iso(one.effective_at)
    error = conflict("too_late", "The verdict has taken effect and cannot be taken back.", one)
    error.fields["effective_at"] = at
    return error
