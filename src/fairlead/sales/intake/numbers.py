"""Numbers and money as people write them in any country, and what a column's cells say about its marks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from fairlead.sales.intake.currencies import currency_of

MIXED = "?"
"""Decimal mark of a column whose cells contradict each other."""
_MOST_DIGITS = 18
_GROUP = 3
_MOST_CHARS = 64
_PLAIN = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,2})?\Z", re.ASCII)
_PLAIN_COMMA = re.compile(r"-?[0-9]{1,15},[0-9]{1,2}\Z", re.ASCII)
_SPACED = re.compile(r"(?<=[0-9])[\s\u00a0\u202f\u2009'’](?=[0-9]{3}(?![0-9]))")
_WHOLE_DASH = re.compile(r"[.,][-–—]+\Z")
_MONEY = re.compile(
    r"(?P<open>\()?\s*(?P<sign>[+\u2212-])?\s*(?P<before>[^\d.,()+\s\u2212-]{1,8}\.?)?\s*(?P<inner>[+\u2212-])?\s*"
    r"(?P<digits>[0-9][0-9.,]*|[.,][0-9]+)\s*(?:(?P<scale>k|tsd|mio|mln|mn|m|mrd|bn|lakhs?|lacs?|crores?|cr)\.?(?![a-z]))?"
    r"\s*(?P<after>[^\d.,()+\s\u2212-]{1,8}\.?)?\s*(?P<close>\))?(?P<last>[\u2212-])?\Z",
    re.IGNORECASE,
)
_SCALES = {
    "k": 10**3, "tsd": 10**3, "m": 10**6, "mio": 10**6, "mln": 10**6, "mn": 10**6, "mrd": 10**9, "bn": 10**9,
    "lakh": 10**5, "lakhs": 10**5, "lac": 10**5, "lacs": 10**5, "crore": 10**7, "crores": 10**7, "cr": 10**7,
}  # fmt: skip
_OTHER_MARKS = {"\u066b": ".", "\u066c": "'", "\uff0e": ".", "\uff0c": ","}
"""Arabic decimal and thousands separators, full-width stop and comma."""


class Number(NamedTuple):
    """A number read from a cell."""

    amount: Decimal
    currency: str
    """ISO code that stood in the cell, else empty."""
    ambiguous: bool
    """True for the likes of `12.500` when nothing tells thousands from decimals; read as thousands."""
    percent: bool = False
    """A `%` stood behind it; the amount is the figure before it."""


class _Written(NamedTuple):
    """The parts of a number before its marks are understood."""

    digits: str
    grouped: bool
    """Blanks or apostrophes group its thousands, so that a mark in it can only be the decimal one."""
    minus: bool
    scale: int
    word: str


def read_number(cell: str, decimal_mark: str = "") -> Number | None:
    """A number as written in any of our languages, with or without a currency or `%`; None when it is none.

    What can be read in one way only is read so. `decimal_mark` (`.` or `,`, from the column's other cells) settles
    `12.500`; without it, or with MIXED, such a text is thousands and `ambiguous`. Accepts blanks and apostrophes
    between thousands, Indian grouping, `(1,200)` and a trailing minus for negatives, and the scales `k`, `tsd`,
    `m`, `mio`, `mrd`, `bn`, `lakh`, `crore`.
    """
    text = cell.strip()
    if _PLAIN.match(text):
        return Number(Decimal(text), "", ambiguous=False)
    if _PLAIN_COMMA.match(text):
        return Number(Decimal(text.replace(",", ".")), "", ambiguous=False)
    percent = text.endswith("%")
    written = _written(text.rstrip("% \u00a0\u202f") if percent else text)
    if written is None:
        return None
    word = written.word.rstrip(".") or written.word
    currency = (currency_of(written.word) or currency_of(word)) if word else ""
    if currency is None or (percent and word):
        return None
    readings = _readings(written)
    known = [reading for reading in readings if reading is not None]
    if not known:
        return None
    ambiguous = len(set(known)) > 1
    if ambiguous and decimal_mark in (".", ","):
        amount, ambiguous = readings[0 if decimal_mark == "." else 1], False
    else:
        amount = max(known)  # the one in which the mark groups thousands is the larger
    assert amount is not None  # noqa: S101  both are known where it is ambiguous
    amount *= written.scale
    return Number(-amount if written.minus else amount, currency, ambiguous, percent)


def decimal_mark(cells: Iterable[str]) -> str:
    """`.` or `,` when the cells show it, MIXED when they contradict each other, empty when none shows it."""
    votes: set[str] = set()
    for cell in cells:
        if (written := _written(cell.strip().rstrip("% "))) is not None:
            dot, comma = _readings(written)
            if dot is None and comma is not None:
                votes.add(",")
            elif comma is None and dot is not None:
                votes.add(".")
    return votes.pop() if len(votes) == 1 else MIXED if votes else ""


def is_ambiguous(cell: str) -> bool:
    """Whether the cell is a number that means another amount where the other mark groups thousands."""
    found = read_number(cell)
    return found is not None and found.ambiguous


def latin_digits(text: str) -> str:
    """The text with the digits and marks of other scripts, such as Arabic ones, as ours."""
    return "".join(
        _OTHER_MARKS.get(c, c) if (digit := unicodedata.decimal(c, None)) is None else str(digit) for c in text
    )


def _written(text: str) -> _Written | None:
    if not text or len(text) > _MOST_CHARS:
        return None
    if not text.isascii():
        text = latin_digits(text)
    bare = _SPACED.sub("", text)
    if dashed := _WHOLE_DASH.search(bare):
        bare = bare[: dashed.start()]
        if bare.endswith(tuple("0123456789")) and not _SPACED.search(text):
            # `1.200,-`: the mark before the dash is the decimal one.
            bare = f"{bare}{dashed[0][0]}00"
    found = _MONEY.match(bare)
    if found is None or bool(found["open"]) != bool(found["close"]) or (found["before"] and found["after"]):
        return None
    signs = [found[part] for part in ("open", "sign", "inner", "last") if found[part]]
    if len(signs) > 1:
        return None
    minus = bool(signs) and signs[0] != "+"
    scale = _SCALES[found["scale"].lower()] if found["scale"] else 1
    return _Written(found["digits"], bare != text and bool(_SPACED.search(text)), minus, scale,
                    found["before"] or found["after"] or "")  # fmt: skip


def _readings(written: _Written) -> tuple[Decimal | None, Decimal | None]:
    """The amount where `.` is the decimal mark, and where `,` is; None where it cannot be."""
    return _reading(written, ".", ","), _reading(written, ",", ".")


def _reading(written: _Written, mark: str, grouping: str) -> Decimal | None:
    whole, found, part = written.digits.partition(mark)
    if (found and mark in part) or grouping in part or (written.grouped and grouping in whole):
        return None
    groups = whole.split(grouping)
    if len(groups) > 1 and not _well_grouped(groups):
        return None
    joined = "".join(groups)
    if not (joined + part).isdecimal() or max(len(joined), len(part)) > _MOST_DIGITS:
        return None
    return Decimal(f"{joined or '0'}.{part or '0'}")


def _well_grouped(groups: list[str]) -> bool:
    """Thousands in groups of three, or of two before the last three as in India; no leading zero."""
    first, *middle, last = groups
    return (
        1 <= len(first) <= _GROUP and first[0] != "0" and len(last) == _GROUP
        and len({len(group) for group in middle}) <= 1 and all(len(group) in (2, _GROUP) for group in middle)
        and not (middle and len(middle[0]) == 2 and len(first) > 2)  # noqa: PLR2004  lakhs have groups of two
    )  # fmt: skip
