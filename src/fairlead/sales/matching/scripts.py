"""Letters that look like other letters: folded for comparison, and told when a word mixes alphabets.

The tables are our own list of the letters that fool a reader at the size of a business name. They are
deliberately small: a pair is in them when the two shapes cannot be told apart in a common sans-serif face.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_CYRILLIC = str.maketrans("авекмнорстухіјѕԁһԛԝӏьъ", "abekmhopctyxijsdhqwlbb")
_GREEK = str.maketrans("αβγεηικνορστυχω", "abyenikvopotuxw")
_OTHERS = str.maketrans("ıøłđðþæœ", "iolddpao")
_LOOKALIKES = {**_CYRILLIC, **_GREEK, **_OTHERS}
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "HEBREW", "ARABIC", "CJK", "HIRAGANA", "KATAKANA", "HANGUL")
_CONFUSED = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN"})


@lru_cache(maxsize=4_096)
def script_of(letter: str) -> str:
    """The alphabet of one character; "" for digits, marks and what stands in none of those known."""
    if not letter.isalpha():
        return ""
    name = unicodedata.name(letter, "")
    return next((script for script in _SCRIPTS if name.startswith(script)), "OTHER")


def scripts_of(text: str) -> frozenset[str]:
    """Every alphabet that the text's letters are of."""
    return frozenset(script_of(letter) for letter in set(text)) - {""}


def mixes_scripts(text: str) -> bool:
    """Whether a single word has letters of two alphabets that are taken for one another.

    A Latin word beside a Greek one is nothing odd; a Latin word with one Cyrillic letter in it is.
    """
    if text.isascii():
        return False
    return any(len(scripts_of(word) & _CONFUSED) > 1 for word in text.split())


def plain(text: str) -> str:
    """Case, width, accents and invisible marks away; letters of other alphabets stay what they are."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(
        letter for letter in decomposed if not unicodedata.combining(letter) and unicodedata.category(letter) != "Cf"
    )


def skeleton(text: str) -> str:
    """How a plain text looks: letters of other alphabets as the Latin ones they are mistaken for."""
    return text if text.isascii() else text.translate(_LOOKALIKES)
