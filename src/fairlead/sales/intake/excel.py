"""What spreadsheets do to cells: formulas left as text, error values, digits cut off, codes turned into dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from fairlead.sales.intake.cells import is_empty
from fairlead.sales.intake.dates import month_of
from fairlead.sales.intake.words import shown, word_set

_ERRORS = word_set(
    """#REF! #N/A #VALUE! #DIV/0! #NAME? #NUM! #NULL! #SPILL! #CALC! #FIELD! #GETTING_DATA #BLOCKED! #BUSY! #BEZUG!
    #NV #WERT! #ZAHL! #N/D #VALEUR! #NOM? #NOMBRE! #NUL! #¡REF! #¡VALOR! #¿NOMBRE? #¡NUM! #¡DIV/0! #RIF! #VALORE!
    #NOME? #NUM! #VERW! #WAARDE! #NAAM? #GETAL! #DEEL/0! #N/B #LEEG! #VALOR!"""
)
_LINK = re.compile(r"=\s*HYPERLINK\s*\((?P<inside>.*)\)\s*\Z", re.IGNORECASE | re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_TEXT_FORMULA = re.compile(r'="((?:[^"]|"")*)"\Z')
_APOSTROPHE = re.compile(r"'(?=[=+\-@\t0-9])")
SCIENTIFIC = re.compile(r"[-+]?[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]{1,3}\Z", re.ASCII)
_CODE_DATE = re.compile(r"(?:([0-9]{1,2})[-. ]([^\W\d_]{3,9})|([^\W\d_]{3,9})[-. ]([0-9]{1,4}))\.?\Z")
_FEW = 0.5


class Undone(NamedTuple):
    """A cell after what a spreadsheet did to it was undone as far as that is possible."""

    text: str
    """What to go on with; empty when nothing of it can be used."""
    code: str = ""
    """`excel_error`, `excel_mangled` or `formula_text`; empty when there is nothing to tell."""
    words: str = ""
    lost: bool = False
    """The cell held something that is gone."""


def is_odd(row: str) -> bool:
    """Whether any cell of a row, joined to one text, may need `undone`."""
    return "#" in row or "=" in row or "'" in row or "E+" in row


def undone(cell: str, *, email: bool = False) -> Undone | None:
    """What to make of a formula, an error value, a protected or a cut number; None for every other cell.

    `email`: of a link its address is wanted, not its words.
    """
    text = cell.strip()
    if not text:
        return None
    first = text[0]
    if first == "#" and text.upper() in _ERRORS:
        return Undone("", "excel_error", f"{shown(text)} is a spreadsheet's error; the value is gone.", lost=True)
    if first == "'" and _APOSTROPHE.match(text):
        return Undone(text[1:])
    if first == "=":
        return _formula(text, email=email)
    if "E+" in text and SCIENTIFIC.match(text):
        words = f"{shown(text)} is a long number that a spreadsheet has cut; its last digits are gone."
        return Undone(text, "excel_mangled", words, lost=True)
    return None


def _formula(text: str, *, email: bool) -> Undone:
    if plain := _TEXT_FORMULA.match(text):
        return Undone(plain[1].replace('""', '"'))
    if link := _LINK.match(text):
        parts = [part.replace('""', '"').strip() for part in _QUOTED.findall(link["inside"])]
        if parts and parts[0]:
            used = parts[0] if email or len(parts) == 1 else parts[1]
            used = re.sub(r"^mailto:", "", used, flags=re.IGNORECASE).partition("?")[0] if "@" in used else used
            return Undone(used, "formula_text", f"{shown(text)} is a link; {shown(used)} was taken from it.")
    return Undone(text, "formula_text", f"{shown(text)} looks like a formula; it is kept as text.")


def is_code_date(cell: str) -> bool:
    """`Mar-12`, `12-Mrz`, `1. Okt`: a month with one number, as spreadsheets make of codes such as MAR12 or 3-12."""
    found = _CODE_DATE.match(cell.strip())
    return found is not None and month_of(found[2] or found[3]) is not None


def holds_code_dates(cells: Sequence[str]) -> bool:
    """Whether some, but fewer than half, of a column's cells look like codes that became dates."""
    given = [cell for cell in cells if not is_empty(cell)]
    hits = sum(1 for cell in given if is_code_date(cell))
    return 0 < hits < _FEW * len(given)
