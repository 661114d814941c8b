"""What single values are: missing, a number, a moment, a text; pure, and it never raises for what a value holds."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import Enum
from typing import Any

_MISSING = frozenset({"", "n/a", "na", "nan", "null", "none", "nil", "-", "--", "#n/a", "inf", "-inf", "+inf", "nat"})
_PLAIN = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?(?:[eE][+-]?[0-9]{1,3})?\Z", re.ASCII)
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:[ ',\u00a0\u202f][0-9]{3})+(?:\.[0-9]+)?\Z", re.ASCII)
_CONTINENTAL = re.compile(r"[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]{1,18})(?:,[0-9]{1,18})\Z", re.ASCII)
_YEAR_FIRST = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:[T ].*)?\Z", re.ASCII)
_YEAR_LAST = re.compile(
    r"([0-9]{1,2})([-/.])([0-9]{1,2})[-/.]([0-9]{4})(?:[T ]+([0-9]{1,2}):([0-9]{2}).*)?\Z", re.ASCII
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan", "feb", "mar mär", "apr avr", "may mai mag", "jun giu", "jul lug", "aug ago", "sep set", "oct okt ott",
         "nov", "dec dez dic"), 1,
    )
    for name in names.split()
}  # fmt: skip
_NAMED_MONTH = re.compile(r"([0-9]{1,2})[-. ]+([^\W\d_]{3,9})\.?[-. ,]+([0-9]{4})\Z")
_NAMED_FIRST = re.compile(r"([^\W\d_]{3,9})\.? +([0-9]{1,2}),? +([0-9]{4})\Z")
_LONGEST_MOMENT = 40
_TWELVE = 12


def word_set(words: str, separator: str | None = None) -> frozenset[str]:
    """The words of a text as a set; without a separator, those between blanks."""
    return frozenset(word for part in words.split(separator) if (word := " ".join(part.split())))


class Order(Enum):
    """Whether `03/04/2024` is 3 April or 4 March, as a column's other cells show."""

    DAY_FIRST = "day first"
    MONTH_FIRST = "month first"


def is_missing(value: Any) -> bool:
    """No value: None, blanks, the usual words for nothing, and what is no finite number."""
    if value is None:
        return True
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, str):
        return len(value) < 6 and value.strip().casefold() in _MISSING  # noqa: PLR2004  the longest word
    return isinstance(value, (list, dict)) and not value


def as_number(value: Any) -> float | None:  # noqa: PLR0911  one way out per form
    """A finite number however it is written (`1,234.5`, `1.234,5`, `12'000`), else None; a yes or no is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value) if abs(value) < 1e300 else None  # noqa: PLR2004  NaN fails, too
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_MOMENT:
        return None
    text = value.strip()
    if _PLAIN.match(text):
        found = float(text)
        return found if math.isfinite(found) else None
    if _GROUPED.match(text):
        return float(re.sub(r"[ ',\u00a0\u202f]", "", text))
    if _CONTINENTAL.match(text):
        return float(text.replace(".", "").replace(",", "."))
    return None


def as_moment(value: Any, order: Order = Order.DAY_FIRST) -> datetime | None:  # noqa: PLR0911  one way out per form
    """A date or time in UTC, from ISO 8601, day and month and year in either order, or a named month."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_MOMENT:
        return None
    text = value.strip()
    if _YEAR_FIRST.match(text):
        return _iso(text)
    if found := _YEAR_LAST.match(text):
        first, second = int(found[1]), int(found[3])
        day_first = first > _TWELVE or (second <= _TWELVE and order is Order.DAY_FIRST)
        day, month = (first, second) if day_first else (second, first)
        return _moment(int(found[4]), month, day, int(found[5] or 0), int(found[6] or 0))
    if found := _NAMED_MONTH.match(text):
        return _moment(int(found[3]), _month(found[2]), int(found[1]))
    if found := _NAMED_FIRST.match(text):
        return _moment(int(found[3]), _month(found[1]), int(found[2]))
    return None


def _iso(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.replace("/", "-").replace(".", "-", 2) if text[4] != "-" else text)
    except ValueError:
        parts = [int(part) for part in re.split(r"[-/.T ]", text)[:3]]
        return _moment(*parts)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _month(word: str) -> int:
    return _MONTHS.get(word[:3].casefold(), 0)


def _moment(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime | None:
    try:
        return datetime(year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:
        return None


def order_of(values: Iterable[Any]) -> Order:
    """By cells that can be read one way only; day first where none or more of those say so."""
    day = month = 0
    for value in values:
        found = _YEAR_LAST.match(value.strip()) if isinstance(value, str) and len(value) <= _LONGEST_MOMENT else None
        if found:
            day += int(found[1]) > _TWELVE
            month += int(found[3]) > _TWELVE
    return Order.MONTH_FIRST if month > day else Order.DAY_FIRST


def level_key(value: Any) -> str:
    """Under which spellings of one text meet: blanks squeezed, letter case aside; `yes` and `no` for booleans."""
    if value is True or value is False:
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:  # noqa: PLR2004  exact as an int
        value = int(value)
    return " ".join(str(value)[:200].split()).casefold()


def plain_name(label: str) -> str:
    """A column's name as people say it: `poutcome_2` → `poutcome 2`."""
    return " ".join(label.replace("_", " ").split()) or label
