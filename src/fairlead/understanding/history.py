"""Past leads with what became of them, as columns; memory stays bounded however long the file is."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fairlead.errors import InputError
from fairlead.understanding.cells import level_key, word_set

MOST_ROWS = 200_000
"""Rows that a model learns from; of a longer history a seeded random sample of that size."""
MOST_CELLS = 20_000_000
MOST_OUTCOMES = 1_000
"""Different outcomes that are counted; a column with more is no outcome column anyway."""
MAX_TEXT = 200
"""Characters kept of a text; longer ones are free text anyway."""
_SHOWN = 5
_YES = word_set(
    """yes|y|true|t|1|won|win|converted|conversion|success|successful|closed won|closed - won|closed-won|customer|sale|
    sold|bought|ja|wahr|gewonnen|kunde|abgeschlossen|oui|vrai|gagne|gagné|gagnée|converti|si|sí|ganado|ganada|
    verdadero|vinto|vinta|sim|ganho|ganha|verdadeiro|waar|tak""",
    "|",
)
_NO = word_set(
    """no|n|false|f|0|-1|lost|loss|unconverted|not converted|no sale|failure|failed|closed lost|closed - lost|
    closed-lost|rejected|disqualified|nein|falsch|verloren|non|faux|perdu|perdue|perdido|perdida|falso|perso|persa|não|nao|nee|
    onwaar|nie""",
    "|",
)


@dataclass(frozen=True, slots=True)
class History:
    """Columns of equal length in the order of the file, and beside them what became of each row (True: converted)."""

    columns: Mapping[str, list[Any]]
    """By the name that a case knows them under."""
    labels: Mapping[str, str]
    """By the same name: what the file calls them."""
    outcome: list[bool]
    outcome_label: str
    positive: str
    rows_given: int
    """Rows with an outcome in the whole history; more than `rows` when only a sample is kept."""
    without_outcome: int
    fingerprint: str
    """SHA-256 over every row given, whether kept or not."""
    late: frozenset[str] = frozenset()
    """Columns whose name says that they are filled when the outcome is near or known."""

    @property
    def rows(self) -> int:
        """How many are kept."""
        return len(self.outcome)


@dataclass(slots=True)
class HistoryBuilder:
    """Takes rows one by one and keeps a uniform sample of them in the order of the file."""

    labels: Mapping[str, str]
    """Fact → what the file calls it, for every column that may come; others are passed over."""
    outcome_label: str
    late: frozenset[str] = frozenset()
    most_rows: int = MOST_ROWS
    positive: str = ""
    """Which outcome counts as converted; "": guessed."""
    _kept: list[tuple[int, str, tuple[Any, ...]]] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)
    _shown: dict[str, str] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)
    _seen: int = 0
    _without: int = 0
    _digest: Any = field(default_factory=hashlib.sha256)
    _random: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311  a sample, no secret
    _limit: int = 0

    def add(self, facts: Mapping[str, Any], outcome: Any, digest: str) -> None:
        """One row; `digest` stands for its content in the fingerprint. A row without outcome is only counted."""
        key = level_key(outcome) if outcome is not None else ""
        self._digest.update(f"{digest}\0{key}\n".encode())
        if not key:
            self._without += 1
            return
        if key in self._counts or len(self._counts) < MOST_OUTCOMES:
            self._counts[key] += 1
            self._shown.setdefault(key, str(outcome)[:80])
        self._limit = self._limit or min(self.most_rows, max(1_000, MOST_CELLS // max(len(self.labels), 1)))
        number, self._seen = self._seen, self._seen + 1
        place = number if number < self._limit else self._random.randrange(self._seen)
        if place >= self._limit:
            return
        row = (number, key, tuple([self._compact(facts.get(name)) for name in self.labels]))
        if place == len(self._kept):
            self._kept.append(row)
        else:
            self._kept[place] = row

    def _compact(self, value: Any) -> Any:
        """Equal texts share their memory as long as there are not too many different ones."""
        if not isinstance(value, str):
            return value if isinstance(value, (int, float, bool)) else None if value is None else str(value)[:MAX_TEXT]
        text = value[:MAX_TEXT]
        return self._texts.setdefault(text, text) if len(self._texts) < MOST_ROWS else text

    def build(self) -> History:
        """The history; InputError when the outcomes cannot be told apart into converted and not."""
        positive = self._positive()
        kept = sorted(self._kept, key=lambda row: row[0])
        columns = {name: [row[2][at] for row in kept] for at, name in enumerate(self.labels)}
        return History(
            columns=columns,
            labels=dict(self.labels),
            outcome=[row[1] == positive for row in kept],
            outcome_label=self.outcome_label,
            positive=self._shown.get(positive, positive),
            rows_given=self._seen,
            without_outcome=self._without,
            fingerprint=self._digest.hexdigest(),
            late=self.late,
        )

    def _positive(self) -> str:
        column = f"the outcome column {self.outcome_label!r}"
        if not self._counts:
            raise InputError(f"{column} is empty in every row.", code="no_outcome", column=self.outcome_label)
        if self.positive:
            return self._said(column)
        common = ", ".join(f"{self._shown.get(key, key)!r} ({n:,})" for key, n in self._counts.most_common(_SHOWN))
        if len(self._counts) == 1:
            message = f"{column} says {common} in every row; a score needs leads that converted and leads that did not."
            raise InputError(message, code="one_class", column=self.outcome_label)
        cure = "Say which one counts as converted with --positive VALUE; all others then count as not converted."
        if len(self._counts) > 2:  # noqa: PLR2004
            more = ", …" if len(self._counts) > _SHOWN else ""
            message = f"{column} has {len(self._counts):,} different values: {common}{more}. {cure}"
            raise InputError(message, code="many_outcomes", column=self.outcome_label)
        yes = [key for key in self._counts if key in _YES]
        no = [key for key in self._counts if key in _NO]
        if len(yes) == 1:
            return yes[0]
        if len(no) == 1 and not yes:
            return next(key for key in self._counts if key not in no)
        raise InputError(f"{column} has the values {common}. {cure}", code="unclear_outcome")

    def _said(self, column: str) -> str:
        key = level_key(self.positive)
        if key not in self._counts:
            known = ", ".join(repr(self._shown.get(one, one)) for one, _ in self._counts.most_common(_SHOWN))
            message = f"{column} never says {self.positive!r}. It says {known}."
            raise InputError(message, code="unknown_outcome", column=self.outcome_label)
        if len(self._counts) == 1:
            message = f"{column} says {self.positive!r} in every row; a score needs leads that did not convert, too."
            raise InputError(message, code="one_class", column=self.outcome_label)
        return key
