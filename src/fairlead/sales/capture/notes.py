"""Notes: an e-mail or call note comes in, what it says is proposed, and what was approved is written or taken back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairlead.customers import (
    CustomerDraft,
    TimelineNote,
    add_identity,
    change_profile,
    drop_identity,
    holder_of,
    names_of,
    note_many,
    profile,
    resolve_many,
)
from fairlead.errors import ConflictError, InputError
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.ids import new_id
from fairlead.kit.money import currency_exponent
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.playbooks import Bundle, CaseDraft, open_cases
from fairlead.sales.capture import store
from fairlead.sales.capture.changes import DETAILS, IDENTITIES, LABELS, Known, Record, same_value
from fairlead.sales.capture.finding import as_stored, find
from fairlead.sales.capture.letters import Letter

SUBJECT = "note"
"""What a playbook for notes is about: its `subject`."""
_COLUMN = {"name": "name", "company": "company", "country": "country", "value": "value_minor"}


@dataclass(frozen=True, slots=True)
class NoteTaken:
    """`is_new` False: the same text had come before; `known` False: nobody was found whom it is about."""

    note_id: str
    case_id: str
    customer_id: str
    is_new: bool
    known: bool
    found: tuple[Mapping[str, Any], ...]


def note_playbook(bundle: Bundle, name: str) -> None:
    """InputError when the playbook is not deployed or is not about notes."""
    compiled = bundle.playbooks.get(name)
    ours = [one for one, other in bundle.playbooks.items() if other.playbook.subject == SUBJECT]
    if compiled is None or compiled.playbook.subject != SUBJECT:
        what = "There is no playbook" if compiled is None else "This playbook is not about notes:"
        hint = did_you_mean(name, ours) or "Add playbooks/record-changes.yaml of `fairlead init`, then deploy."
        raise InputError(f"{what} {name!r:.80}. {hint}", code="no_playbook", field="playbook")


def read_found(letter: Letter) -> list[dict[str, Any]]:
    """What the letter says; slow for long texts, so call it before a transaction.

    InputError (`nothing_found`) when it says nothing about a person, company or deal.
    """
    found = as_stored(find(letter))
    if not found:
        message = (
            "Nothing was found in it that belongs into a record. Write it in lines such as “Company: Example Ltd”, "
            "or add the lead by hand."
        )
        raise InputError(message, code="nothing_found")
    return found


def take_note(
    uow: UnitOfWork,
    actor: Actor,
    bundle: Bundle,
    playbook: str,
    letter: Letter,
    found: Sequence[Mapping[str, Any]],
    *,
    customer_id: str | None = None,
) -> NoteTaken:
    """Keep the note and open its case; nothing is written into a record before the case's checkpoint.

    It is about the customer given, else whoever has its e-mail address, or its telephone number where it names no
    address. Where that is nobody, an empty customer is made, so that the text can be erased with them.
    """
    note_playbook(bundle, playbook)
    digest = hashlib.sha256(letter.text.encode()).hexdigest()
    before = store.same_note(uow, playbook, digest)
    if before is not None and before.text:
        return NoteTaken(
            before.id, before.case_id, before.customer_id, is_new=False, known=True, found=tuple(before.found)
        )
    about = customer_id or _about(uow, found)
    if about is not None:
        about = profile(uow, about, uow.now).id
    note_id, case_id, lead_id = new_id("note"), new_id("case"), new_id("lead")
    known = about is not None
    if about is None:
        about = resolve_many(uow, [CustomerDraft(source=f"note {note_id}")])[0].id
    # Nothing that the rules found: the title is shown to who must answer without their proposal.
    title = " · ".join(part for part in names_of(uow, [about])[about] if part) or "somebody new"
    facts = {"note_id": note_id, "kind": letter.kind, "about": title, "is_new": not known, "currency": bundle.currency}
    draft = CaseDraft(playbook, "lead", lead_id, facts, about, id=case_id)
    open_cases(uow, [draft], bundle, actor)
    values = {
        "id": note_id, "kind": letter.kind, "text": letter.text, "found": [dict(one) for one in found],
        "digest": digest, "playbook": playbook, "case_id": case_id, "customer_id": about, "added_by": str(actor),
        "added_at": uow.now,
    }  # fmt: skip
    store.insert_note(uow, values)
    payload = {
        "kind": letter.kind,
        "case": case_id,
        "characters": len(letter.text),
        "fields": [f["field"] for f in found],
    }
    uow.record(AuditEntry("note.added", note_id, payload, about, actor))
    words = "An e-mail was added as a note." if letter.kind == "email" else "A note was added."
    note_many(uow, [TimelineNote(about, "note", words, case_id)])
    return NoteTaken(note_id, case_id, about, is_new=True, known=known, found=tuple(found))


def _about(reader: Reader, found: Sequence[Mapping[str, Any]]) -> str | None:
    said = {one["field"]: str(one["value"]) for one in found}
    if "email" in said:
        return holder_of(reader, ("email", said["email"].casefold()))
    return holder_of(reader, ("phone", said["phone"])) if "phone" in said else None


def record_of(reader: Reader, customer_id: str, now: Any, currency: str) -> Record:
    """What is known of the customer, and who says so."""
    one = profile(reader, customer_id, now)
    details = store.details_of(reader, one.id)
    found: dict[str, Known] = {}
    minor = one.facts["value_minor"]
    value = minor / 10 ** currency_exponent(currency) if minor is not None else None
    for name, held in (
        ("name", one.name),
        ("company", one.company),
        ("country", one.facts["country"]),
        ("value", value),
    ):
        if held not in (None, ""):
            found[name] = Known(held, by_person=_by_person(details.get(name)))
    for name in DETAILS:
        row = details.get(name)
        if row is not None and row.value not in (None, ""):
            found[name] = Known(row.value, by_person=_by_person(row))
    for kind in IDENTITIES:
        mine = [identity for identity in one.identities if identity.kind == kind]
        if mine:
            verified = any(identity.verified_at for identity in mine)
            found[kind] = Known([identity.value for identity in mine], verified=verified)
    return found


def _by_person(row: Any) -> bool:
    return row is not None and str(row.set_by).startswith(f"{ActorKind.USER.value}:")


def write_value(
    uow: UnitOfWork, actor: Actor, customer_id: str, name: str, value: Any, currency: str, source: str
) -> None:
    """Put one approved value into the record; ConflictError (`identity_taken`) for somebody else's identity."""
    if name in IDENTITIES:
        text = str(value).casefold() if name == "email" else str(value)
        add_identity(uow, actor, customer_id, name, text, source=source)
        return
    if name in _COLUMN:
        stored = (
            round(float(value) * 10 ** currency_exponent(currency)) if name == "value" and value is not None else value
        )
        change_profile(uow, actor, customer_id, {_COLUMN[name]: stored}, source=source)
    store.set_detail(uow, customer_id, name, value, str(actor))


