"""Carrying the rules out in bounded transactions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from fairlead.kit.database import Database
from fairlead.kit.lanes import Lane
from fairlead.retention.classes import CLASSES
from fairlead.retention.model import RetentionRules
from fairlead.retention.service import forget_chunk

AT_ONCE = 500
CHUNKS_A_PART = 20
"""Of one part of a class, before the next has its turn and others may write."""


def carry_out(
    database: Database,
    rules: RetentionRules,
    *,
    whole: bool = False,
    progress: Callable[[str, int], None] | None = None,
) -> Counter[str]:
    """Let go what is due, class by class; how many rows went.

    A transaction takes 500 rows at most. `whole` goes on until nothing is left; without it at most 10,000 rows of each
    table go, and the rest next time. `progress` hears of each chunk.
    """
    gone: Counter[str] = Counter()
    for name in rules.keep:
        one = CLASSES[name]
        for part in one.parts:
            chunks = 0
            while whole or chunks < CHUNKS_A_PART:
                with database.transaction(Lane.BULK) as uow:
                    rows = forget_chunk(uow, one, part, rules, AT_ONCE)
                gone[name] += rows
                chunks += 1
                if progress is not None and rows:
                    progress(name, gone[name])
                if rows < AT_ONCE:
                    break
    return gone
