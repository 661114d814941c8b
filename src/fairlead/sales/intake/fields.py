"""One reader per field of a lead: a given cell becomes a fact of the draft, or a problem with its reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from fairlead.kit.money import currency_exponent
from fairlead.sales.intake.cells import read_yes_no
from fairlead.sales.intake.contacts import read_email, read_phone
from fairlead.sales.intake.countries import country_code
from fairlead.sales.intake.currencies import KRONA, KRONA_CODES, SHARED_SIGNS, currency_of
from fairlead.sales.intake.dates import When, is_known_year, read_when
from fairlead.sales.intake.excel import is_code_date
from fairlead.sales.intake.model import ColumnFormat, FieldValue, LeadField, Problem
from fairlead.sales.intake.numbers import MIXED, Number, read_number
from fairlead.sales.intake.words import fold, shown

MAX_TEXT_CHARS = 1_000
MAX_VALUE = 1_000_000_000_000
MAX_AGE = 120
MAX_EMPLOYEES = 10_000_000
_LANGUAGES = {
    fold(word): code
    for code, words in {
        "en": "english englisch anglais ingles inglese engels",
        "de": "german deutsch allemand aleman tedesco alemao duits",
        "fr": "french franzosisch francais frances francese frans",
        "es": "spanish spanisch espagnol espanol spagnolo espanhol spaans",
        "it": "italian italienisch italien italiano italiaans",
        "pt": "portuguese portugiesisch portugais portugues portoghese portugees",
        "nl": "dutch niederlandisch neerlandais holandes olandese nederlands",
    }.items()
    for word in words.split()
}
_LANGUAGE_TAG = re.compile(r"([A-Za-z]{2})(?:[-_][A-Za-z0-9]{2,8})*\Z")
_EMPLOYEE_RANGE = re.compile(r"([0-9][0-9.,' ]*)\s*(?:-|–|to|bis|à|a)\s*[0-9].*\Z", re.IGNORECASE)
_NO_FORMAT = ColumnFormat()
_MOST_KNOWN = 16_384


@dataclass(slots=True)
class Draft:
    """The draft of one row while it is made."""

    number: int
    currency: str
    fields: dict[str, FieldValue] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    value_minor: int | None = None
    currency_given: bool = False
    currency_bad: bool = False

    def lacking(self, name: str, code: str, words: str) -> None:
        """The cell could not be used."""
        self.problems.append(Problem(name, code, words, needs_information=True, row=self.number))

    def noted(self, name: str, code: str, words: str) -> None:
        """The cell was used, under an assumption."""
        self.problems.append(Problem(name, code, words, needs_information=False, row=self.number))


class Columns:
    """What is known of the columns that feed the fields."""

    def __init__(self, formats: Mapping[LeadField, ColumnFormat], default_country: str) -> None:
        """`default_country` alpha-2, or empty."""
        self.default_country = default_country
        self.value = formats.get(LeadField.VALUE, _NO_FORMAT).mark
        self.employees = formats.get(LeadField.EMPLOYEES, _NO_FORMAT).mark
        self.dates = formats.get(LeadField.CREATED_AT, _NO_FORMAT).dates
        self.coded_ids = formats.get(LeadField.EXTERNAL_ID, _NO_FORMAT).coded
        self._known_dates: dict[str, When | None] = {}

    def when(self, cell: str) -> When | None:
        """`read_when` in the column's style; dates of one column repeat, so they are remembered."""
        known = self._known_dates
        if cell not in known:
            if len(known) >= _MOST_KNOWN:
                known.clear()
            known[cell] = read_when(cell, self.dates)
        return known[cell]


def read_text(work: Draft, name: LeadField, cell: str) -> None:
    """Names and other words, with blanks put in order; notes keep their lines."""
    text = " ".join(cell.split())
    if name is LeadField.NOTE:
        work.fields[name.value] = cell.strip()
    elif len(text) > MAX_TEXT_CHARS:
        words = f"{shown(text)} has {len(text):,} characters; at most {MAX_TEXT_CHARS:,} make sense."
        work.lacking(name.value, "text_too_long", words)
    else:
        work.fields[name.value] = text


