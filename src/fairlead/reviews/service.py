"""Opening, claiming, passing on and withdrawing reviews; `deciding` and `timers` hold the other verbs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fairlead.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from fairlead.kit.actors import Actor
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.reviews import binding, picking, store
from fairlead.reviews.model import (
    MAX_SNOOZE,
    Review,
    ReviewDraft,
    Reviewer,
    State,
    Verb,
    check_needs,
    clock_started,
    has_voted,
)
from fairlead.reviews.refusals import closed, conflict, held_by, lost
from fairlead.reviews.tables import review as review_table
from fairlead.reviews.transitions import Refusal, next_state

UNCLAIMED: dict[str, Any] = {
    "state": State.WAITING,
    "claimed_by": None,
    "claimer_name": None,
    "claimed_until": None,
    "assignee": None,
}
CLAIM_TRIES = 100
WITHDRAW_TRIES = 5


@dataclass(frozen=True, slots=True)
class Claim:
    """A review that is now its claimer's; `siblings` are the same customer's other open reviews.

    While the claim lasts nobody else can claim one of them.
    """

    review: Review
    siblings: tuple[Review, ...]


def open_many(uow: UnitOfWork, drafts: Sequence[ReviewDraft]) -> list[str]:
    """Open reviews in bulk; ids in the order of the drafts. Leaves no audit entry: the caller's ruling has
    one.
    """
    return store.insert_drafts(uow, drafts) if drafts else []


def get(reader: Reader, review_id: str) -> Review:
    """The review; NotFoundError when there is none."""
    found = store.find(reader, review_id)
    if found is None:
        raise NotFoundError("There is no such review.", review=review_id)
    return found


def claim(uow: UnitOfWork, review_id: str, reviewer: Reviewer, lease: timedelta) -> Claim:
    """Make the review this person's for `lease`; claiming one's own again renews it.

    ConflictError when it is closed, somebody else holds it or another review of its customer, this person has voted on
    it, or had the case of an appeal in hand before; the fields name who and until when. A lapsed claim, a snooze and an
    assignment to somebody else do not stand in the way. ForbiddenError without the role.
    """
    one = get(uow, review_id)
    check_role(one, reviewer)
    store.lock_customer(uow, one.customer_id, wait=True)
    taken = take(uow, one, reviewer, lease)
    if taken is None:
        raise lost(uow, review_id, reviewer.id)
    return taken


def take(uow: UnitOfWork, one: Review, reviewer: Reviewer, lease: timedelta) -> Claim | None:
    """`claim` behind its locks; None when the review changed meanwhile."""
    target = step(uow, one, Verb.CLAIM)
    if one.held_by_other(reviewer.id, uow.now):
        raise held_by(one)
    other = store.sibling_in_work(uow, one, reviewer.id, uow.now)
    if other is not None:
        raise held_by(other, code="customer_in_work")
    if one.is_appeal and reviewer.id in store.who_know_case(uow, one):
        words = "You have had this case in hand before; a customer's appeal takes somebody who has not."
        raise conflict("knows_case", words, one)
    if has_voted(store.votes_of(uow, one.id), str(reviewer.actor), one.digest):
        raise conflict("already_voted", "You have voted on this review; it takes somebody else.", one)
    after = store.move(
        uow,
        one,
        state=target,
        claimed_by=reviewer.id,
        claimer_name=reviewer.name,
        claimed_until=uow.now + lease,
        assignee=reviewer.id,
        snoozed_until=None,
    )
    if after is None:
        return None
    payload: dict[str, Any] = {"until": after.claimed_until}
    if one.claimed_by not in {None, reviewer.id}:
        payload["lapsed_claim_of"] = one.claimed_by
    if one.assignee not in {None, reviewer.id} and one.state == State.WAITING:
        payload["was_assigned_to"] = one.assignee
    record(uow, after, "review.claimed", reviewer.actor, payload)
    return Claim(after, tuple(store.siblings(uow, after)))


def claim_next(
    uow: UnitOfWork,
    reviewer: Reviewer,
    lease: timedelta,
    *,
    role: str | None = None,
    checkpoint: str | None = None,
) -> Claim | None:
    """Claim what should be done next: first what was passed to this person, else the highest ranked free
    review.

    `role` and `checkpoint` narrow it down. None when there is nothing, or (on Postgres, under a rush of
    claims) nothing that is not just being taken by somebody else.
    """
    if role is not None and role not in reviewer.roles:
        raise ForbiddenError("You do not have this role.", role=role)
    mine = picking.next_assigned(uow, reviewer.id)
    if mine is not None and role in {None, mine.role} and checkpoint in {None, mine.checkpoint}:
        taken = take_if_free(uow, mine, reviewer, lease)
        if taken is not None:
            return taken
    heads: dict[str, tuple[int, Review] | None] = {}
    for one in [role] if role is not None else sorted(reviewer.roles):
        heads[one] = picking.next_free(uow, one, reviewer, after=None, checkpoint=checkpoint)
    for _ in range(CLAIM_TRIES):
        live = [(rank, one.id, one) for rank, one in (head for head in heads.values() if head)]
        if not live:
            return None
        rank, _, best = min(live, key=lambda entry: entry[:2])
        taken = take_if_free(uow, best, reviewer, lease)
        if taken is not None:
            return taken
        behind = (rank, best.id)
        heads[best.role] = picking.next_free(uow, best.role, reviewer, after=behind, checkpoint=checkpoint)
    return None


def take_if_free(uow: UnitOfWork, one: Review, reviewer: Reviewer, lease: timedelta) -> Claim | None:
    """`claim` for a review that was only come across: None instead of waiting or of any refusal."""
    if one.role not in reviewer.roles or not store.lock_customer(uow, one.customer_id, wait=False):
        return None
    try:
        return take(uow, one, reviewer, lease)
    except ConflictError:
        return None


def release(uow: UnitOfWork, review_id: str, reviewer: Reviewer) -> Review:
    """Give the review back to the queue for anybody."""
    one = mine(uow, review_id, reviewer, Verb.RELEASE)
    return moved(uow, one, "review.released", reviewer.actor, {}, **UNCLAIMED)


def heartbeat(uow: UnitOfWork, review_id: str, reviewer: Reviewer, lease: timedelta) -> Review:
    """A sign of life: the lease runs `lease` from now. Also mends a lapsed claim that nobody took over."""
    one = mine(uow, review_id, reviewer, Verb.HEARTBEAT, lapsed_too=True)
    if not one.held(uow.now):
        store.lock_customer(uow, one.customer_id, wait=True)
        other = store.sibling_in_work(uow, one, reviewer.id, uow.now)
        if other is not None:
            raise held_by(other, code="customer_in_work")
    until = uow.now + lease
    return moved(uow, one, "review.kept", reviewer.actor, {"until": until}, claimed_until=until)


def snooze(uow: UnitOfWork, review_id: str, reviewer: Reviewer, until: datetime) -> Review:
    """Put the review away until then, as this person's; its clock runs on.

    InputError unless `until` lies ahead, within 366 days. Snoozing what somebody else holds is a
    ConflictError.
    """
    one = get(uow, review_id)
    check_role(one, reviewer)
    step(uow, one, Verb.SNOOZE)
    if one.held_by_other(reviewer.id, uow.now):
        raise held_by(one)
    if not uow.now < until <= uow.now + MAX_SNOOZE:
        raise InputError("A snooze ends within the next 366 days.", code="snooze", until=until)
    changes = UNCLAIMED | {"assignee": reviewer.id, "snoozed_until": until}
    return moved(uow, one, "review.snoozed", reviewer.actor, {"until": until}, **changes)


def unsnooze(uow: UnitOfWork, review_id: str, reviewer: Reviewer) -> Review:
    """Bring a snoozed review back into the queue now; it stays with the person it was snoozed by."""
    one = get(uow, review_id)
    check_role(one, reviewer)
    step(uow, one, Verb.UNSNOOZE)
    if one.snoozed_until is None:
        raise conflict("not_snoozed", "The review is not snoozed.", one)
    return moved(uow, one, "review.unsnoozed", reviewer.actor, {}, snoozed_until=None)


def resume(uow: UnitOfWork, review_id: str, actor: Actor, why: str) -> Review:
    """The information asked for has come: the clock goes on with what was left of it."""
    one = get(uow, review_id)
    step(uow, one, Verb.RESUME)
    if one.paused_at is None:
        raise conflict("not_paused", "No information was asked for.", one)
    changes = clock_started(one, uow.now) | {"needs_information": False}
    return moved(uow, one, "review.resumed", actor, {"why": why}, **changes)


def rebind(
    uow: UnitOfWork,
    review_id: str,
    actor: Actor,
    why: str,
    *,
    needs: binding.Needs | None = None,
    proposal_digest: str | None = None,
    facts_digest: str | None = None,
    path: str | None = None,
) -> Review:
    """Change what a verdict binds to while the review is open; votes and pages of the old state no longer
    count.

    `path` human withholds the proposal from now on; there is no way back. Needs only grow: a looser rule does not
    reach reviews that are waiting (InputError). The claim stays; its holder learns of the change when they answer.
    """
    one = get(uow, review_id)
    step(uow, one, Verb.REBIND)
    wanted = needs or one.needs
    check_needs(wanted)
    if any(dict(wanted).get(role, 0) < count for role, count in one.needs):
        raise InputError("Needs can only grow while a review is open.", now=one.needs, wanted=wanted)
    if path not in {None, one.path, "human"}:
        raise InputError("The path can only become stricter while a review is open.", now=one.path, wanted=path)
    new = binding.rebind(one.digest, one.role, wanted, proposal_digest=proposal_digest, facts_digest=facts_digest)
    payload = {"why": why, "changed": binding.changes(one.digest, new, one.role, wanted)}
    changes: dict[str, Any] = {"quorum": dict(wanted)[one.role], "needs": wanted, "digest": new}
    if path is not None and path != one.path:
        payload["path"] = path
        changes |= {"path": path, "blind": False}
    return moved(uow, one, "review.rebound", actor, payload, **changes)


def withdraw_for_case(uow: UnitOfWork, case_id: str, actor: Actor, why: str) -> list[str]:
    """Withdraw the open reviews of a case; their ids. The caller settles what becomes of the case."""
    return _withdraw(uow, store.open_of(uow, review_table.c.case_id, case_id), actor, why)


def withdraw_for_ruling(uow: UnitOfWork, ruling_id: str, actor: Actor, why: str) -> list[str]:
    """Withdraw the open reviews of a ruling; their ids."""
    return _withdraw(uow, store.open_of(uow, review_table.c.ruling_id, ruling_id), actor, why)


def _withdraw(uow: UnitOfWork, found: Sequence[Review], actor: Actor, why: str) -> list[str]:
    done = []
    for one in found:
        after = _withdrawn(uow, one)
        if after is not None:
            store.add_log(uow, after, "withdrawn", (str(actor), ""), reason=why)
            record(uow, after, "review.withdrawn", actor, {"why": why, "holder": one.claimed_by})
            done.append(one.id)
    return done


def _withdrawn(uow: UnitOfWork, one: Review) -> Review | None:
    """None when somebody closed it first; a claim that came in between is no reason to leave it."""
    for _ in range(WITHDRAW_TRIES):
        after = store.move(uow, one, **closing(next_state(State(one.state), Verb.WITHDRAW, one.mode), uow.now))
        if after is not None:
            return after
        one = get(uow, one.id)
        if not one.is_open:
            return None
    raise lost(uow, one.id)


# ---- what the other verbs share ----


def closing(state: State | Refusal, now: datetime) -> dict[str, Any]:
    """The columns of a review that closes; `claimed_by` stays, to show who had it."""
    return {"state": state, "closed_at": now, "claimed_until": None, "snoozed_until": None}


def step(reader: Reader, one: Review, verb: Verb) -> State:
    """The next state by the table; ConflictError with the table's reason when it refuses."""
    target = next_state(State(one.state), verb, one.mode)
    if isinstance(target, State):
        return target
    if not one.is_open:
        raise closed(reader, one, target)
    raise conflict(target.code, target.words, one)


