"""The gate: one place through which every message to a customer passes, whoever sends it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from fairlead.customers import lock_address, lock_contact, lock_contacts, normalise_address
from fairlead.errors import FaultError, InputError, NotFoundError
from fairlead.experiments import ensure_seed, seed_of
from fairlead.guardrails import store
from fairlead.guardrails.deploying import current_rules
from fairlead.guardrails.gathering import Gathered, gather, holder_of_attempt
from fairlead.guardrails.judging import judge
from fairlead.guardrails.model import Attempt, Checked, Code, GateAnswer, LogState, Verdict
from fairlead.guardrails.remembering import Memory, remembered
from fairlead.guardrails.rules import ContactRules
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

OUTCOMES = {
    "accepted": LogState.ACCEPTED,
    "not_sent": LogState.RELEASED,
    "unknown": LogState.UNKNOWN,
}
_STAYS = {(LogState.UNKNOWN, LogState.RELEASED), (LogState.RELEASED, LogState.UNKNOWN)}
"""An earlier try may have been sent; it was known not to have been sent."""
_STALE_AT_ONCE = 500
_FIRST_YEAR, _LAST_YEAR = 1970, 2200


def pass_gate(uow: UnitOfWork, attempt: Attempt) -> GateAnswer:
    """Ask whether this message may go out now, and take a place under the caps if it may.

    Call it right before the delivery, in a short transaction of its own, and hand the message over only after
    that has committed with `allowed`; then tell `settle_contact` what became of it. `held`: ask again with the
    same key at `ask_again_at`. `refused`: never send it. Everything is read under the customer's contact lock,
    which opt-outs, suppressions and merges take too: whichever commits first counts.

    The same key asked again is judged anew as of now and keeps its place. Where the try before was not settled, its
    message may have gone out, so the place is then kept for good: settle each try, `not_sent` where that is certain,
    before you ask again. A message that was accepted is refused `already_sent`.
    The answer and what it rests on are written down and audited. NotFoundError for an unknown customer.
    """
    rules = current_rules(uow)
    seed = ensure_seed(uow)
    _lock(uow, attempt)
    gathered = gather(uow, attempt, rules, uow.now, seed)
    before = store.entry(uow, attempt.key)
    if before is not None and before.customer_id is not None and before.customer_id not in gathered.family:
        message = f"the key {attempt.key!r:.120} belongs to a message to another customer"
        raise InputError(message, code="key_of_another", field="key")
    if before is not None and before.state is LogState.ACCEPTED:
        answer = _already(judge(rules, attempt, gathered.known, uow.now))
    else:
        answer = judge(rules, attempt, gathered.known, uow.now)
        answer = replace(answer, reservation=_place(uow, attempt, gathered, answer, before))
    answer = replace(answer, address=gathered.known.address)
    store.insert_answer(uow, attempt, gathered.customer_id, answer, _memory(rules, attempt, gathered, before))
    uow.record(
        AuditEntry(f"contact.{answer.verdict}", attempt.key, _told(attempt, answer), customer_id=gathered.customer_id)
    )
    return answer


def _memory(
    rules: ContactRules, attempt: Attempt, gathered: Gathered, before: store.Entry | None
) -> dict[str, Any]:  # fmt: skip
    memory = Memory(
        gathered.known, attempt.since, attempt.tags, attempt.automatic, attempt.reply, frozenset(gathered.family),
        gathered.digest, rules.holdout_share, before.released_at if before else None,
    )  # fmt: skip
    return remembered(replace(attempt, customer_id=gathered.customer_id), memory)


def _lock(uow: UnitOfWork, attempt: Attempt) -> None:
    """First the customer, then the address, as suppressions do; who has the address is asked again under it."""
    holder = holder_of_attempt(uow, attempt)
    if holder is not None:
        lock_contact(uow, holder)
    if attempt.address:
        lock_address(uow, attempt.channel, normalise_address(attempt.channel, attempt.address))


def _place(
    uow: UnitOfWork, attempt: Attempt, gathered: Gathered, answer: GateAnswer, before: store.Entry | None
) -> str | None:  # fmt: skip
    """Take or keep the message's place; its id while there is one."""
    allowed, cls = answer.verdict is Verdict.ALLOWED, answer.facts["class"]
    if before is None:
        return store.insert_entry(uow, attempt, gathered.customer_id, cls, gathered.digest) if allowed else None
    row_id, state = before.id, before.state
    if state is LogState.RELEASED:
        if allowed:
            store.renew_entry(uow, row_id, cls, LogState.RESERVED, attempt.tags)
        return row_id if allowed else None
    # Nobody told what became of the try before: it may have been sent, whatever becomes of this one.
    if allowed:
        store.renew_entry(uow, row_id, cls, LogState.UNKNOWN, attempt.tags)
    elif state is LogState.RESERVED:
        store.set_states(uow, {row_id: LogState.UNKNOWN})
    return row_id


