"""Writing, sealing and publishing the record; erasing a customer from it."""

from __future__ import annotations

import fcntl
import os
from bisect import bisect_left, bisect_right
from itertools import count
from typing import TYPE_CHECKING

from fairlead.audit import store
from fairlead.audit.model import (
    GENESIS,
    EntryRow,
    Gap,
    SealRow,
    commit,
    gaps_between,
    head_of,
    signed_bytes,
)
from fairlead.errors import FaultError, InputError, TooLargeError, UnavailableError
from fairlead.kit import jsons
from fairlead.kit.clock import from_micros, iso, to_micros
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from fairlead.audit.signing import Signer
    from fairlead.kit.actors import Actor

SEAL_LIMIT = 20_000
BODY_LIMIT = 4_000_000
_MISSING_FOR_US = 3_600 * 1_000_000  # transactions are cut off after minutes, so an hour is final


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


def seal_entries(uow: UnitOfWork, signer: Signer, *, limit: int = SEAL_LIMIT) -> SealRow | None:
    """Seal what has been committed since the last seal, in one signed batch; None when there is nothing.

    Order is commit order: a row whose transaction ended after later ids were sealed goes into the next
    seal. At most `limit` rows; call again until None.
    """
    store.lock_sealing(uow)
    last = store.last_seal(uow)
    now = to_micros(uow.now)
    above = last.highest if last else 0
    missing = [gap for gap in last.missing if now - gap[2] < _MISSING_FOR_US] if last else []
    rows = store.unsealed(uow, above, [(a, b) for a, b, _ in missing], limit)
    if not rows:
        return None
    ids = tuple(row.id for row in rows)
    digests = b"".join(row.digest() for row in rows)
    no, previous = (last.no + 1, last.head) if last else (1, GENESIS)
    highest = max(above, ids[-1])
    gaps = _still_missing(missing, ids, above, now)
    head = head_of(no, now, ids, highest, gaps, digests, previous)
    signature = signer.sign(signed_bytes(no, now, head))
    seal = SealRow(no, now, ids, highest, gaps, digests, previous, head, signature)
    store.insert_seal(uow, seal)
    return seal


def _still_missing(before: Sequence[Gap], ids: Sequence[int], above: int, now: int) -> tuple[Gap, ...]:
    kept = []
    for first, last, noticed in before:
        inside = ids[bisect_left(ids, first) : bisect_right(ids, last)]
        kept += [(a, b, noticed) for a, b in gaps_between(inside, first, last)]
    fresh = ids[bisect_right(ids, above) :]
    if fresh:
        kept += [(a, b, now) for a, b in gaps_between(fresh, above + 1, fresh[-1])]
    return tuple(kept)


def publish_heads(reader: Reader, signer: Signer, heads_file: Path) -> int:
    """Append every head that the file does not have yet, so also what a crash kept an earlier call from."""
    try:
        heads_file.parent.mkdir(parents=True, exist_ok=True)
        with heads_file.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # another process may be publishing the same heads
            file.seek(0)
            text = file.read()
            known = _heads_in(text)
            above = next(number for number in count() if number + 1 not in known)
            lines = [_head_line(seal, signer) for seal in store.seals(reader, above) if seal.no not in known]
            if lines:
                # A crash may have left half a line; ours must not join it.
                file.write(b"".join([b"" if text.endswith(b"\n") or not text else b"\n", *lines]))
                file.flush()
                os.fsync(file.fileno())
            return len(lines)
    except OSError as error:
        message = f"audit heads cannot be published to {heads_file}: {error.strerror}"
        raise UnavailableError(message, file=str(heads_file)) from error


def _head_line(seal: SealRow, signer: Signer) -> bytes:
    line = {
        "no": seal.no,
        "at": iso(from_micros(seal.at)),
        "rows": len(seal.ids),
        "last_row": seal.highest,
        "head": seal.head.hex(),
        "signature": seal.signature.hex(),
        "public_key": signer.public_key.hex(),
    }
    return jsons.dumps(line).encode() + b"\n"


def read_heads(heads_file: Path) -> dict[int, bytes]:
    """Published heads by seal number; {} when there is no file.

    Lines that a crash left half-written are passed over. Where two lines disagree, the first counts: nobody
    takes back what was published.
    """
    try:
        return _heads_in(heads_file.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        message = f"the published audit heads {heads_file} cannot be read: {error.strerror}"
        raise InputError(message, code="audit_heads", file=str(heads_file)) from error


def _heads_in(text: bytes) -> dict[int, bytes]:
    heads: dict[int, bytes] = {}
    for line in text.splitlines():
        try:
            record = jsons.loads(line)
            heads.setdefault(int(record["no"]), bytes.fromhex(record["head"]))
        except (ValueError, KeyError, TypeError):
            continue
    return heads


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
