"""Rows of JSON: one object per line, or an array of objects; read as they come, in bounded memory."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

import pydantic_core

from fairlead.sales.intake.lines import MAX_LINE_BYTES, Lines, open_binary
from fairlead.sales.intake.model import DecodedLines, FileShape, Row, Unreadable
from fairlead.sales.intake.records import Flattener
from fairlead.sales.intake.words import shown

_PIECE_BYTES, _MOST_BYTES = 65_536, 1_048_576
_STRUCTURE = re.compile(r'["{}\[\],]')
_INNER = re.compile(r'["{}\[\]]')
_STRING = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_PLACE = re.compile(r" at line 1 column ([0-9]+)")
_BLANK = re.compile(r"[\s\ufeff]*")


class Item(NamedTuple):
    """One record before it is parsed."""

    number: int
    """Line in JSON lines, place in an array; from 1."""
    line: int
    text: str
    code: str = ""
    """Why it cannot be parsed, empty when it may be tried."""
    words: str = ""


def parsed(item: Item) -> dict[str, Any] | Unreadable:
    """The record, or why it is none."""
    where = f"Line {item.line:,}" if item.line == item.number else f"Record {item.number:,} (line {item.line:,})"
    if item.code:
        return Unreadable(item.number, item.code, f"{where}: {item.words}.")
    try:
        value = pydantic_core.from_json(item.text, allow_inf_nan=True)
    except ValueError as error:
        why = _PLACE.sub(r" at character \1", str(error)[:160])
        return Unreadable(item.number, "bad_json", f"{where} is no valid JSON: {why}.")
    if not isinstance(value, dict):
        words = f"{where} is {shown(item.text)}, not an object with named values."
        return Unreadable(item.number, "not_an_object", words)
    return value


class JsonRows:
    """Iterate once; `with` closes the file when iteration stops early."""

    def __init__(self, path: Path, shape: FileShape) -> None:
        """Open the file; raises InputError when it cannot be."""
        self._items = LineItems(path, shape.encoding) if shape.format == "json-lines" else ArrayItems(
            path, shape.encoding
        )  # fmt: skip
        self._flattener = Flattener(shape.header)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._items.close()

    @property
    def total_bytes(self) -> int:
        """Size of the file when it was opened."""
        return self._items.total_bytes

    @property
    def bytes_read(self) -> int:
        """Bytes taken from the file so far."""
        return self._items.bytes_read

    @property
    def other_encodings(self) -> tuple[DecodedLines, ...]:
        """Runs of lines that were not in the file's main encoding."""
        return self._items.other_encodings

    def __iter__(self) -> Iterator[Row | Unreadable]:
        for item in self._items:
            record = parsed(item)
            try:
                yield record if isinstance(record, Unreadable) else self._flattener.row(item.number, record)
            except ValueError:  # a number of thousands of digits
                yield Unreadable(item.number, "bad_json", f"Record {item.number:,} holds a number that is too long.")


class LineItems:
    """One record per line; blank lines are none."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._lines = Lines(path, encoding, "\n")
        self.total_bytes = self._lines.total_bytes

    def close(self) -> None:
        """Let go of the file."""
        self._lines.__exit__()

    @property
    def bytes_read(self) -> int:
        """Bytes taken from the file so far."""
        return self._lines.bytes_read

    @property
    def other_encodings(self) -> tuple[DecodedLines, ...]:
        """Runs of lines that were not in the file's main encoding."""
        return tuple(self._lines.other_encodings)

    def __iter__(self) -> Iterator[Item]:
        for block in self._lines:
            for number, line in enumerate(block.lines, start=block.first):
                if number in block.trouble:
                    yield Item(number, number, "", *block.trouble[number])
                elif line and not line.isspace():
                    yield Item(number, number, line)


