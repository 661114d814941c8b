"""How alike two names are, from 0 to 1, whichever comes first. Pure.

Loaded with the first comparison, since rapidfuzz takes a while to load.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rapidfuzz.fuzz import ratio

from fairlead.sales.matching.lists import GENERIC
from fairlead.sales.matching.names import CompanyName
from fairlead.sales.matching.person_names import PersonName

COMMON_WEIGHT = 0.35
"""What a word that many names share counts, beside 1 for any other."""
_ALIKE = 78.0
_ONE_WORD = 0.75
_ACRONYM = 0.88
_BOTH_LEFT_OVER = 0.85
_LAST_NAME_ALONE = 0.8
_CUT_SHORT = 0.8
_SHORT = 3


def company_similarity(left: CompanyName, right: CompanyName) -> float:
    """1 for the same words in any order, 0 for nothing in common or nothing known."""
    if not left.core or not right.core:
        return 0.0
    if left.key == right.key:
        return 1.0
    if _is_acronym(left.core, right.core) or _is_acronym(right.core, left.core):
        return _ACRONYM
    together = ratio("".join(sorted(left.core)), "".join(sorted(right.core))) / 100
    glued = max(together, ratio("".join(left.core), "".join(right.core)) / 100)
    by_words = _by_words(left.core, right.core, lambda word: COMMON_WEIGHT if word in GENERIC else 1.0)
    return max(by_words, glued * 0.97 if glued > 0.93 else 0.0)  # noqa: PLR2004  words run together, or torn apart


def person_similarity(left: PersonName, right: PersonName) -> float:
    """1 for the same words in any order; an initial stands for any word that begins with it."""
    if not left.words or not right.words:
        return 0.0
    if left.key == right.key:
        return 1.0 if len(left.words) > 1 else _ONE_WORD
    found = _by_words(left.words, right.words, lambda _: 1.0)
    return min(found, _ONE_WORD) if 1 in {len(left.words), len(right.words)} else found


def local_similarity(left: str, right: str) -> float:
    """How alike two local parts of addresses are; ones that differ in a number alone are two people's."""
    if left == right:
        return 1.0
    bare_left, bare_right = left.rstrip("0123456789"), right.rstrip("0123456789")
    if bare_left == bare_right:
        return 0.0
    one, other = _parts(left), _parts(right)
    if 1 in {len(one), len(other)} and len(one) != len(other) and set(one) & set(other) - {""}:
        return _LAST_NAME_ALONE
    return _by_words(one, other, lambda _: 1.0)


def _parts(local: str) -> tuple[str, ...]:
    return tuple(part for part in local.replace("_", ".").replace("-", ".").split(".") if part)


def _by_words(left: Sequence[str], right: Sequence[str], weight: Callable[[str], float]) -> float:
    """The share of words that have a like one on the other side, each counted by its weight."""
    found: list[tuple[float, str, str, int, int]] = [
        (-alike, min(one, other), max(one, other), at, to)
        for at, one in enumerate(left)
        for to, other in enumerate(right)
        if (alike := _alike(one, other))
    ]
    found.sort(key=lambda item: item[:3])  # the same pairs are taken whichever side comes first
    used_left: set[int] = set()
    used_right: set[int] = set()
    common = 0.0
    for alike, _, _, at, to in found:
        if at not in used_left and to not in used_right:
            used_left.add(at)
            used_right.add(to)
            common += alike * alike * (weight(left[at]) + weight(right[to]))
    total = sum(map(weight, left)) + sum(map(weight, right))
    share = common / total if total else 0.0
    left_over = len(used_left) < len(left) and len(used_right) < len(right)
    return share * _BOTH_LEFT_OVER if left_over else share


def _alike(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if 1 in {len(one), len(other)}:
        return 0.9 if one[0] == other[0] else 0.0
    shorter, longer = sorted((one, other), key=len)
    if any(letter.isdigit() for letter in one + other) or len(shorter) < _SHORT:
        return 0.0
    found = ratio(one, other, score_cutoff=_ALIKE) / 100 if len(shorter) > _SHORT else 0.0
    return found or (_CUT_SHORT if longer.startswith(shorter) else 0.0)  # `tech` for `technik`


def _is_acronym(short: Sequence[str], long: Sequence[str]) -> bool:
    return len(short) == 1 and len(long) >= _SHORT and short[0] == "".join(word[0] for word in long)
