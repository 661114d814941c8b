"""Exports: formulas are harmless, numbers are intact, nothing is held in memory."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from fairlead.errors import InputError
from fairlead.kit.exports import csv_chunks, safe_cell, write_csv


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1",
     "\u00a0=1",
     "\uff1d1+1", "-", "+", "=", "-1-1", '=HYPERLINK("http://x")', "\0=1", "\ufeff=1", "+1e5x"],
)  # fmt: skip
def test_formulas_become_text(text: str) -> None:
    """Whatever a spreadsheet would run starts with an apostrophe instead."""
    assert safe_cell(text).startswith("'")


@pytest.mark.parametrize(
    "value", ["-12.50", "+4930123456", "-1", "-1.234,50", "1e5", "-1e-5", "plain", "a=b", "", "x@y.de"]
)
def test_numbers_and_plain_text_stay(value: str) -> None:
    """Negative numbers, phone numbers and ordinary words come out as they went in."""
    assert safe_cell(value) == value


def test_other_types() -> None:
    """Numbers keep their sign, None is empty."""
    assert [safe_cell(value) for value in (-5, -1.5, Decimal("-2.50"), None, True)] == [
        "-5",
        "-1.5",
        "-2.50",
        "",
        "True",
    ]


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
            min_size=2,
            max_size=2,
        )
    )
)
def test_export_reads_back_as_the_safe_cells(rows: list[list[str]]) -> None:
    """Separators, quotes and line breaks in cells survive; header cells are made safe too."""
    stream = io.StringIO(newline="")
    assert write_csv(stream, ["=a", "b"], rows, separator=";") == len(rows)
    stream.seek(0)
    expected = [["'=a", "b"], *([safe_cell(cell) for cell in row] for row in rows)]
    assert list(csv.reader(stream, delimiter=";")) == expected


def test_export_streams() -> None:
    """The first piece is there before the last row is asked for."""
    asked = 0

    def rows() -> object:
        nonlocal asked
        for asked in range(100_000):
            yield (asked, "x" * 50)

    chunks = csv_chunks(["id", "text"], rows(), bom=True)  # type: ignore[arg-type]
    assert next(chunks).startswith("\ufeffid,text\r\n")
    assert asked < 5_000


def test_bad_requests_are_refused() -> None:
    """A row of the wrong length or an odd separator is an error, not a shifted table."""
    with pytest.raises(InputError):
        list(csv_chunks(["a"], [[1, 2]]))
    with pytest.raises(InputError):
        list(csv_chunks(["a"], [], separator="\n"))
