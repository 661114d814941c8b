"""A trained score as plain tables: what each column's value adds, what two together add, and a calibration.

The log-odds are `intercept + Σ main[j][code_j] + Σ pair[j, k][code_j, code_k]`, exactly what the boosted trees add
up to. Pair tables average to nothing over either column, so half of each belongs to either: with columns taken as
independent these are the Shapley values (Lundberg and Lee 2017) of the log-odds, in closed form.

Points are 100 × the calibrated chance. The way from the average lead's points to this lead's is shared out in the
proportion of the log-odds (the Aumann–Shapley price of a function of a sum), in tenths that add up exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fairlead.understanding.calibration import Calibration
from fairlead.understanding.features import Feature, Kind
from fairlead.understanding.measures import Floats, Ints

SHOWN_REASONS = 8
"""Columns named one by one in a lead's reasons; the others are summed up in one line."""
_LEVEL = 1e-9
_SIMPLE = frozenset({str, int, float, type(None)})
"""Kinds of value under which a text is kept; a bool would be taken for 0 or 1."""


@dataclass(frozen=True, slots=True)
class Score:
    """What the model says of one lead; the reasons' numbers add up to the points exactly, in tenths."""

    points: float
    chance: float
    grade: str
    reasons: list[dict[str, Any]]


@dataclass(frozen=True)
class LeadModel:
    """Everything that scoring needs, and what is known about how well it does."""

    name: str
    features: tuple[Feature, ...]
    mains: tuple[Floats, ...]
    pairs: tuple[tuple[int, int, Floats], ...]
    intercept: float
    calibration: Calibration
    grades: tuple[tuple[float, str], ...]
    """(least points, grade), highest first."""
    report: Mapping[str, Any] = field(default_factory=dict)
    """Metrics, refused columns, counts and where it was learnt: see `training.Trained`."""
    label: str = ""
    """`name@version` once it is registered."""

    def codes(self, rows: Sequence[Mapping[str, Any]]) -> list[Ints]:
        """One array per feature."""
        cells: dict[str, list[Any]] = {}
        for name in {name for one in self.features for name in (one.fact, one.until) if name}:
            cells[name] = [row.get(name) for row in rows]
        return [one.encode(cells[one.fact], cells[one.until] if one.until else ()) for one in self.features]

    def contributions(self, codes: Sequence[Ints]) -> Floats:
        """Log-odds that each feature adds to each row, one column per feature."""
        found = np.stack([main[code] for main, code in zip(self.mains, codes, strict=True)])
        for a, b, table in self.pairs:
            half = table[codes[a], codes[b]]
            found[a] += half
            found[b] += half
        return found.T

    def margins(self, codes: Sequence[Ints]) -> Floats:
        """Log-odds before the calibration."""
        found: Floats = self.contributions(codes).sum(axis=1) + self.intercept
        return found

    def chances(self, rows: Sequence[Mapping[str, Any]]) -> Floats:
        """Calibrated chance to convert."""
        return self.calibration.chance(self.margins(self.codes(rows)))

    def score(
        self, rows: Sequence[Mapping[str, Any]], templates: Mapping[str, str] | None = None, shown: int = SHOWN_REASONS
    ) -> list[Score]:
        """Points, grade and reasons of each lead, given as facts; a fact it does not have counts as not known.

        `templates` say what a column's value is called, by fact: `{"month": "contacted in {value}"}`.
        """
        if not rows:
            return []
        codes = self.codes(rows)
        shares = self.contributions(codes)
        margins = shares.sum(axis=1) + self.intercept
        chances = self.calibration.chance(margins)
        average = float(self.calibration.chance(np.array([self.intercept]))[0])
        tenths = np.rint(chances * 1000.0).astype(np.int64)
        start = int(np.rint(average * 1000.0))
        slope = self._slope(margins, chances, average)
        parts = _whole_parts(shares * slope[:, None] * 1000.0, tenths - start)
        reasons = _Reasons(self.features, codes, templates or {}, start)
        order = np.argsort(-np.abs(parts), axis=1, kind="stable")[:, :shown]
        shown_parts = np.take_along_axis(parts, order, axis=1)
        rest = parts.sum(axis=1) - shown_parts.sum(axis=1)
        others = (parts != 0).sum(axis=1) - (shown_parts != 0).sum(axis=1)
        told = reasons.of_all(rows, order.tolist(), shown_parts.tolist(), rest.tolist(), others.tolist())
        grades = map(self.grade, (tenths / 10.0).tolist())
        return list(map(Score, (tenths / 10.0).tolist(), chances.tolist(), grades, told))

    def grade(self, points: float) -> str:
        """The best one whose least points are reached."""
        return next((name for least, name in self.grades if points >= least), self.grades[-1][1])

    def _slope(self, margins: Floats, chances: Floats, average: float) -> Floats:
        """Points' share per log-odd on the straight way from the average lead to each lead."""
        way = margins - self.intercept
        level = np.abs(way) < _LEVEL
        slope: Floats = (chances - average) / np.where(level, 1.0, way)
        slope[level] = 0.0
        return slope


