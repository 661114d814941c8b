"""Inactive customers, proposed for erasure one by one; a person decides about each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from fairlead.kit.clock import from_micros, iso, to_micros
from fairlead.kit.unit_of_work import Reader
from fairlead.retention import RetentionRules, Silence, still_inactive
from fairlead.rights import tables as t
from fairlead.rights.model import Origin, RequestState


def room_for_proposals(reader: Reader, rules: RetentionRules) -> int:
    """How many more proposals may wait for a decision; 0 also where nothing is declared."""
    if rules.inactive is None:
        return 0
    c = t.request.c
    mine = (c.origin == Origin.RETENTION.value, c.state == RequestState.ASKED.value)
    waiting = int(reader.execute(select(func.count()).select_from(t.request).where(*mine)).scalar_one())
    return max(0, rules.inactive.at_once - waiting)


def facts_of_silence(rules: RetentionRules, rule: Silence, now: datetime) -> dict[str, Any]:
    """What the case keeps of the rule, so that it is asked again by the same when somebody has decided."""
    return {
        "silent_since": iso(now - rule.after), "silent_since_micros": to_micros(now - rule.after),
        "hold_flags": sorted(rules.hold_flags),
    }  # fmt: skip


def still_silent(reader: Reader, row: Any, facts: Mapping[str, Any], now: datetime) -> bool:
    """Whether what was proposed still holds; a request that does not say by which rule never does."""
    since, flags = facts.get("silent_since_micros"), facts.get("hold_flags")
    if not isinstance(since, int) or not isinstance(flags, list):
        return False
    named = frozenset(map(str, flags))
    return still_inactive(reader, Silence(timedelta(0)), named, row.customer_id, from_micros(since), now)