def undo_change(uow: UnitOfWork, actor: Actor, note_id: str, currency: str) -> dict[str, list[str]]:
    """Put back what stood in the record before the note, where nobody changed it since.

    `restored` and `kept` name the fields. ConflictError when nothing was written, it was taken back before, or a new
    lead was made of it, whose case has its own ways to be ended.
    """
    change = store.change_of_note(uow, note_id)
    if change is None:
        raise ConflictError("Nothing was written because of this note.", code="nothing_written", note=note_id)
    if change.lead_id is not None:
        message = "A new lead was made of this note. Cancel the lead's case, or erase the customer, instead."
        raise ConflictError(message, code="made_a_lead", lead=change.lead_id)
    if not store.settle_undo(uow, change.id, str(actor)):
        raise ConflictError("This was taken back before.", code="undone", note=note_id)
    restored, kept = [], []
    for one in change.changes:
        name = one["field"]
        now = record_of(uow, change.customer_id, uow.now, currency).get(name)
        if _restore(uow, actor, change, one, now, currency):
            restored.append(name)
        else:
            kept.append(name)
    words = f"What a note had changed was taken back: {_list(restored)}."
    words += f" Changed since, so left as it is: {_list(kept)}." if kept else ""
    note_many(uow, [TimelineNote(change.customer_id, "record", words, change.case_id)])
    payload = {"restored": restored, "kept": kept, "note": note_id}
    uow.record(AuditEntry("record_change.undone", change.id, payload, change.customer_id, actor))
    return {"restored": restored, "kept": kept}


def _restore(
    uow: UnitOfWork, actor: Actor, change: Any, one: Mapping[str, Any], now: Known | None, currency: str
) -> bool:
    name = one["field"]
    if name in IDENTITIES:
        text = str(one["new"]).casefold() if name == "email" else str(one["new"])
        return drop_identity(uow, actor, change.customer_id, name, text)
    if now is None or not same_value(name, now.value, one["new"]):
        return False
    write_value(uow, actor, change.customer_id, name, one["old"], currency, f"undo of {change.id}")
    return True


def _list(fields: Sequence[str]) -> str:
    return ", ".join(LABELS.get(name, name) for name in fields) or "nothing"
