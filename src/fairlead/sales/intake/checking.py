"""Cells to facts: what is usable is normalised, what is not becomes a problem with its reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from fairlead.errors import InputError
from fairlead.kit.money import currency_exponent
from fairlead.sales.intake.cells import is_empty, read_number, read_when, read_yes_no
from fairlead.sales.intake.contacts import read_email, read_phone
from fairlead.sales.intake.countries import alpha2_codes, country_code
from fairlead.sales.intake.currencies import CURRENCIES, SHARED_SIGNS, currency_of
from fairlead.sales.intake.fingerprint import Fingerprint
from fairlead.sales.intake.model import (
    AttributeValue,
    ColumnMapping,
    FieldValue,
    LeadDraft,
    LeadField,
    Problem,
    Row,
)
from fairlead.sales.intake.sniffing import plain_number
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


@dataclass(slots=True)
class _Work:
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


class Checker:
    """Checks rows of one mapping; never raises for what a cell holds."""

    def __init__(self, mapping: ColumnMapping, *, currency: str = "EUR", default_country: str = "") -> None:
        """Prepare the columns.

        `currency`: ISO 4217 code of the workspace, for values that name none. `default_country`: alpha-2 code
        for phone numbers without country code in rows without a country; empty leaves those unusable.

        Raises InputError (`unknown_currency`, `unknown_country`) when either is no such code.
        """
        if currency not in CURRENCIES:
            raise InputError(f"{shown(currency)} is no currency code. Write one such as EUR.", code="unknown_currency")
        if default_country and default_country not in alpha2_codes():
            raise InputError(
                f"{shown(default_country)} is no country code. Write two letters such as DE.",
                code="unknown_country",
            )
        self._mapping = mapping
        self._currency = mapping.header_currency or currency
        self._country = default_country
        self._fingerprint = Fingerprint(mapping.header)
        self._outcome = mapping.index_of(LeadField.OUTCOME)
        order = {name: at for at, name in enumerate(_READERS)}
        self._plan = sorted(
            ((guess.index, guess.field) for guess in mapping.guesses if guess.field is not LeadField.OUTCOME),
            key=lambda step: order.get(step[1], -1),
        )
        left = frozenset(mapping.unmapped)
        self._attributes = [
            (at, name, name in mapping.numeric) for at, name in enumerate(mapping.header) if name in left
        ]

    def check(self, row: Row) -> LeadDraft:
        """The row as a draft; its problems say which cells could not be used, or only under an assumption."""
        cells = row.cells
        work = _Work(row.number, self._currency)
        for at, name in self._plan:
            cell = cells[at]
            if is_empty(cell):
                continue
            reader = _READERS.get(name)
            if reader is None:
                _text(work, name, cell)
            else:
                reader(self, work, cell)
        fields = work.fields
        if "name" not in fields and (whole := _whole_name(fields)):
            fields["name"] = whole
        outcome = cells[self._outcome].strip() if self._outcome is not None else ""
        return LeadDraft(
            number=row.number,
            fields=fields,
            attributes=self._attributes_of(cells, work),
            value_minor=work.value_minor,
            currency=work.currency,
            outcome=outcome or None,
            identities=_identities(fields),
            fingerprint=self._fingerprint.of(cells),
            problems=tuple(work.problems),
        )

    def _attributes_of(self, cells: tuple[str, ...], work: _Work) -> dict[str, AttributeValue]:
        found: dict[str, AttributeValue] = {}
        for at, name, numeric in self._attributes:
            text = cells[at].strip()
            if not text:
                continue
            if not numeric:
                found[name] = text
            elif (number := plain_number(text)) is not None:
                found[name] = number
            elif not is_empty(text):
                found[name] = text
                work.noted(name, "not_a_number", f"{shown(text)} is no number like the column's other cells.")
        return found

    def read_email_cell(self, work: _Work, cell: str) -> None:
        """Put the address into the draft, or why it cannot be used."""
        contact = read_email(cell)
        if contact.value:
            work.fields["email"] = contact.value
        else:
            work.lacking("email", "email_invalid", f"{shown(cell)} is no usable e-mail address. {contact.trouble}")

    def read_phone_cell(self, work: _Work, cell: str) -> None:
        """Put the number into the draft, read by the row's country, else by the default one."""
        country = str(work.fields.get("country", ""))
        contact = read_phone(cell, country or self._country)
        if not contact.value:
            work.lacking("phone", "phone_invalid", f"{shown(cell)} is no usable phone number. {contact.trouble}")
            return
        work.fields["phone"] = contact.value
        if not country and not cell.strip().startswith(("+", "00")):
            work.noted("phone", "phone_country_assumed", f"{shown(cell)} was read as a number of {self._country}.")

    def read_value_cell(self, work: _Work, cell: str) -> None:
        """Put the deal size into the draft in minor units, and the currency that the cell names."""
        number = read_number(cell, self._mapping.decimal_mark)
        if number is None:
            work.lacking("value", "value_unreadable", f"{shown(cell)} is no amount.")
            return
        if number.currency and number.currency != work.currency:
            shared = not SHARED_SIGNS.isdisjoint(cell)
            if work.currency_given and not shared:
                words = f"{shown(cell)} names another currency than the row's {work.currency}."
                work.lacking("value", "currency_conflict", words)
                return
            if not work.currency_given:
                work.currency = number.currency
        if work.currency_bad:
            return
        if number.amount < 0:
            work.lacking("value", "value_negative", f"A deal of {shown(cell)} cannot be.")
        elif number.amount > MAX_VALUE:
            work.lacking("value", "value_impossible", f"{shown(cell)} is above {MAX_VALUE:,}.")
        else:
            exact = number.amount.scaleb(currency_exponent(work.currency))
            work.value_minor = int(exact.quantize(Decimal(1), ROUND_HALF_UP))
            if number.ambiguous:
                words = f"{shown(cell)} was read as {number.amount:,.0f}; the mark could also mean decimals."
                work.noted("value", "value_ambiguous", words)