def _external_id(columns: Columns, work: Draft, cell: str) -> None:
    if columns.coded_ids and is_code_date(cell):
        words = f"{shown(cell)} may be a code that a spreadsheet turned into a date."
        work.lacking("external_id", "excel_date", words)
    else:
        read_text(work, LeadField.EXTERNAL_ID, cell)


def _email(_columns: Columns, work: Draft, cell: str) -> None:
    contact = read_email(cell)
    if contact.value:
        work.fields["email"] = contact.value
    else:
        work.lacking("email", "email_invalid", f"{shown(cell)} is no usable e-mail address. {contact.trouble}")


def _phone(columns: Columns, work: Draft, cell: str) -> None:
    """By the row's country, else by the default one."""
    country = str(work.fields.get("country", ""))
    contact = read_phone(cell, country or columns.default_country)
    if not contact.value:
        work.lacking("phone", "phone_invalid", f"{shown(cell)} is no usable phone number. {contact.trouble}")
        return
    work.fields["phone"] = contact.value
    if contact.assumed:
        words = f"{shown(cell)} was read as {contact.value}: it seems to lack the + before its country code."
        work.noted("phone", "phone_plus_assumed", words)
    elif not country and not cell.strip().startswith(("+", "00")):
        words = f"{shown(cell)} was read as a number of {columns.default_country}."
        work.noted("phone", "phone_country_assumed", words)


def _value(columns: Columns, work: Draft, cell: str) -> None:
    """The deal size in minor units, and the currency that the cell names."""
    number = read_number(cell, columns.value)
    if number is None or number.percent:
        why = "is a share, not an amount" if number else "is no amount"
        work.lacking("value", "value_unreadable", f"{shown(cell)} {why}.")
    elif _settled_currency(work, number, cell):
        _amount(work, number, cell, contradicted=columns.value == MIXED)


def _settled_currency(work: Draft, number: Number, cell: str) -> bool:
    """Put the cell's currency into the draft; False when the value has to stay unknown."""
    if number.currency == KRONA:
        if work.currency not in KRONA_CODES:
            words = f"{shown(cell)} may be Swedish, Norwegian, Danish or Icelandic money; name the currency."
            work.lacking("value", "currency_unknown", words)
            return False
    elif number.currency and number.currency != work.currency:
        shared = not SHARED_SIGNS.isdisjoint(cell)
        if work.currency_given and not shared:
            words = f"{shown(cell)} names another currency than the row's {work.currency}."
            work.lacking("value", "currency_conflict", words)
            return False
        if not work.currency_given:
            work.currency = number.currency
    return not work.currency_bad


def _amount(work: Draft, number: Number, cell: str, *, contradicted: bool) -> None:
    if number.amount < 0:
        work.lacking("value", "value_negative", f"A deal of {shown(cell)} cannot be.")
    elif number.amount > MAX_VALUE:
        work.lacking("value", "value_impossible", f"{shown(cell)} is above {MAX_VALUE:,}.")
    elif number.ambiguous and contradicted:
        words = f"{shown(cell)} could be {number.amount:,.0f} or a thousandth of it; the column writes both ways."
        work.lacking("value", "value_ambiguous", words)
    else:
        exact = number.amount.scaleb(currency_exponent(work.currency))
        work.value_minor = int(exact.quantize(Decimal(1), ROUND_HALF_UP))
        if number.ambiguous:
            words = f"{shown(cell)} was read as {number.amount:,.0f}; the mark could also mean decimals."
            work.noted("value", "value_ambiguous", words)


def _country(_columns: Columns, work: Draft, cell: str) -> None:
    code = country_code(cell[:200])
    if code is not None:
        work.fields["country"] = code
    else:
        work.lacking("country", "country_unknown", f"{shown(cell)} is no country that we know.")


def _currency(_columns: Columns, work: Draft, cell: str) -> None:
    code = currency_of(cell[:20])
    if code is not None and code != KRONA:
        work.currency, work.currency_given = code, True
    else:
        work.currency_bad = True
        work.lacking("currency", "currency_unknown", f"{shown(cell)} is no currency, so the value is unknown.")


def _language(_columns: Columns, work: Draft, cell: str) -> None:
    text = cell.strip()[:100]
    tag = _LANGUAGE_TAG.match(text)
    code = tag[1].lower() if tag else _LANGUAGES.get(fold(text))
    if code is not None:
        work.fields["language"] = code
    else:
        work.lacking("language", "language_unknown", f"{shown(cell)} is no language that we know.")


