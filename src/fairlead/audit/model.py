"""The sealed chain as pure functions: digests, ranges of ids, heads."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

GENESIS = bytes(32)
SECRET_BYTES = 32
DIGEST_BYTES = 32

Gap = tuple[int, int, int]


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


def to_ranges(ids: Iterable[int]) -> list[tuple[int, int]]:
    """Runs of consecutive ids in the given order, as inclusive (first, last)."""
    runs: list[tuple[int, int]] = []
    for number in ids:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def format_ranges(ids: Iterable[int]) -> str:
    """`1-500,502` for the given ids in their order; "" for none."""
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in to_ranges(ids))


def parse_ranges(text: str, count: int) -> tuple[int, ...]:
    """The `count` ids that `format_ranges` wrote; ValueError for anything else, however much it claims."""
    ids: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        run = range(int(first), int(last or first) + 1)
        if run.stop - run.start > count - len(ids):
            break
        ids += run
    if len(ids) != count or format_ranges(ids) != text:
        message = f"not {count} row ids"
        raise ValueError(message)
    return tuple(ids)


def gaps_of(value: object) -> tuple[Gap, ...]:
    """The gaps in a JSON value; ValueError when it is anything but a list of three whole numbers each."""
    gaps: list[Any] = value if isinstance(value, list) else [None]
    if any(not isinstance(gap, list) or [type(number) for number in gap] != [int, int, int] for gap in gaps):
        message = "not a list of gaps"
        raise ValueError(message)
    return tuple((first, last, noticed) for first, last, noticed in gaps)


def gaps_between(ids: Iterable[int], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Inclusive runs of numbers from `first` to `last` that are not among `ids`."""
    expected = first
    for number in sorted(ids):
        if number > expected:
            yield expected, number - 1
        expected = max(expected, number + 1)
    if expected <= last:
        yield expected, last
