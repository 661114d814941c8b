"""Cells to facts: what is usable is normalised, what is not becomes a problem with its reason."""

from __future__ import annotations

from collections.abc import Callable

from fairlead.errors import InputError
from fairlead.sales.intake.cells import is_empty
from fairlead.sales.intake.countries import alpha2_codes
from fairlead.sales.intake.currencies import CURRENCIES
from fairlead.sales.intake.excel import SCIENTIFIC, is_code_date, is_odd, undone
from fairlead.sales.intake.fields import MAX_EMPLOYEES, MAX_VALUE, READERS, Columns, Draft, read_text
from fairlead.sales.intake.fingerprint import Fingerprint
from fairlead.sales.intake.model import (
    AttributeValue,
    ColumnFormat,
    ColumnMapping,
    FieldValue,
    LeadDraft,
    LeadField,
    Row,
    Unreadable,
)
from fairlead.sales.intake.numbers import read_number
from fairlead.sales.intake.sniffing import locale_number, plain_number
from fairlead.sales.intake.words import fold, shown, word_set

__all__ = ["MAX_EMPLOYEES", "MAX_VALUE", "Checker", "check"]

_NO_FORMAT = ColumnFormat()
_TEXT, _CODED, _NUMBER, _COMMA = "text", "coded", ".", ","
"""What an attribute holds; numbers by their decimal mark."""
_IDENTITIES = frozenset({LeadField.EMAIL, LeadField.PHONE, LeadField.EXTERNAL_ID})
_TOTALS = word_set("""
    total totals sum summe gesamt gesamtsumme insgesamt subtotal zwischensumme somme totale totaal suma soma totaux
    grandtotal totalgeneral totalgeral subtotaal endsumme""")