class ArrayItems:
    """The elements of one array, found by its brackets and commas, so that a broken one costs only itself."""

    other_encodings: tuple[DecodedLines, ...] = ()

    def __init__(self, path: Path, encoding: str) -> None:
        self._file = open_binary(path)
        self.total_bytes = path.stat().st_size
        self.bytes_read = 0
        name = "utf-8-sig" if encoding.startswith("utf-8") else encoding
        self._decoder = codecs.getincrementaldecoder(name)("replace")
        self._text = ""
        self._at = 0
        self._cut = 0
        self._line = 1

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __iter__(self) -> Iterator[Item]:
        with self._file:
            self._skip_blank()
            self._at += 1  # the bracket that made this an array
            number = 0
            while True:
                self._skip_blank()
                if self._at >= len(self._text):
                    yield Item(number + 1, self._line, "", "bad_json", "the array is not closed; the file was cut off")
                    return
                if self._text[self._at] == "]":
                    self._at += 1
                    break
                number += 1
                line = self._line
                item, ended = self._element(number, line)
                yield item
                if ended:
                    return
                if self._text[self._at] == ",":
                    self._at += 1
            self._skip_blank()
            if self._at < len(self._text):
                yield Item(number + 1, self._line, "", "bad_json", "something follows the end of the array")

    def _element(self, number: int, line: int) -> tuple[Item, bool]:
        """The element from here to its comma or the array's end, and whether the file ended before that."""
        depth, at, dropped = 0, self._at, False
        while True:
            mark, place = self._mark(at, _INNER if depth else _STRUCTURE)
            if not mark:
                if len(self._text) - self._at > MAX_LINE_BYTES:
                    # Forget what cannot be used; only where it ends is still of interest.
                    dropped = True
                    self._consume(place)
                    if len(self._text) - self._at > MAX_LINE_BYTES:
                        return self._cut_off(number, line, "a text of it never ends")
                if not self._more():
                    return self._cut_off(number, line, "the file was cut off inside it")
                at = place - self._cut
                continue
            at = place
            if mark in "{[":
                depth += 1
            elif depth and mark in "}]":
                depth -= 1
            elif not depth and mark in ",]":
                return self._whole(number, line, place - 1, dropped=dropped), False

    def _mark(self, at: int, marks: re.Pattern[str]) -> tuple[str, int]:
        """(the next bracket or comma outside of texts, the place behind it); none, and where to go on, at the end."""
        while found := marks.search(self._text, at):
            if found[0] != '"':
                return found[0], found.end()
            end = _STRING.match(self._text, found.end())
            if end is None:
                return "", found.start()
            at = end.end()
        return "", len(self._text)

    def _whole(self, number: int, line: int, end: int, *, dropped: bool) -> Item:
        text = self._text[self._at : end].strip()
        self._consume(end)
        if dropped:
            words = f"it is longer than {MAX_LINE_BYTES:,} characters"
            return Item(number, line, "", "record_too_long", words)
        return Item(number, line, text or " ")

    def _cut_off(self, number: int, line: int, words: str) -> tuple[Item, bool]:
        return Item(number, line, "", "bad_json", f"{words}; nothing behind it could be read"), True

    def _skip_blank(self) -> None:
        while True:
            found = _BLANK.match(self._text, self._at)
            assert found is not None  # noqa: S101  it matches nothing, too
            self._consume(found.end())
            if self._at < len(self._text) or not self._more():
                return

    def _consume(self, to: int) -> None:
        self._line += self._text.count("\n", self._at, to)
        self._at = to

    def _more(self) -> bool:
        """Read a piece more; places that were held move by `_cut`."""
        held = len(self._text) - self._at
        # The longer what is held, the more at once, so that it is looked through a few times only.
        raw = self._file.read(max(_PIECE_BYTES, min(held, _MOST_BYTES)))
        self._cut = 0
        if not raw:
            return False
        self.bytes_read += len(raw)
        self._cut, self._text = self._at, self._text[self._at :] + self._decoder.decode(raw)
        self._at = 0
        return True
