"""Days as people write them in letters and notes, in English, German, French and Spanish: pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from fairlead.sales.intake.dates import read_when
from fairlead.sales.intake.words import fold

MAX_AHEAD = timedelta(days=800)
_MONTHS = (
    "january januar janvier enero jan janv ene", "february februar fevrier febrero feb fevr",
    "march marz mars marzo mar mrz maerz", "april avril abril apr avr abr", "may mai mayo", "june juni juin junio jun",
    "july juli juillet julio jul", "august aout agosto aug ago", "september septembre septiembre sep sept",
    "october oktober octobre octubre oct okt", "november novembre noviembre nov",
    "december dezember decembre diciembre dec dez dic",
)  # fmt: skip
_MONTH = {word: number for number, words in enumerate(_MONTHS, 1) for word in words.split()}
_WEEKDAYS = (
    "monday montag lundi lunes", "tuesday dienstag mardi martes", "wednesday mittwoch mercredi miercoles",
    "thursday donnerstag jeudi jueves", "friday freitag vendredi viernes", "saturday samstag samedi sabado",
    "sunday sonntag dimanche domingo",
)  # fmt: skip
_WEEKDAY = {word: number for number, words in enumerate(_WEEKDAYS) for word in words.split()}
_NEXT_WEEK = (
    r"(?:next week|(?:nachste|kommende)[rn]? woche|semaine prochaine|proxima semana|semana (?:proxima|que viene))"
)
_NEXT_WEEK_AHEAD = re.compile(rf"\b{_NEXT_WEEK}(?: (?:on|am|le|el))?\Z")
_NEXT_WEEK_BEHIND = re.compile(rf"(?:(?:of|in|de|der|la) )*{_NEXT_WEEK}\b")
_NEAR = 40
"""Characters around a weekday in which it may be said to be of next week."""
_DAYS = {
    "tomorrow": 1, "morgen": 1, "demain": 1, "manana": 1, "today": 0, "heute": 0, "aujourd-hui": 0, "hoy": 0,
    "ubermorgen": 2, "apres-demain": 2,
}  # fmt: skip
_NUMERIC = re.compile(r"(?<![\w./-])(\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{4})(?![\w-]|\.\d)", re.ASCII)
_DAY_MONTH = re.compile(
    r"(?<!\w)(\d{1,2})(?:\.|st|nd|rd|th|er)?\s+(?:(?:de|of)\s+)?([^\W\d_]{3,10})\.?(?:,?\s+(?:(?:de|del)\s+)?(\d{4}))?(?!\w)"
)
_MONTH_DAY = re.compile(r"(?<!\w)([^\W\d_]{3,10})\.?\s+(\d{1,2})(?:st|nd|rd|th)?(?:,?\s+(\d{4}))?(?![\w.:])")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)?")
_LAST_MONTH_DAY = 31


@dataclass(frozen=True, slots=True)
class FoundDate:
    """A day and where it was read; `sure` is False where day and month could be swapped or a word was relative."""

    day: date
    start: int
    end: int
    sure: bool


def find_date(text: str, received: date, *, past: bool = False) -> FoundDate | None:
    """The first day in the text, written out before spoken of; None without one.

    A day without a year is the next such day from `received`. A weekday is the nearest one after it, so on a Tuesday
    "Tuesday" is in seven days; "next" before it changes nothing, and "Tuesday next week" is that of the week (from
    Monday on) after the one that `received` is in. Days before `received`, or more than 800 days behind it, count
    only with `past`.
    """
    for finder in (_numeric, _day_month, _month_day, _spoken):
        for found in finder(text, received):
            if past or timedelta(0) <= found.day - received <= MAX_AHEAD:
                return found
    return None


def _numeric(text: str, _received: date) -> list[FoundDate]:
    found = []
    for match in _NUMERIC.finditer(text):
        read = read_when(match[1])
        if read is not None:
            found.append(FoundDate(date.fromisoformat(read[0][:10]), match.start(), match.end(), not read[1]))
    return found


def _day_month(text: str, received: date) -> list[FoundDate]:
    matches = [(m, m[1], m[2], m[3]) for m in _DAY_MONTH.finditer(text)]
    return _named(matches, received)


def _month_day(text: str, received: date) -> list[FoundDate]:
    matches = [(m, m[2], m[1], m[3]) for m in _MONTH_DAY.finditer(text)]
    return _named(matches, received)


def _named(matches: list[tuple[re.Match[str], str, str, str | None]], received: date) -> list[FoundDate]:
    found = []
    for match, day_text, month_text, year_text in matches:
        month, day = _MONTH.get(fold(month_text)), int(day_text)
        if month is None or not 1 <= day <= _LAST_MONTH_DAY:
            continue
        try:
            when = date(int(year_text) if year_text else received.year, month, day)
            if not year_text and when < received:
                when = when.replace(year=received.year + 1)
        except ValueError:
            continue
        found.append(FoundDate(when, match.start(), match.end(), sure=bool(year_text)))
    return found


def _spoken(text: str, received: date) -> list[FoundDate]:
    found = []
    words = list(_WORD.finditer(text))
    folded = [fold(word[0]).replace(" ", "-") for word in words]
    for word, plain in zip(words, folded, strict=True):
        if plain in _DAYS:
            found.append(FoundDate(received + timedelta(days=_DAYS[plain]), word.start(), word.end(), sure=False))
        elif plain in _WEEKDAY:
            ahead = (_WEEKDAY[plain] - received.weekday() - 1) % 7 + 1
            if _of_next_week(text, word):
                ahead = 7 - received.weekday() + _WEEKDAY[plain]
            found.append(FoundDate(received + timedelta(days=ahead), word.start(), word.end(), sure=False))
    return found


def _of_next_week(text: str, weekday: re.Match[str]) -> bool:
    """Whether the same sentence says so right before the weekday, or right behind it without a comma."""
    ahead = re.split(r"[.;:!?\n]", text[max(0, weekday.start() - _NEAR) : weekday.start()])[-1]
    behind = re.split(r"[.;:!?,\n]", text[weekday.end() : weekday.end() + _NEAR])[0]
    return bool(_NEXT_WEEK_AHEAD.search(fold(ahead)) or _NEXT_WEEK_BEHIND.match(fold(behind)))
