"""What can be done with a customer; every verb but the bulk ones leaves one audit entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from fairlead import audit
from fairlead.customers import lineage, store
from fairlead.customers.living import living, locked
from fairlead.customers.model import (
    MAX_WORDS,
    CustomerDraft,
    IdentityKind,
    Resolution,
    ResolvedCustomer,
    TimelineNote,
    check_identity,
    check_text,
    resolve,
)
from fairlead.customers.sensitive import check_set_by_person
from fairlead.customers.veiling import veil
from fairlead.errors import ConflictError, InputError, NotFoundError, UnavailableError
from fairlead.kit.actors import Actor
from fairlead.kit.events import Event, publish
from fairlead.kit.ids import new_ids
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork

_ROUNDS = 8


def resolve_many(uow: UnitOfWork, drafts: Sequence[CustomerDraft]) -> list[ResolvedCustomer]:
    """The customer of each draft, in order; those nobody knew are made.

    See `model.resolve` for who is whom. What is stored about a known customer stays as it is, but for
    identities that nobody had. No audit entry: the caller's own (`case.opened`) says what came in.
    """
    if not drafts:
        return []
    wanted = {identity for draft in drafts for identity in draft.identities}
    fresh = new_ids("cus", len(drafts))
    for _ in range(_ROUNDS):
        known = store.holders_of(uow, wanted)
        by_phone = {holder for (kind, _), holder in known.items() if kind == IdentityKind.PHONE}
        plan = resolve(drafts, known, fresh, store.with_address(uow, by_phone))
        store.insert_customers(uow, plan.new)
        stored = store.claim_identities(uow, plan.added)
        if len(stored) == len(plan.added):
            uow.new_scopes.update(customer_id for customer_id, _ in plan.new)
            store.insert_timeline(uow, _notes_on(plan))
            return plan.resolved
        # Another process stored one of them meanwhile: look again, now that it can be seen.
        store.take_back(uow, stored, [customer_id for customer_id, _ in plan.new])
    message = f"others kept storing the same identities for {_ROUNDS} rounds; try again"
    raise UnavailableError(message)


def _notes_on(plan: Resolution) -> list[TimelineNote]:
    return [
        TimelineNote(
            one.customer_id, "identity.conflict",
            f"A record of this customer also named the {one.kind.replace('_', ' ')} of another customer. "
            "The two were not merged.",
            one.other_id,
        )
        for one in plan.conflicts
    ]  # fmt: skip


def note_many(uow: UnitOfWork, notes: Sequence[TimelineNote]) -> None:
    """Lines on timelines, in bulk and without audit entries of their own; the caller's cover them."""
    store.insert_timeline(uow, notes)


def note(uow: UnitOfWork, actor: Actor, entry: TimelineNote) -> None:
    """Write one line, at most 10,000 characters, on a customer's timeline."""
    check_text("words", entry.words, limit=MAX_WORDS, needed=True)
    check_text("kind", entry.kind, needed=True)
    customer_id = living(uow, entry.customer_id).id
    store.insert_timeline(uow, [replace(entry, customer_id=customer_id)])
    payload = {"kind": entry.kind, "words": entry.words, "subject": entry.subject}
    _record(uow, actor, "customer.noted", customer_id, payload)


def add_identity(uow: UnitOfWork, actor: Actor, customer_id: str, kind: str, value: str, *, source: str) -> bool:
    """Give the customer an unverified identity; False when they had it, ConflictError when another has."""
    check_identity(kind, value)
    check_text("source", source, needed=True)
    customer_id = living(uow, customer_id).id
    before = store.holders_of(uow, [(kind, value)]).get((kind, value))
    if before == customer_id:
        return False
    if before or store.insert_identity(uow, (kind, value), customer_id, source) != customer_id:
        message = f"this {kind.replace('_', ' ')} already belongs to another customer"
        raise ConflictError(message, code="identity_taken", kind=kind)
    _record(uow, actor, "customer.identity_added", customer_id, {"kind": kind, "value": value, "source": source})
    return True