def check(row: Row, mapping: ColumnMapping, *, currency: str = "EUR", default_country: str = "") -> LeadDraft:
    """One row; for many build one `Checker`, which prepares the columns once."""
    return Checker(mapping, currency=currency, default_country=default_country).check(row)


def _text(work: _Work, name: LeadField, cell: str) -> None:
    text = " ".join(cell.split())
    if name is LeadField.NOTE:
        work.fields[name.value] = cell.strip()
    elif len(text) > MAX_TEXT_CHARS:
        words = f"{shown(text)} has {len(text):,} characters; at most {MAX_TEXT_CHARS:,} make sense."
        work.lacking(name.value, "text_too_long", words)
    else:
        work.fields[name.value] = text


def _country(_checker: Checker, work: _Work, cell: str) -> None:
    code = country_code(cell[:200])
    if code is not None:
        work.fields["country"] = code
    else:
        work.lacking("country", "country_unknown", f"{shown(cell)} is no country that we know.")


def _currency(_checker: Checker, work: _Work, cell: str) -> None:
    code = currency_of(cell[:20])
    if code is not None:
        work.currency, work.currency_given = code, True
    else:
        work.currency_bad = True
        work.lacking("currency", "currency_unknown", f"{shown(cell)} is no currency, so the value is unknown.")


def _language(_checker: Checker, work: _Work, cell: str) -> None:
    text = cell.strip()[:100]
    tag = _LANGUAGE_TAG.match(text)
    code = tag[1].lower() if tag else _LANGUAGES.get(fold(text))
    if code is not None:
        work.fields["language"] = code
    else:
        work.lacking("language", "language_unknown", f"{shown(cell)} is no language that we know.")


def _whole(cell: str) -> int | None:
    number = read_number(cell)
    return int(number.amount) if number is not None and number.amount == int(number.amount) else None


def _employees(_checker: Checker, work: _Work, cell: str) -> None:
    text = cell.strip()[:100]
    span = _EMPLOYEE_RANGE.match(text)
    count = _whole(span[1] if span else text.rstrip("+ "))
    if count is None:
        work.lacking("employees", "employees_unreadable", f"{shown(cell)} is no number of employees.")
    elif not 0 <= count <= MAX_EMPLOYEES:
        work.lacking("employees", "employees_impossible", f"{shown(cell)} employees cannot be.")
    else:
        work.fields["employees"] = count
        if span or text.endswith("+"):
            work.noted("employees", "employees_lower_bound", f"{shown(cell)} was read as at least {count:,}.")


def _age(_checker: Checker, work: _Work, cell: str) -> None:
    years = _whole(cell)
    if years is None:
        work.lacking("age", "age_unreadable", f"{shown(cell)} is no age.")
    elif not 0 <= years <= MAX_AGE:
        work.lacking("age", "age_impossible", f"Nobody is {shown(cell)} years old.")
    else:
        work.fields["age"] = years


def _created_at(_checker: Checker, work: _Work, cell: str) -> None:
    when = read_when(cell)
    if when is None:
        work.lacking("created_at", "date_unreadable", f"{shown(cell)} is no date.")
    elif not "1970" <= when[0][:4] <= "2100":
        work.lacking("created_at", "date_impossible", f"{shown(cell)} is outside 1970 to 2100.")
    else:
        work.fields["created_at"] = when[0]
        if when[1]:
            work.noted("created_at", "date_ambiguous", f"{shown(cell)} was read as day, month, year: {when[0]}.")


def _consent(_checker: Checker, work: _Work, cell: str) -> None:
    said = read_yes_no(cell[:100])
    if said is None:
        work.lacking("consent", "consent_unreadable", f"{shown(cell)} is neither yes nor no.")
    else:
        work.fields["consent"] = said


_READERS: dict[LeadField, Callable[[Checker, _Work, str], None]] = {
    LeadField.COUNTRY: _country,
    LeadField.CURRENCY: _currency,
    LeadField.EMAIL: Checker.read_email_cell,
    LeadField.PHONE: Checker.read_phone_cell,
    LeadField.VALUE: Checker.read_value_cell,
    LeadField.LANGUAGE: _language,
    LeadField.EMPLOYEES: _employees,
    LeadField.AGE: _age,
    LeadField.CREATED_AT: _created_at,
    LeadField.CONSENT: _consent,
}
"""In the order in which they run: phones need the country, values the currency."""


def _whole_name(fields: dict[str, FieldValue]) -> str:
    return f"{fields.get('first_name', '')} {fields.get('last_name', '')}".strip()


def _identities(fields: dict[str, FieldValue]) -> tuple[tuple[str, str], ...]:
    found = []
    if "email" in fields:
        found.append(("email", str(fields["email"]).casefold()))
    if "external_id" in fields:
        found.append(("external_id", str(fields["external_id"])))
    if "phone" in fields:
        found.append(("phone", str(fields["phone"])))
    return tuple(found)
