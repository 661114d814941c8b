"""Raising an alert for customers, chunk by chunk, and resolving it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairlead.alerts import store
from fairlead.alerts.model import PLAYBOOK, SUBJECT, Alert, AlertDraft, AlertKind, AlertState, Raised
from fairlead.customers import Listed, living_of
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.kit.actors import Actor
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.playbooks import Bundle, CaseDraft, end_cases, open_cases

CHUNK = 200
"""Customers in one transaction."""


def raise_alert(
    uow: UnitOfWork, actor: Actor, bundle: Bundle, draft: AlertDraft, customer_ids: Sequence[str], *, of: int
) -> Raised:
    """Open a case of the playbook `alerts` for each customer whom this alert has not reached yet; at most 200 of them.

    `of` is how many customers are named in all, for the policy. Records of one customer count once, also when they were
    merged in between. ConflictError `alert_changed` for a known id with other words, `alert_resolved` once it is over;
    InputError for more customers, and for a workspace without the playbook.
    """
    if len(customer_ids) > CHUNK:
        message = f"an alert is raised for at most {CHUNK} customers at once"
        raise InputError(message, code="alert", field="customers")
    if store.row_of(uow, draft.id) is None and store.add(uow, draft, str(actor)):
        uow.record(AuditEntry("alert.raised", draft.id, draft.content, actor=actor))
    row = store.row_of(uow, draft.id)
    if row.content != draft.content:
        message = f"alert {draft.id} says something else already; what is new is another alert"
        raise ConflictError(message, code="alert_changed", alert=draft.id)
    if row.state == AlertState.RESOLVED:
        message = f"alert {draft.id} is resolved; nobody else is told"
        raise ConflictError(message, code="alert_resolved", alert=draft.id)
    found = living_of(uow, customer_ids)
    people = {one.id: one for one in found.values()}
    family = {one for each in people.values() for one in each.family}
    before = store.reached(uow, draft.id, family)
    fresh = [one for one in people.values() if before.isdisjoint(one.family)]
    drafts = [CaseDraft(PLAYBOOK, SUBJECT, draft.id, _facts(draft, one, of), one.id, "import") for one in fresh]
    cases = open_cases(uow, drafts, bundle, actor) if drafts else []
    if fresh:
        store.reach(uow, draft.id, [(one.id, case) for one, case in zip(fresh, cases, strict=True)])
        uow.record(AuditEntry("alert.reached", draft.id, {"customers": len(fresh)}, actor=actor))
    unknown = tuple(one for one in dict.fromkeys(customer_ids) if one not in found)
    return Raised(tuple(cases), len(people) - len(fresh), unknown)


def resolve_alert(uow: UnitOfWork, actor: Actor, alert_id: str, *, reason: str = "") -> bool:
    """Say that it is over: it reaches nobody else from now on. False when it was already; NotFoundError for none.

    What is under way is taken back by `withdraw_alert`, chunk by chunk, afterwards.
    """
    row = store.row_of(uow, alert_id)
    if row is None:
        raise _unknown(alert_id)
    if row.state == AlertState.RESOLVED:
        return False
    store.close(uow, alert_id)
    uow.record(AuditEntry("alert.resolved", alert_id, {"reason": reason}, actor=actor))
    return True


def withdraw_alert(uow: UnitOfWork, actor: Actor, alert_id: str, after: str = "") -> tuple[int, str | None]:
    """Cancel up to 200 of its cases that are open, with their reviews and what they have queued.

    How many there were, and where to go on; None at the end. What is being delivered at this moment is not called back.
    """
    rows = store.page(uow, alert_id, after, CHUNK)
    ended = end_cases(uow, actor, [case for _, case in rows], "the alert is resolved") if rows else []
    return len(ended), rows[-1][0] if len(rows) == CHUNK else None


def read_alert(reader: Reader, alert_id: str) -> Alert:
    """An alert as it stands; NotFoundError when there is none."""
    row = store.row_of(reader, alert_id)
    if row is None:
        raise _unknown(alert_id)
    said: dict[str, Any] = row.content
    return Alert(
        row.id, AlertKind(said["kind"]), said["title"], said["text"], said["fields"], AlertState(row.state), row.at,
        row.resolved_at, store.count(reader, alert_id),
    )  # fmt: skip


def _facts(draft: AlertDraft, one: Listed, of: int) -> dict[str, Any]:
    own = {"name": one.name, "company": one.company}
    said = {"alert": draft.id, "kind": draft.kind.value, "title": draft.title, "text": draft.text}
    return {**draft.fields, **said, "customers": of, "send": True, "confidence": 1.0} | {
        name: text for name, text in own.items() if text
    }


def _unknown(alert_id: str) -> NotFoundError:
    message = f"there is no alert {alert_id:.100}"
    return NotFoundError(message, alert=alert_id[:100])
