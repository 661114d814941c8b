"""An export read back, whatever was done to its lines meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.audit.export_lines import FORMAT, line_of, row_of
from fairlead.audit.model import EntryRow, SealRow
from fairlead.errors import InputError
from fairlead.kit import jsons
from fairlead.kit.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

LINE_LIMIT = 16_000_000  # characters; the longest payload escapes to less
MAX_FAULTS = 100


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
        if key and line == line_of(type="header", format=FORMAT, public_key=key.hex()):
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
                kind, value = row_of(line)
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
        row_of(line)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
    return True