def verify_identity(uow: UnitOfWork, actor: Actor, customer_id: str, kind: str, value: str) -> None:
    """Say that the identity was shown to be theirs; NotFoundError when the customer has no such identity."""
    customer_id = living(uow, customer_id).id
    family = lineage.families_of(uow, [customer_id])[customer_id]
    if not store.set_verified(uow, (kind, value), family):
        message = f"customer {customer_id} has no such {kind.replace('_', ' ')}"
        raise NotFoundError(message, customer=customer_id, kind=kind)
    _record(uow, actor, "customer.identity_verified", customer_id, {"kind": kind, "value": value})


def set_flag(
    uow: UnitOfWork,
    actor: Actor,
    customer_id: str,
    flag: str,
    value: Any,
    *,
    source: str,
    owner: str,
    expires_at: datetime | None = None,
) -> None:
    """Set a flag to any JSON value but null, from now until `expires_at`, None: until taken back.

    `owner` is who answers for it. When the newest row expires, an older one that has not counts again.
    InputError `inferred_flag` where a program would say something delicate; see SENSITIVE_FLAGS.
    """
    for name, text in (("flag", flag), ("source", source), ("owner", owner)):
        check_text(name, text, needed=True)
    if value is None:
        message = f"flag {flag!r} needs a value; clear_flag takes it back"
        raise InputError(message, field="value")
    check_set_by_person(actor, flag)
    if expires_at is not None and expires_at <= uow.now:
        message = f"flag {flag!r} would have expired already"
        raise InputError(message, field="expires_at")
    customer_id = living(uow, customer_id).id
    values = {"flag": flag, "value": value, "source": source, "owner": owner, "expires_at": expires_at}
    store.insert_flag(uow, customer_id, values)
    _record(uow, actor, "customer.flag_set", customer_id, values)


def clear_flag(uow: UnitOfWork, actor: Actor, customer_id: str, flag: str, *, source: str) -> None:
    """Take a flag back, whether it was set or not; `actor` answers for that."""
    check_text("flag", flag, needed=True)
    check_text("source", source, needed=True)
    check_set_by_person(actor, flag)
    customer_id = living(uow, customer_id).id
    values = {"flag": flag, "value": None, "source": source, "owner": str(actor), "expires_at": None}
    store.insert_flag(uow, customer_id, values)
    _record(uow, actor, "customer.flag_cleared", customer_id, {"flag": flag, "source": source})


def set_owner(uow: UnitOfWork, actor: Actor, customer_id: str, owner: str | None) -> None:
    """Say who looks after the customer; None: nobody."""
    check_text("owner", owner or "")
    row = living(uow, customer_id)
    store.set_owner(uow, row.id, owner)
    _record(uow, actor, "customer.owner_set", row.id, {"owner": owner, "before": row.owner})


def erase_customer(uow: UnitOfWork, actor: Actor, customer_id: str, *, reason: str) -> None:
    """Make the person unrecognisable here and in the audit record; a second time erases what came since.

    The row stays, blank, so that counts stay right. Of their addresses keyed digests stay, under which nothing
    promotional is sent to them again, and nothing at all where that was so.
    Records that were merged are one person and are erased together. Other features blank theirs on the event
    `customer.erased`, of which there is one per record.
    """
    check_text("reason", reason, needed=True)
    survivor = locked(uow, customer_id)
    family = lineage.families_of(uow, [survivor.id])[survivor.id]
    lineage.lock(uow, family)
    lineage.forget(uow, family)
    veil(uow, store.reaches_of(uow, family))
    for one in family:
        store.blank(uow, one)
        audit.erase_customer(uow, one, actor, reason)
        publish(uow, Event("customer.erased", one))


def _record(uow: UnitOfWork, actor: Actor, verb: str, customer_id: str, payload: dict[str, Any]) -> None:
    uow.record(AuditEntry(verb, customer_id, payload, customer_id=customer_id, actor=actor))
