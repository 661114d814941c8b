"""What each column of a history is, and which cannot or should not feed a score whatever they tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

from fairlead.understanding.cells import Order, as_moment, as_number, is_missing, level_key, order_of, word_set
from fairlead.understanding.features import (
    LEAST_OF_LEVEL,
    Feature,
    Kind,
    cuts_for,
    days_between,
    levels_for,
    moments_of,
    numbers_of,
)
from fairlead.understanding.history import History
from fairlead.understanding.measures import Bools, Floats
from fairlead.understanding.people_columns import folded, holds_people, named_as_owner

OWNER = "owner"
"""What `include` says to let columns of owners and salespeople in."""
MOMENT = (
    "it is the moment of the decision (--time): it orders the leads, and when one came says nothing about who it is"
)
"""Why the column that `Choice.time` names feeds no score unless it is forced to; then by weekday and hour."""
_SAMPLE = 5_000
_MOST_OF = 0.95
_DATES_OF = 0.9
_FREE_TEXT = 0.5
_LEAST_FILLED = 20
_SOME = 0.02
_ALL_DIFFERENT = 0.995
_SORTED = 0.98
_PEOPLE_REPEAT = 5
_FEW_LEVELS = 2
_ID_WORDS = word_set(
    """id ids uuid guid key nr no number num nummer numero rownum row index idx lfd seq sequence record recno code
    unnamed"""
)


class Nature(StrEnum):
    """What the cells of a column are."""

    EMPTY = "empty"
    NUMBER = "number"
    DATE = "date"
    TEXT = "text"


@dataclass(eq=False)
class Column:
    """One column of a history, looked at."""

    fact: str
    label: str
    values: Sequence[Any]

    @cached_property
    def missing(self) -> Bools:
        """True where there is no value."""
        return np.fromiter((is_missing(value) for value in self.values), np.bool_, len(self.values))

    @cached_property
    def given(self) -> int:
        """Rows with a value."""
        return int((~self.missing).sum())

    @cached_property
    def sample(self) -> list[Any]:
        """Some of its values, spread over the file."""
        at = np.flatnonzero(~self.missing)
        step = max(1, len(at) // _SAMPLE)
        return [self.values[i] for i in at[::step]]

    @cached_property
    def order(self) -> Order:
        """How its dates are to be read."""
        return order_of(self.sample)

    @cached_property
    def nature(self) -> Nature:
        """By most of its cells."""
        if not self.given:
            return Nature.EMPTY
        some = self.sample
        if sum(as_number(value) is not None for value in some) >= _MOST_OF * len(some):
            return Nature.NUMBER
        if sum(as_moment(value, self.order) is not None for value in some) >= _DATES_OF * len(some):
            return Nature.DATE
        return Nature.TEXT

    @cached_property
    def numbers(self) -> Floats:
        """NaN where a cell is no number."""
        return numbers_of(self.values)

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each text comes, spellings joined."""
        raw = Counter(
            value if isinstance(value, str) else level_key(value) for value in self.values if value is not None
        )
        found: Counter[str] = Counter()
        for text, count in raw.items():
            if not is_missing(text):
                found[level_key(text)] += count
        return found

    @cached_property
    def different(self) -> int:
        """How many different values there are."""
        if self.nature is Nature.NUMBER:
            return len(np.unique(self.numbers[np.isfinite(self.numbers)]))
        return len(self.counts)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A column that the score does not use, and why, in plain words."""

    fact: str
    column: str
    why: str
    kind: str
    """excluded, identity, owner, empty, constant, time, date, text, leak."""
    forced: bool = False
    """Let in all the same, because a person said so."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person said about columns; each name is a fact's or a header's."""

    time: str | None = None
    exclude: frozenset[str] = frozenset()
    include: frozenset[str] = frozenset()
    force: frozenset[str] = frozenset()
    identity: Mapping[str, str] = field(default_factory=dict)
    """Columns known to say who a lead is, with the reason; taken out before anything is looked at."""

    def names(self, group: Collection[str], column: Column) -> bool:
        """Whether a column is among those named."""
        return column.fact in group or column.label in group


