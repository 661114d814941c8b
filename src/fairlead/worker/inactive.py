"""Looking for inactive customers and writing the proposals down, in bounded transactions."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from fairlead import customers
from fairlead.errors import ConflictError
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.database import Database
from fairlead.kit.lanes import Lane
from fairlead.playbooks import Bundle
from fairlead.retention import RetentionRules, look_for_inactive, still_inactive
from fairlead.rights import PLAYBOOK, Asked, Origin, Right, facts_of_silence, open_request, room_for_proposals

KEEPER = Actor(ActorKind.SYSTEM, "retention")


class Proposed(NamedTuple):
    """Ids of the requests that were written down, and where the next look goes on; None: from the beginning."""

    requests: list[str]
    after: str | None


def propose_inactive(database: Database, bundle: Bundle, rules: RetentionRules, after: str | None = None) -> Proposed:
    """Propose customers for erasure of whom nothing was heard for as long as the rules say; none is erased by this.

    One look goes through 20,000 customers behind the id `after`, and no more proposals wait at a time than the rules
    allow. Each has a transaction of its own, which asks again. Nothing where the workspace has no `customer-rights`.
    """
    rule = rules.inactive
    if rule is None or PLAYBOOK not in bundle.playbooks:
        return Proposed([], None)
    now = database.clock.now()
    with database.reading() as reader:
        room = room_for_proposals(reader, rules)
        if not room:
            return Proposed([], None)
        look = look_for_inactive(reader, rule, rules.hold_flags, now, after, room)
    made = []
    asked = Asked(
        Right.ERASE, "nobody asked: the retention rules propose it",
        f"nothing was heard of the customer for {rule.after.days} days", {}, Origin.RETENTION,
        facts_of_silence(rules, rule, now),
    )  # fmt: skip
    for one in look.found:
        with suppress(ConflictError), database.transaction(Lane.BULK) as uow:
            customers.lock_contact(uow, one)
            if still_inactive(uow, rule, rules.hold_flags, one, now - rule.after, now):
                made.append(open_request(uow, KEEPER, bundle, one, asked))
    return Proposed(made, look.after)
