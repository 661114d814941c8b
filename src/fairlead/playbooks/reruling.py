"""Waiting reviews under the policies of a deploy: stricter applies in place, looser is only listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairlead.checkpoints import SETTLEMENT, Ask, Path, Proposal, Ruled, read_ruling, read_state, rule_asks
from fairlead.customers import facts_of
from fairlead.errors import ConflictError
from fairlead.kit.actors import SYSTEM
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.playbooks.bundles import Bundle
from fairlead.reviews import Review, find_many, opened_since, rebind, withdraw_for_ruling


@dataclass(frozen=True, slots=True)
class Reruled:
    """Ids of reviews: `stricter` now bind to more, `blocked` were withdrawn, `looser` stay as they are.

    `last` is the last id looked at, "" when there was none left.
    """

    stricter: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    looser: tuple[str, ...] = ()
    last: str = ""

    def plus(self, other: Reruled) -> Reruled:
        """Both together; `last` is the other's."""
        return Reruled(
            self.stricter + other.stricter,
            self.blocked + other.blocked,
            self.looser + other.looser,
            other.last,
        )


def rerule_some(uow: UnitOfWork, bundle: Bundle, *, after: str, limit: int, seed: bytes) -> Reruled:
    """Rule once more, under the bundle's policies, on up to `limit` open reviews behind the id `after`.

    The stored ruling stays. A claimant keeps the claim, and learns of the change when they answer.
    """
    ids = [row[0] for row in opened_since(uow, after, limit)]
    found = find_many(uow, ids)
    done: dict[str, list[str]] = {"stricter": [], "blocked": [], "looser": []}
    for one in (found[each] for each in ids if each in found):
        policy = bundle.policies.get(one.checkpoint)
        if policy is None or not one.is_open or one.is_label:  # a label is about what was ruled then
            continue
        row = read_ruling(uow, one.ruling_id)
        if row.policy_version == policy.version:
            continue
        state = read_state(uow, policy, one.playbook, uow.now)
        [ruled] = rule_asks(state, [_ask(uow, row)], seed, minor_digits=bundle.minor_digits)
        kind = _apply(uow, one, ruled)
        if kind:
            done[kind].append(one.id)
    last = ids[-1] if ids else ""
    result = Reruled(tuple(done["stricter"]), tuple(done["blocked"]), tuple(done["looser"]), last)
    if any(done.values()):
        uow.record(AuditEntry("reviews.reruled", bundle.digest, {kind: list(some) for kind, some in done.items()}))
    return result


def _ask(uow: UnitOfWork, row: Any) -> Ask:
    proposal = Proposal(
        row.checkpoint,
        row.proposal["answer"],
        row.producer,
        row.score,
        row.value_minor,
        row.proposal["signals"],
    )
    known = facts_of(uow, [row.customer_id], uow.now).get(row.customer_id) if row.customer_id else None
    return Ask(row.decision_key, proposal, row.facts, known, row.case_id, row.customer_id)


def _apply(uow: UnitOfWork, one: Review, ruled: Ruled) -> str:
    ruling, now = ruled.ruling, Path(one.path)
    why = f"the policy of {one.checkpoint} changed to {ruling.policy_version[:12]}"
    if ruling.path is Path.BLOCKED:
        if not withdraw_for_ruling(uow, one.ruling_id, SYSTEM, why):
            return ""
        SETTLEMENT.settle(uow, one.ruling_id, "blocked", None, SYSTEM, ", ".join(ruling.rules), uow.now)
        return "blocked"
    path = ruling.path if ruling.path.strictness > now.strictness else now
    needs = _grown(one.needs, ruling.needs)
    if path is now and needs == dict(one.needs):
        looser = ruling.path.strictness < now.strictness or ruling.needs != needs
        return "looser" if looser else ""
    try:
        rebind(uow, one.id, SYSTEM, why, needs=tuple(needs.items()), path=path.value)
    except ConflictError:  # somebody decided at this very moment; theirs stands
        return ""
    return "stricter"


def _grown(present: Sequence[tuple[str, int]], wanted: Mapping[str, int]) -> dict[str, int]:
    grown = dict(present)
    for role, count in wanted.items():
        grown[role] = max(count, grown.get(role, 0))
    return grown