def refused_by_nature(column: Column, rows: int, choice: Choice) -> Refusal | None:  # noqa: PLR0911  one way out per reason
    """Why a column cannot feed a score whatever it tells; None when it can."""

    def no(kind: str, why: str) -> Refusal:
        return Refusal(column.fact, column.label, why, kind)

    if choice.names(choice.exclude, column):
        return no("excluded", "excluded by you")
    if column.fact in choice.identity:
        return no("identity", choice.identity[column.fact])
    if not column.given:
        return no("empty", "it is empty in every row")
    owner = is_owner(column, rows)
    if owner and OWNER not in choice.include and not choice.names(choice.include | choice.force, column):
        return no("owner", f"{owner}; who works on a lead says nothing about the lead (--include owner lets it in)")
    if column.given < _LEAST_FILLED:
        return no("empty", f"only {column.given} of {rows:,} rows have a value")
    if column.different <= 1 and column.given == rows:
        return no("constant", f"every row says {str(column.sample[0])[:60]!r}")
    if column.nature is Nature.NUMBER and (why := _row_number(column)):
        return no("identity", why)
    return None


def _row_number(column: Column) -> str | None:
    """Why whole numbers that are all different look like row numbers or ids."""
    known = column.numbers[np.isfinite(column.numbers)]
    if len(np.unique(known)) < _ALL_DIFFERENT * len(known) or not np.all(known == np.floor(known)):
        return None
    steps = np.sign(np.diff(known))
    if len(steps) and abs(float(steps.mean())) > _SORTED:
        return "it only rises or falls from row to row, as a row number or id does"
    dense = float(known.max() - known.min()) < 3.0 * len(known)
    if dense or not _ID_WORDS.isdisjoint(folded(column.label).split()):
        return "it is another number in every row, as an id is"
    return None


def is_owner(column: Column, rows: int) -> str | None:
    """Why a column seems to say who of ours works on the lead, None when it does not."""
    if named_as_owner(column.label) or named_as_owner(column.fact):
        return "by its name it is the owner or salesperson"
    if column.nature is not Nature.TEXT or column.different * _PEOPLE_REPEAT > rows:
        return None
    spelt = Counter(value for value in column.sample if isinstance(value, str))
    often = [text for text, _ in spelt.most_common(200)]
    if holds_people(column.label, often):
        return "it holds the names of a few persons again and again, as an owner column does"
    return None


def is_free_text(column: Column) -> bool:
    """Texts of which too few come again for any to be told apart."""
    if column.nature is not Nature.TEXT:
        return False
    often = sum(count for count in column.counts.values() if count >= LEAST_OF_LEVEL)
    return often < _FREE_TEXT * column.given and column.different > _FEW_LEVELS * LEAST_OF_LEVEL


def features_of(column: Column, rows: int, time: Column | None) -> tuple[list[Feature], Refusal | None]:  # noqa: PLR0911  one way out per nature
    """How a column can feed a score: its features, or why it has none."""
    fact, label = column.fact, column.label
    varies = _SOME * rows <= column.given <= (1 - _SOME) * rows
    given = [Feature(fact, label, Kind.GIVEN)] if varies else []
    if time is not None and column.fact == time.fact:
        return _of_time(column)
    if column.nature is Nature.DATE:
        if time is None:
            why = "it is a date; without --time COL, the moment of the decision, nothing can be told from it"
            return [], Refusal(fact, label, why, "date")
        days = days_between(column.values, time.values, column.order)
        return [Feature(fact, label, Kind.DAYS, cuts_for(days), order=column.order, until=time.fact)], None
    if column.nature is Nature.NUMBER:
        return [Feature(fact, label, Kind.NUMBER, cuts_for(column.numbers))], None
    if is_free_text(column):
        if given:
            return given, None
        why = f"it is free text: {column.different:,} different texts in {column.given:,} rows"
        kind = "identity" if column.different >= _ALL_DIFFERENT * column.given else "text"
        why = "it is another text in every row, as a name or id is" if kind == "identity" else why
        return [], Refusal(fact, label, why, kind)
    levels, shown = levels_for(column.values)
    return [Feature(fact, label, Kind.CATEGORY, levels=levels, shown=shown)], None


def _of_time(column: Column) -> tuple[list[Feature], Refusal | None]:
    """Where it is forced to, weekday and hour of the decision; the date itself would not come again."""
    moments = moments_of(column.values, column.order)
    known = moments[np.isfinite(moments)]
    found = []
    if len(np.unique(known // 86_400 % 7)) > 1:
        found.append(Feature(column.fact, column.label, Kind.WEEKDAY, order=column.order))
    if len(np.unique(known % 86_400 // 3_600)) > 1:
        found.append(Feature(column.fact, column.label, Kind.HOUR, order=column.order))
    why = "it is the moment of the decision; it orders the rows and nothing more can be told from it"
    return found, None if found else Refusal(column.fact, column.label, why, "date")


def columns_of(history: History) -> list[Column]:
    """Every column, in the order of the file."""
    return [Column(fact, history.labels[fact], values) for fact, values in history.columns.items()]
