"""Reading table files: every line is accounted for, whatever the file holds."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import tempfile
import tracemalloc
from collections import deque
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.errors import FaultError, InputError, TooLargeError
from fairlead.sales.intake import (
    MAX_COLUMNS,
    DecodedLines,
    FileShape,
    Row,
    Unreadable,
    file_digest,
    inspect,
    read_rows,
)


def _file(tmp_path: Path, content: bytes | str, name: str = "leads.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _read(path: Path, shape: FileShape | None = None) -> list[Row | Unreadable]:
    return list(read_rows(path, shape or inspect(path)))


def _bad(items: list[Row | Unreadable]) -> list[tuple[int, str, int]]:
    return [(item.number, item.reason_code, item.lines) for item in items if isinstance(item, Unreadable)]


def _good(items: list[Row | Unreadable]) -> list[tuple[int, tuple[str, ...]]]:
    return [(item.number, item.cells) for item in items if isinstance(item, Row)]


def _assert_tiled(items: list[Row | Unreadable], first: int, lines: int, blank: int) -> None:
    """Items follow each other without overlap, and with the blank lines they make up the file."""
    end = first
    for item in items:
        assert item.number >= end
        assert item.lines >= 1
        end = item.number + item.lines
    assert end <= lines + 1
    assert sum(item.lines for item in items) + blank == max(0, lines - first + 1)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separator_is_found(tmp_path: Path, separator: str) -> None:
    """Comma, semicolon, tab and bar are told apart, also when the others occur in the text."""
    rows = [
        "name,email|x".replace(",", separator).replace("|x", ""),
        *(f"Ann {n}{separator}a{n}@firm.de" for n in range(5)),
    ]
    shape = inspect(_file(tmp_path, "\n".join(rows)))
    assert (shape.separator, shape.header) == (separator, ("name", "email"))
    assert shape.sample[0] == ("Ann 0", "a0@firm.de")


@pytest.mark.parametrize(
    ("codec", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16-le"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
    ],
)
def test_encoding_is_found(tmp_path: Path, codec: str, found: str) -> None:
    """UTF-8 and UTF-16 with and without a mark, and Windows-1252, all give the same rows."""
    path = _file(tmp_path, "name;city\r\nJürgen;Köln\r\nZoë;Besançon €\r\n".encode(codec))
    shape = inspect(path)
    assert shape.encoding == found
    assert _good(_read(path, shape)) == [(2, ("Jürgen", "Köln")), (3, ("Zoë", "Besançon €"))]


def test_mixed_encodings_are_decoded_line_by_line_and_told(tmp_path: Path) -> None:
    """A file pasted together from two systems loses no letter, and says which lines differed."""
    content = b"name;city\n" + "Zoë;Köln\n".encode() * 3 + "Jürgen;Köln\n".encode("cp1252") * 2 + b"Bj\x8frn;Rom\n"
    path = _file(tmp_path, content)
    reader = read_rows(path, inspect(path))
    assert [cells[0] for _, cells in _good(list(reader))] == ["Zoë"] * 3 + ["Jürgen"] * 2 + ["Bj\x8frn"]
    assert reader.other_encodings == (DecodedLines("cp1252", 5, 6), DecodedLines("latin-1", 7, 7))


def test_ragged_rows_are_unreadable_and_the_rest_goes_on(tmp_path: Path) -> None:
    """Too few and too many fields are named with their line; empty surplus cells are harmless."""
    path = _file(tmp_path, "a;b\n1;2\n3\n4;5;6\n7;8;;\n\n9;0\n")
    items = _read(path)
    assert _bad(items) == [(3, "too_few_fields", 1), (4, "too_many_fields", 1)]
    assert _good(items) == [(2, ("1", "2")), (5, ("7", "8")), (7, ("9", "0"))]
    assert "3 fields" in items[2].words if isinstance(items[2], Unreadable) else False


def test_one_megabyte_field_costs_one_row(tmp_path: Path) -> None:
    """An oversized field is unreadable with its line, be it on one or many; its neighbours are read."""
    several = '"' + "x" * 500 + "\n"
    path = _file(
        tmp_path,
        "a;b\n1;2\n3;" + "y" * 1_000_000 + "\n4;" + several * 1 + ("z" * 999 + "\n") * 1_000 + '"\n5;6\n',
    )
    items = _read(path)
    assert _bad(items) == [(3, "field_too_long", 1), (4, "field_too_long", 1_002)]
    assert _good(items) == [(2, ("1", "2")), (1_006, ("5", "6"))]


def test_endless_line_is_passed_over(tmp_path: Path) -> None:
    """A line of many megabytes is one unreadable entry and is never held in memory."""
    path = _file(tmp_path, b"a;b\n1;2\n" + b"q" * 9_000_000 + b"\n3;4\n")
    assert _bad(_read(path)) == [(3, "record_too_long", 1)]
    assert _good(_read(path)) == [(2, ("1", "2")), (4, ("3", "4"))]


def test_nul_bytes_make_the_line_unreadable(tmp_path: Path) -> None:
    """NUL bytes are refused per line, not per file."""
    items = _read(_file(tmp_path, b"name;city\nAnn;Rome\nB\0b;Oslo\nEve;Bern\n"))
    assert _bad(items) == [(3, "nul_byte", 1)]
    assert [number for number, _ in _good(items)] == [2, 4]


def test_unclosed_quote_swallows_nothing(tmp_path: Path) -> None:
    """Only the line that opens the quote is lost, be it closed never or by a later row's quote."""
    rows = "".join(f"{n};text {n}\n" for n in range(5))
    items = _read(_file(tmp_path, 'id;note\n1;"open\n' + rows))
    assert _bad(items) == [(2, "unclosed_quote", 1)]
    assert len(_good(items)) == 5
    items = _read(_file(tmp_path, 'id;note\n1;"open\n' + rows + '9;"fine"\n'))
    assert _bad(items) == [(2, "unclosed_quote", 1)]
    assert len(_good(items)) == 6


