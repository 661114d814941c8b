"""Files of consents, as pure rules: a row is a word of one customer with its proof, or is refused with a reason."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TextIO

from fairlead.customers.addresses import normalise_address
from fairlead.customers.model import MAX_TEXT, ConsentState, IdentityKind
from fairlead.errors import InputError, TooLargeError
from fairlead.kit import jsons

MAX_LINE = 262_144
"""Characters between two line ends, so that a file without any is not read into memory as one."""
MAX_CELL = 16_384
CUSTOMER = "customer_id"
NAMED_BY = (CUSTOMER, *(kind.value for kind in IdentityKind))
NEEDED = ("purpose", "channel", "state", "said_at", "mechanism", "proof")
OPTIONAL = ("source", "notice", "notice_version", "notice_language", "expires_at")
REFUSED = "refused"
"""Why a row was refused before, as the file of refused rows says it; ignored, so that the mended file can be taken."""
COLUMNS = (*NAMED_BY, *NEEDED, *OPTIONAL, REFUSED)
_STATES = (ConsentState.GIVEN.value, ConsentState.WITHDRAWN.value)


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """A row that can be used as far as it can be seen without looking anything up; `line` counts from 1 in the file.

    `identities` are spellings of one address or number under which the customer may be known.
    """

    line: int
    customer_id: str
    identities: tuple[tuple[str, str], ...]
    purpose: str
    channel: str
    state: str
    said_at: datetime
    mechanism: str
    proof: dict[str, Any]
    source: str
    notice: tuple[str, str, int | None] | None
    """(name, language, version; None: the newest at the time of the import)"""
    expires_at: datetime | None
    cells: tuple[str, ...] = field(default=(), repr=False, compare=False)
    """The row as it came."""


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A row that was not taken, and why, as a sentence; `cells` are the row as it came."""

    line: int
    code: str
    words: str
    cells: tuple[str, ...] = field(default=(), repr=False, compare=False)


FoundLine = ConsentLine | RefusedLine


class ConsentReader:
    """Rows of a CSV, one at a time, so that a file of any length takes the memory of one row."""

    def __init__(self, file: TextIO, now: datetime, source: str, purposes: Collection[str] | None = None) -> None:
        """`source` stands where a row names none; `purposes` are those that there are, None: any may be.

        `file` was opened with `newline=""`. InputError for a header that lacks a needed column or has an unknown or
        repeated one.
        """
        self._said = (now, source, purposes)
        self._rows = csv.reader(_lines(file), strict=True)
        self.header = [cell.strip().lower() for cell in self._next() or ()]
        _check_header(self.header)

    def __iter__(self) -> Iterator[FoundLine]:
        """Every row that is not blank, in order; InputError where what follows is no CSV, TooLargeError for a line."""
        while True:
            number = self._rows.line_num + 1
            cells = self._next()
            if cells is None:
                return
            if any(cell.strip() for cell in cells):
                yield _line(number, self.header, cells, *self._said)

    def _next(self) -> list[str] | None:
        try:
            return next(self._rows, None)
        except csv.Error as error:
            message = f"line {self._rows.line_num} is no CSV: {error}"
            raise InputError(message, code="csv", line=self._rows.line_num) from None


def _lines(file: TextIO) -> Iterator[str]:
    number = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            message = f"line {number} has more than {MAX_LINE:,} characters"
            raise TooLargeError(message, limit=MAX_LINE, unit="characters", line=number)
        yield line.removeprefix("\ufeff") if number == 1 else line


def _check_header(header: list[str]) -> None:
    missing = [name for name in NEEDED if name not in header]
    if missing or not set(header) & set(NAMED_BY):
        wanted = ", ".join(missing) or f"one of {', '.join(NAMED_BY)}"
        message = f"the header lacks {wanted}"
        raise InputError(message, code="header", missing=missing)
    for name in header:
        if name not in COLUMNS or header.count(name) > 1:
            message = f"the column {name[:64]!r} is unknown or there twice; known are {', '.join(COLUMNS)}"
            raise InputError(message, code="header", column=name[:64])


