"""Writing the record and reading it; erasing a customer from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.audit import store
from fairlead.audit.model import EntryRow, SealRow, commit
from fairlead.errors import FaultError, InputError, TooLargeError
from fairlead.kit import jsons
from fairlead.kit.clock import to_micros
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from fairlead.kit.actors import Actor

BODY_LIMIT = 4_000_000


class Trail:
    """Writes a unit of work's entries inside its own transaction."""

    def write(self, uow: UnitOfWork, entries: Sequence[AuditEntry]) -> None:
        """Give out ids, commit to each payload under its customer's key, store both."""
        keys = store.secrets_of(uow, {entry.customer_id or "" for entry in entries})
        at = to_micros(uow.now)
        rows, bodies = [], []
        for number, entry in zip(store.next_ids(uow, len(entries)), entries, strict=True):
            scope = entry.customer_id or ""
            body = _body(entry)
            commitment = commit(keys[scope], body)
            rows.append((number, at, entry.verb, str(entry.actor), entry.subject, scope, commitment))
            bodies.append((number, scope, body))
        store.insert_entries(uow, rows, bodies)


def _body(entry: AuditEntry) -> str:
    try:
        body = jsons.dumps(entry.payload)
    except ValueError as error:
        message = f"what {entry.verb} says of {entry.subject} is not JSON: {error}"
        raise InputError(message, code="data") from error
    if len(body) > BODY_LIMIT:
        message = f"what {entry.verb} says of {entry.subject} is too long for the audit record"
        raise TooLargeError(message, limit=BODY_LIMIT, unit="characters")
    return body


def erase_customer(uow: UnitOfWork, customer_id: str, actor: Actor, reason: str) -> int:
    """Make everything that the record says of this customer unreadable; returns how many payloads went.

    The rows and the chain stay and still verify, because this entry says that the erasure happened. What the
    same unit of work records of the customer besides is stored after the erasure and stays readable.
    """
    if not customer_id:
        message = "erasing needs a customer id"
        raise FaultError(message)
    payloads = store.forget(uow, customer_id)
    uow.record(AuditEntry("customer.erased", customer_id, {"payloads": payloads, "reason": reason}, actor=actor))
    return payloads


def history(reader: Reader, subjects: Sequence[str], limit: int = 200, *, before: int | None = None) -> list[EntryRow]:
    """The newest `limit` entries about any of these ids, oldest first; `before` is the lowest id already seen."""
    return store.entries_about(reader, subjects, limit, before)


def happenings(
    reader: Reader, subjects: Sequence[str], verbs: Sequence[str], since: datetime, until: datetime
) -> list[EntryRow]:
    """Every entry of these verbs about these ids from `since` to before `until`, oldest first; the caller bounds."""
    return store.entries_of_verbs(reader, subjects, verbs, to_micros(since), to_micros(until))


def steered(reader: Reader, since: datetime, until: datetime, limit: int) -> list[EntryRow]:
    """The newest `limit` times that somebody stepped into a case in that time, newest first."""
    return store.steered_between(reader, to_micros(since), to_micros(until), limit)


def changes_since(reader: Reader, above: int | None, limit: int) -> list[tuple[int, str, str]]:
    """(id, verb, subject) of at most `limit` entries above this id, by id; None: the newest entry alone."""
    return store.changes_since(reader, above, limit)


def recent_seals(reader: Reader, limit: int) -> list[SealRow]:
    """The newest seals, newest first."""
    return store.recent_seals(reader, limit)
