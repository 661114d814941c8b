"""A file's shape and first rows as JSON: what a page needs to show how an upload would be understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fairlead.kit.money import currency_exponent
from fairlead.sales.facts import all_problems
from fairlead.sales.intake import (
    Checker,
    ColumnMapping,
    FileShape,
    LeadDraft,
    LeadField,
    Row,
    Unreadable,
    guess_mapping,
)

PREVIEW_ROWS = 20
_CELLS = 40_000
_CELL_CHARS = 500


def sketch_of(shape: FileShape) -> dict[str, Any]:
    """The shape, bounded: fewer rows where they are wide, cells cut at 500 characters."""
    most = max(PREVIEW_ROWS, _CELLS // len(shape.header))
    return asdict(shape) | {
        "sample": _cut(shape.sample[: min(200, most)]),
        "evidence": _cut(shape.evidence[: min(300, most)]),
        "typed": sorted(shape.typed),
        "head": [_item(one) for one in shape.head[:PREVIEW_ROWS]],
    }


def _cut(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[cell[:_CELL_CHARS] for cell in cells] for cells in rows]


def _item(one: Row | Unreadable) -> dict[str, Any]:
    if isinstance(one, Unreadable):
        return {"number": one.number, "code": one.reason_code, "words": one.words, "lines": one.lines}
    return {"number": one.number, "cells": [cell[:_CELL_CHARS] for cell in one.cells], "notes": one.notes}


def shape_of(sketch: Mapping[str, Any]) -> FileShape:
    """The shape that `sketch_of` made JSON of."""
    head = tuple(
        Row(one["number"], tuple(one["cells"]), 1, tuple((at, code, words) for at, code, words in one["notes"]))
        if "cells" in one
        else Unreadable(one["number"], one["code"], one["words"], one["lines"])
        for one in sketch["head"]
    )
    rows = {name: tuple(tuple(cells) for cells in sketch[name]) for name in ("sample", "evidence")}
    lists = {"header": tuple(sketch["header"]), "notes": tuple(sketch["notes"]), "typed": frozenset(sketch["typed"])}
    return FileShape(**{**sketch, **rows, **lists, "head": head})


def preview(shape: FileShape, mapping: ColumnMapping, currency: str, country: str) -> list[dict[str, Any]]:
    """The first rows as they would be understood: fields, attributes, value, problems; or why one cannot be read."""
    checker = Checker(mapping, currency=currency, default_country=country)
    return [_shown(checker.judge(one) if isinstance(one, Row) else one, currency) for one in shape.head]


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """One field of a lead and the column that feeds it; `column` is empty where none does."""

    field: str
    column: str
    level: str
    why: str
    example: str
    """The column's first value."""


@dataclass(frozen=True, slots=True)
class DraftLook:
    """How a draft would be understood."""

    columns: tuple[str, ...]
    notes: tuple[str, ...]
    mapping: ColumnMapping
    fields: list[FieldChoice]
    """All of them, those with a column first."""
    rows: list[dict[str, Any]]


def look_at_draft(
    row: Any, currency: str, said: Mapping[str, str] | None = None, country: str | None = None
) -> DraftLook:
    """A draft's columns and first rows under its mapping and what was just `said` (field → column).

    InputError for a column that it does not have, a column said twice, or an unknown country.
    """
    shape = shape_of(row.sketch)
    chosen = {**row.said, **(said or {})}
    mapping = guess_mapping(shape, chosen)
    rows = preview(shape, mapping, currency, row.country if country is None else country)
    return DraftLook(shape.header, shape.notes + mapping.statements, mapping, _choices(row, shape, chosen), rows)


def _choices(row: Any, shape: FileShape, chosen: Mapping[str, str]) -> list[FieldChoice]:
    known = {one["field"]: one for one in row.mapping["mapped"]}
    found = []
    for field in map(str, LeadField):
        column, guess = chosen.get(field, ""), known.get(field, {})
        at = shape.header.index(column) if column in shape.header else None
        example = next((cells[at] for cells in shape.sample if cells[at].strip()), "") if at is not None else ""
        level, why = ("sure", "you said so") if column else ("", "")
        if guess.get("column") == column:
            level, why = guess["level"], guess["why"]
        found.append(FieldChoice(field, column, level, why, example[:60]))
    return sorted(found, key=lambda one: not one.column)


def _shown(item: LeadDraft | Unreadable, currency: str) -> dict[str, Any]:
    if isinstance(item, Unreadable):
        return {"row": item.number, "unreadable": item.words, "code": item.reason_code}
    fields: dict[str, Any] = dict(item.fields)
    if item.value_minor is not None:
        digits = currency_exponent(item.currency)
        fields["value"] = f"{item.value_minor / 10**digits:,.{digits}f} {item.currency}"
    if item.outcome:
        fields["outcome"] = item.outcome
    problems = [one._asdict() for one in all_problems(item, currency)]
    return {"row": item.number, "fields": fields, "attributes": dict(item.attributes), "problems": problems}
