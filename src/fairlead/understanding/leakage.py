"""Which columns of a history know the outcome, and why we think so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fairlead.understanding.boosting import Coded, one_thread, quick_auc
from fairlead.understanding.columns import (
    MOMENT,
    Choice,
    Column,
    Nature,
    Refusal,
    columns_of,
    features_of,
    refused_by_nature,
)
from fairlead.understanding.evidence import Alone, alone, later_than_decision, sign_of_leak
from fairlead.understanding.features import Feature
from fairlead.understanding.history import History
from fairlead.understanding.measures import Bools, Ints, folds_of

SUSPECT = 0.70
"""AUC of one column alone from which it has to stand a comparison with all others together."""
_SUSPECT_LATE = 0.60
_MOST_SUSPECTS = 12
_LATE_MARGIN = 0.05
_LATE_LEAST = 0.65
_STRONG = 0.80
_STRONG_IMPOSSIBLE = 0.75
_IMPOSSIBLE_SHARE = 0.05
_TWINS = 0.8
_PASSES = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A column that may feed the score, with its features as codes."""

    column: Column
    features: Sequence[Feature]
    codes: Sequence[Ints]
    alone: Alone
    late: bool

    @property
    def has_impossible(self) -> bool:
        """Whether it has a good-sized region where nearly nobody converts."""
        return self.alone.impossible >= _IMPOSSIBLE_SHARE * len(self.alone.rate)


@dataclass(frozen=True, slots=True)
class Examined:
    """The columns that are left, and those that are not, in the order of the file."""

    used: list[Candidate]
    refused: list[Refusal]


def examine(history: History, choice: Choice) -> Examined:
    """Go through every column; one that a person forces is used all the same and listed with its reason."""
    with one_thread():
        return _examine(history, choice)


def _examine(history: History, choice: Choice) -> Examined:
    outcome = np.array(history.outcome, dtype=np.bool_)
    folds = folds_of(history.rows, outcome)
    columns = columns_of(history)
    time = next((one for one in columns if choice.time in {one.fact, one.label}), None) if choice.time else None
    found: list[Candidate] = []
    refused: dict[str, Refusal] = {}
    for column in columns:
        one = _first_look(column, history, choice, time, outcome, folds)
        if isinstance(one, Candidate):
            found.append(one)
        else:
            refused[column.fact] = one
    suspected = [one for one in found if not choice.names(choice.force, one.column)]
    standing = [one for one in found if choice.names(choice.force, one.column)]
    for one, why in _too_good(suspected, outcome):
        refused[one.column.fact] = Refusal(one.column.fact, one.column.label, why, "leak")
    kept = [one for one in found if one in standing or one.column.fact not in refused]
    notes = [_forced(one, suspected, outcome, folds, time) for one in standing]
    listed = [refused[one.fact] for one in columns if one.fact in refused]
    return Examined(kept, listed + [note for note in notes if note is not None])


def _first_look(
    column: Column, history: History, choice: Choice, time: Column | None, outcome: Bools, folds: Ints
) -> Candidate | Refusal:
    """The column with its features, or why it is refused by itself."""
    forced = choice.names(choice.force, column)
    if time is not None and column.fact == time.fact and not forced:
        return Refusal(column.fact, column.label, MOMENT, "time")
    refusal = refused_by_nature(column, history.rows, choice)
    if refusal is not None and not (forced and refusal.kind in {"identity", "owner"} and column.given):
        return refusal
    features, refusal = features_of(column, history.rows, time)
    codes = [one.encode(column.values, time.values if time is not None else ()) for one in features]
    if not forced and (why := _leaks(column, features, codes, time, outcome, folds)):
        return Refusal(column.fact, column.label, why, "leak")
    if refusal is not None:
        return refusal
    varied = [at for at, one in enumerate(codes) if one.min() != one.max()]
    if not varied:
        why = "its different values are too rare to learn from"
        return Refusal(column.fact, column.label, why, "constant")
    judged = [alone(codes[at], features[at].size, outcome, folds) for at in varied]
    best = max(judged, key=lambda one: one.auc)
    late = column.fact in history.late or column.label in history.late
    return Candidate(column, [features[at] for at in varied], [codes[at] for at in varied], best, late)


