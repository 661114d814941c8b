"""Which records are worth comparing: those that share a key. Pure.

Every record has a handful of keys; records are compared only with those that share one. A key that more
than `MAX_BLOCK` records share tells nothing and is passed over, so work grows with the number of records and
not with its square; what was passed over is reported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set as AbstractSet

from fairlead.sales.matching.model import Blocks, Pair
from fairlead.sales.matching.prepared import Prepared

MAX_BLOCK = 80
MAX_OTHERS = 120
"""With how many others a record is compared at most; those of the smallest blocks come first."""
MAX_NAMED = 20
_VOWELS = str.maketrans("", "", "aeiouyh")
_WORDS = 3
_FRONT = 4


def keys_of(one: Prepared) -> Iterator[str]:
    """The keys under which a record is looked for; none for a record that says nothing of itself."""
    yield from (f"f:{phone}" for phone in one.phones)
    if one.is_person:
        yield from _person_keys(one)
    else:
        yield from _company_keys(one)


def _company_keys(one: Prepared) -> Iterator[str]:
    country = one.record.country
    yield from (f"d:{label}" for label in one.labels)
    words = one.company.telling[:_WORDS]
    for word in words:
        yield f"w:{word}"
        yield f"s:{_sound(word)}:{country}"
    if one.company.core:
        glued = "".join(sorted(one.company.core))
        joined = "".join(one.company.core)
        yield f"g:{glued}"
        yield f"h:{joined[:6]}:{country}"
        yield f"t:{joined[-6:]}:{country}"
        if len(one.company.core) > 1:
            yield "w:" + "".join(word[0] for word in one.company.core)  # meets the acronym as a word
            yield f"p:{words[0][:_FRONT]}:{one.company.core[-1][:_FRONT]}"


def _person_keys(one: Prepared) -> Iterator[str]:
    words = one.person.words
    yield f"n:{one.person.key}"
    yield from (f"e:{local}" for local in one.locals if len(local) > _FRONT)
    firms = [*(f"l:{label}" for label in one.labels), *(f"c:{word[:_FRONT]}" for word in one.company.telling[:2])]
    for firm in firms:
        for word in words:
            yield f"m:{word[:_FRONT]}:{firm}"
            yield f"v:{_sound(word)}:{firm}"


def _sound(word: str) -> str:
    """The first letter and the consonants after it, doubled ones once: what typing errors seldom touch."""
    rest = word[1:].translate(_VOWELS)
    once = "".join(letter for at, letter in enumerate(rest) if at == 0 or letter != rest[at - 1])
    return word[:1] + once[:5]


def pairs_of(records: Sequence[Prepared], fresh: AbstractSet[int] | None = None) -> Blocks:
    """Pairs of records worth comparing, of which one at least is among `fresh` (None: all are)."""
    blocks: dict[str, list[int]] = defaultdict(list)
    for at, one in enumerate(records):
        for key in dict.fromkeys(keys_of(one)):
            blocks[key].append(at)
    return _pairs(blocks, fresh)


def _pairs(blocks: dict[str, list[int]], fresh: AbstractSet[int] | None) -> Blocks:
    out = Blocks()
    large: list[tuple[int, str]] = []
    usable: list[list[int]] = []
    for key, members in blocks.items():
        if len(members) > MAX_BLOCK:
            out.passed_over += 1
            large.append((len(members), key))
        elif len(members) > 1:
            usable.append(members)
    out.too_large = {key: size for size, key in sorted(large, reverse=True)[:MAX_NAMED]}
    compared: dict[int, int] = defaultdict(int)
    cut: set[int] = set()
    seen: set[Pair] = set()
    for members in sorted(usable, key=len):
        for pair in _within(members, fresh):
            if pair in seen:
                continue
            if compared[pair.left] >= MAX_OTHERS or compared[pair.right] >= MAX_OTHERS:
                cut.update(at for at in pair if compared[at] >= MAX_OTHERS)
                continue
            compared[pair.left] += 1
            compared[pair.right] += 1
            seen.add(pair)
            out.pairs.append(pair)
    out.cut_short = len(cut)
    return out


def _within(members: Iterable[int], fresh: AbstractSet[int] | None) -> Iterator[Pair]:
    listed = sorted(members)
    for position, left in enumerate(listed):
        for right in listed[position + 1 :]:
            if fresh is None or left in fresh or right in fresh:
                yield Pair(left, right)
