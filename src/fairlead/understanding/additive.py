"""Takes a booster whose trees read at most two columns apart into tables, exactly and through its public methods.

For such a function f and any reference lead r, `f(x) = f(r) + Σ g_j(x_j) + Σ g_jk(x_j, x_k)` with
`g_j(c) = f(r with c) - f(r)` and `g_jk(c, d) = f(r with c, d) - f(r with c) - f(r with d) + f(r)`. The tables are
then centred by how often each value occurs, so that mains say what a column tells on average and pairs only what
two tell beyond that (the functional analysis of variance, with columns taken as independent).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from fairlead.understanding.boosting import as_matrix
from fairlead.understanding.features import Feature
from fairlead.understanding.measures import Floats, Ints

_NOTHING = 1e-12
_BLOCK = 200_000
Pair = tuple[int, int, Floats]


def take_apart(
    decide: Callable[[Floats], Floats], features: Sequence[Feature], codes: Sequence[Ints], paired: Sequence[int]
) -> tuple[float, list[Floats], list[Pair]]:
    """Intercept, one table per feature and one per pair that tells something together; log-odds."""
    weights = [np.bincount(one, minlength=f.size) / len(one) for one, f in zip(codes, features, strict=True)]
    usual = [int(np.argmax(weight)) for weight in weights]

    wanted: list[tuple[int, int | None]] = [(number, None) for number in range(len(features))]
    wanted += list(itertools.combinations(sorted(paired), 2))
    grids = _evaluate(decide, features, usual, wanted)
    intercept = float(decide(as_matrix(features, [np.array([code]) for code in usual]))[0])
    mains = [grids[number] - intercept for number in range(len(features))]
    pairs: list[Pair] = []
    for (a, b), both in zip(wanted[len(features) :], grids[len(features) :], strict=True):
        assert b is not None  # noqa: S101  those behind the single features are pairs
        shape = (features[a].size, features[b].size)
        table = both.reshape(shape) - intercept - mains[a][:, None] - mains[b][None, :]
        if float(np.abs(table).max()) > _NOTHING:
            pairs.append((a, b, table))
    return _centred(intercept, mains, pairs, weights)


def _evaluate(
    decide: Callable[[Floats], Floats],
    features: Sequence[Feature],
    usual: Sequence[int],
    wanted: Sequence[tuple[int, int | None]],
) -> list[Floats]:
    """The function over every value of a feature, or of two, the others being as usual; large blocks at once."""
    sizes = [features[a].size * (features[b].size if b is not None else 1) for a, b in wanted]
    ends = np.cumsum(sizes)
    found: list[Floats] = []
    first = 0
    while first < len(wanted):
        done = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + _BLOCK, side="right")))
        rows = int(ends[last - 1]) - done
        values = [np.full(rows, code, dtype=np.int64) for code in usual]
        for (a, b), end, size in zip(wanted[first:last], ends[first:last], sizes[first:last], strict=True):
            part = slice(int(end) - size - done, int(end) - done)
            width = features[b].size if b is not None else 1
            values[a][part] = np.repeat(np.arange(features[a].size), width)
            if b is not None:
                values[b][part] = np.tile(np.arange(width), features[a].size)
        told = decide(as_matrix(features, values))
        found += np.split(told, (ends[first : last - 1] - done).astype(int))
        first = last
    return found


def _centred(
    intercept: float, mains: list[Floats], pairs: list[Pair], weights: Sequence[Floats]
) -> tuple[float, list[Floats], list[Pair]]:
    moved = [main.copy() for main in mains]
    centred: list[Pair] = []
    for a, b, table in pairs:
        by_row = table @ weights[b]
        rest = table - by_row[:, None]
        by_column = weights[a] @ rest
        moved[a] += by_row
        moved[b] += by_column
        centred.append((a, b, rest - by_column[None, :]))
    for number, main in enumerate(moved):
        average = float(weights[number] @ main)
        intercept += average
        moved[number] = main - average
    return intercept, moved, centred
