"""Runs of row ids, as text and back, and the gaps between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Gap = tuple[int, int, int]


def to_ranges(ids: Iterable[int]) -> list[tuple[int, int]]:
    """Runs of consecutive ids in the given order, as inclusive (first, last)."""
    runs: list[tuple[int, int]] = []
    for number in ids:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def format_ranges(ids: Iterable[int]) -> str:
    """`1-500,502` for the given ids in their order; "" for none."""
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in to_ranges(ids))


def parse_ranges(text: str, count: int) -> tuple[int, ...]:
    """The `count` ids that `format_ranges` wrote; ValueError for anything else, however much it claims."""
    ids: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        run = range(int(first), int(last or first) + 1)
        if run.stop - run.start > count - len(ids):
            break
        ids += run
    if len(ids) != count or format_ranges(ids) != text:
        message = f"not {count} row ids"
        raise ValueError(message)
    return tuple(ids)


def gaps_of(value: object) -> tuple[Gap, ...]:
    """The gaps in a JSON value; ValueError when it is anything but a list of three whole numbers each."""
    gaps: list[Any] = value if isinstance(value, list) else [None]
    if any(not isinstance(gap, list) or [type(number) for number in gap] != [int, int, int] for gap in gaps):
        message = "not a list of gaps"
        raise ValueError(message)
    return tuple((first, last, noticed) for first, last, noticed in gaps)


def gaps_between(ids: Iterable[int], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Inclusive runs of numbers from `first` to `last` that are not among `ids`."""
    expected = first
    for number in sorted(ids):
        if number > expected:
            yield expected, number - 1
        expected = max(expected, number + 1)
    if expected <= last:
        yield expected, last
