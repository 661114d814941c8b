"""How each column writes its numbers and dates, judged on the sample, and said in sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fairlead.sales.intake.dates import read_when, style_of
from fairlead.sales.intake.excel import holds_code_dates
from fairlead.sales.intake.model import ColumnFormat, FileShape, LeadField
from fairlead.sales.intake.numbers import MIXED, decimal_mark, is_ambiguous, read_number
from fairlead.sales.intake.sniffing import is_numeric
from fairlead.sales.intake.words import shown

_NUMBERS = frozenset({LeadField.VALUE, LeadField.EMPLOYEES, LeadField.AGE})
_ORDER_WORDS = {"dmy": "day, month, year", "mdy": "month, day, year", "ymd": "year, month, day"}
_KIND_WORDS = {
    "serial": "{column}: numbers such as {example} are read as a spreadsheet's days since 1900.",
    "epoch": "{column}: numbers such as {example} are read as seconds since 1970, in UTC.",
}
_NEED = "those that could be two dates need information"
_MOST_TOLD = 40


def formats_of(cells: Sequence[str], field: LeadField | None, *, typed: bool) -> ColumnFormat | None:
    """The format of one column; None when there is nothing to tell.

    `field` None for a column that is kept as an attribute; `typed` where its cells are numbers by type.
    """
    if field is LeadField.CREATED_AT:
        return ColumnFormat("." if typed else "", style_of(cells))
    coded = (field is None or field is LeadField.EXTERNAL_ID) and holds_code_dates(cells)
    mark = ""
    if typed:
        mark = "."
    elif field in _NUMBERS or (field is None and any(map(_has_digit, cells[:20]))):
        mark = decimal_mark(cells)
    return ColumnFormat(mark, coded=coded) if mark or coded else None


def _has_digit(cell: str) -> bool:
    return any(c.isdecimal() for c in cell[:40])


def statements_of(
    shape: FileShape,
    used: Mapping[int, LeadField],
    formats: Mapping[int, ColumnFormat],
    cells_of: Callable[[int], list[str]],
) -> tuple[str, ...]:
    """What was decided about doubtful numbers and dates, column by column; nothing where nothing was doubtful."""
    said: list[str] = []
    for at, name in enumerate(shape.header):
        field, found = used.get(at), formats.get(at)
        if len(said) >= _MOST_TOLD:
            break
        if field is LeadField.CREATED_AT and found is not None:
            said += _dates(shown(name), found, cells_of(at))
        elif field in _NUMBERS or (field is None and found is not None and found.mark):
            said += _numbers(shown(name), found.mark if found else "", cells_of(at), typed=name in shape.typed)
        elif field is None and found is None and is_numeric(cells := cells_of(at)):
            said += [
                f"{shown(name)}: no cell shows the decimal mark; {shown(cell)} is read with decimals."
                for cell in [cell for cell in cells if "." in cell and is_ambiguous(cell)][:1]
            ]
        if found is not None and found.coded:
            said.append(f"{shown(name)}: some cells look like codes that a spreadsheet turned into dates.")
    return tuple(said)


def _numbers(column: str, mark: str, cells: list[str], *, typed: bool) -> list[str]:
    doubtful = next((cell for cell in cells if is_ambiguous(cell)), None)
    if doubtful is None or typed:
        return []
    if mark == MIXED:
        return [f"{column}: its cells write the decimal mark in both ways, so {shown(doubtful)} cannot be told."]
    if not mark:
        return [f"{column}: no cell shows the decimal mark, so {shown(doubtful)} is read as thousands."]
    proof = next((cell for cell in cells if _shows(cell)), "")
    number = read_number(doubtful, mark)
    amount = f"{number.amount.normalize():,f}" if number else ""
    because = f"because other cells, such as {shown(proof)}, show '{mark}' before the decimals"
    return [f"{column}: {shown(doubtful)} is read as {amount}, {because}."]


def _shows(cell: str) -> bool:
    return decimal_mark([cell]) in (".", ",")


def _dates(column: str, found: ColumnFormat, cells: list[str]) -> list[str]:
    style, said = found.dates, []
    for mark, orders in sorted(style.orders.items()):
        if not orders:
            said.append(f"{column}: dates with '{mark}' contradict each other; {_NEED}.")
        elif len(orders) == 1 and mark != ".":
            order = next(iter(orders))
            if order != "ymd":
                said.append(f"{column}: dates with '{mark}' are read as {_ORDER_WORDS[order]}, as some of them show.")
        elif mark != ".":
            if style.mixed:
                ways = f"dates are written in more than one way, and nothing shows the order in those with '{mark}'"
                said.append(f"{column}: {ways}; {_NEED}.")
            else:
                said.append(f"{column}: no date with '{mark}' shows the order; they are read as day, month, year.")
    for kind in sorted(style.kinds & _KIND_WORDS.keys()):
        example = next((cell for cell in cells if (read := read_when(cell, style)) and read.kind == kind), "")
        said.append(_KIND_WORDS[kind].format(column=column, example=shown(example)))
    return said