def _line(
    number: int, header: list[str], cells: list[str], now: datetime, source: str, purposes: Collection[str] | None
) -> FoundLine:
    came = tuple(cells)
    if len(cells) != len(header):
        return RefusedLine(number, "cells", f"It has {len(cells)} cells, the header {len(header)}.", came)
    row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
    row.pop(REFUSED, None)
    for name, cell in row.items():
        limit = MAX_CELL if name == "proof" else MAX_TEXT
        if len(cell) > limit or "\0" in cell:
            return RefusedLine(number, name, f"{name} has more than {limit} characters, or a NUL.", came)
    try:
        line = _checked(number, row, now, source, came)
    except InputError as error:
        return RefusedLine(number, str(error.fields.get("field", "row")), error.message, came)
    if purposes is not None and line.purpose not in purposes:
        words = f"The contact rules know no purpose {line.purpose[:40]!r}; they know {', '.join(sorted(purposes))}."
        return RefusedLine(number, "unknown_purpose", words[:MAX_TEXT], came)
    return line


def _checked(number: int, row: Mapping[str, str], now: datetime, source: str, came: tuple[str, ...]) -> ConsentLine:
    for name in NEEDED:
        if not row[name]:
            message = "A consent without proof is none." if name == "proof" else f"{name} is empty."
            raise InputError(message, field="no_proof" if name == "proof" else name)
    named = [(name, row[name]) for name in NAMED_BY if row.get(name)]
    if len(named) != 1:
        message = f"It names its customer {len(named)} times, by one of {', '.join(NAMED_BY)}; once is right."
        raise InputError(message, field="customer")
    if row["state"] not in _STATES:
        message = f"The state {row['state'][:20]!r} is none of {', '.join(_STATES)}."
        raise InputError(message, field="state")
    if row["state"] != ConsentState.WITHDRAWN.value and "*" in {row["purpose"], row["channel"]}:
        raise InputError("Only a withdrawal can be about every purpose or channel.", field="purpose")
    said_at = _moment(row, "said_at")
    assert said_at is not None  # noqa: S101  it is needed, so it is there
    if said_at > now:
        raise InputError("said_at lies in the future.", field="said_at")
    expires_at = _moment(row, "expires_at")
    if expires_at is not None and expires_at <= said_at:
        raise InputError("It would have ended before it was given.", field="expires_at")
    kind, value = named[0]
    return ConsentLine(
        number, value if kind == CUSTOMER else "", () if kind == CUSTOMER else _spellings(kind, value),
        row["purpose"], row["channel"], row["state"], said_at, row["mechanism"], _proof(row["proof"]),
        row.get("source") or source, _notice(row), expires_at, came,
    )  # fmt: skip


def _spellings(kind: str, value: str) -> tuple[tuple[str, str], ...]:
    if kind == IdentityKind.EXTERNAL_ID:
        return ((kind, value),)
    if kind == IdentityKind.EMAIL:
        local, at, _ = value.rpartition("@")
        folded = normalise_address("email", value)
        if not at or "@" not in folded:
            raise InputError("This is no e-mail address.", field="email")
        return tuple(dict.fromkeys(((kind, f"{local}@{folded.rpartition('@')[2]}"), (kind, folded))))
    number = normalise_address("phone", value)
    if not number.startswith("+"):
        raise InputError("A telephone number needs its country code, such as +49 30 901820.", field="phone")
    return ((kind, number),)


def _moment(row: Mapping[str, str], name: str) -> datetime | None:
    text = row.get(name, "")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        found = moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        found = None
    if found is None:
        message = f"{name} is no moment; write it with its zone, such as 2027-03-01T12:00+01:00."
        raise InputError(message, field=name)
    return found


def _proof(cell: str) -> dict[str, Any]:
    """JSON where it is an object; other text as `words`."""
    if not cell.startswith("{"):
        return {"words": cell}
    try:
        found = jsons.loads(cell)
    except ValueError:
        raise InputError("The proof begins like JSON and is none.", field="proof") from None
    return dict(found)


def _notice(row: Mapping[str, str]) -> tuple[str, str, int | None] | None:
    if not row.get("notice"):
        return None
    version = row.get("notice_version", "")
    if version and not (version.isascii() and version.isdigit() and len(version) < 10):  # noqa: PLR2004  an int64 is far
        raise InputError("notice_version is a number from 1.", field="notice_version")
    return row["notice"], row.get("notice_language") or "en", int(version) if version else None
