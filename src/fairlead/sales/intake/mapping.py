"""Which column is which fact: by header words, by content, and by what a person said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from fairlead.errors import InputError
from fairlead.sales.intake.currencies import currency_of
from fairlead.sales.intake.model import ColumnGuess, ColumnMapping, FileShape, LeadField
from fairlead.sales.intake.sniffing import decimal_mark, field_of_content, fit, is_numeric
from fairlead.sales.intake.synonyms import STRONG, field_of_header, looks_late
from fairlead.sales.intake.words import fold_header, shown

_WANTED = (
    LeadField.NAME,
    LeadField.EMAIL,
    LeadField.PHONE,
    LeadField.COMPANY,
    LeadField.COUNTRY,
    LeadField.VALUE,
)
_HALF = 0.5
_LISTED = 20
_CONTENT_FACTOR = 0.8
_CONTRADICTED = 0.5
_UNIT = re.compile(r"[(\[\s]([^\s()\[\]]+)[)\]\s]*\Z")
_EITHER_NAME = frozenset({"nom", "nombre", "nome"})


def parse_overrides(pairs: Iterable[str]) -> dict[str, str]:
    """`["name=Kunde"]` → `{"name": "Kunde"}`.

    Raises InputError (`map_syntax`) without `=` or a field, and `mapped_twice` for a field given twice.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        field, column = field.strip(), column.strip()
        if not equals or not field:
            raise InputError(
                f"{shown(pair)} is no mapping. Write FIELD=COLUMN, for instance name=Customer.",
                code="map_syntax",
            )
        if field in found:
            raise InputError(f"The field '{field}' is mapped twice.", code="mapped_twice", field=field)
        found[field] = column
    return found


def guess_mapping(shape: FileShape, overrides: Mapping[str, str] | None = None) -> ColumnMapping:
    """Map columns to fields; overrides (field → column name, or `""` for none) win over guesses.

    Raises InputError: `unknown_field` and `unknown_column` with the nearest name, `mapped_twice` for a column
    that two overrides name.
    """
    given, closed = _resolve(shape.header, overrides or {})
    columns = {at: [cells[at] for cells in shape.sample] for at in range(len(shape.header))}
    chosen: dict[LeadField, ColumnGuess] = dict(given)
    taken = {guess.index for guess in given.values()}
    candidates = [
        guess
        for at, name in enumerate(shape.header)
        if at not in taken and (guess := _guess(at, name, columns[at], named=shape.has_header)) is not None
    ]
    for guess in sorted(candidates, key=lambda item: (-item.confidence, item.index)):
        if guess.field not in closed:
            chosen.setdefault(guess.field, guess)
    _settle_names(chosen, closed)
    used = {guess.index for guess in chosen.values()}
    rest = [(at, name) for at, name in enumerate(shape.header) if at not in used]
    money = chosen.get(LeadField.VALUE)
    return ColumnMapping(
        header=shape.header,
        guesses=tuple(chosen[field] for field in LeadField if field in chosen),
        unmapped=tuple(name for _, name in rest),
        late=tuple(name for _, name in rest if shape.has_header and looks_late(name)),
        missing=_missing(chosen),
        numeric=frozenset(name for at, name in rest if is_numeric(columns[at])),
        decimal_mark=decimal_mark(columns[money.index]) if money else "",
        header_currency=_unit(money.column) if money else "",
    )


def _resolve(
    header: tuple[str, ...], overrides: Mapping[str, str]
) -> tuple[dict[LeadField, ColumnGuess], frozenset[LeadField]]:
    """What a person said, as guesses, and the fields thereby settled, also those without a column."""
    found: dict[LeadField, ColumnGuess] = {}
    closed: set[LeadField] = set()
    by_column: dict[int, LeadField] = {}
    known = [field.value for field in LeadField]
    for name, column in overrides.items():
        if name not in known:
            raise InputError(
                f"There is no field {shown(name)}.{_nearest(name, known)} Fields: {', '.join(known)}.",
                code="unknown_field",
                field=name,
            )
        field = LeadField(name)
        closed.add(field)
        if not column:
            continue
        at = _column(header, column)
        if at in by_column:
            raise InputError(
                f"The column '{header[at]}' is mapped twice, to '{by_column[at]}' and to '{field}'.",
                code="mapped_twice",
                column=header[at],
            )
        by_column[at] = field
        found[field] = ColumnGuess(field, header[at], at, 1.0, "given")
    return found, frozenset(closed)


def _column(header: tuple[str, ...], wanted: str) -> int:
    """Position by exact name, else by name without regard to case and accents where only one matches."""
    if wanted in header:
        return header.index(wanted)
    loose = [at for at, name in enumerate(header) if fold_header(name) == fold_header(wanted)]
    if len(loose) == 1:
        return loose[0]
    some = ", ".join(header[:_LISTED]) + (" …" if len(header) > _LISTED else "")
    raise InputError(
        f"There is no column {shown(wanted)}.{_nearest(wanted, list(header))} Columns: {some}.",
        code="unknown_column",
        column=wanted,
    )


def _nearest(word: str, known: list[str]) -> str:
    folded = {fold_header(name): name for name in reversed(known)}
    close = get_close_matches(fold_header(word[:200]), list(folded), n=1, cutoff=0.6)
    return f" Did you mean '{folded[close[0]]}'?" if close else ""


def _guess(at: int, name: str, cells: list[str], *, named: bool) -> ColumnGuess | None:
    """The best reading of one column, or None."""
    by_header = field_of_header(name) if named else None
    by_content = field_of_content(cells)
    if by_header is not None:
        field, confidence = by_header
        share = fit(field, cells)
        if share is None:
            return ColumnGuess(field, name, at, confidence, "header")
        if share >= _HALF:
            return ColumnGuess(field, name, at, min(0.99, confidence + 0.01), "header + content")
        if confidence >= STRONG and field is not LeadField.OUTCOME and by_content is None:
            return ColumnGuess(field, name, at, _CONTRADICTED, "header, content differs")
    if by_content is not None:
        field, share = by_content
        return ColumnGuess(field, name, at, round(share * _CONTENT_FACTOR, 2), "content")
    return None


def _settle_names(chosen: dict[LeadField, ColumnGuess], closed: frozenset[LeadField]) -> None:
    """`Nom`, `Nombre` and `Nome` mean a whole name when no column holds the other half."""
    if LeadField.NAME in chosen or LeadField.NAME in closed:
        return
    for half, other in (
        (LeadField.FIRST_NAME, LeadField.LAST_NAME),
        (LeadField.LAST_NAME, LeadField.FIRST_NAME),
    ):
        guess = chosen.get(half)
        if (
            guess is not None
            and other not in chosen
            and half not in closed
            and fold_header(guess.column) in _EITHER_NAME
        ):
            del chosen[half]
            chosen[LeadField.NAME] = ColumnGuess(
                LeadField.NAME, guess.column, guess.index, guess.confidence, guess.reason
            )
            return


def _missing(chosen: dict[LeadField, ColumnGuess]) -> tuple[LeadField, ...]:
    named = LeadField.FIRST_NAME in chosen or LeadField.LAST_NAME in chosen
    return tuple(field for field in _WANTED if field not in chosen and not (field is LeadField.NAME and named))


def _unit(column: str) -> str:
    """Currency named at the end of a header: `Amount (EUR)`, `Wert in €`."""
    found = _UNIT.search(column)
    return (currency_of(found[1]) or "") if found else ""
