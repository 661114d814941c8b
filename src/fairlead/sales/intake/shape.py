"""A first look at a file: is it a table at all, and how is it written."""

from __future__ import annotations

import codecs
import csv
import itertools
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

from fairlead.errors import InputError, TooLargeError
from fairlead.sales.intake.jsonshape import inspect_json, json_format
from fairlead.sales.intake.lines import MAX_LINE_BYTES, open_binary
from fairlead.sales.intake.model import FileShape, Row, Unreadable
from fairlead.sales.intake.parquet import MAGIC as PARQUET_MAGIC, inspect_parquet
from fairlead.sales.intake.reading import MAX_COLUMNS, RowReader
from fairlead.sales.intake.synonyms import field_of_header

SEPARATORS = (",", ";", "\t", "|")
_HEAD_BYTES = 262_144
_SNIFF_LINES = 200
_SAMPLE_ROWS = 200
_SAMPLE_ITEMS = 2_000
_HEAD_ROWS = 20
_PIECES = 8
_PIECE_BYTES = 32_768
_PIECE_ROWS = 60
_NAME_CHARS = 200
_FIRST_PRINTABLE = 32
_LAST_ASCII = 126
_MUCH_CONTROL = 0.3
_SOME_CONTROL = 0.05
_MUCH_HIGH = 0.3
_LEAST_PAIRS = 4
_MAGIC = (
    (b"PK\x03\x04", "an Excel workbook or another zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"PARE", "an encrypted Parquet file"),
    (b"ORC", "an ORC file"),
    (b"ARROW1", "an Arrow file"),
    (b"SQLite format 3", "a SQLite database"),
    (b"\x7fELF", "a program"),
    (b"\xff\xfe\0\0", "UTF-32 text"),
    (b"\0\0\xfe\xff", "UTF-32 text"),
)
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|\?xml)\b", re.IGNORECASE)
_DATA_LIKE = re.compile(
    r"\s*(?:[+-]?[0-9][0-9.,\s]*%?|[^@\s]+@[^@\s]+\.[^@\s]+|[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}.*)\Z",
    re.ASCII,
)
_EXPORT_CURE = "Export the table as CSV (UTF-8) and import that."


def inspect(path: Path, *, has_header: bool | None = None, separator: str | None = None) -> FileShape:
    """Find the format by content, and encoding, separator, quoting and header from the first 256 KiB.

    `has_header` and `separator` None mean find out. Raises InputError (codes `no_such_file`, `not_a_file`,
    `not_readable`, `empty_file`, `header_only`, `not_text`, `not_a_table`, `damaged_file`) and TooLargeError
    above MAX_COLUMNS columns.
    """
    if separator is not None and separator not in SEPARATORS:
        raise InputError("The separator can be ',', ';', a tab or '|'.", code="separator", separator=separator)
    head, whole = _head(path)
    if head.startswith(PARQUET_MAGIC):
        return inspect_parquet(path)
    _refuse_binary(path, head)
    encoding, notes = _encoding(head)
    text = _text(head, encoding, whole=whole)
    if separator is None and (kind := json_format(text)) is not None:
        return inspect_json(path, kind, encoding)
    return _inspect_text(path, text, encoding, notes, has_header=has_header, separator=separator, whole=whole)


