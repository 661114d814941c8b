"""What became of an import's rows, as far as they have come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fairlead.checkpoints import FirstRuling, first_rulings
from fairlead.kit.unit_of_work import Reader
from fairlead.playbooks import ready_count, states_of
from fairlead.sales import import_store, store

PATHS = ("auto", "assist", "human", "blocked", "needs_information")
NOT_LEADS = ("duplicate", "unreadable", "failed")
BY_PEOPLE = {"assist", "human"}
_BY_STATE = {"ended": "auto", "waiting": "auto", "paused": "human", "exception": "failed", "ready": "pending"}
"""What a case without any ruling counts as."""
COUNT_FROM, MOST_COUNTED = 1_000, 1_000_000
"""Ready imported cases up to which it is worth looking whose they are, and up to which they are counted."""


def unsettled(reader: Reader, import_id: str) -> int:
    """How many of an import's cases have not come to a first checkpoint, an exception or an end.

    While very many imported cases are ready, it is their number, whatever import they are of: looking whose
    they are would take longer than moving them.
    """
    ready_now = ready_count(reader, "import", MOST_COUNTED)
    if not ready_now or ready_now > COUNT_FROM:
        return ready_now
    open_ones = 0
    for page in store.lead_cases(reader, import_id):
        states = states_of(reader, [row.case_id for row in page])
        ready = [case_id for case_id, state in states.items() if state == "ready"]
        open_ones += len(ready) - len(first_rulings(reader, ready)) if ready else 0
    return open_ones


def needs_information(first: FirstRuling, problems: Sequence[Mapping[str, Any]]) -> bool:
    """A person looks at the lead while a required fact is missing or a cell that its row gave cannot be used."""
    lacking = first.needs_information or any(one["needs_information"] for one in problems)
    return lacking and first.path in BY_PEOPLE


def count_import(reader: Reader, import_id: str) -> tuple[dict[str, int], dict[str, int]]:
    """(rows by what became of them, reasons by rule id); a lead counts by the path at its first checkpoint.

    `needs_information` are those that a person looks at while a required fact is missing or a cell that the
    row gave cannot be used. A case that waits or has ended without having met a checkpoint is `auto`, since
    nobody looked; one that a person took over or took back before is `human`. `failed` are leads in the
    exceptions queue before any checkpoint. Every row is in exactly one number; `pending`, those on their way
    to their first checkpoint, is there only while there are any.
    """
    counts: Counter[str] = Counter(dict.fromkeys((*PATHS, *NOT_LEADS), 0))
    counts.update(import_store.reject_counts(reader, import_id))
    reasons: Counter[str] = Counter()
    for page in store.lead_cases(reader, import_id):
        firsts = first_rulings(reader, [row.case_id for row in page])
        unruled = [row.case_id for row in page if row.case_id not in firsts]
        states = states_of(reader, unruled) if unruled else {}
        for row in page:
            first = firsts.get(row.case_id)
            if first is None:
                counts["human" if row.cancelled_at else _BY_STATE[states.get(row.case_id, "exception")]] += 1
                continue
            counts["needs_information" if needs_information(first, row.problems) else first.path] += 1
            reasons.update(first.reasons)
    return dict(counts), dict(reasons.most_common())