def _already(answer: GateAnswer) -> GateAnswer:
    words = "This very message was accepted before."
    checks = (Checked("key", Code.ALREADY_SENT, words),)
    return replace(
        answer, verdict=Verdict.REFUSED, code=Code.ALREADY_SENT, words=words, allowed_at=None, checks=checks,
        ask_again_at=None,
    )  # fmt: skip


def _told(attempt: Attempt, answer: GateAnswer) -> dict[str, Any]:
    return {
        "channel": attempt.channel,
        "purpose": attempt.purpose,
        "sender": attempt.sender,
        "code": answer.code.value,
        "case": attempt.case_id,
        "rules": answer.facts["rules"],
        "reservation": answer.reservation,
    }


def settle_contact(uow: UnitOfWork, key: str, outcome: str) -> None:
    """Say what became of a message that the gate allowed: `accepted`, `not_sent` or `unknown`.

    `not_sent` gives its place back: say it only when the message certainly did not go out. `unknown` keeps it for
    good, also over a later `not_sent`, since an earlier try may have been sent; `accepted` may still follow. Said
    twice, nothing changes. NotFoundError for a key that never had a place, InputError for another outcome.
    """
    if settle_contacts(uow, {key: outcome}):
        message = f"no message of the key {key!r:.120} has a place"
        raise NotFoundError(message, key=key[:200])


def settle_contacts(uow: UnitOfWork, outcomes: Mapping[str, str]) -> list[str]:
    """`settle_contact` for many, by key; the keys that never had a place."""
    for outcome in outcomes.values():
        if outcome not in OUTCOMES:
            message = f"{outcome!r:.80} is no outcome of a message; known are {', '.join(OUTCOMES)}"
            raise InputError(message, field="outcome")
    if not outcomes:
        return []
    found = store.entries(uow, outcomes)
    lock_contacts(uow, {one.customer_id for one in found.values() if one.customer_id is not None})
    changed: dict[str, LogState] = {}
    for key, (row_id, state, customer_id, *_) in store.entries(uow, found).items():
        if (wanted := _settled(state, OUTCOMES[outcomes[key]])) is not None:
            changed[row_id] = wanted
            payload = {"outcome": outcomes[key], "before": state.value, "reservation": row_id}
            uow.record(AuditEntry("contact.settled", key, payload, customer_id=customer_id))
    store.set_states(uow, changed)
    return [key for key in outcomes if key not in found]


def _settled(state: LogState, wanted: LogState) -> LogState | None:
    """What a place becomes by an outcome; None: it stays as it is."""
    if state in {wanted, LogState.ACCEPTED} or (state, wanted) in _STAYS:
        return None
    return wanted


def stale_reservations(reader: Reader, before: datetime, limit: int = _STALE_AT_ONCE) -> list[str]:
    """Keys of messages that got a place before that moment and whose fate nobody told, oldest first."""
    return [key for key, _ in store.stale(reader, before, limit)]


def expire_reservations(uow: UnitOfWork, keys: Sequence[str], certainly_not_sent: Collection[str]) -> int:
    """End stale reservations: given back where the message certainly was not sent, else kept as unknown.

    `certainly_not_sent` are the keys whose delivery never began, which only the outbox can know. How many places
    were given back.
    """
    settle_contacts(uow, {key: "not_sent" if key in certainly_not_sent else "unknown" for key in sorted(keys)})
    return len(set(keys) & set(certainly_not_sent))


def would_pass(reader: Reader, attempt: Attempt, at: datetime | None = None) -> GateAnswer:
    """What the gate would answer at that moment to what is known now; nothing is written, nothing reserved.

    `at` None is the moment of the caller's unit of work; a bare reader has none and must say it (FaultError).
    NotFoundError for an unknown customer, InputError for a moment outside of 1970 to 2200.
    """
    moment = at or (reader.now if isinstance(reader, UnitOfWork) else None)
    if moment is None:
        message = "a bare reader has no moment: say `at`"
        raise FaultError(message)
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        message = f"{moment:%Y} is no year to ask about; it is between {_FIRST_YEAR} and {_LAST_YEAR}"
        raise InputError(message, field="at")
    rules = current_rules(reader)
    known = gather(reader, attempt, rules, moment, seed_of(reader)).known
    answer = replace(judge(rules, attempt, known, moment), address=known.address)
    before = store.entry(reader, attempt.key)
    return _already(answer) if before is not None and before.state is LogState.ACCEPTED else answer


def forget_contacts(uow: UnitOfWork, customer_ids: Sequence[str]) -> None:
    """Take what tells of the person out of the log of these records; who erases a customer calls it and audits."""
    store.forget(uow, customer_ids)
