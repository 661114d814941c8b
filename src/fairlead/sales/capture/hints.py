"""Names and companies that nothing announces, but which an address in the same text bears out: pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from fairlead.sales.capture import lexicon as lx
from fairlead.sales.capture.letters import Line
from fairlead.sales.intake.words import fold, word_set

Hit = tuple[str, str, int, int, float, str]
"""(field, value, start, end, confidence, rule), as `people.Hit`."""

_ADDRESS = re.compile(r"(?:([\w.+-]{1,64})@|https?://|www\.)([A-Za-z0-9-]{2,63})(?:\.[A-Za-z0-9-]{2,63}){1,4}")
_FREE = word_set(
    "gmail googlemail hotmail outlook live yahoo ymail gmx web freenet t-online orange wanadoo free laposte icloud me "
    "proton protonmail aol mail telefonica hey posteo mailbox"
)
_GENERIC = word_set("info contact kontakt contacto sales office hello mail service support admin purchasing team news")
_LEAST_PART, _LEAST_LABEL = 3, 4
_MAX_LINES = 400
_MOST = 20
"""Addresses that bear a name out; a text with more is a list, not a letter."""


def hinted(lines: Sequence[Line], sender: str) -> Iterator[Hit]:
    """Names that an e-mail address spells, and companies whose first word its domain spells.

    `sender` is the address of the letter's header, "" without one.
    """
    locals_, domains = _addresses(lines, sender)
    if not locals_ and not domains:
        return
    for line in lines[:_MAX_LINES]:
        for match in lx.NAME.finditer(line.text):
            if any(_spells(local, match[0]) for local in locals_):
                yield "name", match[0], line.start + match.start(), line.start + match.end(), 0.8, "address"
        for match in lx.COMPANY_NAME.finditer(line.text):
            for value, at in _starts(match[0]):
                if _domain_spells(domains, value) and not any(_spells(local, value) for local in locals_):
                    start = line.start + match.start() + at
                    yield "company", value, start, start + len(value), 0.72, "address"
                    break


def _addresses(lines: Sequence[Line], sender: str) -> tuple[list[str], set[str]]:
    found = [*_ADDRESS.findall(sender)]
    for line in lines[:_MAX_LINES]:
        found += _ADDRESS.findall(line.text)
    locals_ = [local.casefold() for local, _ in found if local and local.casefold() not in _GENERIC]
    domains = {
        domain.casefold() for _, domain in found if domain.casefold() not in _FREE and len(domain) >= _LEAST_LABEL
    }
    return list(dict.fromkeys(locals_))[:_MOST], set(sorted(domains)[:_MOST])


def _spells(local: str, name: str) -> bool:
    """Whether `imre.kovacs`, `ikovacs`, `i.kovacs` or `kovacs` is written for Imre Kovacs."""
    words = fold(name).split()
    first, last = words[0], words[-1]
    plain = re.sub(r"[^a-z0-9]", "", local.split("+", maxsplit=1)[0])
    whole = [first + last, last + first, first[0] + last, last + first[0], first, last]
    return len(words) > 1 and any(plain == one and len(one) >= _LEAST_PART for one in whole)


def _starts(name: str) -> Iterator[tuple[str, int]]:
    """The name from each of its capitalised words on, with where that begins: `Thanks Hartwell Textiles` has two."""
    for match in re.finditer(rf"(?<!\S)[{lx.UPPER}0-9]", name):
        words = name[match.start() :].rstrip(" ,.;").split(" ")
        while len(words) > 1 and not words[-1][:1].isupper():
            words.pop()
        yield " ".join(words), match.start()


def _domain_spells(domains: set[str], name: str) -> bool:
    """Whether a domain is made of the name's first words: `oertel-garten` of Oertel Gartenbedarf."""
    words = fold(name).split()
    for domain in domains:
        parts = domain.split("-")
        joined = "".join(words)
        if len(words[0]) >= _LEAST_LABEL and (words[0] == parts[0] or joined == "".join(parts)):
            return len(words) > 1 or words[0] == domain
        if len(words) > 1 and "".join(words[:2]) == "".join(parts):
            return True
    return False
