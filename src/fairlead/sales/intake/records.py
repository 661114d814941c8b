"""Records with named values (JSON, Parquet) as rows of text cells: one level of nesting becomes `parent.child`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Protocol, Self

from fairlead.kit import jsons
from fairlead.sales.intake.model import DecodedLines, Row, Unreadable
from fairlead.sales.intake.reading import MAX_FIELD_CHARS
from fairlead.sales.intake.words import shown

NAME_CHARS = 200
_EXACT = 2**53


class RowSource(Protocol):
    """What every reader of a file offers; iterate once."""

    def __enter__(self) -> Self:
        """Close the file at the end of the block, also when iteration stopped early."""
        ...

    def __exit__(self, *_exc: object) -> None:
        """See `__enter__`."""
        ...

    def __iter__(self) -> Iterator[Row | Unreadable]:
        """Every record, in the file's order, as a row or with the reason why it is none."""
        ...

    @property
    def total_bytes(self) -> int:
        """Size of the file when it was opened."""
        ...

    @property
    def bytes_read(self) -> int:
        """How far reading has come."""
        ...

    @property
    def other_encodings(self) -> tuple[DecodedLines, ...]:
        """Runs of lines that were not in the file's main encoding."""
        ...


def names_of(record: Mapping[str, Any]) -> Iterator[str]:
    """The columns of one record."""
    for key, value in record.items():
        name = _name(key)
        if isinstance(value, Mapping) and value:
            for inner in value:
                yield f"{name}.{_name(inner)}"
        else:
            yield name


def _name(key: str) -> str:
    return " ".join(key.replace("\0", " ").split())[:NAME_CHARS] or "column"


class Flattener:
    """Turns records into rows of one header."""

    def __init__(self, header: Sequence[str]) -> None:
        """Names as `names_of` gives them."""
        self._at = {name: at for at, name in enumerate(header)}
        self._width = len(header)

    def row(self, number: int, record: Mapping[str, Any]) -> Row | Unreadable:
        """The record as text; what is nested deeper is kept as JSON text, with a note."""
        cells = [""] * self._width
        notes: list[tuple[int, str, str]] = []
        for key, value in record.items():
            name = _name(key)
            if isinstance(value, Mapping) and value:
                for inner, held in value.items():
                    self._put(cells, notes, f"{name}.{_name(inner)}", held)
            else:
                self._put(cells, notes, name, value)
        return finished(number, cells, notes)

    def _put(self, cells: list[str], notes: list[tuple[int, str, str]], name: str, value: Any) -> None:
        at = self._at.get(name)
        if at is None:  # cut names that meet; the first one has the column
            return
        if isinstance(value, (Mapping, list, tuple)) and not _flat(value):
            cells[at] = jsons.dumps(value)
            notes.append((at, "nested_value", f"{shown(cells[at])} is nested deeper than a table; it is kept as text."))
        else:
            cells[at] = text_of(value)


def finished(number: int, cells: Sequence[str], notes: Sequence[tuple[int, str, str]] = ()) -> Row | Unreadable:
    """The row, or why it cannot be one: nothing in it, NUL characters, or a cell that is far too long."""
    everything = "".join(cells)
    if not everything.strip():
        return Unreadable(number, "empty_record", f"Record {number:,} holds nothing.")
    if "\0" in everything:
        return Unreadable(number, "nul_byte", f"Record {number:,} holds NUL characters.")
    if len(everything) > MAX_FIELD_CHARS and max(map(len, cells)) > MAX_FIELD_CHARS:
        words = f"Record {number:,}: a value has more than {MAX_FIELD_CHARS:,} characters."
        return Unreadable(number, "field_too_long", words)
    return Row(number, tuple(cells), 1, tuple(notes))


def _flat(value: Any) -> bool:
    """A list of plain values, which is text with commas; or nothing at all."""
    return not value or (
        not isinstance(value, Mapping) and not any(isinstance(item, (Mapping, list, tuple)) for item in value)
    )


def text_of(value: Any) -> str:
    """A plain value as a cell: numbers without exponent, moments as ISO 8601, nothing for null and NaN."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, Mapping):
        return ""
    writer = next((write for kind, write in _WRITERS if isinstance(value, kind)), str)
    return writer(value)


def float_text(value: float) -> str:
    """As a person would write it: 58 for 58.0, no exponent; nothing for NaN."""
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    if value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    text = repr(value)
    return text if "e" not in text else format(Decimal(text), "f")


def _moment_text(value: datetime) -> str:
    return (value.astimezone(UTC) if value.tzinfo else value).isoformat()


def _list_text(value: Sequence[Any]) -> str:
    return ", ".join(text for item in value if (text := text_of(item)))


_WRITERS: tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...] = (
    (bool, lambda value: "true" if value else "false"),
    (float, float_text),
    (datetime, _moment_text),
    (date, date.isoformat),
    (Decimal, lambda value: format(value, "f")),
    ((list, tuple), _list_text),
)
"""In this order, since a bool is an int and a datetime is a date."""


def is_number(value: Any) -> bool:
    """A number by type."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
