"""Numbers, money, dates and yes/no as people write them into tables."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import NamedTuple

from fairlead.sales.intake.currencies import currency_of
from fairlead.sales.intake.words import fold, word_set

_NOTHING = word_set(
    "n/a na n.a. null none nil nan unknown unbekannt inconnu desconocido sconosciuto onbekend - -- — ? ."
)
_LONGEST_NOTHING = 15
_MOST_DIGITS = 18
_GROUP = 3
_MONTHS = 12
_ISO_CHARS = range(10, 41)
_MOST_CHARS = 64
_PLAIN = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,2})?\Z", re.ASCII)
_SPACED = re.compile(r"(?<=[0-9])[\s\u00a0\u202f\u2009'’](?=[0-9]{3}(?![0-9]))")
_WHOLE_DASH = re.compile(r"[.,][-–—]+\Z")
_MONEY = re.compile(
    r"(?P<open>\()?\s*(?P<sign>[+\u2212-])?\s*(?P<before>[^\d.,()+\s\u2212-]{1,8}\.?)?\s*(?P<inner>[+\u2212-])?\s*"
    r"(?P<digits>[0-9][0-9.,]*|[.,][0-9]+)\s*(?:(?P<scale>k|tsd|mio|mn|m)\.?(?![a-z]))?\s*"
    r"(?P<after>[^\d.,()+\s\u2212-]{1,8}\.?)?\s*(?P<close>\))?(?P<last>[\u2212-])?\Z",
    re.IGNORECASE,
)
_SCALES = {"k": 1_000, "tsd": 1_000, "m": 1_000_000, "mio": 1_000_000, "mn": 1_000_000}
_YES = word_set("1 y yes true t on x ja j wahr oui o vrai si s verdadero vero sim verdadeiro waar")
_NO = word_set("0 n no false f off nein falsch non faux falso nao nee onwaar")
_ISO_DATE = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})\Z", re.ASCII)
_LOCAL_DATE = re.compile(
    r"([0-9]{1,2})([-/.])([0-9]{1,2})[-/.]([0-9]{4})(?:[ T]+([0-9]{1,2}):([0-9]{2}).*)?\Z", re.ASCII
)


class Number(NamedTuple):
    """A number read from a cell."""

    amount: Decimal
    currency: str
    """ISO code that stood in the cell, else empty."""
    ambiguous: bool
    """True for the likes of `12.500` when nothing tells thousands from decimals; read as thousands."""


def is_empty(cell: str) -> bool:
    """Blank, or one of the words that exports write for nothing (`n/a`, `NULL`, `unknown`, `-`)."""
    return not cell or cell.isspace() or (len(cell) <= _LONGEST_NOTHING and cell.strip().lower() in _NOTHING)


def read_number(cell: str, decimal_mark: str = "") -> Number | None:
    """A number as written in any of our languages, with or without a currency; None when it is none.

    `decimal_mark` (`.` or `,`) settles `12.500`; without it such a text is thousands and `ambiguous`.
    Accepts blanks and apostrophes between thousands, `(1,200)` and a trailing minus for negatives, and the
    scales `k`, `tsd`, `m`, `mio`.
    """
    text = cell.strip()
    if _PLAIN.match(text) and decimal_mark != ",":
        return Number(Decimal(text), "", ambiguous=False)
    if len(text) > _MOST_CHARS:
        return None
    text = _SPACED.sub("", text)
    if dashed := _WHOLE_DASH.search(text):
        text, decimal_mark = text[: dashed.start()], dashed[0][0]
    found = _MONEY.match(text)
    if found is None or bool(found["open"]) != bool(found["close"]) or (found["before"] and found["after"]):
        return None
    word = found["before"] or found["after"]
    currency = currency_of(word.rstrip(".")) if word else ""
    plain, ambiguous = _plain_digits(found["digits"], decimal_mark)
    if currency is None or plain is None:
        return None
    scale = _SCALES[found["scale"].lower()] if found["scale"] else 1
    minus = found["open"] or any(found[part] in ("-", "\u2212") for part in ("sign", "inner", "last"))
    amount = Decimal(plain) * scale
    return Number(-amount if minus else amount, currency, ambiguous and scale == 1)


def _plain_digits(digits: str, mark: str) -> tuple[str | None, bool]:
    """Digits with `.` as the only mark, and whether thousands were assumed; None when badly grouped."""
    mark, assumed = _decimal_mark(digits, mark)
    whole, _, part = digits.partition(mark) if mark else (digits, "", "")
    groups = whole.split("," if mark == "." else ".")
    joined = "".join(groups)
    if len(groups) > 1 and not _well_grouped(groups):
        return None, False
    if not (joined + part).isdecimal() or max(len(joined), len(part)) > _MOST_DIGITS:
        return None, False
    return f"{joined or '0'}.{part or '0'}", assumed


def _decimal_mark(digits: str, mark: str) -> tuple[str, bool]:
    """The mark before the decimals, and whether that was assumed."""
    dots, commas = digits.count("."), digits.count(",")
    used = "." if dots else ","
    other = "," if dots else "."
    if dots and commas:
        return digits[max(digits.rfind("."), digits.rfind(","))], False
    if dots + commas > 1:
        return other, False
    if dots + commas == 0 or mark:
        return mark or ".", False
    whole, _, part = digits.partition(used)
    thousands = len(part) == _GROUP and 1 <= len(whole) <= _GROUP and whole != "0"
    return (other if thousands else used), thousands


def _well_grouped(groups: list[str]) -> bool:
    """Thousands in groups of three, or of two before the last three as in India."""
    first, *middle, last = groups
    return 1 <= len(first) <= _GROUP and len(last) == _GROUP and all(len(group) in (2, _GROUP) for group in middle)


def read_yes_no(cell: str) -> bool | None:
    """True or False for the words and digits people use, None for anything else."""
    word = fold(cell)
    if word in _YES or word == "opted in":
        return True
    return False if word in _NO or word == "opted out" else None


def read_when(cell: str) -> tuple[str, bool] | None:
    """ISO 8601 text, and whether day and month could be swapped; None when it is no date.

    Moments with a zone come out in UTC, others as they stand. `03/04/2024` is read as day, month, year.
    """
    text = cell.strip()
    if found := _ISO_DATE.match(text):
        year, month, day = (int(part) for part in found.groups())
        return _written(year, month, day, "", "", ambiguous=False)
    if found := _LOCAL_DATE.match(text):
        first, mark, second, year_text, hour, minute = found.groups("")
        day, month = int(first), int(second)
        if month > _MONTHS >= day:
            day, month = month, day
        open_question = mark != "." and max(day, month) <= _MONTHS and day != month
        return _written(int(year_text), month, day, hour, minute, ambiguous=open_question)
    if len(text) not in _ISO_CHARS or not text[:4].isdecimal():
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.isoformat(), False


def _written(year: int, month: int, day: int, hour: str, minute: str, *, ambiguous: bool) -> tuple[str, bool] | None:
    try:
        if hour:
            return f"{date(year, month, day)}T{time(int(hour), int(minute)).isoformat()}", ambiguous
        return date(year, month, day).isoformat(), ambiguous
    except ValueError:
        return None
