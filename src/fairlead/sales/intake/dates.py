"""Dates as people and programs write them, and what a column's cells say about the order of day and month."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache
from typing import NamedTuple

from fairlead.sales.intake.cells import is_empty
from fairlead.sales.intake.numbers import latin_digits
from fairlead.sales.intake.words import fold

ORDERS = frozenset({"dmy", "mdy", "ymd"})
_MOST_CHARS = 64
_ISO_CHARS = range(10, 41)
_FULL_YEAR = 4
_FIRST_YEAR, _LAST_YEAR = 1970, 2100
_PIVOT = 70  # two digits mean 1970 to 2069
_PARTS = re.compile(r"([0-9]{1,4})([-/. ])\s?([0-9]{1,2})\2\s?([0-9]{1,4})\.?\Z", re.ASCII)
_DAY_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)
_COMPACT = re.compile(r"(?:19|20|21)[0-9]{6}\Z", re.ASCII)
_SERIAL = re.compile(r"([0-9]{5})(?:[.,]([0-9]{1,15}))?\Z", re.ASCII)
_EPOCH = re.compile(r"([0-9]{9,10})(?:\.[0-9]{1,6})?\Z|([0-9]{12,13})\Z", re.ASCII)
_SERIAL_ZERO = date(1899, 12, 30)
_SERIALS = range(25_569, 73_415)  # 1970 to 2100
_TIME = re.compile(
    r"(?:[\s,T]+(?:at|um|à|alle|las|om|kl)?\.?\s*|T)([0-9]{1,2})[:.h]([0-9]{2})(?:[:.]([0-9]{2})(?:[.,]([0-9]{1,6})[0-9]*)?)?"
    r"\s*(?:([ap])\.?\s?m\.?)?\s*(?:uhr|h)?\s*(Z|UTC|GMT|(?:UTC|GMT)?[+-][0-9]{2}:?[0-9]{2})?\s*\Z",
    re.IGNORECASE,
)
_ASIAN = str.maketrans({"年": "-", "月": "-", "日": " ", "년": "-", "월": "-", "일": " "})
_SPLIT = re.compile(r"[\s,./_-]+")
_DAY = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th|er|e|o|a|º|ª)?\Z")
_FILLERS = frozenset({"de", "del", "di", "of", "the", "le", "el", "den", "der", "am", "d", "do", "da"})
_MONTH_WORDS = """
    1 january jan januar janner janvier janv enero ene gennaio gen januari janeiro
    2 february feb februar fevrier fevr febrero febbraio februari fevereiro fev
    3 march mar marz mrz marz mars marzo maart mrt marco
    4 april apr avril avr abril abr aprile
    5 may mai mayo maggio mag mei maio
    6 june jun juni juin junio giugno giu junho
    7 july jul juli juillet juil julio luglio lug julho
    8 august aug aout agosto ago augustus
    9 september sep sept septembre septiembre setiembre settembre set setembro
    10 october oct oktober okt octobre octubre ottobre ott outubro out
    11 november nov novembre noviembre novembro
    12 december dec dezember dez decembre diciembre dic dicembre dezembro"""
_WEEKDAYS = ("mo", "tu", "we", "th", "fr", "sa", "su", "di", "mi", "do", "so", "lu", "ma", "me", "je", "ve", "ju",
             "vi", "gi", "do", "sab", "dom", "wo", "vr", "za", "zo", "se", "qu")  # fmt: skip


class When(NamedTuple):
    """A date read from a cell."""

    iso: str
    """ISO 8601; moments with a zone in UTC, others as they stand."""
    ambiguous: bool = False
    """Day and month could be swapped, and nothing tells; read as day, month, year."""
    kind: str = "text"
    """`text`, `serial` (days as a spreadsheet counts them), or `epoch` (seconds or milliseconds since 1970)."""
    contrary: bool = False
    """Read in an order that the column's other cells rule out; there was no other way."""


@dataclass(frozen=True, slots=True)
class DateStyle:
    """How a column writes its dates."""

    orders: dict[str, frozenset[str]] = field(default_factory=dict)
    """By separator: the orders that fit all its cells; none when they contradict each other."""
    mixed: bool = False
    """Dates are written in more than one way, so that a doubtful one is not decided by convention."""
    kinds: frozenset[str] = frozenset()


