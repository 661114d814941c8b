"""The record as one file of JSON lines that a third party verifies without us.

First a `header` line, then each `seal` followed by its `entry` lines, then the entries not sealed yet, then
an `end` line with their number.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from fairlead.audit.model import DIGEST_BYTES, EntryRow, SealRow, format_ranges, gaps_of, parse_ranges
from fairlead.errors import InputError
from fairlead.kit import jsons
from fairlead.kit.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from fairlead.audit.verifying import Record

FORMAT = "fairlead-audit-1"
LINE_LIMIT = 16_000_000  # characters; the longest payload escapes to less
MAX_FAULTS = 100
_KINDS = ("seal", "entry", "unsealed", "end")


def write_export(record: Record, public_key: bytes, file: IO[str]) -> int:
    """Write every seal and entry; returns the number of entries."""
    count = 0
    file.write(_line(type="header", format=FORMAT, public_key=public_key.hex()))
    for seal, rows in record.blocks():
        file.write(_line(type="seal", **_seal_fields(seal)))
        for row in rows.values():
            file.write(_line(type="entry", **_entry_fields(row)))
            count += 1
    for row, _ in record.others():
        file.write(_line(type="unsealed", **_entry_fields(row)))
        count += 1
    file.write(_line(type="end", entries=count))
    return count


def _line(**fields: Any) -> str:
    return jsons.dumps(fields) + "\n"


def _seal_fields(seal: SealRow) -> dict[str, Any]:
    return {
        "no": seal.no,
        "at": seal.at,
        "ids": format_ranges(seal.ids),
        "highest": seal.highest,
        "missing": seal.missing,
        "digests": seal.digests.hex(),
        "previous": seal.previous.hex(),
        "head": seal.head.hex(),
        "signature": seal.signature.hex(),
    }


def _entry_fields(row: EntryRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": row.at,
        "verb": row.verb,
        "actor": row.actor,
        "subject": row.subject,
        "scope": row.scope,
        "commitment": row.commitment.hex(),
        "body": row.body,
        "key": row.secret.hex() if row.secret is not None else None,
    }


class ExportedRecord:
    """An export, read line by line; what is wrong with its lines is found, not refused.

    InputError for a file that cannot be read or is none of ours at all.
    """

    def __init__(self, path: Path) -> None:
        """Reads the first line only; `public_key` is what the file claims: compare it with the one you trust.

        It is None when the header is gone, though what stands there is a line of an export.
        """
        self._path = path
        self._faults: dict[int, str] = {}
        self.public_key: bytes | None = None
        line = next(self._lines(), (0, ""))[1]
        try:
            key = bytes.fromhex(jsons.loads(line)["public_key"])
        except (KeyError, TypeError, ValueError):
            key = b""
        if key and line == _line(type="header", format=FORMAT, public_key=key.hex()):
            self.public_key = key
        elif _is_ours(line):
            self._faults[1] = "its first line must be the header, which is not there"
        else:
            message = f"{path} is not an audit export of this version ({FORMAT})"
            raise InputError(message, code="audit_export")

    def faults(self) -> Iterable[str]:
        """See `Record.faults`; the first hundred lines that are wrong."""
        return [text for _, text in sorted(self._faults.items())]

    def blocks(self) -> Iterator[tuple[SealRow, Mapping[int, EntryRow]]]:
        """See `Record.blocks`."""
        seal: SealRow | None = None
        rows: dict[int, EntryRow] = {}
        for value, _ in self._rows():
            if isinstance(value, SealRow):
                if seal is not None:
                    yield seal, rows
                seal, rows = value, {}
            elif value.id not in rows:
                rows[value.id] = value
        if seal is not None:
            yield seal, rows

    def others(self) -> Iterator[tuple[EntryRow, bool]]:
        """See `Record.others`; an entry that stands there twice is one of them."""
        expected: set[int] = set()
        for value, kind in self._rows():
            if isinstance(value, SealRow):
                expected = set(value.ids)
            elif kind == "entry" and value.id in expected:
                expected.remove(value.id)
            else:
                yield value, kind == "entry"

    def _rows(self) -> Iterator[tuple[SealRow | EntryRow, str]]:
        lines = self._lines()
        if self.public_key is not None:
            next(lines)
        number = count = 0
        for number, line in lines:
            try:
                kind, value = _row_of(line)
            except (AttributeError, KeyError, TypeError, ValueError):
                self._fault(number, "is no line of an audit export as Fairlead writes it")
                continue
            if isinstance(value, int):
                if value != count:
                    held = f"holds {counted(count, 'entry', 'entries')}"
                    self._fault(number, f"says that there are {value}, but the export {held}: lines are missing")
                if next(lines, None) is not None:
                    self._fault(number + 1, "stands behind the end of the export")
                return
            count += kind != "seal"
            yield value, kind
        self._fault(number + 1, "should be the last one, which says how many entries there are: the end is missing")

    def _fault(self, number: int, text: str) -> None:
        if len(self._faults) < MAX_FAULTS:
            self._faults[number] = f"line {number} {text}"

    def _lines(self) -> Iterator[tuple[int, str]]:
        try:
            with self._path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
                number = 0
                while line := file.readline(LINE_LIMIT):
                    number += 1
                    yield number, line
        except OSError as error:
            message = f"{self._path} cannot be read: {error.strerror}"
            raise InputError(message, code="audit_export") from None


def _is_ours(line: str) -> bool:
    try:
        _row_of(line)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
    return True


def _row_of(line: str) -> tuple[str, SealRow | EntryRow | int]:
    """What a line says (the end: how many entries); ValueError unless it stands as we would write it."""
    fields = jsons.loads(line)
    kind = fields.pop("type")
    value: SealRow | EntryRow | int
    if kind == "seal":
        value = _seal_of(fields)
        again = _seal_fields(value)
    elif kind in ("entry", "unsealed"):
        value = _entry_of(fields)
        again = _entry_fields(value)
    else:
        value = int(fields["entries"])
        again = {"entries": value}
    if kind not in _KINDS or _line(type=kind, **again) != line:
        message = "not written as Fairlead writes it"
        raise ValueError(message)
    return kind, value


def _seal_of(fields: dict[str, Any]) -> SealRow:
    digests = bytes.fromhex(fields["digests"])
    return SealRow(
        int(fields["no"]),
        int(fields["at"]),
        parse_ranges(fields["ids"], len(digests) // DIGEST_BYTES),
        int(fields["highest"]),
        gaps_of(fields["missing"]),
        digests,
        bytes.fromhex(fields["previous"]),
        bytes.fromhex(fields["head"]),
        bytes.fromhex(fields["signature"]),
    )


def _entry_of(fields: dict[str, Any]) -> EntryRow:
    key = fields["key"]
    return EntryRow(
        int(fields["id"]),
        int(fields["at"]),
        str(fields["verb"]),
        str(fields["actor"]),
        str(fields["subject"]),
        str(fields["scope"]),
        bytes.fromhex(fields["commitment"]),
        fields["body"],
        bytes.fromhex(key) if key is not None else None,
    )