def _leaks(
    column: Column,
    features: Sequence[Feature],
    codes: Sequence[Ints],
    time: Column | None,
    outcome: Bools,
    folds: Ints,
) -> str | None:
    if time is not None and column.fact != time.fact and column.nature is Nature.DATE:
        later = later_than_decision(column, time, outcome)
        if later:
            return later
    return sign_of_leak(column, features, codes, outcome, folds)


def _too_good(candidates: Sequence[Candidate], outcome: Bools) -> list[tuple[Candidate, str]]:
    """Those that alone do as well as all others together although no honest column should, weakest first."""
    suspects = sorted(
        (one for one in candidates if one.alone.auc >= (_SUSPECT_LATE if one.late else SUSPECT)),
        key=lambda one: one.alone.auc,
    )[-_MOST_SUSPECTS:]
    weak = [one for one in candidates if one not in suspects]
    refused: dict[int, tuple[Candidate, str]] = {}
    for _ in range(_PASSES):  # what one leak hid shows once that leak is out
        before, accepted = len(refused), [*weak]
        for at, one in enumerate(suspects):
            if at in refused:
                continue
            # Without a second sign against it, the stronger suspects count among the others, unless they are its
            # twins: an honest strong column seldom stands alone. With one, they may be leaks and would hide it.
            stronger = [suspects[number] for number in range(at + 1, len(suspects)) if number not in refused]
            apart = [] if one.late or one.has_impossible else [two for two in stronger if not _twins(one, two)]
            why = _against_the_rest(one, accepted + apart, outcome)
            if why is None:
                accepted.append(one)
            else:
                refused[at] = (one, why)
        if len(refused) == before:
            break
    return [refused[at] for at in sorted(refused)]


def _twins(one: Candidate, two: Candidate) -> bool:
    return float(np.corrcoef(one.alone.rate, two.alone.rate)[0, 1]) > _TWINS


def _against_the_rest(one: Candidate, others: Sequence[Candidate], outcome: Bools) -> str | None:
    strong = one.alone.auc >= (_STRONG_IMPOSSIBLE if one.has_impossible else _STRONG)
    if not strong and not (one.late and one.alone.auc >= _LATE_LEAST):
        return None
    rest = quick_auc(_together(others, outcome))
    margin = _LATE_MARGIN if one.late else 0.0
    if one.alone.auc < rest - margin:
        return None
    why = f"alone it predicts as well (AUC {one.alone.auc:.2f}) as all other columns together ({rest:.2f})"
    if one.has_impossible:
        rows, expected = f"{one.alone.impossible:,}", f"{one.alone.expected:,.0f}"
        why += f", and of {rows} leads with certain values hardly any converted where {expected} were expected to"
    reason = (
        "its name is that of something known only afterwards" if one.late else "such columns are mostly filled later"
    )
    return f"{why}; {reason}"


def _together(candidates: Sequence[Candidate], outcome: Bools) -> Coded:
    features = [feature for one in candidates for feature in one.features]
    return Coded(features, [codes for one in candidates for codes in one.codes], outcome)


def _forced(
    one: Candidate, others: Sequence[Candidate], outcome: Bools, folds: Ints, time: Column | None
) -> Refusal | None:
    """What speaks against a column that is used because a person said so."""
    why = _leaks(one.column, one.features, one.codes, time, outcome, folds)
    if why is None and one.alone.auc >= _SUSPECT_LATE:
        why = _against_the_rest(one, others, outcome)
    return (
        Refusal(one.column.fact, one.column.label, f"{why} (used all the same, as you said)", "leak", forced=True)
        if why
        else None
    )
