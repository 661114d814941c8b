"""Countries by code or name, to ISO 3166-1 alpha-2."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from fairlead.sales.intake.words import fold


@cache
def _table() -> dict[str, str]:
    """Folded codes and names → alpha-2. Two-letter codes win over names."""
    found: dict[str, str] = {}
    codes: dict[str, str] = {}
    text = files("fairlead.sales.intake").joinpath("countries.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        alpha2, alpha3, names = line.split(" ", 2)
        codes[alpha2.lower()] = codes[alpha3.lower()] = alpha2
        for name in names.split("|"):
            found.setdefault(fold(name), alpha2)
    return found | codes


def country_code(text: str) -> str | None:
    """Alpha-2 code for a code (2 or 3 letters) or a name in en, de, fr, es, it, pt, nl; None when unknown.

    `UK` is accepted for GB, articles ("the", "die", "les" …) are skipped, dots between letters too.
    """
    table = _table()
    folded = fold(text)
    if (found := table.get(folded)) is not None:
        return found
    first, _, rest = folded.partition(" ")
    if len(first) == 1 and all(len(letter) == 1 for letter in rest.split()):
        return table.get(folded.replace(" ", ""))
    return table.get(rest) if first in {"the", "die", "der", "la", "le", "les", "los", "el", "i", "gli"} else None


@cache
def alpha2_codes() -> frozenset[str]:
    """All alpha-2 codes, upper case."""
    return frozenset(_table().values())