class _Triple(NamedTuple):
    mark: str
    dates: dict[str, date]


def read_when(cell: str, style: DateStyle | None = None) -> When | None:
    """The date or moment; None when it is none, or impossible like 30 February.

    `03/04/2024` is read in the order that `style` leaves, else as day, month, year and `ambiguous`; with points it
    is day, month, year unless the column shows another order. A year of two digits is one of 1970 to 2069.
    """
    text = cell.strip()
    if not text or len(text) > _MOST_CHARS:
        return None
    if not text.isascii():
        text = latin_digits(text.translate(_ASIAN)).strip(" -")
    if text[0].isdecimal() and (found := _iso(text) or _bare(text)):
        return found
    rest, clock = text, None
    if (timed := _TIME.search(text)) and timed.start():
        rest, clock = text[: timed.start()], timed
    triple = _triple(rest.strip())
    if triple is not None:
        day, ambiguous, contrary = _chosen(triple, style or DateStyle())
        return None if day is None else _moment(day, clock, ambiguous=ambiguous, contrary=contrary)
    day = _worded(rest)
    return None if day is None else _moment(day, clock)


def style_of(cells: Iterable[str]) -> DateStyle:
    """What these cells of one column say together; cells that are no dates say nothing."""
    orders: dict[str, frozenset[str]] = {}
    ways: set[str] = set()
    kinds: set[str] = set()
    for cell in cells:
        if is_empty(cell):
            continue
        found = read_when(cell)
        if found is None:
            continue
        kinds.add(found.kind)
        text = cell.strip()
        timed = _TIME.search(text)
        triple = _triple((text[: timed.start()] if timed and timed.start() else text).strip())
        if found.kind == "text" and triple is not None and _iso(text) is None:
            fitting = frozenset(triple.dates)
            orders[triple.mark] = orders.get(triple.mark, ORDERS) & fitting
            ways.add(triple.mark)
        else:
            ways.add(found.kind if found.kind != "text" else "iso" if text[:4].isdecimal() else "words")
    return DateStyle(orders, len(ways) > 1, frozenset(kinds))


def is_date(cell: str) -> bool:
    """Whether the cell is written as a date; a bare number, which could be a date in a date column, is not."""
    found = read_when(cell)
    return found is not None and found.kind == "text" and not cell.strip().isdecimal()


def _iso(text: str) -> When | None:
    if len(text) not in _ISO_CHARS or not text[:4].isdecimal() or (text[4].isdecimal() and "T" not in text):
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return When(text if _DAY_ISO.match(text) else moment.isoformat())


def _bare(text: str) -> When | None:
    """Digits alone: YYYYMMDD, a spreadsheet's day number, seconds or milliseconds since 1970."""
    if _COMPACT.match(text):
        day = _date(int(text[:4]), int(text[4:6]), int(text[6:]))
        return None if day is None else When(day.isoformat())
    if (found := _SERIAL.match(text)) and int(found[1]) in _SERIALS:
        day = _SERIAL_ZERO + timedelta(days=int(found[1]))
        part = float(f"0.{found[2]}") if found[2] else 0.0
        if not part:
            return When(day.isoformat(), kind="serial")
        moment = datetime(day.year, day.month, day.day) + timedelta(seconds=round(part * 86_400))  # noqa: DTZ001
        return When(moment.isoformat(), kind="serial")
    if found := _EPOCH.match(text):
        seconds = int(found[1]) if found[1] else int(found[2]) // 1000
        return When((datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).isoformat(), kind="epoch")
    return None


def _triple(text: str) -> _Triple | None:
    """Three groups of digits with every order in which they are a date; None when they are no such thing."""
    found = _PARTS.match(text)
    if found is None:
        return None
    first, mark, second, third = found.groups()
    candidates: dict[str, date | None] = {}
    if len(first) > 2:  # noqa: PLR2004  a year of four digits stands in front
        if len(first) != _FULL_YEAR or len(third) > 2:  # noqa: PLR2004
            return None
        candidates = {"ymd": _date(int(first), int(second), int(third))}
    elif len(third) == _FULL_YEAR or len(third) == 2:  # noqa: PLR2004
        year = _year(third)
        candidates = {"dmy": _date(year, int(second), int(first)), "mdy": _date(year, int(first), int(second))}
        if len(third) == 2 and len(first) == 2:  # noqa: PLR2004
            candidates["ymd"] = _date(_year(first), int(second), int(third))
    dates = {order: day for order, day in candidates.items() if day is not None}
    return _Triple(mark, dates) if dates else None


