"""Deal sizes and head counts in running text: pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from fairlead.kit.money import currency_exponent
from fairlead.sales.capture import lexicon as lx
from fairlead.sales.capture.letters import Line
from fairlead.sales.intake.checking import MAX_EMPLOYEES, MAX_VALUE
from fairlead.sales.intake.currencies import currency_of
from fairlead.sales.intake.numbers import read_number

_SCALES = {"k": 1_000, "tsd": 1_000, "mil": 1_000, "mio": 1_000_000, "m": 1_000_000}
_CUE_WINDOW = 50


def read_money(text: str) -> list[tuple[str, int, int]]:
    """(`15000.00 GBP`, start, end) of each amount of money that is not a price per user or month."""
    found = []
    for match in lx.MONEY.finditer(text):
        if lx.RECURRING.match(text, match.end()):
            continue
        number = read_number(match["a"] or match["b"])
        currency = currency_of((match["before"] or match["after"]).lower())
        if number is None or currency is None:
            continue
        amount = number.amount * _scale(match["as"] or match["bs"])
        if 0 < amount <= MAX_VALUE:
            places = Decimal(1).scaleb(-currency_exponent(currency))
            found.append((f"{amount.quantize(places)} {currency}", match.start(), match.end()))
    return found


def _scale(word: str | None) -> int:
    if not word:
        return 1
    plain = word.lower().rstrip(".")
    return _SCALES.get(plain, 1_000_000 if plain.startswith("mill") else 1)


def find_amounts(lines: Iterable[Line]) -> Iterator[tuple[str, int, int, float]]:
    """(value, start, end, confidence) of each amount; surer where a word such as `budget` stands near."""
    for line in lines:
        for value, start, end in read_money(line.text):
            near = line.text[max(0, start - _CUE_WINDOW) : end + _CUE_WINDOW]
            yield value, line.start + start, line.start + end, 0.85 if lx.VALUE_CUE.search(near) else 0.7


def read_headcount(text: str) -> int | None:
    """The first whole number of a text, within what is possible."""
    match = re.search(r"\d[\d.,'’ ]{0,11}", text)
    number = read_number(match[0].strip(" .,'")) if match else None
    if number is None or number.amount != int(number.amount) or not 0 <= number.amount <= MAX_EMPLOYEES:
        return None
    return int(number.amount)


def find_headcount(lines: Iterable[Line]) -> Iterator[tuple[int, int, int, float]]:
    """(count, start, end, confidence) of each number of employees."""
    for line in lines:
        for match in lx.PEOPLE_COUNT.finditer(line.text):
            count = read_headcount(match[1])
            if count is not None:
                sure = 0.6 if match[2].casefold() in lx.SURE_COUNT else 0.85
                yield count, line.start + match.start(), line.start + match.end(), sure
        for match in lx.HEADCOUNT.finditer(line.text):
            count = read_headcount(match[1])
            if count is not None:
                yield count, line.start + match.start(), line.start + match.end(), 0.85