def _inspect_text(
    path: Path, text: str, encoding: str, notes: list[str], *, has_header: bool | None, separator: str | None,
    whole: bool,
) -> FileShape:  # fmt: skip
    """The shape of separated text, of which `text` is the beginning."""
    if not text.strip("\r\n\t \0\ufeff"):
        raise InputError(f"{path.name} is empty. Export it again with its rows.", code="empty_file", file=str(path))
    line_break = "\r" if "\n" not in text and "\r" in text else "\n"
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not whole and len(lines) > 1:
        lines.pop()
    first = next(at for at, line in enumerate(lines) if line.strip("\t \0"))
    if hint := re.fullmatch(r"\"?sep=([,;\t|])\"?", lines[first].strip(" "), re.IGNORECASE):
        separator = separator or hint[1]
        rest = (at for at, line in enumerate(lines) if at > first and line.strip("\t \0"))
        first = next(rest, len(lines))
    sample = lines[first : first + _SNIFF_LINES]
    if not any(line.strip() for line in sample):
        raise InputError(f"{path.name} holds no rows. Export it with its rows.", code="empty_file", file=str(path))
    quote = _quote(sample)
    separator = separator or _separator(sample, quote)
    names, span = _first_record(lines[first:], separator, quote)
    if len(names) > MAX_COLUMNS:
        raise TooLargeError(
            f"{path.name} has {len(names):,} columns; at most {MAX_COLUMNS} are read. Keep the columns you need.",
            limit=MAX_COLUMNS,
            unit="columns",
            columns=len(names),
        )
    if has_header is None:
        has_header = _looks_like_header(names)
        if not has_header:
            notes.append("The first line looks like data, so the columns are named column_1, column_2 and so on.")
    header, renamed = _distinct(names if has_header else [""] * len(names), quiet=not has_header)
    shape = FileShape(
        encoding=encoding,
        separator=separator,
        quote=quote,
        has_header=has_header,
        header=header,
        sample=(),
        bytes=path.stat().st_size,
        header_line=first + 1 if has_header else 0,
        first_line=first + 1 + (span if has_header else 0),
        line_break=line_break,
        skip_initial_space=any(f"{separator} {quote}" in line for line in sample),
        notes=tuple(notes + renamed),
    )
    first_items = _first_items(path, shape)
    rows = tuple(item.cells for item in first_items if isinstance(item, Row))[:_SAMPLE_ROWS]
    return replace(shape, sample=rows, evidence=_evidence(path, shape), head=tuple(first_items[:_HEAD_ROWS]))


def _head(path: Path) -> tuple[bytes, bool]:
    """The first bytes, with at least one whole line, and whether that is the whole file."""
    with open_binary(path) as file:
        head = file.read(_HEAD_BYTES)
        if len(head) == _HEAD_BYTES and b"\n" not in head and b"\r" not in head:
            head += file.read(MAX_LINE_BYTES)
        whole = not file.read(1)
    if not head:
        raise InputError(f"{path.name} is empty. Export it again with its rows.", code="empty_file", file=str(path))
    one_line = head.lstrip(b"\xef\xbb\xbf \t").startswith((b"[", PARQUET_MAGIC))  # formats without lines
    if not whole and not one_line and b"\n" not in head and b"\r" not in head:
        raise TooLargeError(
            f"The first line of {path.name} is longer than {MAX_LINE_BYTES:,} bytes. Is it a table?",
            limit=MAX_LINE_BYTES,
            unit="bytes",
        )
    return head, whole


def _refuse_binary(path: Path, head: bytes) -> None:
    kind = next((words for magic, words in _MAGIC if head.startswith(magic)), None)
    if kind is None and _MARKUP.match(head):
        kind = "a web page or XML"
    if kind is None and not _utf16(head):
        control = sum(
            count for byte, count in Counter(head[:65_536]).items() if byte < _FIRST_PRINTABLE and byte not in b"\t\n\r"
        )
        high = sum(1 for byte in head[:65_536] if byte > _LAST_ASCII)
        share = control / min(len(head), 65_536)
        if share > _MUCH_CONTROL or (share > _SOME_CONTROL and high > _MUCH_HIGH * min(len(head), 65_536)):
            kind = "not text"
    if kind is not None:
        raise InputError(
            f"{path.name} is {kind}, not a separated text file. {_EXPORT_CURE}",
            code="not_text",
            file=str(path),
        )


def _utf16(head: bytes) -> str:
    """`utf-16-le`, `utf-16-be` or empty; without a byte order mark by where the NUL bytes stand."""
    if head.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if head.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    start = head[:4_096]
    half = len(start) // 2
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if half >= _LEAST_PAIRS and odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if half >= _LEAST_PAIRS and even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    return ""


def _encoding(head: bytes) -> tuple[str, list[str]]:
    if found := _utf16(head):
        return found, []
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig", []
    good = bad = 0
    for line in head[: head.rfind(b"\n") + 1 or None].split(b"\n"):
        if not line.isascii():
            try:
                line.decode("utf-8")
                good += 1
            except UnicodeDecodeError:
                bad += 1
    if bad == 0:
        return "utf-8", []
    if good:
        notes = [f"Encodings are mixed: of the first lines {good:,} are UTF-8 and {bad:,} are Windows-1252."]
        return ("utf-8" if good >= bad else "cp1252"), notes
    return "cp1252", ["The file is not UTF-8; it is read as Windows-1252."]


def _text(head: bytes, encoding: str, *, whole: bool) -> str:
    if encoding.startswith("utf-16"):
        text = codecs.getincrementaldecoder(encoding)("replace").decode(head, final=whole)
    else:
        text = head.decode("utf-8" if encoding.startswith("utf-8") else "latin-1", errors="replace")
    return text.removeprefix("\ufeff")


