"""What would go, and letting it go."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from fairlead.guardrails import current_rules
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.clock import iso
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.retention import store
from fairlead.retention.classes import CLASSES, DAY, DataClass, Part
from fairlead.retention.model import Keeping, RetentionRules, Reviewed

KEEPER = Actor(ActorKind.SYSTEM, "retention")
_SPANS = {"day": DAY, "week": 7 * DAY, "month": 31 * DAY}


def keeping_of(reader: Reader, one: DataClass, rules: RetentionRules) -> Keeping | None:
    """How long the class is kept; None: until somebody erases it.

    The contact log never ends before the longest cap of the contact rules in force, or the cap would let too much out.
    """
    period = rules.keep.get(one.name)
    if period is None:
        return None
    least, because = one.least, one.because
    if one.name == "contact_log":
        spans = [_span(cap.per) for cap in current_rules(reader).caps]
        longest = max(spans, default=timedelta(0)) + 2 * DAY  # a calendar day ends later elsewhere
        if longest > least:
            least, because = longest, "the longest cap of the contact rules counts so far back"
    return Keeping(period, least, because)


def _span(per: timedelta | str) -> timedelta:
    return per if isinstance(per, timedelta) else _SPANS[per]


def preview(reader: Reader, rules: RetentionRules, now: datetime) -> list[Reviewed]:
    """What each declared class would lose at this moment, and what stays and why."""
    found = []
    for one in CLASSES.values():
        keeping = keeping_of(reader, one, rules)
        if keeping is None:
            continue
        rows: Counter[str] = Counter()
        for part in one.parts:
            rows.update(dict(store.counts(reader, one, part, rules, now - keeping.counted, now)))
        staying = {reason: count for reason, count in rows.items() if reason}
        found.append(Reviewed(one.name, keeping, rows[""], staying))
    return found


def forget_chunk(uow: UnitOfWork, one: DataClass, part: Part, rules: RetentionRules, limit: int) -> int:
    """Take away at most `limit` rows of a part of a class, recorded with their number; how many went."""
    keeping = keeping_of(uow, one, rules)
    if keeping is None:
        return 0
    before = uow.now - keeping.counted
    gone = store.forget(uow, one, part, rules, before, limit)
    if gone:
        payload = {"table": part.table, "rows": gone, "before": iso(before), "days": keeping.counted.days}
        uow.record(AuditEntry("retention.forgot", one.name, payload, actor=KEEPER))
    return gone
