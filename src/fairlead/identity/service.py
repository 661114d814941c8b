"""Asking for a code and naming it. Both take the customer's lock, so that of two at once one is first."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta

from fairlead.actions import MESSAGE, ActionDraft, queue_many
from fairlead.customers import (
    Checked,
    CheckLevel,
    KnownIdentity,
    Profile,
    TimelineNote,
    check_counts,
    family_since,
    lock_address,
    lock_contact,
    merges_of,
    normalise_address,
    note_check,
    note_many,
    profile,
    verify_identity,
)
from fairlead.errors import ConflictError, InputError, TooManyRequestsError
from fairlead.identity import store
from fairlead.identity.model import (
    CHANNELS,
    CHECK_FOR,
    CODE_FOR,
    DIGITS,
    MAX_TRIES,
    PER_DAY,
    PER_HOUR,
    Asked,
    CodeState,
    Outcome,
    Tried,
    address_digest,
    code_digest,
    is_known,
    plain_code,
)
from fairlead.identity.words import FIELD, words_for
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.ids import new_id
from fairlead.kit.sealing import seal
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

PURPOSE = "service"
"""What the message with a code is for, as the contact rules name it."""
KIND = "identity-code"
FIRST = 9
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def ask_code(uow: UnitOfWork, actor: Actor, customer_id: str, channel: str, address: str, secret: bytes) -> Asked:
    """Send a code of six digits to the address, if it is one of the customer's; the code asked for before is void.

    The answer, the rows and the limits are the same for an address that is not theirs, only nothing is sent.
    TooManyRequestsError after three codes to an address within an hour or twelve for a customer within a day,
    InputError for a channel without codes, NotFoundError and ConflictError for an unknown and an erased customer.
    """
    if channel not in CHANNELS:
        message = f"codes are sent by {', '.join(CHANNELS)}, not by {channel:.40}"
        raise InputError(message, code="code_channel", field="channel")
    wanted = normalise_address(channel, address)
    customer = _living(uow, customer_id)
    family = [customer.id, *customer.merged]
    lock_address(uow, f"code by {channel}", wanted)  # a lock of its own: others take theirs in another order
    reached = address_digest(secret, channel, wanted)
    _check_limits(uow, family, reached)
    store.replace_codes(uow, family)
    one, code, expires = new_id("idc"), f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}", uow.now + CODE_FOR
    row = {
        "id": one, "customer_id": customer.id, "channel": channel, "address_digest": reached,
        "digest": code_digest(secret, one, code), "state": CodeState.OPEN.value, "tries": 0, "asked_by": str(actor),
        "at": uow.now, "expires_at": expires,
    }  # fmt: skip
    store.insert_code(uow, row)
    if (mine := _of_address(customer, channel, wanted)) is not None:
        queue_many(uow, [_message(actor, customer, one, mine.value, seal(secret, one, code), uow)])
    _record(uow, actor, "identity.code_asked", customer.id, {"code": one, "channel": channel})
    _note(uow, customer.id, "identity.asked", "A code was asked for, to check who is in touch.", one)
    return Asked(channel, expires)


def confirm_code(uow: UnitOfWork, actor: Actor, customer_id: str, code: str, secret: bytes) -> Tried:
    """Try the code that somebody named; right: the address is verified, and `checked` answers for 30 minutes.

    A wrong try counts only if the transaction is committed: do not raise because of it before. After five of them the
    code is void. NotFoundError and ConflictError as in `ask_code`.
    """
    customer = _living(uow, customer_id)
    family = [customer.id, *customer.merged]
    since, open_ones = family_since(uow, family), store.open_codes(uow, family, uow.now)
    standing = [row for row in open_ones if check_counts(row.at, row.expires_at, since, uow.now)]
    if not standing:
        _record(uow, actor, "identity.code_refused", customer.id, {"why": Outcome.OVER.value})
        return Tried(Outcome.OVER)
    row = standing[0]
    mine = next(
        (one for one in customer.identities if _reaches(one, row.channel, row.address_digest, secret)), None
    )  # fmt: skip
    right = hmac.compare_digest(code_digest(secret, row.id, plain_code(code)), row.digest)
    if not right or mine is None:  # an address that was taken back meanwhile shows nothing
        left = MAX_TRIES - row.tries - 1
        store.count_try(uow, row.id, CodeState.OPEN if left else CodeState.SPENT)
        _record(uow, actor, "identity.code_refused", customer.id, {"code": row.id, "why": Outcome.WRONG.value})
        return Tried(Outcome.WRONG, left)
    store.count_try(uow, row.id, CodeState.USED)
    return Tried(Outcome.CONFIRMED, None, _granted(uow, actor, customer, mine, row.id, row.channel))


def _granted(
    uow: UnitOfWork, actor: Actor, customer: Profile, mine: KnownIdentity, code_id: str, channel: str
) -> Checked:
    brought = _brought_at(uow, customer.id, mine)
    level = CheckLevel.KNOWN if is_known(uow.now, customer.created_at, mine.added_at, brought) else CheckLevel.NEW
    done = Checked(channel, level, uow.now, uow.now + CHECK_FOR, str(actor))
    values = {
        "id": new_id("idk"), "customer_id": customer.id, "channel": channel, "level": level.value, "code_id": code_id,
        "by": done.by, "at": done.at, "until": done.until,
    }  # fmt: skip
    note_check(uow, values)
    verify_identity(uow, actor, customer.id, mine.kind, mine.value)
    evidence = {"code": code_id, "channel": channel, "level": level.value, "kind": mine.kind}
    _record(uow, actor, "identity.checked", customer.id, evidence)
    words = "Identity checked by a code on e-mail."
    if level is CheckLevel.NEW:
        words += " The address is new, so account facts are not spoken of on the strength of it."
    _note(uow, customer.id, "identity.checked", words, code_id)
    return done


def _brought_at(reader: Reader, customer_id: str, mine: KnownIdentity) -> datetime | None:
    """When the newest merge was made, for an address that came with a merged record; None for the customer's own."""
    standing = [one for one in merges_of(reader, customer_id) if one.undone_at is None]
    brought = [pair for one in standing for pair in (one.brought.get("other") or {}).get("identities", ())]
    return standing[0].at if [mine.kind, mine.value] in brought else None