def _whole_parts(exact: Floats, totals: Ints) -> Ints:
    """Whole numbers next to `exact` whose rows sum to `totals`: what is left goes to the largest remainders."""
    floor = np.floor(exact + 1e-9)
    parts = floor.astype(np.int64)
    left = totals - parts.sum(axis=1)
    width = exact.shape[1]
    rank = np.argsort(np.argsort(-(exact - floor), axis=1, kind="stable"), axis=1, kind="stable")
    parts += rank < np.clip(left, 0, width)[:, None]
    rest = left - np.clip(left, 0, width)
    odd = np.flatnonzero(rest)
    if len(odd):  # rounding start and total each may be off by one more than there are columns
        parts[odd, np.abs(exact[odd]).argmax(axis=1)] += rest[odd]
    return parts


class _Reasons:
    """What each reason is called; texts are made once per value."""

    def __init__(
        self, features: Sequence[Feature], codes: Sequence[Ints], templates: Mapping[str, str], start: int
    ) -> None:
        self._features = features
        self._codes = [one.tolist() for one in codes]
        self._templates = [templates.get(feature.fact) for feature in features]
        self._made: list[dict[Any, str]] = [{} for _ in features]
        self._by_value = [feature.kind in {Kind.NUMBER, Kind.CATEGORY} for feature in features]
        self._start = {"words": "a lead like the average", "add": start / 10.0}

    def of_all(
        self,
        rows: Sequence[Mapping[str, Any]],
        order: Sequence[Sequence[int]],
        parts: Sequence[Sequence[int]],
        rest: Sequence[int],
        others: Sequence[int],
    ) -> list[list[dict[str, Any]]]:
        """Per row: the average lead, the columns named in `order`, and what the others add together."""
        made, codes, by_value, facts = self._made, self._codes, self._by_value, [f.fact for f in self._features]
        found = []
        for at, row in enumerate(rows):
            told = [self._start.copy()]
            for number, part in zip(order[at], parts[at], strict=True):
                if part:
                    key = row.get(facts[number]) if by_value[number] else codes[number][at]
                    known = made[number].get(key) if type(key) in _SIMPLE else None
                    told.append({"words": known or self._make(number, codes[number][at], key), "add": part / 10.0})
            if others[at]:
                words = f"{others[at]} other columns together" if others[at] > 1 else "1 other column"
                told.append({"words": words, "add": rest[at] / 10.0})
            found.append(told)
        return found

    def _make(self, number: int, code: int, key: Any) -> str:
        value = key if self._by_value[number] else None
        words = _templated(self._templates[number], self._features[number].words(code, value))
        made = self._made[number]
        if type(key) in _SIMPLE:
            if len(made) > 10_000:  # noqa: PLR2004  bounded
                made.clear()
            made[key] = words
        return words


def _templated(template: str | None, words: str) -> str:
    """`{value}` is what stands behind `is` in the plain words."""
    if template is None:
        return words
    _, is_, value = words.partition(" is ")
    return template.replace("{value}", value if is_ else words)
