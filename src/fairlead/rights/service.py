"""A customer's request: written down, decided by a person at the desk, carried out in the same transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fairlead import customers
from fairlead.customers import TimelineNote
from fairlead.errors import ConflictError, ForbiddenError, InputError
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.clock import iso
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.playbooks import Bundle, CaseDraft, open_cases
from fairlead.rights import store
from fairlead.rights.erasing import erase
from fairlead.rights.exporting import export_of
from fairlead.rights.model import (
    CHECKPOINT,
    EXTENDED_MONTHS,
    PLAYBOOK,
    RESTRICTED,
    SUBJECT,
    Origin,
    RequestState,
    Right,
    check_extension,
    checked_changes,
    checked_text,
    due_of,
)
from fairlead.rights.proposing import still_silent
from fairlead.rights.rectifying import rectify

ANOTHER_PERSON = "another_person"
"""What comes of an erasure that was decided by the person who wrote it down: it is asked again."""
REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a customer asked for; `identity_checked` says how it is known that it was they.

    `origin` retention: nobody asked, and nothing is due by law. `facts`: what else whoever decides is shown.
    """

    right: Right
    identity_checked: str
    reason: str = ""
    changes: Mapping[str, str] = field(default_factory=dict)
    origin: Origin = Origin.CUSTOMER
    facts: Mapping[str, Any] = field(default_factory=dict)


def open_request(uow: UnitOfWork, actor: Actor, bundle: Bundle, customer_id: str, asked: Asked) -> str:
    """Write a request down and open its case, which a person decides; the request's id.

    ConflictError for an erased customer or while the same right is asked for, InputError `no_playbook` when the
    workspace does not say how requests are decided.
    """
    compiled = bundle.playbooks.get(PLAYBOOK)
    if compiled is None or compiled.playbook.subject != SUBJECT or CHECKPOINT not in bundle.policies:
        message = f"the workspace has no playbook {PLAYBOOK!r} about a {SUBJECT}; copy it and its policy from a new one"
        raise InputError(message, code="no_playbook")
    survivor = customers.lock_contact(uow, customer_id)
    one = customers.profile(uow, survivor, uow.now)
    if one.erased_at is not None:
        raise ConflictError(f"Customer {survivor} was erased.", code="customer_erased", customer=survivor)
    standing = store.requests_of(uow, customers.family_of(uow, survivor))
    if any(row.kind == asked.right.value and row.state == RequestState.ASKED.value for row in standing):
        raise ConflictError("The same is asked for and not decided yet.", code="already_asked", customer=survivor)
    request_id, case_id = new_id("rgt"), new_id("case")
    due_at = due_of(uow.now) if asked.origin is Origin.CUSTOMER else None
    due = iso(due_at) if due_at else None
    values = {
        "id": request_id, "customer_id": survivor, "kind": asked.right.value, "state": RequestState.ASKED.value,
        "case_id": case_id, "asked_by": str(actor),
        "identity_checked": checked_text("identity", asked.identity_checked),
        "reason": checked_text("reason", asked.reason) if asked.reason else "",
        "changes": checked_changes(asked.right, asked.changes), "asked_at": uow.now, "due_at": due_at,
        "origin": asked.origin.value,
    }  # fmt: skip
    store.insert_request(uow, values)
    facts = {
        "request": request_id, "right": asked.right.value, "identity_checked": values["identity_checked"],
        "reason": values["reason"], **({"changes": values["changes"]} if values["changes"] else {}), "due_by_law": due,
        "origin": asked.origin.value,
        "who": one.name or one.company or "a customer", "carry_it_out": True, **asked.facts,
    }  # fmt: skip
    payload = {"right": asked.right.value, "case": case_id, "due_at": due, "origin": asked.origin.value}
    uow.record(AuditEntry("rights.asked", request_id, payload, survivor, actor))
    words = f"{'Asked' if due else 'Proposed, by the retention rules,'} to {_PLAINLY[asked.right]}."
    customers.note(uow, actor, TimelineNote(survivor, "rights.asked", words, request_id))
    lane = "interactive" if due else "import"
    open_cases(uow, [CaseDraft(PLAYBOOK, SUBJECT, request_id, facts, survivor, lane, None, case_id)], bundle, actor)
    return request_id


def extend_request(uow: UnitOfWork, actor: Actor, request_id: str, *, reason: str, told: str) -> Any:
    """Give a request the two more months that the law allows (GDPR Art. 12(3)); the request.

    `reason` is why it takes longer, `told` how the customer was told so. ConflictError when the month is over, it was
    extended before, or is decided.
    """
    row = store.read_request(uow, request_id)
    check_extension(row.state, row.due_at, row.extension, uow.now)
    due_at = due_of(row.asked_at, EXTENDED_MONTHS)
    said = {"reason": checked_text("reason", reason), "told": checked_text("told", told)}
    extension = {"by": str(actor), "at": iso(uow.now), "was_due": iso(row.due_at), **said}
    store.change_request(uow, row.id, {"due_at": due_at, "extension": extension})
    payload = {**said, "due_at": iso(due_at)}
    uow.record(AuditEntry("rights.extended", row.id, payload, row.customer_id, actor))
    words = f"Request to {_PLAINLY[Right(row.kind)]}: takes longer, until {due_at:%d %b %Y}; the customer was told."
    survivor = customers.survivor_of(uow, row.customer_id)
    customers.note(uow, actor, TimelineNote(survivor, "rights.extended", words, row.id))
    return store.read_request(uow, request_id)