def _chosen(triple: _Triple, style: DateStyle) -> tuple[date | None, bool, bool]:
    """(the day, whether it is a guess, whether it goes against the column)."""
    dates = triple.dates
    allowed = style.orders.get(triple.mark)
    if len(set(dates.values())) == 1:
        day = next(iter(dates.values()))
        return day, False, bool(allowed) and allowed is not None and allowed.isdisjoint(dates)
    known = {day for order, day in dates.items() if allowed is not None and order in allowed}
    if len(known) == 1:
        return known.pop(), False, False
    contradicted = allowed is not None and not allowed
    by_convention = triple.mark == "." and not contradicted
    day = dates.get("dmy") or dates.get("mdy") or next(iter(dates.values()))
    return day, not (by_convention and "dmy" in dates), False


def _worded(text: str) -> date | None:
    """A date with its month as a word, in any of seven languages."""
    months = _months()
    tokens = [token for token in _SPLIT.split(_folded(text)) if token and token not in _FILLERS]
    words = [token for token in tokens if not token[0].isdecimal()]
    if len(words) == 2 and tokens[0] == words[0] and words[0].startswith(_WEEKDAYS):  # noqa: PLR2004
        tokens = tokens[1:]
    if len(tokens) != 3:  # noqa: PLR2004
        return None
    named = [at for at, token in enumerate(tokens) if token in months]
    if len(named) != 1:
        return None
    month = months[tokens[named[0]]]
    before, after = [token for at, token in enumerate(tokens) if at != named[0]]
    if len(before) == _FULL_YEAR and before.isdecimal():
        before, after = after, before
    day = _DAY.match(before)
    if day is None or not after.isdecimal() or len(after) not in (2, _FULL_YEAR):
        return None
    return _date(_year(after), month, int(day[1]))


def _folded(text: str) -> str:
    """Small letters without accents, cut at marks."""
    return text.lower() if text.isascii() else " ".join(fold(part) for part in _SPLIT.split(text) if part)


@cache
def _months() -> dict[str, int]:
    return {
        word: int(line.split()[0]) for line in _MONTH_WORDS.strip().splitlines() for word in line.split()[1:]
    }  # fmt: skip


def month_of(word: str) -> int | None:
    """1 to 12 for a month's name or abbreviation in seven languages."""
    return _months().get(fold(word))


def _year(digits: str) -> int:
    number = int(digits)
    if len(digits) == _FULL_YEAR:
        return number
    return number + (1900 if number >= _PIVOT else 2000)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _moment(day: date, clock: re.Match[str] | None, *, ambiguous: bool = False, contrary: bool = False) -> When | None:
    if clock is None:
        return When(day.isoformat(), ambiguous, "text", contrary)
    hour, minute, second, part, half, zone = clock.groups("")
    hours = int(hour)
    if half:
        if not 1 <= hours <= 12:  # noqa: PLR2004
            return None
        hours = hours % 12 + (12 if half.lower() == "p" else 0)
    try:
        at = time(hours, int(minute), int(second or 0), int(part.ljust(6, "0")) if part else 0)
    except ValueError:
        return None
    moment = datetime.combine(day, at)
    if zone:
        try:
            moment = moment.replace(tzinfo=_zone(zone.upper())).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
    return When(moment.isoformat(), ambiguous, "text", contrary)


def _zone(text: str) -> timezone:
    digits = text.removeprefix("UTC").removeprefix("GMT").replace(":", "")
    if digits in ("", "Z"):
        return UTC
    minutes = int(digits[1:3]) * 60 + int(digits[3:5])
    return timezone(timedelta(minutes=-minutes if digits[0] == "-" else minutes))


def is_known_year(iso: str) -> bool:
    """Whether a date lies in 1970 to 2100, in which something about a lead can have happened."""
    return _FIRST_YEAR <= int(iso[:4]) <= _LAST_YEAR