def _quote(lines: list[str]) -> str:
    if any('"' in line for line in lines):
        return '"'
    opened = sum(1 for line in lines if re.search(r"(?:^|[,;\t|])'[^']*'(?:[,;\t|]|\s*$)", line))
    return "'" if opened * 2 > len(lines) else '"'


def _separator(lines: list[str], quote: str) -> str:
    """The candidate that cuts most lines into the same number (above one) of fields, more fields winning."""
    best, best_score = ",", (0.0, 0)
    for candidate in SEPARATORS:
        widths: Counter[int] = Counter()
        for record in _records(lines, candidate, quote):
            if record:
                widths[len(record)] += 1
        wide = [(count, width) for width, count in widths.items() if width > 1]
        if not wide:
            continue
        count, width = max(wide)
        score = (round(count / sum(widths.values()), 1), width)
        if score > best_score:
            best, best_score = candidate, score
    return best


def _records(lines: list[str], separator: str, quote: str) -> list[list[str]]:
    """As many records as can be read; a line that breaks the reading is passed over."""
    records: list[list[str]] = []
    parser = csv.reader((line + "\n" for line in lines), delimiter=separator, quotechar=quote)
    while True:
        try:
            records.append(next(parser))
        except StopIteration:
            return records
        except csv.Error:
            continue


def _first_record(lines: list[str], separator: str, quote: str) -> tuple[list[str], int]:
    """Cells of the header record and the lines it covers; damaged headers are split plainly."""
    parser = csv.reader(
        (line + "\n" for line in lines),
        delimiter=separator,
        quotechar=quote,
        strict=True,
        skipinitialspace=True,
    )
    try:
        cells = next(parser)
    except csv.Error:
        return [cell.strip(f" {quote}") for cell in lines[0].split(separator)], 1
    return cells, parser.line_num


def _looks_like_header(names: list[str]) -> bool:
    cells = [name for name in names if name.strip()]
    if any("@" in cell and _DATA_LIKE.match(cell) for cell in cells):
        return False
    if any(field_of_header(cell) is not None for cell in cells):
        return True
    return bool(cells) and not any(_DATA_LIKE.match(cell) for cell in cells)


def _distinct(names: list[str], *, quiet: bool) -> tuple[tuple[str, ...], list[str]]:
    """Names that differ: blank ones are numbered, repeated ones get `_2`, `_3` …"""
    found: list[str] = []
    taken: set[str] = set()
    notes: list[str] = []
    for at, raw in enumerate(names, start=1):
        name = " ".join(raw.replace("\0", " ").split())[:_NAME_CHARS] or f"column_{at}"
        distinct = name
        for suffix in itertools.count(2):
            if distinct not in taken:
                break
            distinct = f"{name}_{suffix}"
        if not quiet and not raw.strip():
            notes.append(f"Column {at} has no name; it is called '{distinct}'.")
        elif distinct != name:
            notes.append(f"Column {at} repeats the name '{name}'; it is called '{distinct}'.")
        taken.add(distinct)
        found.append(distinct)
    return tuple(found), notes


def _first_items(path: Path, shape: FileShape) -> list[Row | Unreadable]:
    with RowReader(path, shape) as reader:
        items = list(itertools.islice(reader, _SAMPLE_ITEMS))
    if not items:
        raise InputError(
            f"{path.name} holds a header and no rows. Export it with its rows, or say that it has no header.",
            code="header_only",
            file=str(path),
        )
    return items


def _evidence(path: Path, shape: FileShape) -> tuple[tuple[str, ...], ...]:
    """Rows from all over a long file: whole lines of pieces of it that have the header's width.

    A piece may begin inside a quoted cell; what is then cut wrongly rarely has the right width, and no row is
    made of it: it only shows how columns write numbers and dates.
    """
    if shape.bytes <= _HEAD_BYTES:
        return ()
    found: list[tuple[str, ...]] = []
    codec = shape.encoding if shape.encoding.startswith("utf") else "latin-1"
    with open_binary(path) as file:
        for part in range(1, _PIECES):
            file.seek(shape.bytes * part // _PIECES // 4 * 4)
            text = file.read(_PIECE_BYTES).decode(codec, errors="replace")
            lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[1:-1]
            records = _records([line for line in lines if "\0" not in line], shape.separator, shape.quote)
            fitting = [tuple(cells) for cells in records if len(cells) == len(shape.header)]
            found += fitting[:_PIECE_ROWS]
    return tuple(found)
