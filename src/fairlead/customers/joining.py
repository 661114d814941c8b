"""What merged records say together, as pure rules: whatever is said of each, and the columns they lend each other."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)


class Word(NamedTuple):
    """Something said about one record at a moment; a value of None takes back what was said."""

    at: datetime
    customer_id: str
    key: Any
    value: Any


class Edge(NamedTuple):
    """A merge that stands: from `at` on, what `other_id` said counts for `kept_id`."""

    at: datetime
    other_id: str
    kept_id: str


Join = Callable[[Mapping[Any, Any], Mapping[Any, Any]], dict[Any, Any]]
"""(what the survivor says, what the merged record says) → what they say together at that moment."""


def told_together(survivor: str, words: Iterable[Word], edges: Sequence[Edge], join: Join) -> dict[Any, Any]:
    """What counts for the survivor now.

    Each record's newest word counts until it is merged, then both are joined, and what is said later counts
    as said. A word of the very moment of a merge counts as said before it.
    """
    said: dict[str, dict[Any, Any]] = {}
    happened = [(word.at, 0, word) for word in words] + [(edge.at, 1, edge) for edge in edges]
    for _, _, one in sorted(happened, key=lambda item: item[:2]):
        if isinstance(one, Edge):
            said[one.kept_id] = join(said.get(one.kept_id, {}), said.pop(one.other_id, {}))
        elif one.value is None:
            said.get(one.customer_id, {}).pop(one.key, None)
        else:
            said.setdefault(one.customer_id, {})[one.key] = one.value
    return said.get(survivor, {})


def either(kept: Mapping[K, Any], other: Mapping[K, Any]) -> dict[K, Any]:
    """Flags of two records: what either carries; where both do, the survivor's value."""
    return {**other, **kept}


def lent(base: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A survivor's columns: its own, blanks filled by the earliest merged record that knows, the larger value."""
    together = dict(base)
    for other in others:
        for name, value in other.items():
            if name == "value_minor":
                known = [one for one in (together[name], value) if one is not None]
                together[name] = max(known, default=None)
            elif together[name] in {None, ""}:
                together[name] = value
    return together