def _whole(cell: str, mark: str = "") -> tuple[int | None, bool]:
    """A whole number, and whether it could be a thousandth of that."""
    number = read_number(cell, mark)
    if number is None or number.currency or number.percent or number.amount != int(number.amount):
        return None, False
    return int(number.amount), number.ambiguous and number.amount % 1_000 == 0


def _employees(columns: Columns, work: Draft, cell: str) -> None:
    if len(cell) <= len("1000000") and cell.isdecimal() and cell.isascii():
        work.fields["employees"] = int(cell)
        return
    text = cell.strip()[:100]
    span = _EMPLOYEE_RANGE.match(text)
    count, doubtful = _whole(span[1] if span else text.rstrip("+ "), columns.employees)
    if count is None and is_code_date(text):
        words = f"{shown(cell)} may be a range such as 11-50 that a spreadsheet turned into a date."
        work.lacking("employees", "excel_date", words)
    elif count is None:
        work.lacking("employees", "employees_unreadable", f"{shown(cell)} is no number of employees.")
    elif not 0 <= count <= MAX_EMPLOYEES:
        work.lacking("employees", "employees_impossible", f"{shown(cell)} employees cannot be.")
    elif doubtful and columns.employees == MIXED:
        work.lacking("employees", "employees_ambiguous", f"{shown(cell)} could be {count:,} or a thousandth of it.")
    else:
        work.fields["employees"] = count
        if span or text.endswith("+"):
            work.noted("employees", "employees_lower_bound", f"{shown(cell)} was read as at least {count:,}.")
        elif doubtful:
            work.noted("employees", "employees_ambiguous", f"{shown(cell)} was read as {count:,}.")


def _age(_columns: Columns, work: Draft, cell: str) -> None:
    years = int(cell) if len(cell) <= len("999") and cell.isascii() and cell.isdecimal() else _whole(cell)[0]
    if years is None:
        work.lacking("age", "age_unreadable", f"{shown(cell)} is no age.")
    elif not 0 <= years <= MAX_AGE:
        work.lacking("age", "age_impossible", f"Nobody is {shown(cell)} years old.")
    else:
        work.fields["age"] = years


def _created_at(columns: Columns, work: Draft, cell: str) -> None:
    style = columns.dates
    when = columns.when(cell)
    if when is None:
        why = "has a month but no day or no year" if is_code_date(cell) else "is no date"
        work.lacking("created_at", "date_unreadable", f"{shown(cell)} {why}.")
    elif not is_known_year(when.iso):
        work.lacking("created_at", "date_impossible", f"{shown(cell)} is outside 1970 to 2100.")
    elif when.ambiguous and (style.mixed or not all(style.orders.values())):
        words = f"{shown(cell)} could be two dates, and the column writes dates in more than one way."
        work.lacking("created_at", "date_ambiguous", words)
    else:
        work.fields["created_at"] = when.iso
        if when.ambiguous:
            work.noted("created_at", "date_ambiguous", f"{shown(cell)} was read as day, month, year: {when.iso}.")
        elif when.contrary:
            words = f"{shown(cell)} was read as {when.iso}, unlike the order of the column's other dates."
            work.noted("created_at", "date_other_order", words)
        elif when.kind != "text" and when.kind not in style.kinds:
            work.noted("created_at", "date_assumed", f"The number {shown(cell)} was read as {when.iso}.")


def _consent(_columns: Columns, work: Draft, cell: str) -> None:
    said = read_yes_no(cell[:100])
    if said is None:
        work.lacking("consent", "consent_unreadable", f"{shown(cell)} is neither yes nor no.")
    else:
        work.fields["consent"] = said


READERS: dict[LeadField, Callable[[Columns, Draft, str], None]] = {
    LeadField.EXTERNAL_ID: _external_id,
    LeadField.COUNTRY: _country,
    LeadField.CURRENCY: _currency,
    LeadField.EMAIL: _email,
    LeadField.PHONE: _phone,
    LeadField.VALUE: _value,
    LeadField.LANGUAGE: _language,
    LeadField.EMPLOYEES: _employees,
    LeadField.AGE: _age,
    LeadField.CREATED_AT: _created_at,
    LeadField.CONSENT: _consent,
}
"""In the order in which they run: phones need the country, values the currency."""
