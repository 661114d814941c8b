"""Names of companies made comparable: forms, abbreviations, countries and word order out of the way. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from fairlead.sales.matching.lists import (
    GENERIC,
    GEO,
    GLUED_FORMS,
    JOINERS,
    LEADING_FORMS,
    LEGAL_FORMS,
    SHORT_FOR,
)
from fairlead.sales.matching.scripts import mixes_scripts, plain, scripts_of, skeleton

MAX_CHARS = 160
MAX_TOKENS = 12
_LONGEST_FORM = max(map(len, LEGAL_FORMS))
_DOTTED = re.compile(r"(?<=\w)\.(?=\w)|(?<=\b\w)\.")
_SLASHED = re.compile(r"\b([aikp])/s\b")
_NO_WORD = re.compile(r"[^\w]+|_")
_QUOTES = str.maketrans("", "", "'’`´\"“”„«»")  # noqa: RUF001  as people type them


@dataclass(frozen=True, slots=True)
class CompanyName:
    """A company's name taken apart; empty `core` says nothing."""

    core: tuple[str, ...]
    """The words that tell it from others, in order, as they look."""
    form: str = ""
    """Canonical legal form, "" when none is named."""
    places: frozenset[str] = frozenset()
    """Countries and regions that the name names."""
    numbers: frozenset[str] = frozenset()
    mixed: bool = False
    """A word has letters of two alphabets."""
    scripts: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """The same for names that differ in order, form or place only."""
        return " ".join(sorted(self.core))

    @property
    def telling(self) -> tuple[str, ...]:
        """The core without words that many names share, unless there is nothing else."""
        return tuple(word for word in self.core if word not in GENERIC) or self.core


@lru_cache(maxsize=65_536)
def company_name(text: str) -> CompanyName:
    """Take a company's name apart; at most 160 characters and 12 words of it count."""
    looked_at = text[:MAX_CHARS]
    words = words_of(_unglued(plain(looked_at)))
    rest, form = _without_form(words)
    if not form and words and words[-1] in GEO:  # `Bosch GmbH Germany`
        without_place, form = _without_form([word for word in words if word not in GEO])
        rest = [*without_place, *(word for word in words if word in GEO)] if form else rest
    spelled = [_one_spelling(word) for word in rest if word not in JOINERS] or [_one_spelling(word) for word in rest]
    places = frozenset(GEO[word] for word in spelled if word in GEO)
    core = [word for word in spelled if word not in GEO] or spelled
    return CompanyName(
        core=tuple(core[:MAX_TOKENS]),
        form=form,
        places=places if len(core) < len(spelled) else frozenset(),
        numbers=frozenset(word for word in core if any(letter.isdigit() for letter in word)),
        mixed=mixes_scripts(looked_at),
        scripts=scripts_of(" ".join(rest)),
    )


def _unglued(text: str) -> str:
    if text.isascii():
        return text
    for form in GLUED_FORMS:
        text = text.replace(form, f" {form} ")
    return text


def words_of(text: str) -> list[str]:
    """In lower case and without marks, at most three times as many as count."""
    text = _SLASHED.sub(r"\1s", text.replace("&", " and ").replace("+", " and ").translate(_QUOTES))
    return _NO_WORD.sub(" ", _DOTTED.sub("", text)).split()[: MAX_TOKENS * 3]


def _without_form(words: list[str]) -> tuple[list[str], str]:
    """The words without legal forms at their end (and those that may stand first), and the last one met."""
    form = ""
    rest = list(words)
    cut = True
    while cut and len(rest) > 1:
        cut = False
        for length in range(min(_LONGEST_FORM, len(rest) - 1), 0, -1):
            found = LEGAL_FORMS.get(tuple(rest[-length:]))
            if found is not None:
                rest, form, cut = rest[:-length], form or found, True
                break
        while cut and len(rest) > 1 and rest[-1] in {"and", "und", "et"}:
            rest.pop()
    if len(rest) > 1 and rest[0] in LEADING_FORMS:
        form = form or LEGAL_FORMS[rest[0],]
        rest = rest[1:]
    return rest, form


def _one_spelling(word: str) -> str:
    word = SHORT_FOR.get(word, word)
    return word if word in GENERIC or word in GEO else without_umlauts(skeleton(word))


def without_umlauts(word: str) -> str:
    """`mueller` as `muller`: how ü is written where there is none."""
    if len(word) <= 3 or "e" not in word:  # noqa: PLR2004  too short to be told from other words
        return word
    return word.replace("ue", "u").replace("oe", "o").replace("ae", "a")