_MOST_TOTAL = 24
_TOTAL_STARTS = frozenset("tTsSgGiIzZeE")


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
        self._currency = mapping.header_currency or currency
        self._header = mapping.header
        self._fingerprint = Fingerprint(mapping.header)
        self._outcome = mapping.index_of(LeadField.OUTCOME)
        self._fields = {guess.index: guess.field for guess in mapping.guesses}
        self._identities = [guess.index for guess in mapping.guesses if guess.field in _IDENTITIES]
        formats = {
            guess.field: mapping.formats[guess.index] for guess in mapping.guesses if guess.index in mapping.formats
        }
        if mapping.decimal_mark:
            formats.setdefault(LeadField.VALUE, ColumnFormat(mapping.decimal_mark))
        self._columns = Columns(formats, default_country)
        self._plan = _plan(mapping)
        left = frozenset(mapping.unmapped)
        self._attributes: list[tuple[int, str, str]] = []
        for at, name in enumerate(mapping.header):
            if name in left:
                found = mapping.formats.get(at, _NO_FORMAT)
                text = _CODED if found.coded else _TEXT
                number = _COMMA if found.mark == "," else _NUMBER
                self._attributes.append((at, name, number if name in mapping.numeric else text))

    def judge(self, row: Row) -> LeadDraft | Unreadable:
        """The row as a draft, or why it is no lead: a row of totals, or the header once more."""
        cells = row.cells
        first = cells[0] or next(filter(None, cells), "")
        if first[:1] in _TOTAL_STARTS and len(first) <= _MOST_TOTAL and self._is_total(first, cells):
            words = f"Row {row.number} holds totals ({shown(first)}), not a lead."
            return Unreadable(row.number, "totals_row", words, row.lines)
        if cells[0] == self._header[0] and cells == self._header:
            return Unreadable(row.number, "repeated_header", f"Row {row.number} is the header once more.", row.lines)
        return self.check(row)

    def _is_total(self, first: str, cells: tuple[str, ...]) -> bool:
        """The word for a total, and beside it nothing but numbers."""
        if fold(first).replace(" ", "") not in _TOTALS or any(cells[at].strip() for at in self._identities):
            return False
        rest = [cell for cell in cells if cell.strip()][1:]
        return bool(rest) and all(read_number(cell) is not None for cell in rest)

    def check(self, row: Row) -> LeadDraft:
        """The row as a draft; its problems say which cells could not be used, or only under an assumption."""
        cells = row.cells
        everything = "".join(cells)
        work = Draft(row.number, self._currency)
        if row.notes:
            for at, code, words in row.notes:
                work.noted(self._name(at), code, words)
        usable = self._undone(cells, work) if is_odd(everything) else cells
        columns = self._columns
        for at, name, reader in self._plan:
            cell = usable[at]
            if is_empty(cell):
                continue
            if reader is None:
                read_text(work, name, cell)
            else:
                reader(columns, work, cell)
        fields = work.fields
        if "name" not in fields and (whole := _whole_name(fields)):
            fields["name"] = whole
        outcome = usable[self._outcome].strip() if self._outcome is not None else ""
        return LeadDraft(
            number=row.number,
            fields=fields,
            attributes=self._attributes_of(usable, work),
            value_minor=work.value_minor,
            currency=work.currency,
            outcome=outcome or None,
            identities=_identities(fields),
            fingerprint=self._fingerprint.of(cells, everything),
            problems=tuple(work.problems),
        )

    def _name(self, at: int) -> str:
        field = self._fields.get(at)
        return field.value if field is not None else self._header[at]

    def _undone(self, cells: tuple[str, ...], work: Draft) -> tuple[str, ...]:
        """The cells without what a spreadsheet did to them; what is lost thereby is a problem."""
        usable = list(cells)
        for at, cell in enumerate(cells):
            field = self._fields.get(at)
            found = undone(cell, email=field is LeadField.EMAIL)
            if found is None:
                continue
            usable[at] = found.text
            if not found.code:
                continue
            if found.lost and field is not None and field is not LeadField.OUTCOME:
                usable[at] = ""
                work.lacking(field.value, found.code, found.words)
            else:
                work.noted(self._name(at), found.code, found.words)
        return tuple(usable)

    def _attributes_of(self, cells: tuple[str, ...], work: Draft) -> dict[str, AttributeValue]:
        found: dict[str, AttributeValue] = {}
        for at, name, kind in self._attributes:
            text = cells[at].strip()
            if not text:
                continue
            if kind is _TEXT:
                found[name] = text
            elif kind is _NUMBER and (number := plain_number(text)) is not None:
                found[name] = number
            else:
                _doubtful_attribute(found, work, name, kind, text)
        return found


def _doubtful_attribute(found: dict[str, AttributeValue], work: Draft, name: str, kind: str, text: str) -> None:
    """A cell of a column with numbers that is no plain one, or of a column in which codes became dates."""
    if kind is _CODED:
        found[name] = text
        if is_code_date(text):
            words = f"{shown(text)} may be a code that a spreadsheet turned into a date."
            work.noted(name, "excel_date", words)
    elif (number := locale_number(text, kind)) is not None:
        found[name] = number
    elif not is_empty(text):
        found[name] = text
        if not SCIENTIFIC.match(text):
            work.noted(name, "not_a_number", f"{shown(text)} is no number like the column's other cells.")


def check(row: Row, mapping: ColumnMapping, *, currency: str = "EUR", default_country: str = "") -> LeadDraft:
    """One row; for many build one `Checker`, which prepares the columns once."""
    return Checker(mapping, currency=currency, default_country=default_country).check(row)


_Reader = Callable[[Columns, Draft, str], None]


def _plan(mapping: ColumnMapping) -> list[tuple[int, LeadField, _Reader | None]]:
    """Columns in the order in which they are read: phones need the country, values the currency."""
    order = {name: at for at, name in enumerate(READERS)}
    fed = [guess for guess in mapping.guesses if guess.field is not LeadField.OUTCOME]
    fed.sort(key=lambda guess: order.get(guess.field, -1))
    return [(guess.index, guess.field, READERS.get(guess.field)) for guess in fed]


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
