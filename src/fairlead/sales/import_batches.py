"""Batches of rows taken in: each row that is new becomes a lead, its customer and a case, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairlead.customers import resolve_many
from fairlead.kit.actors import Actor
from fairlead.kit.clock import to_micros
from fairlead.kit.ids import new_ids
from fairlead.kit.jsons import dumps
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.playbooks import Bundle, CaseDraft, open_cases
from fairlead.sales import import_store, store
from fairlead.sales.facts import all_problems, customer_draft, lead_facts
from fairlead.sales.file_rows import Checked
from fairlead.sales.intake import (
    LeadDraft,
    Unreadable,
)

MAX_ROW_CHARS = 128_000
"""Of a lead's facts as JSON; half of what a case may carry, so that its stages can add theirs."""


Fresh = tuple[LeadDraft, dict[str, Any]]


def import_batch(
    uow: UnitOfWork,
    actor: Actor,
    bundle: Bundle,
    import_id: str,
    playbook: str,
    batch: Sequence[Checked],
    currency: str,
) -> int:
    """Take in one batch, at least one row; returns how many new leads there are.

    Rows that are there already, in this playbook, add nothing and are listed as duplicates.
    """
    store.take_turn(uow, playbook)
    drafts = [item for item in batch if isinstance(item, LeadDraft)]
    seen = store.known_fingerprints(uow, playbook, [draft.fingerprint for draft in drafts])
    fresh: list[Fresh] = []
    rejected: list[tuple[Any, ...]] = [
        (import_id, item.number, "unreadable", item.reason_code, item.words)
        for item in batch
        if isinstance(item, Unreadable)
    ]
    for draft in drafts:
        if draft.fingerprint in seen:
            words = f"the same row as {seen[draft.fingerprint]}"
            rejected.append((import_id, draft.number, "duplicate", "same_row", words))
            continue
        facts = lead_facts(draft, currency)
        if (size := len(dumps(facts))) > MAX_ROW_CHARS:
            words = f"the row takes {size:,} characters; at most {MAX_ROW_CHARS:,} fit into a case"
            rejected.append((import_id, draft.number, "unreadable", "row_too_large", words))
        else:
            seen[draft.fingerprint] = f"row {draft.number}"
            fresh.append((draft, facts))
    if fresh:
        _open_leads(uow, actor, bundle, import_id, playbook, fresh, currency)
    if rejected:
        import_store.insert_rejects(uow, rejected)
    import_store.count_rows(uow, import_id, len(batch))
    first, last = batch[0].number, batch[-1].number
    counts = {"first_row": first, "last_row": last, "leads": len(fresh), "rejected": len(rejected)}
    uow.record(AuditEntry("lead_import.rows_taken", import_id, counts, actor=actor))
    return len(fresh)


def _open_leads(
    uow: UnitOfWork,
    actor: Actor,
    bundle: Bundle,
    import_id: str,
    playbook: str,
    fresh: list[Fresh],
    currency: str,
) -> None:
    now = to_micros(uow.now)
    source = f"import {import_id}"
    customers = resolve_many(uow, [customer_draft(draft, source, currency) for draft, _ in fresh])
    lead_ids, case_ids = new_ids("lead", len(fresh)), new_ids("case", len(fresh))
    rows = []
    for (draft, _), customer, lead_id, case_id in zip(fresh, customers, lead_ids, case_ids, strict=True):
        problems = [problem._asdict() for problem in all_problems(draft, currency)]
        rows.append((
            lead_id, import_id, draft.number, playbook, draft.fingerprint, customer.id, case_id,
            dumps(draft.fields), dumps(draft.attributes), dumps(problems), draft.value_minor, draft.currency,
            draft.outcome, now,
        ))  # fmt: skip
    store.insert_leads(uow, rows)
    cases = [
        CaseDraft(playbook, "lead", lead_id, facts, customer.id, "import", None, case_id)
        for (_, facts), customer, lead_id, case_id in zip(fresh, customers, lead_ids, case_ids, strict=True)
    ]
    open_cases(uow, cases, bundle, actor)
