"""Folding of names and words, so that spelling variants meet."""

from __future__ import annotations

import re
import unicodedata

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_WORD = re.compile(r"[\W_]+")
_UNIT = re.compile(r"(?:\s(?:in|en|em))?\s(?:eur|euros?|usd|chf|gbp|[€$£])\s*\Z", re.IGNORECASE)
_BRACKETS = re.compile(r"[(\[].*?[)\]]")


def fold(text: str) -> str:
    """Lower case, no accents, each run of punctuation and blanks one space: `É-Mail  Ad.` → `e mail ad`."""
    lowered = text.casefold()
    if not lowered.isascii():
        lowered = "".join(c for c in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(c))
    return _NOT_WORD.sub(" ", lowered).strip()


def word_set(words: str) -> frozenset[str]:
    """The words of a text, cut at blanks."""
    return frozenset(words.split())


def fold_header(name: str) -> str:
    """`fold`, with camelCase cut into words and a unit dropped: `DealSize (EUR)` → `deal size`."""
    return fold(_CAMEL.sub(" ", _UNIT.sub("", _BRACKETS.sub(" ", name)))) or fold(name)


def shown(cell: str, most: int = 60) -> str:
    """The cell as a person may see it in a sentence: one line, cut to `most` characters."""
    text = "".join(c if c.isprintable() else " " for c in cell[: most + 1])
    return f"'{text[:most]}…'" if len(cell) > most else f"'{text}'"
