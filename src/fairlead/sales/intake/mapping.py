"""Which column is which fact: by header words, by content, and by what a person said."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from fairlead.errors import InputError
from fairlead.sales.intake.currencies import currency_of
from fairlead.sales.intake.formats import formats_of, statements_of
from fairlead.sales.intake.model import ColumnGuess, ColumnMapping, FileShape, LeadField
from fairlead.sales.intake.sniffing import field_of_content, fit, is_locale_numeric, is_numeric
from fairlead.sales.intake.synonyms import STRONG, field_of_header, looks_late
from fairlead.sales.intake.words import fold, fold_header, shown

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
_HINTS = 3
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


def guess_mapping(
    shape: FileShape,
    overrides: Mapping[str, str] | None = None,
    *,
    known: Mapping[str, str] | None = None,
    known_from: str = "",
) -> ColumnMapping:
    """Map columns to fields; overrides (field → column name, or `""` for none) win over guesses.

    `known` is a whole mapping that a person confirmed for such columns, and `known_from` says where: it takes the
    place of guessing, for every field. Raises InputError: `unknown_field` and `unknown_column` with the nearest
    name, `mapped_twice` for a column that two overrides name.
    """
    given, closed = _resolve(shape.header, overrides or {})
    taken = {guess.index for guess in given.values()}
    chosen: dict[LeadField, ColumnGuess] = dict(given)
    columns = _Columns(shape)
    if known is not None:
        for one in _known(shape.header, known):
            if one.index not in taken and one.field not in closed:
                chosen.setdefault(one.field, one)
    else:
        candidates = [
            guess
            for at, name in enumerate(shape.header)
            if at not in taken and (guess := _guess(at, name, columns.sample(at), named=shape.has_header)) is not None
        ]
        for guess in sorted(candidates, key=lambda item: (-item.confidence, item.index)):
            if guess.field not in closed:
                chosen.setdefault(guess.field, guess)
        _settle_names(chosen, closed)
    return _described(shape, columns, chosen, known_from if known is not None else "")


class _Columns:
    """Cells of the sample by column."""

    def __init__(self, shape: FileShape) -> None:
        self._shape = shape

    def sample(self, at: int) -> list[str]:
        """Of the first records."""
        return [cells[at] for cells in self._shape.sample]

    def evidence(self, at: int) -> list[str]:
        """Of the first records and of those from all over the file."""
        return [*self.sample(at), *(cells[at] for cells in self._shape.evidence)]


def _described(
    shape: FileShape, columns: _Columns, chosen: dict[LeadField, ColumnGuess], remembered: str
) -> ColumnMapping:
    used = {guess.index: guess.field for guess in chosen.values()}
    rest = [(at, name) for at, name in enumerate(shape.header) if at not in used]
    money = chosen.get(LeadField.VALUE)
    formats = {
        at: found
        for at, name in enumerate(shape.header)
        if (found := formats_of(columns.evidence(at), used.get(at), typed=name in shape.typed)) is not None
    }
    return ColumnMapping(
        header=shape.header,
        guesses=tuple(chosen[field] for field in LeadField if field in chosen),
        unmapped=tuple(name for _, name in rest),
        late=tuple(name for _, name in rest if shape.has_header and looks_late(name)),
        missing=_missing(chosen),
        numeric=frozenset(
            name
            for at, name in rest
            if is_numeric(cells := columns.sample(at)) or (at in formats and is_locale_numeric(cells, formats[at].mark))
        ),
        decimal_mark=formats[money.index].mark if money and money.index in formats else "",
        header_currency=_unit(money.column) if money else "",
        formats=formats,
        statements=statements_of(shape, used, formats, columns.evidence),
        remembered=remembered,
    )


def _known(header: tuple[str, ...], known: Mapping[str, str]) -> list[ColumnGuess]:
    """A remembered mapping on this header; what does not fit any more is passed over."""
    found: dict[int, ColumnGuess] = {}
    fields = {field.value for field in LeadField}
    for name, column in known.items():
        at = _position(header, column)
        if name in fields and at is not None and at not in found:
            found[at] = ColumnGuess(LeadField(name), header[at], at, 1.0, "remembered")
    return list(found.values())


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


def _position(header: tuple[str, ...], wanted: str) -> int | None:
    """By exact name, else by the same name but for case, accents, marks and unit where only one column has it."""
    if wanted in header:
        return header.index(wanted)
    loose = [at for at, name in enumerate(header) if fold_header(name) == fold_header(wanted)]
    return loose[0] if len(loose) == 1 else None


def _column(header: tuple[str, ...], wanted: str) -> int:
    """`_position`, or an InputError that names what was probably meant: part of a name is not enough."""
    at = _position(header, wanted)
    if at is not None:
        return at
    some = ", ".join(header[:_LISTED]) + (" …" if len(header) > _LISTED else "")
    raise InputError(
        f"There is no column {shown(wanted)}.{_meant(wanted, header)} Columns: {some}.",
        code="unknown_column",
        column=wanted,
    )


def _meant(wanted: str, header: tuple[str, ...]) -> str:
    """A hint: the columns that differ only in case, that hold the words, or that are spelt most alike."""
    folded = fold_header(wanted[:200])
    alike = [name for name in header if fold_header(name) == folded]
    alike = alike or [name for name in header if folded and f" {folded} " in f" {fold_header(name)} "]
    if alike:
        several = " or ".join(f"'{name}'" for name in alike[:_HINTS])
        return f" Did you mean {several}? Write the whole name."
    return _nearest(wanted, list(header))


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


def columns_key(header: Sequence[str]) -> str:
    """One key for all headers with the same column names, whatever their order, case, accents and marks."""
    names = sorted(fold(name) or name for name in header)
    return hashlib.sha256("\x1f".join(names).encode("utf-8", "surrogatepass")).hexdigest()


def as_known(mapping: ColumnMapping) -> dict[str, str]:
    """The mapping as field → column, to be remembered and given back as `known`."""
    return {str(guess.field): guess.column for guess in mapping.guesses}
