"""From a column's values to small whole numbers (codes), the same way while learning and while scoring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np

from fairlead.understanding.cells import Order, as_moment, as_number, is_missing, level_key, order_of, plain_name
from fairlead.understanding.measures import Floats, Ints

MOST_BINS = 63
MOST_LEVELS = 200
LEAST_OF_LEVEL = 10
"""Rows that a text has to be in to be told apart; rarer ones are `other`."""
_DAY_S = 86_400.0
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_BIG, _HUGE = 100, 1e300
_PLAIN_NUMBERS = frozenset({int, float, type(None)})
_HASHED = frozenset({str, type(None)})


class Kind(StrEnum):
    """What a feature takes from its column."""

    NUMBER = "number"
    CATEGORY = "category"
    GIVEN = "given"
    """Only whether there is a value."""
    WEEKDAY = "weekday"
    HOUR = "hour"
    DAYS = "days"
    """Days from this date to the moment of the decision."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One column as the model sees it. Codes: bins or levels from 0, then `other` (texts only), then missing."""

    fact: str
    label: str
    kind: Kind
    cuts: tuple[float, ...] = ()
    """Numbers: between which values the bins change; a value equal to a cut is in the bin below."""
    levels: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    """Texts: as they are mostly spelt, in the order of `levels`."""
    order: Order = Order.DAY_FIRST
    until: str = ""
    """DAYS: the fact that holds the moment of the decision."""

    @property
    def is_ordered(self) -> bool:
        """Whether neighbouring codes are alike."""
        return self.kind in {Kind.NUMBER, Kind.DAYS}

    @property
    def values(self) -> int:
        """Codes without the one for missing."""
        match self.kind:
            case Kind.NUMBER | Kind.DAYS:
                return len(self.cuts) + 1
            case Kind.CATEGORY:
                return len(self.levels) + 1
            case Kind.GIVEN:
                return 1
            case Kind.WEEKDAY:
                return 7
            case Kind.HOUR:
                return 24

    @property
    def size(self) -> int:
        """How many codes there are."""
        return self.values + 1

    def encode(self, values: Sequence[Any], until: Sequence[Any] = ()) -> Ints:
        """One code per value; `until` holds the decision's moments, for DAYS only."""
        match self.kind:
            case Kind.NUMBER:
                return self._binned(numbers_of(values))
            case Kind.CATEGORY:
                return self._levelled(values)
            case Kind.GIVEN:
                return np.fromiter((1 if is_missing(value) else 0 for value in values), np.int64, len(values))
            case Kind.DAYS:
                return self._binned(days_between(values, until, self.order))
            case Kind.WEEKDAY:
                return self._dated(values, lambda moment: moment.weekday())
            case Kind.HOUR:
                return self._dated(values, lambda moment: moment.hour)

    def _binned(self, numbers: Floats) -> Ints:
        codes: Ints = np.searchsorted(np.asarray(self.cuts), numbers, side="left").astype(np.int64)
        codes[~np.isfinite(numbers)] = self.values
        return codes

    def _levelled(self, values: Sequence[Any]) -> Ints:
        by_key = {key: code for code, key in enumerate(self.levels)}
        other, missing = len(self.levels), len(self.levels) + 1
        codes = {
            value: missing if is_missing(value) else by_key.get(level_key(value), other)
            for value in {one if type(one) in _HASHED else _as_text(one) for one in values}
        }
        return np.fromiter(
            (codes[one if type(one) in _HASHED else _as_text(one)] for one in values), np.int64, len(values)
        )

    def _dated(self, values: Sequence[Any], part: Any) -> Ints:
        moments = [as_moment(value, self.order) for value in values]
        return np.fromiter((self.values if m is None else part(m) for m in moments), np.int64, len(values))

    def words(self, code: int, value: Any = None) -> str:  # noqa: PLR0911  one way out per kind
        """What is so of a lead with this code, as in `month is may`; numbers by their value where it is known."""
        name = plain_name(self.label)
        missing = code >= self.values
        match self.kind:
            case Kind.GIVEN:
                return f"{name} is not given" if missing else f"{name} is given"
            case _ if missing:
                return f"{name} is not known"
            case Kind.NUMBER:
                number = as_number(value)
                return f"{name} is {self._range(code) if number is None else short(number)}"
            case Kind.CATEGORY:
                is_other = code == len(self.levels)
                return f"{name} is {str(value)[:60] if is_other and value is not None else self.level(code)}"
            case Kind.WEEKDAY:
                return f"{name} is a {WEEKDAYS[code]}"
            case Kind.HOUR:
                return f"{name} is between {code}:00 and {code + 1}:00"
            case _:
                return f"{name} is {self._range(code)} days before"

    def level(self, code: int) -> str:
        """The text that a code of a category stands for."""
        return self.shown[code] if code < len(self.levels) else "something else"

    def _range(self, code: int) -> str:
        if not self.cuts:
            return "a number"
        if code == 0:
            return f"at most {short(self.cuts[0])}"
        if code >= len(self.cuts):
            return f"above {short(self.cuts[-1])}"
        return f"{short(self.cuts[code - 1])} to {short(self.cuts[code])}"


