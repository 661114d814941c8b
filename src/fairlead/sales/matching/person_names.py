"""Names of people made comparable: titles, particles and word order taken out of the way. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from fairlead.sales.matching.lists import words as listed
from fairlead.sales.matching.names import MAX_CHARS, MAX_TOKENS, without_umlauts, words_of
from fairlead.sales.matching.scripts import mixes_scripts, plain, scripts_of, skeleton

_TITLES = listed("mr mrs ms miss dr prof herr frau mme mlle sr sra sig dipl ing mba phd jr sr med")
_PARTICLES = listed("von van de der den du di da del la le el al bin ibn zu zur ter ten dos das")


@dataclass(frozen=True, slots=True)
class PersonName:
    """A person's name taken apart; empty `words` says nothing."""

    words: tuple[str, ...]
    mixed: bool = False
    scripts: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """The same for names that differ in the order of their words only."""
        return " ".join(sorted(self.words))


@lru_cache(maxsize=65_536)
def person_name(text: str) -> PersonName:
    """Take a person's name apart: titles away, `Berg, Ann` as `Ann Berg`."""
    looked_at = text[:MAX_CHARS]
    last, comma, first = looked_at.partition(",")
    words = words_of(plain(f"{first} {last}" if comma else looked_at))
    kept = [word for word in words if word not in _TITLES and word not in _PARTICLES] or words
    told = tuple(without_umlauts(skeleton(word)) for word in kept[:MAX_TOKENS])
    return PersonName(told, mixes_scripts(looked_at), scripts_of(" ".join(kept)))
