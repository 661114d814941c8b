"""What a column's cells say about it, judged on the sample."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from fairlead.sales.intake.cells import is_empty, read_number, read_when, read_yes_no
from fairlead.sales.intake.countries import country_code
from fairlead.sales.intake.currencies import currency_of
from fairlead.sales.intake.model import LeadField

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]{2,}\Z")
_PHONE = re.compile(r"[+(]?[0-9][0-9\s()./-]{5,22}(?:\s*(?:x|ext\.?)\s*[0-9]{1,6})?\Z", re.ASCII | re.IGNORECASE)
_PHONE_MARKS = re.compile(r"[+(\s)/-]|\A0[1-9]|\A00")
_DECIMAL = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?\Z", re.ASCII)
_MOST_DIGITS = 15
_PHONE_DIGITS = range(7, 16)
_LONGEST_POSTCODE = 12
_CODE_CHARS = 3
_GROUP = 3
_SURE = 0.8
_FEW_OUTCOMES = 6
_ENOUGH_TO_COUNT = 12


def is_email(cell: str) -> bool:
    """Roughly an address."""
    return _EMAIL.match(cell.strip()) is not None


def is_phone(cell: str) -> bool:
    """Roughly a phone number: 7 to 15 digits in the usual marks, and not a date."""
    text = cell.strip()
    return _PHONE.match(text) is not None and sum(map(str.isdecimal, text)) in _PHONE_DIGITS and read_when(text) is None


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


def plain_number(cell: str) -> int | float | None:
    """The cell as int or float when it is written as a plain number, else None."""
    text = cell.strip()
    if len(text) > _MOST_DIGITS or _DECIMAL.match(text) is None:
        return None
    bare = text.lstrip("+-")
    if len(bare) > 1 and bare[0] == "0" and bare[1] != ".":
        return None
    return float(text) if "." in text else int(text)


def decimal_mark(cells: Sequence[str]) -> str:
    """`.` or `,` when the cells show it without contradiction, else empty."""
    marks = set()
    for cell in given(cells):
        digits = re.sub(r"[^0-9.,]", "", cell)
        dot, comma = digits.rfind("."), digits.rfind(",")
        if dot >= 0 and comma >= 0:
            marks.add("." if dot > comma else ",")
        elif max(dot, comma) >= 0:
            used = "." if dot >= 0 else ","
            parts = digits.split(used)
            if digits.count(used) > 1:
                marks.add("," if used == "." else ".")
            elif len(parts[1]) != _GROUP:
                marks.add(used)
    return marks.pop() if len(marks) == 1 else ""
