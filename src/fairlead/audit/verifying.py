"""Checking the record: in the database, or offline in an export, with one and the same procedure."""

from __future__ import annotations

import hmac
from bisect import insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from fairlead.audit import store
from fairlead.audit.model import GENESIS, SECRET_BYTES, EntryRow, SealRow, commit, signed_bytes
from fairlead.audit.ranges import Gap
from fairlead.audit.signing import signature_holds
from fairlead.kit.clock import from_micros, iso
from fairlead.kit.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from fairlead.kit.unit_of_work import Reader

PROBLEM_LIMIT = 100
_LOWEST, _HIGHEST = -(1 << 63), (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong; `row` is an entry's id, `seal` a seal's number, 0 where it is about none."""

    what: str
    row: int = 0
    seal: int = 0

    def __str__(self) -> str:
        """`row 17 (seal 3): …`."""
        where = [f"row {self.row}"] if self.row else []
        where += [f"seal {self.seal}"] if self.seal else []
        return f"{', '.join(where) or 'record'}: {self.what}"


@dataclass(slots=True)
class Verification:
    """What was checked and found; untampered when `problems` is empty.

    `problems` keeps the first hundred, sorted by row; `problem_count` counts all, and `first_bad_row` is the
    lowest entry id that is wrong among all, None when no entry is.
    `erased` counts payloads that an erasure took. `heads_compared` is how many published heads were found
    in the chain; with 0 a removed tail or a full rewrite by the key's holder would go unnoticed. `claimed_key`
    is the key in hex where nobody gave one and the record's own was believed: then anybody may have written it.
    """

    rows: int = 0
    seals: int = 0
    unsealed: int = 0
    erased: int = 0
    heads_compared: int = 0
    head: str = ""
    sealed_at: str = ""
    claimed_key: str = ""
    problem_count: int = 0
    first_bad_row: int | None = None
    problems: list[Problem] = field(default_factory=list)

    def note(self, what: str, row: int = 0, seal: int = 0) -> None:
        """Add a problem."""
        self.problem_count += 1
        if row and (self.first_bad_row is None or row < self.first_bad_row):
            self.first_bad_row = row
        insort(
            self.problems,
            Problem(what, row, seal),
            key=lambda problem: (not problem.row, problem.row, problem.seal),
        )
        del self.problems[PROBLEM_LIMIT:]

    def statement(self) -> str:
        """One sentence that says what is proven and what is not."""
        if self.problems:
            return f"TAMPERED: {counted(self.problem_count, 'problem')}; first: {self.problems[0]}"
        unsealed = f"{counted(self.unsealed, 'row')} unsealed"
        if not self.seals:
            return f"nothing is sealed yet; {unsealed}"
        caveats = "" if self.heads_compared else "; no published head was given, so a removed tail cannot be excluded"
        if self.claimed_key:
            caveats += (
                f"; the signatures fit the key that the export itself names, {self.claimed_key}: whether that is the"
                " right one was not checked, so a record written anew with another key cannot be excluded;"
                " compare it, or give the right one with --public-key"
            )
        return (
            f"{'whole in itself' if self.claimed_key else 'untampered'} up to head {self.head[:16]}… of"
            f" {self.sealed_at}, {counted(self.rows, 'row')} in {counted(self.seals, 'seal')}, {unsealed},"
            f" {counted(self.erased, 'payload')} erased{caveats}"
        )


class Record(Protocol):
    """A record that can be verified: the database's or an export's."""

    def blocks(self) -> Iterator[tuple[SealRow, Mapping[int, EntryRow]]]:
        """Each seal in order with the entries that it names and that still exist."""
        ...

    def others(self) -> Iterator[tuple[EntryRow, bool]]:
        """Every entry that no seal names, and whether it stands there as if one did."""
        ...

    def faults(self) -> Iterable[str]:
        """What is wrong with how the record is written, as far as it was read."""
        ...


class StoredRecord:
    """The record in the database, as one consistent read."""

    def __init__(self, reader: Reader) -> None:
        """`reader` stays open for as long as the verification runs."""
        self._reader = reader
        self._sealed: list[tuple[int, int]] = []

    def blocks(self) -> Iterator[tuple[SealRow, Mapping[int, EntryRow]]]:
        """See `Record.blocks`."""
        for seal in store.seals(self._reader):
            found: dict[int, EntryRow] = {}
            for first, last in _runs(seal.ids):
                found |= {row.id: row for row in store.entries_between(self._reader, first, last)}
            self._sealed = _merged([*self._sealed, *_runs(seal.ids)])
            yield seal, found

    def others(self) -> Iterator[tuple[EntryRow, bool]]:
        """See `Record.others`; call it after `blocks` is exhausted."""
        start = _LOWEST
        for first, last in [*self._sealed, (_HIGHEST + 1, _HIGHEST)]:
            while start < first and (page := store.entries_between(self._reader, start, first - 1, 5_000)):
                yield from ((row, False) for row in page)
                start = page[-1].id + 1
            start = last + 1

    def faults(self) -> Iterable[str]:
        """See `Record.faults`; a table has none."""
        return ()


def _runs(ids: Sequence[int]) -> list[tuple[int, int]]:
    return _merged([(number, number) for number in ids])


def _merged(runs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(runs):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def verify(record: Record, public_key: bytes, heads: Mapping[int, bytes], *, claimed: bool = False) -> Verification:
    """Check seals, signatures, published heads, entries, payloads; `heads` maps seal numbers to heads.

    `claimed`: the key is the one that the record itself names, and nobody vouches for it.
    """
    found = Verification(claimed_key=public_key.hex() if claimed else "")
    erased: dict[str, int] = {}
    orphans: list[tuple[int, str]] = []
    previous, highest = GENESIS, 0
    missing: tuple[Gap, ...] = ()
    for seal, rows in record.blocks():
        _check_seal(found, seal, previous, public_key, heads)
        _check_entries(found, seal, rows, erased, orphans)
        previous, missing = seal.head, seal.missing
        highest = max(highest, *seal.ids) if seal.ids else highest
    for row, posing in record.others():
        found.unsealed += 1
        if posing:
            found.note("stands among sealed rows, but its seal does not name it or was removed", row=row.id)
        _check_payload(found, row, 0, orphans)
        if row.verb == "customer.erased":
            erased[row.subject] = row.id
        if row.id <= highest and not any(first <= row.id <= last for first, last, _ in missing):
            found.note("was inserted: no seal names it, though later rows are sealed", row=row.id)
    _check_absent(found, orphans, erased, record, heads)
    return found


def _check_absent(
    found: Verification,
    orphans: Sequence[tuple[int, str]],
    erased: Mapping[str, int],
    record: Record,
    heads: Mapping[int, bytes],
) -> None:
    """What should be there and is not: payloads that nobody erased, lines of an export, seals that were published."""
    for number, scope in orphans:
        if erased.get(scope, 0) > number:
            found.erased += 1
        else:
            found.note("its payload was removed without an erasure on record", row=number)
    for fault in record.faults():
        found.note(fault)
    for no in sorted(heads):
        if no > found.seals:
            found.note("was published outside but is gone: the tail was removed", seal=no)


def _check_seal(
    found: Verification, seal: SealRow, previous: bytes, public_key: bytes, heads: Mapping[int, bytes]
) -> None:
    found.seals += 1
    if seal.no != found.seals:
        found.note(f"seal {found.seals} is missing or out of order", seal=seal.no)
    if seal.previous != previous:
        found.note("does not follow the seal before it", seal=seal.no)
    if seal.computed_head() != seal.head:
        found.note("its head is not that of its contents", seal=seal.no)
    if not signature_holds(public_key, seal.signature, signed_bytes(seal.no, seal.at, seal.head)):
        found.note("its signature is not of this key", seal=seal.no)
    if seal.no in heads:
        found.heads_compared += 1
        if heads[seal.no] != seal.head:
            found.note("differs from the head published outside: the record was rewritten", seal=seal.no)
    found.head, found.sealed_at = seal.head.hex(), _when(seal.at)


def _when(at: int) -> str:
    try:
        return iso(from_micros(at))
    except (OverflowError, TypeError):
        return "an impossible time"


def _check_entries(
    found: Verification,
    seal: SealRow,
    rows: Mapping[int, EntryRow],
    erased: dict[str, int],
    orphans: list[tuple[int, str]],
) -> None:
    for position, number in enumerate(seal.ids):
        found.rows += 1
        row = rows.get(number)
        if row is None:
            found.note("was deleted", row=number, seal=seal.no)
        elif row.digest() != seal.digest_of(position):
            found.note("was edited or moved", row=number, seal=seal.no)
        else:
            _check_payload(found, row, seal.no, orphans)
            if row.verb == "customer.erased":
                erased[row.subject] = number


def _check_payload(found: Verification, row: EntryRow, seal: int, orphans: list[tuple[int, str]]) -> None:
    if row.body is None:
        orphans.append((row.id, row.scope))
    elif row.secret is None:
        found.note("its key was removed while its payload is still there", row=row.id, seal=seal)
    elif len(row.secret) != SECRET_BYTES or not hmac.compare_digest(commit(row.secret, row.body), row.commitment):
        found.note("its payload was edited", row=row.id, seal=seal)
