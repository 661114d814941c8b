"""Files of consents as they lie on disk or come in by a pipe, and the files of refused rows that go back."""

from __future__ import annotations

import codecs
import csv
import io
import os
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from fairlead.customers import REFUSED, ConsentReader, RefusedLine
from fairlead.errors import InputError, TooLargeError

PIECE = 1_048_576


@dataclass(frozen=True, slots=True)
class ConsentFile:
    """A file that was found to be UTF-8; `source` names it in the ledger, `purposes` None lets rows name any."""

    path: Path
    source: str
    create: bool = False
    purposes: Collection[str] | None = None

    @contextmanager
    def rows(self, now: datetime) -> Iterator[tuple[ConsentReader, Callable[[], int]]]:
        """The rows from the first on, and how many bytes of them were read."""
        with self.path.open("rb") as content, io.TextIOWrapper(content, encoding="utf-8", newline="") as text:
            try:
                yield ConsentReader(text, now, self.source, self.purposes), content.tell
            except UnicodeDecodeError:
                message = f"{self.path} was changed while it was read"
                raise InputError(message, code="encoding") from None


class Refusals:
    """The file of refused rows as they came, with the reason in a last column; without a path nothing is written."""

    def __init__(self, path: Path | None) -> None:
        """InputError for a path that is there already or cannot be written."""
        self._path = path
        self._file: TextIO | None = None
        self._place, self._again = 0, 0
        if path is not None:
            try:
                self._file = os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w",
                                       encoding="utf-8", newline="")  # fmt: skip
            except OSError as error:
                message = f"{path} cannot be written: {error.strerror}"
                raise InputError(message, code="refused_file") from None

    def begin(self, header: list[str]) -> None:
        """Forget what was written, and write the header."""
        self._place = header.index(REFUSED) if REFUSED in header else len(header)
        self._again = self._place + (REFUSED in header)
        if self._file is not None:
            self._file.seek(0)
            self._file.truncate()
            csv.writer(self._file).writerow([*header[: self._place], REFUSED, *header[self._again :]])

    def add(self, rows: Iterable[RefusedLine]) -> None:
        """Write refused rows."""
        if self._file is not None:
            csv.writer(self._file).writerows(self._marked(one) for one in rows)

    def _marked(self, one: RefusedLine) -> list[str]:
        cells = [*one.cells, *[""] * (self._place - len(one.cells))]
        return [*cells[: self._place], f"line {one.line}: {one.words}", *cells[self._again :]]

    def end(self, *, keep: bool) -> None:
        """Close the file, and remove it where it says nothing."""
        if self._file is not None and self._path is not None:
            self._file.close()
            if not keep:
                self._path.unlink()


@contextmanager
def readable(file: Path, limit: int) -> Iterator[Path]:
    """A file that can be read twice and is UTF-8; what is no file, such as standard input, is copied for a while."""
    with ExitStack() as stack:
        try:
            piped = str(file) == "-"
            source = sys.stdin.buffer if piped else stack.enter_context(file.open("rb"))
            piped = piped or not file.is_file()
        except OSError as error:
            message = f"{file} cannot be read: {error.strerror}."
            raise InputError(message, code="no_such_file") from None
        copy = stack.enter_context(tempfile.NamedTemporaryFile(prefix="fairlead-consents-")) if piped else None
        size, decoder = 0, codecs.getincrementaldecoder("utf-8")()
        while piece := source.read(PIECE):
            size += len(piece)
            if size > limit:
                message = f"{file} is larger than {limit:,} bytes, which FAIRLEAD_MAX_IMPORT_BYTES allows; split it"
                raise TooLargeError(message, limit=limit, unit="bytes")
            _decode(decoder, piece, file, size - len(piece))
            if copy is not None:
                copy.write(piece)
        _decode(decoder, b"", file, size, final=True)
        if copy is not None:
            copy.flush()
        yield Path(copy.name) if copy is not None else file


def _decode(
    decoder: codecs.IncrementalDecoder, piece: bytes, file: Path, at: int, *, final: bool = False
) -> None:  # fmt: skip
    left = len(decoder.getstate()[0])
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError as error:
        message = f"{file} is not UTF-8 at byte {at - left + error.start:,}."
        raise InputError(message, code="encoding") from None
