"""What a column's cells say about it, judged on the sample."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from fairlead.sales.intake.cells import is_empty, read_yes_no
from fairlead.sales.intake.countries import country_code
from fairlead.sales.intake.currencies import currency_of
from fairlead.sales.intake.dates import is_date, read_when
from fairlead.sales.intake.model import LeadField
from fairlead.sales.intake.numbers import read_number

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]{2,}\Z")
_PHONE = re.compile(r"[+(]?[0-9][0-9\s()./-]{5,22}(?:\s*(?:x|ext\.?)\s*[0-9]{1,6})?\Z", re.ASCII | re.IGNORECASE)
_PHONE_MARKS = re.compile(r"[+(\s)/-]|\A0[1-9]|\A00")
_DECIMAL = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?\Z", re.ASCII)
_MOST_DIGITS = 15
_MOST_CHARS = 24
_LEADING_ZERO = re.compile(r"[+-]?0[0-9]", re.ASCII)
_PHONE_DIGITS = range(7, 16)
_LONGEST_POSTCODE = 12
_CODE_CHARS = 3
_SURE = 0.8
_FEW_OUTCOMES = 6
_ENOUGH_TO_COUNT = 12


def is_email(cell: str) -> bool:
    """Roughly an address."""
    return _EMAIL.match(cell.strip()) is not None


def is_phone(cell: str) -> bool:
    """Roughly a phone number: 7 to 15 digits in the usual marks, and not a date."""
    text = cell.strip()
    return _PHONE.match(text) is not None and sum(map(str.isdecimal, text)) in _PHONE_DIGITS and not is_date(text)


def _is_count(cell: str) -> bool:
    return any(part.strip().isdecimal() for part in re.split(r"[-–+]|to|bis", cell)) or read_number(cell) is not None


def _is_wordy(cell: str) -> bool:
    return any(map(str.isalpha, cell)) and not is_email(cell)


_FITS: dict[LeadField, Callable[[str], bool]] = {
    LeadField.EMAIL: is_email,
    LeadField.PHONE: is_phone,
    LeadField.COUNTRY: lambda cell: country_code(cell) is not None,
    LeadField.VALUE: lambda cell: read_number(cell) is not None,
    LeadField.CURRENCY: lambda cell: currency_of(cell) is not None,
    LeadField.EMPLOYEES: _is_count,
    LeadField.CREATED_AT: lambda cell: read_when(cell) is not None,
    LeadField.CONSENT: lambda cell: read_yes_no(cell) is not None,
    LeadField.AGE: lambda cell: cell.strip().isdecimal() and len(cell.strip()) <= len("100"),
    LeadField.POSTAL_CODE: lambda cell: len(cell.strip()) <= _LONGEST_POSTCODE,
    LeadField.LANGUAGE: lambda cell: cell.strip()[:2].isalpha(),
}
_WORDY = (
    LeadField.NAME,
    LeadField.FIRST_NAME,
    LeadField.LAST_NAME,
    LeadField.COMPANY,
    LeadField.JOB_TITLE,
    LeadField.REGION,
    LeadField.SOURCE,
    LeadField.INDUSTRY,
)


def given(cells: Sequence[str]) -> list[str]:
    """Cells that hold something."""
    return [cell for cell in cells if not is_empty(cell)]


def fit(field: LeadField, cells: Sequence[str]) -> float | None:
    """Share of the given cells that could be this field, 0 to 1; None when nothing can be said."""
    found = given(cells)
    if not found:
        return None
    if field is LeadField.OUTCOME:
        few = len(set(found)) <= _FEW_OUTCOMES
        return 1.0 if few else 0.0 if len(found) >= _ENOUGH_TO_COUNT else None
    test = _is_wordy if field in _WORDY else _FITS.get(field)
    return None if test is None else sum(map(test, found)) / len(found)


def field_of_content(cells: Sequence[str]) -> tuple[LeadField, float] | None:
    """E-mail, phone or country, where the cells alone show it, and the share of cells that do."""
    found = given(cells)
    if not found:
        return None
    for field in (LeadField.EMAIL, LeadField.PHONE):
        share = fit(field, found) or 0.0
        marked = field is LeadField.EMAIL or sum(1 for cell in found if _PHONE_MARKS.search(cell)) > len(found) / 2
        if share >= _SURE and marked:
            return field, share
    named = [cell for cell in found if len(cell.strip()) > _CODE_CHARS]
    if len(named) > len(found) / 2 and (share := fit(LeadField.COUNTRY, found) or 0.0) >= _SURE:
        return LeadField.COUNTRY, share
    return None


def is_numeric(cells: Sequence[str]) -> bool:
    """Whether every given cell is a plain number; a leading zero (`00123`) or over 15 digits make it text."""
    found = given(cells)
    return bool(found) and all(plain_number(cell) is not None for cell in found)


def is_locale_numeric(cells: Sequence[str], mark: str) -> bool:
    """Whether every given cell is a number as some country writes it, beyond doubt where `mark` is the decimal one.

    Codes with a leading zero or of over 15 digits are text, and so are amounts with a currency.
    """
    found = given(cells)
    return bool(found) and mark in (".", ",") and all(locale_number(cell, mark) is not None for cell in found)


def locale_number(cell: str, mark: str) -> int | float | None:
    """The cell as int or float by its column's decimal mark; percentages are the figure before the sign."""
    text = cell.strip()
    if (plain := plain_number(text)) is not None and not (mark == "," and "." in text):
        return plain
    number = read_number(text, mark)
    if number is None or number.currency or number.ambiguous or _LEADING_ZERO.match(text) or len(text) > _MOST_CHARS:
        return None
    whole = number.amount == number.amount.to_integral_value()
    return int(number.amount) if whole else float(number.amount)


def plain_number(cell: str) -> int | float | None:
    """The cell as int or float when it is written as a plain number, else None."""
    if cell.isdecimal() and cell.isascii() and len(cell) <= _MOST_DIGITS:
        return int(cell) if cell[0] != "0" or cell == "0" else None
    text = cell.strip()
    if len(text) > _MOST_DIGITS or _DECIMAL.match(text) is None:
        return None
    bare = text.lstrip("+-")
    if len(bare) > 1 and bare[0] == "0" and bare[1] != ".":
        return None
    return float(text) if "." in text else int(text)