def _living(uow: UnitOfWork, customer_id: str) -> Profile:
    """The customer as known now, kept from others until the end."""
    customer = profile(uow, lock_contact(uow, customer_id), uow.now)
    if customer.erased_at is not None:
        message = f"customer {customer_id} was erased; nothing more is kept about them"
        raise ConflictError(message, code="customer_erased", customer=customer_id)
    return customer


def _check_limits(uow: UnitOfWork, family: list[str], reached: str) -> None:
    asked = store.asked_of_address(uow, reached, uow.now - _HOUR)
    wait = asked[-PER_HOUR] + _HOUR - uow.now if len(asked) >= PER_HOUR else None
    if wait is None and store.asked_of_customer(uow, family, uow.now - _DAY) >= PER_DAY:
        wait = _HOUR
    if wait is not None:
        message = "Too many codes were asked for. Try again later."
        raise TooManyRequestsError(message, retry_after_s=int(wait.total_seconds()) + 1)


def _of_address(customer: Profile, channel: str, wanted: str) -> KnownIdentity | None:
    mine = (one for one in customer.identities if one.kind == channel)
    return next((one for one in mine if normalise_address(channel, one.value) == wanted), None)


def _reaches(one: KnownIdentity, channel: str, digest: str, secret: bytes) -> bool:
    if one.kind != channel:
        return False
    return hmac.compare_digest(address_digest(secret, channel, normalise_address(channel, one.value)), digest)


def _message(actor: Actor, customer: Profile, key: str, to: str, sealed: str, uow: UnitOfWork) -> ActionDraft:
    words = words_for(customer.facts["language"], int(CODE_FOR.total_seconds() // 60))
    by_person = actor.kind is ActorKind.USER
    body = {
        "channel": "email", "purpose": PURPOSE, "sender": "agent" if by_person else "api", "to": to,
        "subject": words.subject, "text": words.text, "sealed": {FIELD: sealed},
        "automatic": not by_person,
    }  # fmt: skip
    return ActionDraft(
        key, MESSAGE, KIND, body, customer_id=customer.id, serial_key="", expires_at=uow.now + CODE_FOR,
        priority=FIRST,
    )  # fmt: skip


def _note(uow: UnitOfWork, customer_id: str, kind: str, words: str, subject: str) -> None:
    note_many(uow, [TimelineNote(customer_id, kind, words, subject)])


def _record(uow: UnitOfWork, actor: Actor, verb: str, customer_id: str, payload: dict[str, str]) -> None:
    uow.record(AuditEntry(verb, customer_id, payload, customer_id=customer_id, actor=actor))