def test_many_unclosed_quotes_are_bounded(tmp_path: Path) -> None:
    """Lines built so that each reopens the quote of the one before are all accounted for."""
    path = _file(tmp_path, b"a;b;c\n" + b'";a";"\n' * 30_000)
    reader = read_rows(path, inspect(path))
    items = list(reader)
    _assert_tiled(items, 2, reader.lines, reader.blank_lines)
    assert not _good(items)


def test_quoted_line_breaks_stay_in_the_cell(tmp_path: Path) -> None:
    """A note over three lines is one row with its first line's number, also across read blocks."""
    body = "".join(f'{n};"line one\r\nline ""two""\r\n{"p" * 90}"\r\n' for n in range(3_000))
    items = _read(_file(tmp_path, "id;note\r\n" + body))
    assert len(items) == 3_000
    assert items[1] == Row(5, ("1", 'line one\nline "two"\n' + "p" * 90), 3)


def test_text_after_a_closing_quote_is_unreadable(tmp_path: Path) -> None:
    """A broken quote is not silently repaired."""
    items = _read(_file(tmp_path, 'a;b\n1;"x" y\n2;3\n'))
    assert _bad(items) == [(2, "bad_quote", 1)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"\n\n \n", "empty_file"),
        (b"\xef\xbb\xbf", "empty_file"),
        (b"name;email\n", "header_only"),
        (b"PK\x03\x04 workbook", "not_text"),
        (b"\x89PNG\r\n\x1a\n", "not_text"),
        (bytes(range(256)) * 20, "not_text"),
        (b"<!DOCTYPE html><p>log in</p>", "not_text"),
    ],
)
def test_what_is_no_table_is_refused_with_a_cure(tmp_path: Path, content: bytes, code: str) -> None:
    """Empty, header-only and binary files raise an InputError that says what to do."""
    with pytest.raises(InputError, match=r"Export|import") as caught:
        inspect(_file(tmp_path, content))
    assert caught.value.reason == code


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    """Neither gives a traceback of the operating system."""
    with pytest.raises(InputError) as caught:
        inspect(tmp_path / "none.csv")
    assert caught.value.reason == "no_such_file"
    with pytest.raises(InputError) as caught:
        inspect(tmp_path)
    assert caught.value.reason == "not_a_file"


