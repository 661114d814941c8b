"""The sealed chain as pure functions: digests, commitments, heads."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlead.audit.ranges import Gap, format_ranges

if TYPE_CHECKING:
    from collections.abc import Sequence

GENESIS = bytes(32)
SECRET_BYTES = 32
DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One stored audit entry.

    `at` counts microseconds since 1970. `scope` is the customer whose key commits the payload, "" for the
    workspace. `body` and `secret` are None when the customer was erased.
    """

    id: int
    at: int
    verb: str
    actor: str
    subject: str
    scope: str
    commitment: bytes
    body: str | None = None
    secret: bytes | None = None

    def digest(self) -> bytes:
        """SHA-256 of everything but the payload, which the commitment stands for.

        Texts carry their length in bytes, so that nothing can move from one field into the next.
        """
        texts = (self.verb, self.actor, self.subject, self.scope)
        parts = [b"%d:%b," % (len(part), part) for part in (text.encode("utf-8", "surrogatepass") for text in texts)]
        start = f"{self.id}|{self.at}|".encode()
        return hashlib.sha256(b"".join((start, *parts, self.commitment))).digest()


@dataclass(frozen=True, slots=True)
class SealRow:
    """A sealed batch: `ids` in sealing order, `digests` their entries' digests, `head` the chain so far.

    `highest` is the highest id sealed so far, here or before; `missing` lists (first id, last id, noticed at)
    of ids that were given out but not committed by then.
    """

    no: int
    at: int
    ids: tuple[int, ...]
    highest: int
    missing: tuple[Gap, ...]
    digests: bytes
    previous: bytes
    head: bytes
    signature: bytes

    def computed_head(self) -> bytes:
        """What `head` must be, from everything else in the seal but the signature."""
        return head_of(self.no, self.at, self.ids, self.highest, self.missing, self.digests, self.previous)

    def digest_of(self, position: int) -> bytes:
        """The sealed digest of the entry `ids[position]`."""
        return self.digests[DIGEST_BYTES * position : DIGEST_BYTES * (position + 1)]


def commit(secret: bytes, body: str) -> bytes:
    """The keyed commitment to a payload: HMAC-SHA256."""
    return hmac.digest(secret, body.encode("utf-8", "surrogatepass"), "sha256")


def head_of(
    no: int,
    at: int,
    ids: Sequence[int],
    highest: int,
    missing: Sequence[Gap],
    digests: bytes,
    previous: bytes,
) -> bytes:
    """SHA-256 over the previous head, the seal's number, time, ids, highest id, gaps and digests."""
    gaps = ",".join(f"{first}-{last}@{noticed}" for first, last, noticed in missing)
    running = hashlib.sha256(previous)
    running.update(f"{no}|{at}|{format_ranges(ids)}|{highest}|{gaps}|".encode())
    running.update(digests)
    return running.digest()


def signed_bytes(no: int, at: int, head: bytes) -> bytes:
    """What a head's signature covers."""
    return f"fairlead audit head|{no}|{at}|".encode() + head
