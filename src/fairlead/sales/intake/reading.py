"""Rows of a separated text file, streamed, with every line accounted for.

Whole blocks go through the csv module at once. Only a block in which something is unusual (a record over
several lines, a row of the wrong length, a bad quote) is read again record by record.

A quote that is opened and never properly closed must not swallow the rows after it: the line that opened it
is unreadable, and reading starts afresh on the next line. How much may be read again that way is bounded,
so that a file made of such lines costs a small multiple of a good one.
"""

from __future__ import annotations

import csv
import hashlib
import itertools
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Self

from fairlead.sales.intake.lines import BLOCK_BYTES, Block, Lines, Trouble, open_binary
from fairlead.sales.intake.model import DecodedLines, FileShape, Row, Unreadable

MAX_COLUMNS = 512
MAX_FIELD_CHARS = 65_536
MAX_RECORD_CHARS = 4_194_304
MAX_RECORD_LINES = 10_000
_RESCUES_AT_ONCE = 10_000
"""Lines that may be read a second time beyond one per line read so far."""

_as_row: Callable[[tuple[int, tuple[str, ...], int, tuple[()]]], Row] = partial(tuple.__new__, Row)
"""What `Row._make` does, without a Python call per row: this is the innermost loop of an import."""


class _InterruptedError(Exception):
    """A record cannot go on: its next line is damaged, or it passed a bound."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


class RowReader:
    """Iterate once; `with` closes the file when iteration stops early.

    Every line from `shape.first_line` on is either blank (records of empty cells count as blank) or covered
    by exactly one `Row` or `Unreadable`.
    """

    def __init__(self, path: Path, shape: FileShape) -> None:
        """Open the file; raises InputError when it cannot be."""
        self._feed = Lines(path, shape.encoding, shape.line_break)
        self._blocks = iter(self._feed)
        self._shape = shape
        self._width = len(shape.header)
        self._lines: list[str] = []
        self._base = 1
        self._trouble: Trouble = {}
        self._start = 1
        self._next = 1
        self._chars = 0
        self._rescued = 0
        self.blank_lines = 0
        self._marks = re.compile(f"[^{re.escape(shape.separator + shape.quote)}]+")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._feed.__exit__()

    @property
    def total_bytes(self) -> int:
        """Size of the file when it was opened."""
        return self._feed.total_bytes

    @property
    def bytes_read(self) -> int:
        """Bytes taken from the file so far; runs ahead of the rows by at most one block."""
        return self._feed.bytes_read

    @property
    def lines(self) -> int:
        """Lines taken from the file so far, header and blank ones included."""
        return self._feed.lines

    @property
    def digest(self) -> str:
        """SHA-256 of the file as hex; FaultError before the last row was taken."""
        return self._feed.digest

    @property
    def other_encodings(self) -> tuple[DecodedLines, ...]:
        """Runs of lines that were not in the file's main encoding, the first 1,000 of them."""
        return tuple(self._feed.other_encodings)

    def __iter__(self) -> Iterator[Row | Unreadable]:
        for block in self._blocks:
            self._take(block)
            rows = self._whole_block()
            if rows is None:
                yield from self._one_by_one()
            else:
                yield from rows

    def _take(self, block: Block) -> None:
        """Replace what is held by a block, without the lines above the data."""
        skip = max(0, min(self._shape.first_line - block.first, len(block.lines)))
        self._base = block.first + skip
        self._lines = block.lines[skip:] if skip else block.lines
        self._trouble = {number: why for number, why in block.trouble.items() if number >= self._base}

    def _whole_block(self) -> Iterator[Row] | None:
        """All lines as one row each, or None when that is not what they are."""
        lines = self._lines
        if self._trouble or not lines:
            return None
        try:
            records = list(self._parse(iter(lines)))
        except csv.Error:
            return None
        plain = (
            len(records) == len(lines)
            and set(map(len, records)) == {self._width}
            and max(map(len, lines)) <= MAX_FIELD_CHARS
            and all(map(any, records))
        )
        numbered = zip(
            itertools.count(self._base), map(tuple, records), itertools.repeat(1), itertools.repeat(()), strict=False
        )
        return map(_as_row, numbered) if plain else None

    def _parse(self, lines: Iterator[str]) -> Iterator[list[str]]:
        shape = self._shape
        return csv.reader(
            lines,
            delimiter=shape.separator,
            quotechar=shape.quote,
            skipinitialspace=shape.skip_initial_space,
            strict=True,
        )

    def _one_by_one(self) -> Iterator[Row | Unreadable]:
        number = self._base
        parser: Iterator[list[str]] | None = None
        while number < self._base + len(self._lines):
            if number in self._trouble:
                code, words = self._trouble[number]
                yield Unreadable(number, code, f"Line {number}: {words}.")
                number, parser = number + 1, None
                continue
            self._start, self._chars = number, 0
            if parser is None:
                self._next = number
                parser = self._parse(self._pull())
            try:
                cells = next(parser)
            except (csv.Error, _InterruptedError) as error:
                item: Row | Unreadable = self._failed(number, error)
                parser = None
            else:
                judged = self._judged(number, self._next - number, cells)
                if judged is None:
                    self.blank_lines += self._next - number
                    number = self._next
                    continue
                item = judged
            if item.lines != self._next - number:
                parser = None
            yield item
            number += item.lines

    def _pull(self, *, shrunk: bool = False) -> Iterator[str]:
        """Lines from `_next` on, taking more blocks when a record runs over the end of what is held."""
        while True:
            at = self._next - self._base
            if at >= len(self._lines) and not self._extend():
                return
            at = self._next - self._base
            if self._next > self._start:
                self._guard()
            line = self._lines[at]
            self._chars += len(line)
            self._next += 1
            yield self._marks.sub("x", line) if shrunk else line + "\n"

    def _extend(self) -> bool:
        block = next(self._blocks, None)
        if block is None:
            return False
        keep = self._start - self._base
        self._lines = self._lines[keep:] + block.lines
        self._base = self._start
        self._trouble = {n: why for n, why in self._trouble.items() if n >= self._base} | block.trouble
        return True

    def _guard(self) -> None:
        """Stop a record of several lines at a damaged line and at the bounds."""
        if self._next in self._trouble:
            code, words = self._trouble[self._next]
            raise _InterruptedError(code, f"its line {self._next}: {words}")
        if self._chars > MAX_RECORD_CHARS or self._next - self._start >= MAX_RECORD_LINES:
            raise _InterruptedError(
                "unclosed_quote",
                f"a quote opens and is not closed within {MAX_RECORD_LINES:,} lines or {MAX_RECORD_CHARS:,} characters",
            )

    def _judged(self, number: int, span: int, cells: list[str]) -> Row | Unreadable | None:
        """The record as a row, or why not; None for a blank one."""
        width = self._width
        if not any(cells) or (len(cells) == 1 and width > 1 and not cells[0].strip()):
            return None
        if len(cells) > width and not any(cells[width:]):
            del cells[width:]
        if max(map(len, cells)) > MAX_FIELD_CHARS:
            return self._field_too_long(number, span)
        if len(cells) == width:
            return Row(number, tuple(cells), span)
        code = "too_many_fields" if len(cells) > width else "too_few_fields"
        words = f"Line {number} has {len(cells):,} fields where {width:,} are expected."
        return self._unreadable(number, span, code, words)

    def _failed(self, number: int, error: csv.Error | _InterruptedError) -> Unreadable:
        span = max(1, self._next - number)
        if isinstance(error, _InterruptedError):
            return self._unreadable(number, span, error.code, f"Line {number}: {error.words}.")
        text = str(error)
        if "field larger" in text:
            return self._measured(number)
        if "unexpected end" in text or span > 1:
            words = f"Line {number}: a quote opens and is not properly closed."
            return self._unreadable(number, span, "unclosed_quote", words)
        if "new-line" in text:
            return Unreadable(number, "stray_line_break", f"Line {number}: a carriage return stands inside a field.")
        return Unreadable(number, "bad_quote", f"Line {number}: text follows a closing quote.")

    def _measured(self, number: int) -> Unreadable:
        """Find where a record with an oversized field ends, by reading it again with its text shrunk."""
        self._next, self._chars = number, 0
        try:
            next(self._parse(self._pull(shrunk=True)))
        except (csv.Error, _InterruptedError):
            return self._field_too_long(number, 1)
        return self._field_too_long(number, self._next - number)

    @staticmethod
    def _field_too_long(number: int, span: int) -> Unreadable:
        words = f"Line {number}: a field has more than {MAX_FIELD_CHARS:,} characters."
        return Unreadable(number, "field_too_long", words, span)

    def _unreadable(self, number: int, span: int, code: str, words: str) -> Unreadable:
        """Blame the first line alone, so that the others are read afresh, while the allowance lasts."""
        if span > 1 and self._rescued + span <= _RESCUES_AT_ONCE + self._start:
            self._rescued += span
            span = 1
        return Unreadable(number, code, words, span)


def file_digest(path: Path) -> str:
    """SHA-256 of the file as hex, in constant memory; the same as `RowReader.digest` afterwards."""
    found = hashlib.sha256()
    with open_binary(path) as file:
        while block := file.read(4 * BLOCK_BYTES):
            found.update(block)
    return found.hexdigest()