def test_ten_thousand_columns_are_too_many(tmp_path: Path) -> None:
    """The bound on columns is told with the figure, on the header and on a header-less file."""
    for cell in ("name{}", "{}"):
        line = ";".join(cell.format(n) for n in range(10_000))
        with pytest.raises(TooLargeError, match="10,000") as caught:
            inspect(_file(tmp_path, f"{line}\n{line}\n"))
        assert caught.value.fields["limit"] == MAX_COLUMNS


def test_header_details(tmp_path: Path) -> None:
    """Repeated and empty names are made distinct and told; `sep=` and blank lines above are skipped."""
    shape = inspect(_file(tmp_path, "sep=;\n\nmail;mail;;x\na;b;c;d\n"))
    assert shape.header == ("mail", "mail_2", "column_3", "x")
    assert shape.first_line == 4
    assert len(shape.notes) == 2


def test_file_without_header_is_noticed(tmp_path: Path) -> None:
    """A first line of data is kept as a row; a person may say otherwise."""
    path = _file(tmp_path, "Ann;ann@firm.de;12\nBob;bob@firm.de;13\n")
    shape = inspect(path)
    assert shape.header == ("column_1", "column_2", "column_3")
    assert len(_read(path, shape)) == 2
    assert len(_read(path, inspect(path, has_header=True))) == 1


def test_digest_and_progress(tmp_path: Path) -> None:
    """Progress ends at the file's size and the digest is that of its bytes, known only at the end."""
    content = b"\xef\xbb\xbfa;b\r\n" + b"1;2\r\n" * 50_000
    path = _file(tmp_path, content)
    reader = read_rows(path, inspect(path))
    rows = iter(reader)
    next(rows)
    assert 0 < reader.bytes_read < reader.total_bytes
    with pytest.raises(FaultError):
        _ = reader.digest
    assert sum(1 for _ in rows) == 49_999
    assert reader.bytes_read == reader.total_bytes == len(content)
    assert reader.digest == file_digest(path) == hashlib.sha256(content).hexdigest()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """A file sixteen times as long needs no more memory to read."""
    peaks = []
    for times in (1, 16):
        path = _file(tmp_path, b"id;note\n" + b"1;some words that fill a cell\n" * 20_000 * times)
        shape = inspect(path)
        tracemalloc.start()
        deque(read_rows(path, shape), maxlen=0)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5


_NASTY = st.lists(
    st.sampled_from(
        [
            b'"',
            b";",
            b",",
            b"\n",
            b"\r\n",
            b"\r",
            b"\0",
            b"a",
            b"name",
            b'""',
            b"\xff",
            b"\xc3\xa4",
            b" ",
            b"1",
            b"'",
            b"\t",
        ]
    ),
    max_size=80,
).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(content=st.one_of(_NASTY, st.binary(max_size=300), _NASTY.map(lambda body: b"a;b\n1;2\n" + body)))
def test_every_line_is_accounted_for(content: bytes) -> None:
    """For any bytes: a clear refusal, or rows and unreadable entries that tile the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = _file(Path(folder), content)
        try:
            shape = inspect(path)
        except InputError:
            return
        reader = read_rows(path, shape)
        items = list(reader)
        _assert_tiled(items, shape.first_line, reader.lines, reader.blank_lines)
        assert all(len(item.cells) == len(shape.header) for item in items if isinstance(item, Row))
        assert reader.bytes_read == len(content)


_CELL = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], max_codepoint=0x2FFF) | st.sampled_from('";,|\t\n'),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(_CELL, _CELL, _CELL), min_size=1, max_size=12),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    line_break=st.sampled_from(["\n", "\r\n"]),
)
def test_written_tables_come_back(
    rows: list[tuple[str, str, str]], separator: str, codec: str, line_break: str
) -> None:
    """What a CSV writer wrote is read back cell by cell, for all separators and Unicode encodings."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=line_break, quoting=csv.QUOTE_ALL)
    kept = [row for row in rows if any(row)]
    writer.writerows([("name", "email", "city"), ("x", "y", "z"), *kept])
    with tempfile.TemporaryDirectory() as folder:
        path = _file(Path(folder), text.getvalue().encode(codec))
        shape = inspect(path, separator=separator)
        items = _read(path, shape)
    assert shape.header == ("name", "email", "city")
    assert [item.cells for item in items if isinstance(item, Row)] == [("x", "y", "z"), *kept]
    assert all(left.number < right.number for left, right in itertools.pairwise(items))
