"""Opening cases, in bulk: the row, and the first entry of its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairlead.errors import InputError, TooLargeError
from fairlead.kit.actors import SYSTEM, Actor
from fairlead.kit.clock import to_micros
from fairlead.kit.ids import new_ids
from fairlead.kit.jsons import dumps
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.playbooks import store
from fairlead.playbooks.bundles import Bundle
from fairlead.playbooks.model import CaseState
from fairlead.playbooks.results import MAX_FACTS_CHARS


@dataclass(frozen=True, slots=True)
class CaseDraft:
    """A case to be opened; `facts` is what is known of the subject, `id` "" for a fresh one."""

    playbook: str
    subject_kind: str
    subject_id: str
    facts: Mapping[str, Any]
    customer_id: str | None = None
    lane: str = "interactive"
    parent_id: str | None = None
    id: str = ""


def open_cases(uow: UnitOfWork, drafts: Sequence[CaseDraft], bundle: Bundle, actor: Actor = SYSTEM) -> list[str]:
    """Open cases under this version of the workspace; ready at once. Returns their ids in order.

    InputError for a playbook that the bundle does not have, TooLargeError for facts of more than 256,000 characters.
    """
    now = to_micros(uow.now)
    rows, ids = [], []
    for case_id, draft in zip(new_ids("case", len(drafts)), drafts, strict=True):
        if draft.playbook not in bundle.playbooks:
            raise _unknown(draft.playbook, bundle)
        playbook = bundle.playbooks[draft.playbook].playbook
        facts = dumps(draft.facts)
        if len(facts) > MAX_FACTS_CHARS:
            message = f"the facts of {draft.subject_id} take {len(facts)} characters"
            raise TooLargeError(message, limit=MAX_FACTS_CHARS)
        identifier = draft.id or case_id
        serial_key = draft.customer_id if playbook.serial_key == "customer" else identifier
        ids.append(identifier)
        rows.append((
            identifier, draft.playbook, bundle.digest, playbook.start, CaseState.READY.value, draft.lane,
            draft.subject_kind, draft.subject_id, draft.customer_id, serial_key, draft.parent_id, facts,
            now, now, 1, 0, 0, 1, now, now,
        ))  # fmt: skip
        payload = {
            "playbook": draft.playbook, "bundle": bundle.digest, "stage": playbook.start, "subject": draft.subject_id,
            "facts": draft.facts,
        }  # fmt: skip
        uow.record(AuditEntry("case.opened", identifier, payload, draft.customer_id, actor))
    store.insert_cases(uow, rows)
    return ids


def _unknown(playbook: str, bundle: Bundle) -> InputError:
    hint = did_you_mean(playbook, bundle.playbooks) or ""
    return InputError(f"There is no playbook {playbook!r:.80}. {hint}".rstrip(), code="no_playbook", playbook=playbook)
