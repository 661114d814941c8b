"""What time does to reviews: clocks that run out, leases that lapse, snoozes that end, counts that are
folded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairlead.checkpoints import fold_drawn
from fairlead.errors import ConflictError
from fairlead.kit.actors import TIMER
from fairlead.kit.unit_of_work import UnitOfWork
from fairlead.reviews import binding, store, sweeping
from fairlead.reviews.model import Review, Settlement, State, Verb, parse_expiry, passed_on
from fairlead.reviews.service import UNCLAIMED, closing, record
from fairlead.reviews.transitions import next_state

FOLD_LIMIT = 5_000
_WHO = (str(TIMER), "")


@dataclass(frozen=True, slots=True)
class Expired:
    """What a sweep did about clocks that had run out, by review id.

    `passed_on` went to another role, `waiting` only became overdue. `moot` were withdrawn because their
    ruling had its decision already.
    """

    rejected: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    passed_on: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    moot: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many reviews were dealt with."""
        return sum(map(len, (self.rejected, self.withdrawn, self.passed_on, self.waiting, self.moot)))


def expire_due(uow: UnitOfWork, now: datetime, limit: int, *, settlement: Settlement) -> Expired:
    """Deal with up to `limit` reviews whose clock has run out; call again while `count` equals `limit`.

    Each does what its `on_expiry` says: `reject` and `withdraw` settle the ruling (reject, expired) with
    nothing to be done, `escalate:ROLE` puts it before that role, `wait` lets it wait, overdue. Nothing is
    ever approved, and a review that a person decided meanwhile is theirs.
    """
    done: dict[str, list[str]] = {name: [] for name in Expired.__dataclass_fields__}
    for one in sweeping.due(uow, now, limit):
        verb, role = parse_expiry(one.on_expiry)
        if verb is Verb.PASS_ON and role is not None:
            kind = _pass_on(uow, one, role)
        elif verb is Verb.OVERDUE:
            kind = _wait(uow, one)
        else:
            kind = _close(uow, one, verb, settlement)
        if kind:
            done[kind].append(one.id)
    return Expired(**{name: tuple(ids) for name, ids in done.items()})


def _pass_on(uow: UnitOfWork, one: Review, role: str) -> str:
    """Whoever held it loses the claim: a verdict under the old role would be refused anyway."""
    needs = passed_on(one.needs, one.role, role)
    changes = UNCLAIMED | {
        "role": role, "snoozed_until": None, "on_expiry": "wait", "overdue_since": one.due_at,
        "quorum": dict(needs)[role], "needs": needs, "digest": binding.rebind(one.digest, role, needs),
    }  # fmt: skip
    after = store.move(uow, one, **changes)
    if after is None:
        return ""
    store.add_log(uow, one, "passed_on", _WHO, reason=f"The time given to {one.role} ran out.")
    record(
        uow,
        after,
        "review.escalated",
        TIMER,
        {"from_role": one.role, "to_role": role, "holder": one.claimed_by},
    )
    return "passed_on"


def _wait(uow: UnitOfWork, one: Review) -> str:
    after = store.move(uow, one, overdue_since=one.due_at)
    if after is None:
        return ""
    record(uow, after, "review.overdue", TIMER, {"due_at": one.due_at})
    return "waiting"


def _close(uow: UnitOfWork, one: Review, verb: Verb, settlement: Settlement) -> str:
    verdict, kind = ("reject", "rejected") if verb is Verb.EXPIRE else ("expired", "withdrawn")
    reason = "The time for a decision ran out."
    after = store.move(uow, one, **closing(next_state(State(one.state), verb, one.mode), uow.now))
    if after is None:
        return ""
    try:
        settlement.settle(uow, one.ruling_id, verdict, None, TIMER, reason, uow.now)
    except ConflictError:  # decided by another way in; one row must not stop the sweep for all
        reason, kind = "The ruling had its decision already.", "moot"
    store.add_log(uow, one, "withdrawn" if kind != "rejected" else "expired", _WHO, reason=reason)
    payload = {"on_expiry": one.on_expiry, "due_at": one.due_at, "reason": reason, "holder": one.claimed_by}
    record(uow, after, "review.withdrawn" if kind == "moot" else "review.expired", TIMER, payload)
    return kind


def release_lapsed(uow: UnitOfWork, now: datetime, limit: int) -> list[str]:
    """Give reviews whose claim ran out back to the queue; ids. Anybody may take them over even before."""
    return _each(uow, sweeping.lapsed(uow, now, limit), "review.lapsed", lambda _: UNCLAIMED)


def wake_snoozed(uow: UnitOfWork, now: datetime, limit: int) -> list[str]:
    """Bring back reviews whose snooze is over, to the person they were snoozed by; ids."""
    return _each(uow, sweeping.awake(uow, now, limit), "review.woken", lambda _: {"snoozed_until": None})


def _each(uow: UnitOfWork, found: list[Review], verb: str, changes: Callable[[Review], dict[str, Any]]) -> list[str]:
    done = []
    for one in found:
        after = store.move(uow, one, **changes(one))
        if after is not None:
            record(uow, after, verb, TIMER, {"holder": one.claimed_by, "assignee": one.assignee})
            done.append(one.id)
    return done


def sweep(uow: UnitOfWork, limit: int, *, settlement: Settlement) -> int:
    """All of this module once, up to `limit` rows of each kind; how many rows changed, 0 when all is calm."""
    count = expire_due(uow, uow.now, limit, settlement=settlement).count
    count += len(release_lapsed(uow, uow.now, limit))
    count += len(wake_snoozed(uow, uow.now, limit))
    return count + store.fold_tallies(uow, FOLD_LIMIT) + fold_drawn(uow, FOLD_LIMIT)