def check_role(one: Review, reviewer: Reviewer) -> None:
    """ForbiddenError unless the person has the role that the review needs now."""
    if one.role not in reviewer.roles:
        raise ForbiddenError(f"This review needs the role {one.role!r}.", code="role", role=one.role, review=one.id)


def mine(uow: UnitOfWork, review_id: str, reviewer: Reviewer, verb: Verb, *, lapsed_too: bool = False) -> Review:
    """The review, if the table allows the verb and this person holds it now; ConflictError with why not."""
    one = get(uow, review_id)
    step(uow, one, verb)
    if one.claimed_by != reviewer.id:
        raise held_by(one)
    if not (lapsed_too or one.held(uow.now)):
        raise conflict("claim_lapsed", "Your claim has run out; claim the review again.", one)
    return one


def moved(uow: UnitOfWork, one: Review, verb: str, actor: Actor, payload: dict[str, Any], **changes: Any) -> Review:
    """Change, record, and be the one winner; ConflictError when somebody else was first."""
    after = store.move(uow, one, **changes)
    if after is None:
        raise lost(uow, one.id, actor.id)
    record(uow, after, verb, actor, payload)
    return after


def record(uow: UnitOfWork, one: Review, verb: str, actor: Actor, payload: dict[str, Any]) -> None:
    """One audit entry about a review, readable for as long as its customer is not erased."""
    body = {"ruling": one.ruling_id, "state": one.state, "role": one.role} | payload
    uow.record(AuditEntry(verb, one.id, body, customer_id=one.customer_id, actor=actor))
