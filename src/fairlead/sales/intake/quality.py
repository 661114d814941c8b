"""What a file's data are like: per column how full, how varied and what was wrong; counted while it is read.

Memory is bounded by the number of columns: distinct values are counted up to a limit by their hashes, and of each
kind of problem only the first few are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from fairlead.sales.intake.cells import NOTHING
from fairlead.sales.intake.model import ColumnMapping, LeadDraft, LeadField, Problem, Row, Unreadable
from fairlead.sales.intake.words import shown

MOST_DISTINCT = 1_000
EXAMPLES = 5
MOST_KINDS = 2_000
ROWS_AT_ONCE = 500
_BUCKETS = 4
_MANGLED = ("excel_error", "excel_mangled", "excel_date", "formula_text")
_BLANKS = frozenset({"", " ", "  ", "\t", "\u00a0"})
_EMPTY = _BLANKS | {form for word in NOTHING for form in (word, word.upper(), word.capitalize())}


class _Column:
    """What is known of one column so far."""

    __slots__ = ("distinct", "filled", "first")

    def __init__(self) -> None:
        self.filled = 0
        self.distinct: set[int] | None = set()
        self.first = ""

    def add(self, cells: tuple[str, ...]) -> None:
        values = set(cells)
        empty = values & _EMPTY
        self.filled += len(cells) - sum(map(cells.count, empty))
        if self.distinct is not None:
            held = values - empty
            if held and not self.first:
                self.first = next(cell for cell in cells if cell in held)
            self.distinct.update(map(hash, held))
            if len(self.distinct) > MOST_DISTINCT:
                self.distinct = None


class Profile:
    """Counts over the rows of one file; `report` gives the result, ready for JSON."""

    def __init__(self, mapping: ColumnMapping) -> None:
        """For rows of this header."""
        self._mapping = mapping
        self._columns = [_Column() for _ in mapping.header]
        self._rows = self._drafts = self._unreadable = self._with_problems = self._unusable = 0
        self._kinds: dict[tuple[str, str], dict[str, Any]] = {}
        self._expected = [guess.field for guess in mapping.guesses if guess.field is not LeadField.OUTCOME]
        self._names = frozenset(field.value for field in self._expected) - {"value", "currency"}
        self._has_value = LeadField.VALUE in self._expected
        self._by_filled: Counter[int] = Counter()

    def add_rows(self, rows: Sequence[Row]) -> None:
        """The cells of some rows that could be read as leads; column by column, which is what makes it cheap."""
        if rows:
            self._rows += len(rows)
            for column, cells in zip(self._columns, zip(*[row.cells for row in rows], strict=True), strict=True):
                column.add(cells)

    def add(self, item: LeadDraft | Unreadable, problems: Sequence[Problem] | None = None) -> None:
        """What became of one row; `problems` are those of the draft itself unless given."""
        if isinstance(item, Unreadable):
            self._unreadable += 1
            self._note("", item.reason_code, item.number, item.words, lacking=False)
            return
        self._drafts += 1
        filled = sum(map(item.fields.__contains__, self._names)) + (self._has_value and item.value_minor is not None)
        self._by_filled[filled] += 1
        if found := item.problems if problems is None else problems:
            self._with_problems += 1
            self._unusable += any(one.needs_information for one in found)
            for one in found:
                self._note(one.field, one.code, item.number, one.words, lacking=one.needs_information)

    def _note(self, field: str, code: str, row: int, words: str, *, lacking: bool) -> None:
        kind = self._kinds.get((field, code))
        if kind is None:
            if len(self._kinds) >= MOST_KINDS:
                return
            kind = {"field": field, "code": code, "needs_information": lacking, "count": 0, "examples": []}
            self._kinds[field, code] = kind
        kind["count"] += 1
        if len(kind["examples"]) < EXAMPLES:
            kind["examples"].append({"row": row, "words": words})

    def report(self) -> dict[str, Any]:
        """`leads` (how complete), `columns`, `read_as` and more; every list is bounded.

        All figures but those of unreadable rows are over the `readable` ones: leads, and those that were there before.
        `unusable_cells` are rows with a cell that was given and cannot be used.
        """
        expected = len(self._names) + self._has_value
        possible = self._drafts * expected
        found = sum(filled * count for filled, count in self._by_filled.items())
        return {
            "records": self._drafts + self._unreadable,
            "readable": self._drafts,
            "unreadable": self._unreadable,
            "leads": {
                "with_problems": self._with_problems,
                "unusable_cells": self._unusable,
                "completeness": round(100 * found / possible, 1) if possible else None,
                "by_completeness": self._quarters() if expected else {},
                "fields": [str(field) for field in self._expected],
            },
            "columns": [self._of(at, name) for at, name in enumerate(self._mapping.header)],
            "unreadable_kinds": [kind for (field, _), kind in self._kinds.items() if not field],
            "other_problems": self._others(),
            "read_as": list(self._mapping.statements),
        }

    def _quarters(self) -> dict[str, int]:
        labels = ("0-24", "25-49", "50-74", "75-99", "100")
        expected = len(self._names) + self._has_value
        found = dict.fromkeys(labels, 0)
        for filled, count in self._by_filled.items():
            found[labels[filled * _BUCKETS // expected]] += count
        return found

    def _of(self, at: int, name: str) -> dict[str, Any]:
        column = self._columns[at]
        guess = next((one for one in self._mapping.guesses if one.index == at), None)
        field = str(guess.field) if guess else None
        problems = [kind for (of, _), kind in self._kinds.items() if of and of in (field, name if not guess else None)]
        distinct = None if column.distinct is None else len(column.distinct)
        suspicions = []
        if column.filled == 0:
            suspicions.append("empty")
        elif distinct == 1 and column.filled > max(1, self._rows // 2):
            suspicions.append("constant")
        suspicions += sorted({kind["code"] for kind in problems if kind["code"] in _MANGLED})
        return {
            "column": name,
            "used_as": field or "attribute",
            "level": guess.level if guess else None,
            "why": guess.why if guess else None,
            "filled": column.filled,
            "filled_percent": round(100 * column.filled / self._rows, 1) if self._rows else 0.0,
            "distinct": distinct,
            "more_than": MOST_DISTINCT if distinct is None else None,
            "example": shown(column.first) if column.first else None,
            "suspicions": suspicions,
            "problems": problems,
        }

    def _others(self) -> list[dict[str, Any]]:
        """Problems of fields that no column feeds, such as a value that has no rate."""
        fed = {str(guess.field) for guess in self._mapping.guesses} | set(self._mapping.unmapped)
        return [kind for (field, _), kind in self._kinds.items() if field and field not in fed]


def completeness(draft_fields: Sequence[str], expected: Sequence[str]) -> int:
    """Share of the fields that a file has columns for and that a lead has, in percent; 100 when there are none."""
    return round(100 * len(set(draft_fields) & set(expected)) / len(expected)) if expected else 100
