"""A first look at a file of JSON: all its columns, found by reading it once, and a sample from all over it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fairlead.errors import InputError, TooLargeError
from fairlead.kit.words import counted
from fairlead.sales.intake.jsonrows import ArrayItems, LineItems, parsed
from fairlead.sales.intake.model import JSON_ARRAY, JSON_LINES, FileShape, Row, Unreadable
from fairlead.sales.intake.reading import MAX_COLUMNS
from fairlead.sales.intake.records import Flattener, is_number, names_of

SAMPLE_ROWS, EVIDENCE_ROWS, HEAD_ROWS = 200, 400, 20
_ARRAY = re.compile(r"[\s\ufeff]*\[\s*(?:[{\]\"\[0-9tfn-]|\Z)")
_OBJECT = re.compile(r"[\s\ufeff]*\{\s*(?:\"|\}|\Z)")
_EMPTY_OR_NESTED = re.compile(r"[\s\ufeff]*\[\s*(?:\]|\[)")
_TRIED_LINES = 50


def json_format(text: str) -> str | None:
    """`json-lines` or `json-array` when the text begins so, None when it is no JSON.

    A line that begins like an object is enough, so that broken lines do not make a file of records one of text.
    """
    if _ARRAY.match(text):
        return JSON_ARRAY if "{" in text[:4_096] or _EMPTY_OR_NESTED.match(text) else None
    lines = [line for line in text.splitlines()[:_TRIED_LINES] if line.strip("\ufeff \t")]
    objects = sum(1 for line in lines if _OBJECT.match(line))
    return JSON_LINES if objects and objects * 2 >= len(lines) else JSON_LINES if _OBJECT.match(text) else None


def inspect_json(path: Path, kind: str, encoding: str) -> FileShape:
    """The shape of a file of JSON records; reads all of it once.

    Raises InputError `empty_file` without any record, `not_text` for one object over many lines, and
    TooLargeError above MAX_COLUMNS columns.
    """
    if kind == JSON_LINES:
        _refuse_one_object(path, encoding)
    items = LineItems(path, encoding) if kind == JSON_LINES else ArrayItems(path, encoding)
    names: dict[str, bool] = {}
    kept = _Kept()
    nested = count = 0
    try:
        for item in items:
            record = parsed(item)
            kept.offer(item.number, record)
            if isinstance(record, Unreadable):
                continue
            count += 1
            nested += _note_columns(record, names)
            if len(names) > MAX_COLUMNS:
                raise _too_wide(path, len(names))
    finally:
        items.close()
    if not count or not names:
        raise _nothing(path, kind, tried=kept.tried)
    notes = [f"{counted(len(names), 'column')} of {'JSON lines' if kind == JSON_LINES else 'a JSON array'}, by name."]
    if nested:
        notes.append("Values inside values are columns of their own, called like 'parent.child'.")
    header = tuple(names)
    flattener = Flattener(header)
    sample, evidence, head = kept.rows(flattener)
    return FileShape(
        encoding=encoding, separator="", quote="", has_header=True, header=header, sample=sample,
        bytes=path.stat().st_size, header_line=0, first_line=1, line_break="\n", skip_initial_space=False,
        notes=tuple(notes), format=kind, evidence=evidence, head=head,
        typed=frozenset(name for name, numbers in names.items() if numbers),
    )  # fmt: skip


def _refuse_one_object(path: Path, encoding: str) -> None:
    """An object that goes on over many lines, as printed for people, is no table of lines."""
    items = LineItems(path, encoding)
    try:
        first = next(iter(items), None)
    finally:
        items.close()
    if first is not None and first.text.rstrip().endswith(("{", "[", ",", ":")):
        raise _nothing(path, JSON_LINES, tried=1)


def _note_columns(record: dict[str, Any], names: dict[str, bool]) -> bool:
    """Add the record's columns, each with whether only numbers were in it; whether anything was nested."""
    nested = False
    for key, value in record.items():
        if isinstance(value, dict) and value:
            nested = True
            for name, held in zip(names_of({key: value}), value.values(), strict=True):
                _note(names, name, held)
        else:
            _note(names, next(names_of({key: None})), value)
    return nested


def _note(names: dict[str, bool], name: str, value: Any) -> None:
    if value is not None or name not in names:
        names[name] = names.get(name, True) and (value is None or is_number(value))


class _Kept:
    """The first records, and ever fewer of the later ones, so that the sample stays small and even."""

    def __init__(self) -> None:
        self.tried = 0
        self._first: list[tuple[int, dict[str, Any] | Unreadable]] = []
        self._later: list[tuple[int, dict[str, Any]]] = []
        self._every = 1

    def offer(self, number: int, record: dict[str, Any] | Unreadable) -> None:
        self.tried += 1
        if len(self._first) < SAMPLE_ROWS:
            self._first.append((number, record))
        elif self.tried % self._every == 0 and not isinstance(record, Unreadable):
            self._later.append((number, record))
            if len(self._later) > EVIDENCE_ROWS:
                self._later = self._later[::2]
                self._every *= 2

    def rows(
        self, flattener: Flattener
    ) -> tuple[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...], tuple[Row | Unreadable, ...]]:
        """(cells of the first records, cells of later ones, the very first records)."""
        first = [
            one if isinstance(one, Unreadable) else _row(flattener, number, one) for number, one in self._first
        ]  # fmt: skip
        later = [_row(flattener, number, one) for number, one in self._later]
        return _cells(first), _cells(later), tuple(first[:HEAD_ROWS])


def _row(flattener: Flattener, number: int, record: dict[str, Any]) -> Row | Unreadable:
    try:
        return flattener.row(number, record)
    except ValueError:
        return Unreadable(number, "bad_json", f"Record {number:,} holds a number that is too long.")


def _cells(items: list[Row | Unreadable]) -> tuple[tuple[str, ...], ...]:
    return tuple(item.cells for item in items if isinstance(item, Row))


def _too_wide(path: Path, width: int) -> TooLargeError:
    return TooLargeError(
        f"{path.name} has more than {MAX_COLUMNS} columns. Keep the columns you need.",
        limit=MAX_COLUMNS, unit="columns", columns=width,
    )  # fmt: skip


def _nothing(path: Path, kind: str, *, tried: int) -> InputError:
    if not tried:
        return InputError(f"{path.name} holds no records. Export it with its rows.", code="empty_file", file=str(path))
    cure = "Give one JSON object per line, or one array of objects."
    words = "no line of it" if kind == JSON_LINES else "nothing in its array"
    return InputError(f"{path.name}: {words} is a JSON object with values. {cure}", code="not_a_table", file=str(path))
