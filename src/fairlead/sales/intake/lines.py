"""Physical lines of a text file in blocks, decoded line by line where a file mixes encodings.

Memory is bounded by one block plus the longest line that is kept.
"""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

from fairlead.errors import FaultError, InputError
from fairlead.sales.intake.model import DecodedLines

BLOCK_BYTES = 65_536
MAX_LINE_BYTES = 4_194_304
"""A longer line is passed over without being kept; it becomes one unreadable entry."""
_MOST_RUNS = 1_000
_UTF16 = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}

Trouble = dict[int, tuple[str, str]]


class Block(NamedTuple):
    """Some whole lines, without their line breaks."""

    first: int
    lines: list[str]
    trouble: Trouble
    """Line number → (reason code, words) for lines whose text cannot be trusted."""


def open_binary(path: Path) -> BinaryIO:
    """Open for reading, with an InputError that says what to do for whatever is no readable file."""
    if not path.exists():
        raise InputError(f"{path.name}: no such file. Check the path.", code="no_such_file", file=str(path))
    if not path.is_file():
        raise InputError(
            f"{path.name} is not a file. Name one CSV file, not a folder or device.",
            code="not_a_file",
            file=str(path),
        )
    try:
        return path.open("rb")
    except PermissionError:
        raise InputError(
            f"{path.name} may not be read by this user. Change its permissions.",
            code="not_readable",
            file=str(path),
        ) from None


class Lines:
    """Iterate once over the blocks of a file; use as a context manager to close early."""

    def __init__(self, path: Path, encoding: str, line_break: str) -> None:
        """`encoding` is the main one; in 8-bit files each line is tried as UTF-8, cp1252, then latin-1."""
        self._file = open_binary(path)
        self.total_bytes = path.stat().st_size
        self.bytes_read = 0
        self.lines = 0
        self.other_encodings: list[DecodedLines] = []
        self._encoding = encoding
        self._main = "utf-8" if encoding.startswith("utf") else encoding
        self._old_mac = line_break == "\r"
        self._hash = hashlib.sha256()
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._file.close()

    @property
    def digest(self) -> str:
        """SHA-256 of all bytes; FaultError before the last block was taken."""
        if not self._ended:
            raise FaultError("The digest of a file is known only after its last line.")
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[Block]:
        with self._file:
            carry: list[bytes] = []
            kept = 0
            for data in self._pieces():
                cut = data.rfind(b"\n") + 1
                if cut == 0:
                    kept += len(data)
                    if kept <= MAX_LINE_BYTES:
                        carry.append(data)
                    continue
                first_end = data.find(b"\n") + 1
                if kept + first_end > MAX_LINE_BYTES:
                    yield self._too_long(kept + first_end)
                    head = data[first_end:cut]
                else:
                    head = b"".join(carry) + data[:cut]
                carry, kept = [data[cut:]], len(data) - cut
                if head:
                    yield self._block(head[:-1])
            self._ended = True
            if kept > MAX_LINE_BYTES:
                yield self._too_long(kept)
            elif kept:
                yield self._block(b"".join(carry))

    def _pieces(self) -> Iterator[bytes]:
        """Raw blocks as 8-bit text with line feeds at the ends; UTF-16 arrives as UTF-8."""
        marker = _UTF16.get(self._encoding)
        decoder = codecs.getincrementaldecoder(self._encoding)("replace") if marker is not None else None
        start = marker if marker is not None else codecs.BOM_UTF8
        while raw := self._file.read(BLOCK_BYTES):
            data = raw.removeprefix(start) if self.bytes_read == 0 else raw
            self.bytes_read += len(raw)
            self._hash.update(raw)
            if decoder is not None:
                data = decoder.decode(data).encode("utf-8")
            yield data.replace(b"\r", b"\n") if self._old_mac else data
        if decoder is not None and (rest := decoder.decode(b"", final=True)):
            yield rest.encode("utf-8")

    def _too_long(self, size: int) -> Block:
        self.lines += 1
        words = f"the line has {size:,} bytes; at most {MAX_LINE_BYTES:,} are read"
        return Block(self.lines, [""], {self.lines: ("record_too_long", words)})

    def _block(self, data: bytes) -> Block:
        first = self.lines + 1
        data = data.removesuffix(b"\r")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            lines = [self._decoded(raw, first + at) for at, raw in enumerate(data.split(b"\n"))]
        else:
            lines = text.replace("\r\n", "\n").split("\n") if "\r" in text else text.split("\n")
            if self._main != "utf-8" and not text.isascii():
                for at, line in enumerate(lines):
                    if not line.isascii():
                        self._note("utf-8", first + at)
        trouble: Trouble = {}
        if b"\0" in data:
            trouble |= _holding("\0", lines, first, ("nul_byte", "the line holds NUL bytes"))
        if self._encoding in _UTF16:
            why = ("bad_bytes", f"the line is not valid {self._encoding.upper()}")
            trouble |= _holding("\ufffd", lines, first, why)
        self.lines += len(lines)
        return Block(first, lines, trouble)

    def _decoded(self, raw: bytes, number: int) -> str:
        raw = raw.removesuffix(b"\r")
        if raw.isascii():
            return raw.decode("ascii")
        for encoding in ("utf-8", "cp1252", "latin-1"):
            try:
                text = raw.decode(encoding)
            except UnicodeDecodeError:
                continue
            if encoding != self._main:
                self._note(encoding, number)
            return text
        raise FaultError("latin-1 decodes every byte")

    def _note(self, encoding: str, number: int) -> None:
        runs = self.other_encodings
        if runs and runs[-1].encoding == encoding and runs[-1].last == number - 1:
            runs[-1] = runs[-1]._replace(last=number)
        elif len(runs) < _MOST_RUNS:
            runs.append(DecodedLines(encoding, number, number))


def _holding(mark: str, lines: list[str], first: int, why: tuple[str, str]) -> Trouble:
    return {first + at: why for at, line in enumerate(lines) if mark in line}
