"""Two records side by side: any case whose facts hold a `first` and a `second` map is shown that way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

SIDES = ("first", "second")
PART_OF_IT = frozenset({*SIDES, "first_title", "second_title", "match_reasons", "match_flags", "pair"})
"""Facts that the panel shows, or that say nothing beside it."""
_ORDER = ("name", "company", "country", "city", "postal_code", "emails", "phones", "owner", "id")


class Row(NamedTuple):
    """One field of both records; `verdict` is same, differs, or missing where one side does not know."""

    field: str
    first: str
    second: str
    verdict: str


def side_by_side(facts: Sequence[tuple[str, Any]]) -> list[Row]:
    """The rows of the panel; [] where the facts do not hold two records."""
    known = dict(facts)
    first, second = (known.get(side) for side in SIDES)
    if not isinstance(first, Mapping) or not isinstance(second, Mapping):
        return []
    names = [name for name in _ORDER if name in first or name in second]
    names += sorted(({*first, *second}) - set(names), key=str)
    return [_row(str(name), first.get(name), second.get(name)) for name in names]


def _row(name: str, first: Any, second: Any) -> Row:
    here, there = _words(first), _words(second)
    verdict = "same" if here.casefold() == there.casefold() else "differs"
    if not here or not there:
        verdict = "missing"
    return Row(name, here or "–", there or "–", verdict)


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def beside_it(facts: Sequence[tuple[str, Any]], also: Sequence[tuple[str, Any]] = ()) -> list[tuple[str, Any]]:
    """The facts that the panel does not show; all of them where neither they nor `also` make a panel."""
    shown = side_by_side([*also, *facts])
    return [pair for pair in facts if pair[0] not in PART_OF_IT] if shown else list(facts)


FILTERS: dict[str, Callable[..., Any]] = {"side_by_side": side_by_side, "beside_it": beside_it}
