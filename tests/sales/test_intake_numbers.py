"""Numbers of any country: read as they were meant, or said to be doubtful; never silently as another amount."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.sales.intake.numbers import MIXED, decimal_mark, is_ambiguous, read_number

STYLES = {
    "en": (",", "."), "de": (".", ","), "fr": ("\u202f", ","), "ch": ("'", "."), "se": (" ", ","), "plain": ("", "."),
    "plain de": ("", ","),
}  # fmt: skip
"""Thousands and decimal mark."""
ARABIC = str.maketrans("0123456789.,", "".join(map(chr, (*range(0x660, 0x66A), 0x66B, 0x66C))))


def written(amount: Decimal, style: str, places: int) -> str:
    """The amount as people of that country write it."""
    thousands, mark = STYLES[style]
    text = f"{abs(amount):,.{places}f}"
    text = text.replace(",", "\0").replace(".", mark).replace("\0", thousands)
    return f"-{text}" if amount < 0 else text


def lakhs(whole: int) -> str:
    """As in India: groups of two before the last three."""
    text = str(whole)
    head, tail = text[:-3], text[-3:]
    groups = []
    while head:
        groups.append(head[-2:])
        head = head[:-2]
    return ",".join([*reversed(groups), tail])


@settings(max_examples=300, deadline=None)
@given(
    whole=st.integers(-(10**12), 10**12), cents=st.integers(0, 999_999), places=st.integers(0, 6),
    style=st.sampled_from(sorted(STYLES)), mark=st.sampled_from(["", ".", ",", MIXED]),
)  # fmt: skip
def test_what_one_writes_another_reads(whole: int, cents: int, places: int, style: str, mark: str) -> None:
    """An amount written in any style comes back exactly, or is called ambiguous; so whatever the column says.

    A column's mark that is wrong for the cell decides only what cannot be decided otherwise.
    """
    amount = Decimal(whole) + Decimal(cents).scaleb(-6) if whole >= 0 else Decimal(whole) - Decimal(cents).scaleb(-6)
    amount = amount.quantize(Decimal(1).scaleb(-places))
    text = written(amount, style, places)
    found = read_number(text, mark)

    assert found is not None, text
    right = STYLES[style][1]
    if mark in (".", ",") and mark != right and is_ambiguous(text):
        return  # the column says otherwise, and says so for the whole file
    assert found.amount == amount or found.ambiguous, text


@settings(max_examples=100, deadline=None)
@given(whole=st.integers(1_000, 10**11))
def test_lakhs_and_other_digits(whole: int) -> None:
    """Indian grouping and Arabic digits give the same amount as plain ones."""
    assert read_number(f"{lakhs(whole)}.50") == (Decimal(whole) + Decimal("0.50"), "", False, False)
    arabic = read_number(f"{whole:,}.5".translate(ARABIC))
    assert arabic is not None
    assert arabic.amount == Decimal(whole) + Decimal("0.5")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1.234,56", "1234.56"), ("1,234.56", "1234.56"), ("1'234.56", "1234.56"), ("1 234,56", "1234.56"),
        ("12,34,567.50", "1234567.50"), ("(1.200,50)", "-1200.50"), ("-5", "-5"), ("5-", "-5"), ("\u22125", "-5"),
        ("45 %", "45"), ("1.200,-", "1200"), ("2 Cr", "20000000"), ("1.5 lakh", "150000"), ("3 Mrd", "3000000000"),
        ("R$ 1.234,56", "1234.56"), ("1 234.567", "1234.567"), ("0.125", "0.125"), ("0,125", "0.125"),
        ("1234,567", "1234.567"), ("1.234.567", "1234567"),
    ],
)  # fmt: skip
def test_beyond_doubt(text: str, amount: str) -> None:
    """What can be read in one way only is read so without help, and whatever the column's mark is."""
    for mark in ("", ".", ",", MIXED):
        found = read_number(text, mark)
        assert found is not None
        assert (found.amount, found.ambiguous) == (Decimal(amount), False)


@pytest.mark.parametrize("text", ["12.345", "12,345", "-1.200", "$9,999", "12.500k"])
def test_doubtful_ones_are_called_so(text: str) -> None:
    """Thousands or decimals: nothing tells, so it is said; the column's mark settles it."""
    alone = read_number(text)
    assert alone is not None
    assert alone.ambiguous
    settled = {found.amount for mark in (".", ",") if (found := read_number(text, mark)) and not found.ambiguous}
    assert len(settled) == 2


@pytest.mark.parametrize(
    "text",
    ["", "a", "1.2.3", "12,34,5", "1,2,3", "1e5", "1.234,56.7", "12 34", "--5", "(5", "5)", "1" * 30, "%", "5 apples"],
)
def test_what_is_no_number(text: str) -> None:
    """Badly grouped digits, words and halves of brackets are no numbers."""
    assert read_number(text) is None


def test_the_column_shows_its_mark() -> None:
    """One cell that can be read in one way only settles the others; contradictions are said."""
    assert decimal_mark(["12.345", "9.000", "1,5"]) == ","
    assert decimal_mark(["12,345", "x", "1'000.5"]) == "."
    assert decimal_mark(["12.345", "1.5", "1,5"]) == MIXED
    assert decimal_mark(["12.345", "7", "note", ""]) == ""
