"""CSV for spreadsheets, with formulas made harmless.

A cell that starts with `=`, `+`, `-`, `@`, a tab or a carriage return is run as a formula by spreadsheet
programs, and leads are written by strangers. Such text gets an apostrophe in front, which spreadsheets show
as plain text. Numbers keep their sign: `-12.50` and `+4930123456` cannot be formulas.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from fairlead.errors import InputError

_TRIGGERS = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""The full-width forms are folded to the plain ones by some spreadsheet locales."""
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*(?:[eE][+-]?[0-9]{1,3})?\Z", re.ASCII)
_CHUNK_CHARS = 65_536
_SEPARATORS = (",", ";", "\t", "|")


def safe_cell(value: object) -> str:
    """Text of a cell that no spreadsheet runs. None is empty; numbers and number-like text stay as they are.

    Leading blanks do not hide a formula: the first character that is no blank counts too. NUL characters are
    dropped, because no CSV reader agrees on them.
    """
    if value is None:
        return ""
    if isinstance(value, (bool, int, float)):
        return str(value)
    text = str(value).replace("\0", "")
    if not text:
        return text
    visible = text.lstrip(" \u00a0\ufeff\u200b")
    if (text[0] in _TRIGGERS or visible[:1] in _TRIGGERS) and _NUMBER.match(text) is None:
        return "'" + text
    return text


def csv_chunks(
    header: Sequence[str], rows: Iterable[Sequence[object]], *, separator: str = ",", bom: bool = False
) -> Iterator[str]:
    """Yield the table as pieces of text of about 64 Ki characters; `rows` is consumed as it goes.

    `bom=True` starts with a byte order mark, without which some spreadsheets read UTF-8 as their own code
    page. Raises InputError for another separator than `,` `;` tab `|`, and for a row that is not as long as
    the header.
    """
    if separator not in _SEPARATORS:
        raise InputError("A CSV export is separated by ',', ';', a tab or '|'.", separator=separator)
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\r\n")
    if bom:
        buffer.write("\ufeff")
    writer.writerow([safe_cell(name) for name in header])
    for row in rows:
        if len(row) != len(header):
            raise InputError(
                f"A row of the export has {len(row)} cells, its header {len(header)}.",
                cells=len(row),
                columns=len(header),
            )
        writer.writerow([safe_cell(value) for value in row])
        if buffer.tell() >= _CHUNK_CHARS:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def write_csv(stream: TextIO, header: Sequence[str], rows: Iterable[Sequence[object]], *, separator: str = ",") -> int:
    """Write the table to a stream opened with `newline=""`; returns the number of rows without the header."""
    count = 0

    def counted() -> Iterator[Sequence[object]]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    stream.writelines(csv_chunks(header, counted(), separator=separator))
    return count