def short(number: float) -> str:
    """`1,200`, `29.85`, `0.0012`: three to four digits that count, whole numbers whole."""
    if number == int(number) and abs(number) < 1e15:  # noqa: PLR2004  exact as an int
        return f"{int(number):,}"
    return f"{number:,.1f}" if abs(number) >= _BIG else f"{number:.4g}"


def _as_text(value: Any) -> str:
    """Numbers, booleans and whatever else, so that 1 and True are not the same key."""
    return "" if is_missing(value) else level_key(value)


def numbers_of(values: Sequence[Any]) -> Floats:
    """NaN where there is no number below 1e300."""
    found: Floats | None = None
    if set(map(type, values)) <= _PLAIN_NUMBERS:
        with suppress(OverflowError):
            found = np.array(values, dtype=np.float64)
    if found is None:
        numbers = [value if type(value) is float else as_number(value) for value in values]
        found = np.array(numbers, dtype=np.float64)
    found[~(np.abs(found) < _HUGE)] = np.nan
    return found


def moments_of(values: Sequence[Any], order: Order) -> Floats:
    """Seconds since 1970; NaN where there is no moment."""
    moments: list[datetime | None] = [as_moment(value, order) for value in values]
    return np.array([np.nan if moment is None else moment.timestamp() for moment in moments], dtype=np.float64)


def days_between(values: Sequence[Any], until: Sequence[Any], order: Order) -> Floats:
    """Days from each value to `until`; negative when it is later."""
    if len(until) != len(values):
        return np.full(len(values), np.nan)
    found: Floats = (moments_of(until, order_of(until)) - moments_of(values, order)) / _DAY_S
    return found


def cuts_for(numbers: Floats, most: int = MOST_BINS) -> tuple[float, ...]:
    """Midway between neighbours while there are few different numbers, else at quantiles."""
    known = numbers[np.isfinite(numbers)]
    different, counts = np.unique(known, return_counts=True)
    if len(different) <= most + 1:
        return tuple(float(cut) for cut in (different[1:] + different[:-1]) / 2.0)
    wanted = np.linspace(0.0, 1.0, most + 2)[1:-1] * len(known)
    places = np.unique(np.searchsorted(np.cumsum(counts), wanted, side="left"))
    places = places[places < len(different) - 1]
    return tuple(float(cut) for cut in (different[places] + different[places + 1]) / 2.0)


def levels_for(values: Sequence[Any], least: int = LEAST_OF_LEVEL) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keys of texts that come often enough, most frequent first, and how each is mostly spelt."""
    spelt: dict[str, Counter[str]] = {}
    for text, count in Counter("\0" if is_missing(value) else _text(value) for value in values).items():
        if text != "\0":
            spelt.setdefault(level_key(text), Counter())[text] += count
    often = sorted(
        ((sum(one.values()), key) for key, one in spelt.items() if sum(one.values()) >= least),
        key=lambda pair: (-pair[0], pair[1]),
    )[:MOST_LEVELS]
    return tuple(key for _, key in often), tuple(spelt[key].most_common(1)[0][0][:60] for _, key in often)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).split())