def carry_out(uow: UnitOfWork, case_id: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Do what was decided about a request, or write down that it was refused; what the case knows afterwards.

    Only a person's decision counts: without one nothing is done. Whoever wrote an erasure down does not decide it.
    `rights_outcome` is done, refused, gone, nobody_decided, another_person, or failed with `rights_problem`.
    """
    row = store.read_request(uow, str(facts["request"]))
    if row.state != RequestState.ASKED.value or row.case_id != case_id:
        return {"rights_outcome": RequestState.GONE.value if row.state == RequestState.GONE.value else REPEATED}
    decision = store.decided_by(uow, case_id)
    if decision is None or not decision.decided_by.startswith(f"{ActorKind.USER.value}:"):
        return {"rights_outcome": "nobody_decided"}
    if facts.get("carry_out") is not True:
        return _refuse(uow, row, decision)
    right = Right(row.kind)
    if right is Right.ERASE and decision.decided_by == row.asked_by:
        return {"rights_outcome": ANOTHER_PERSON}
    actor = Actor.parse(decision.decided_by)
    if row.origin == Origin.RETENTION.value and not still_silent(uow, row, facts, uow.now):
        return _overtaken(uow, row, actor)
    return _carried_out(uow, row, right, actor)


def _carried_out(uow: UnitOfWork, row: Any, right: Right, actor: Actor) -> dict[str, Any]:
    try:
        with uow.savepoint():
            result = _do(uow, actor, row, right)
    except (ConflictError, InputError) as error:
        return {"rights_outcome": "failed", "rights_problem": error.message}
    done = {"state": RequestState.DONE.value, "decided_by": str(actor), "decided_at": uow.now, "result": result}
    store.change_request(uow, row.id, done)
    scope = None if right is Right.ERASE else row.customer_id
    told = {"right": right.value, "customer": row.customer_id} | ({} if scope else result)
    uow.record(AuditEntry("rights.done", row.id, told, scope, actor))
    blank = {"who": "", "reason": "", "identity_checked": "", "changes": {}} if right is Right.ERASE else {}
    return {"rights_outcome": "done", **blank}


def export_for(reader: Reader, request_id: str) -> Iterator[str]:
    """The document of a request that was approved; built from what is stored now, kept nowhere.

    ForbiddenError `not_approved` before the decision and for other rights.
    """
    row = _approved(reader, request_id)
    return export_of(reader, row.customer_id, row.decided_at)


def note_export(uow: UnitOfWork, actor: Actor, request_id: str) -> None:
    """Record that somebody takes the document; refused as by `export_for`."""
    row = _approved(uow, request_id)
    uow.record(AuditEntry("rights.export_taken", row.id, {"customer": row.customer_id}, row.customer_id, actor))


def _approved(reader: Reader, request_id: str) -> Any:
    row = store.read_request(reader, request_id)
    if row.kind != Right.EXPORT.value or row.state != RequestState.DONE.value:
        message = "Nobody has approved this export."
        raise ForbiddenError(message, code="not_approved", request=row.id, state=row.state)
    return row


def _do(uow: UnitOfWork, actor: Actor, row: Any, right: Right) -> dict[str, Any]:
    if right is Right.ERASE:
        return erase(
            uow, actor, row.customer_id, reason=f"asked for, request {row.id}", keep_case=row.case_id
        ).as_dict()
    if right is Right.RECTIFY:
        return {"changes": rectify(uow, actor, row.customer_id, row.changes)}
    if right is Right.RESTRICT:
        source = f"request {row.id}"
        customers.set_flag(uow, actor, row.customer_id, RESTRICTED, value=True, source=source, owner=str(actor))
    elif right is Right.UNRESTRICT:
        customers.clear_flag(uow, actor, row.customer_id, RESTRICTED, source=f"request {row.id}")
    words = f"Request to {_PLAINLY[right]}: done."
    customers.note(uow, actor, TimelineNote(customers.survivor_of(uow, row.customer_id), "rights.done", words, row.id))
    return {}


def _overtaken(uow: UnitOfWork, row: Any, actor: Actor) -> dict[str, Any]:
    """What retention proposed is not done to somebody of whom something was heard since."""
    values = {"state": RequestState.GONE.value, "decided_by": str(actor), "decided_at": uow.now}
    store.change_request(uow, row.id, values)
    uow.record(AuditEntry("rights.overtaken", row.id, {"right": row.kind}, row.customer_id, actor))
    return {"rights_outcome": RequestState.GONE.value, "rights_problem": "the customer is not inactive any more"}


def _refuse(uow: UnitOfWork, row: Any, decision: Any) -> dict[str, Any]:
    values = {"state": RequestState.REFUSED.value, "decided_by": decision.decided_by, "decided_at": uow.now}
    store.change_request(uow, row.id, {**values, "result": {"reason": decision.reason}})
    actor = Actor.parse(decision.decided_by)
    payload = {"right": row.kind, "reason": decision.reason}
    uow.record(AuditEntry("rights.refused", row.id, payload, row.customer_id, actor))
    words = f"Request to {_PLAINLY[Right(row.kind)]}: refused."
    customers.note(
        uow, actor, TimelineNote(customers.survivor_of(uow, row.customer_id), "rights.refused", words, row.id)
    )
    return {"rights_outcome": RequestState.REFUSED.value}


_PLAINLY = {
    Right.EXPORT: "hand over what is stored about them",
    Right.RECTIFY: "put right what is stored about them",
    Right.RESTRICT: "restrict what is done with it",
    Right.UNRESTRICT: "lift the restriction",
    Right.ERASE: "erase what is stored about them",
}
