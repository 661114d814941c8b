"""Training a lead score: examine the columns, learn, validate out of fold, calibrate, take apart into tables."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np

from fairlead.errors import InputError
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.understanding.additive import take_apart
from fairlead.understanding.boosting import (
    MOST_ITERATIONS,
    STEP,
    Coded,
    best_iterations,
    fit_pairs,
    one_thread,
    staged,
    strongest,
)
from fairlead.understanding.calibration import Calibration, calibrate
from fairlead.understanding.columns import OWNER, Choice, Column, Refusal
from fairlead.understanding.features import moments_of
from fairlead.understanding.history import History
from fairlead.understanding.leakage import Examined, examine
from fairlead.understanding.measures import (
    Bools,
    Floats,
    Ints,
    auc_estimate,
    brier_estimate,
    folds_of,
    lift_estimate,
    log_loss,
    reliability,
)
from fairlead.understanding.predicting import LeadModel

LEAST_LEADS, LEAST_CONVERSIONS = 1_000, 120
"""Below either, a model would learn chance; the rules score is used."""
FOLDS = 5
TIME_BLOCKS = 5
_GRADES = ((0.2, "A"), (0.5, "B"))
_LIBRARIES = ("scikit-learn", "numpy", "scipy")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to train and under what name."""

    name: str = "lead-score"
    choice: Choice = field(default_factory=Choice)
    least_leads: int = LEAST_LEADS
    least_conversions: int = LEAST_CONVERSIONS


@dataclass(frozen=True, slots=True)
class Validation:
    """Log-odds of rows by models that had not seen them, after each number of iterations."""

    rows: Ints
    folds: Ints
    """Of the rows: which model judged each, in the order of time where there is one."""
    margins: Floats
    method: str


def train(history: History, plan: Plan) -> LeadModel:
    """A model with its report; InputError when there is too little to learn from or nothing is left to learn."""
    require_enough(history, plan)
    _require_known(history, plan.choice)
    with one_thread():
        return _train(history, plan)


def _train(history: History, plan: Plan) -> LeadModel:
    examined = examine(history, plan.choice)
    coded = Coded(
        [feature for one in examined.used for feature in one.features],
        [codes for one in examined.used for codes in one.codes],
        np.array(history.outcome, dtype=np.bool_),
    )
    if not coded.features:
        why = "; ".join(f"{one.column}: {one.why}" for one in examined.refused[:5])
        message = f"no column is left to learn from. {why}. --force-column COL lets one in."
        raise InputError(message, code="no_columns", refused=[one.column for one in examined.refused])
    paired = strongest(coded)
    checked = _validate(coded, history, plan.choice, paired)
    outcome = coded.outcome[checked.rows]
    iterations = best_iterations(checked.margins, outcome)
    margins = checked.margins[:, iterations // STEP - 1]
    chances = _cross_calibrated(margins, outcome, checked)
    booster = fit_pairs(coded, slice(None), paired, iterations)
    intercept, mains, pairs = take_apart(booster.decision_function, coded.features, coded.codes, paired)
    return LeadModel(
        name=plan.name,
        features=tuple(coded.features),
        mains=tuple(mains),
        pairs=tuple(pairs),
        intercept=intercept,
        calibration=(calibration := calibrate(margins, outcome)),
        grades=_grades_of(chances),
        report={
            **_measured(chances, outcome, checked), **_learnt_from(history, plan, examined),
            "calibration": calibration.kind, "iterations": iterations,
        },
    )  # fmt: skip


def require_enough(history: History, plan: Plan) -> None:
    """InputError `too_few_leads` that says how many leads and conversions are missing."""
    rows, won = history.rows_given, sum(history.outcome)
    lost = history.rows - won
    lacking = []
    if rows < plan.least_leads:
        lacking.append(f"{rows:,} leads with an outcome, {plan.least_leads - rows:,} more are needed")
    for count, what in ((won, "conversions"), (lost, "leads that did not convert")):
        if count < plan.least_conversions:
            lacking.append(f"{count:,} {what}, {plan.least_conversions - count:,} more are needed")
    if lacking:
        message = f"the history has {'; '.join(lacking)}. Until then leads are scored by rules."
        raise InputError(
            message, code="too_few_leads", rows=rows, conversions=won,
            rows_missing=max(0, plan.least_leads - rows),
            conversions_missing=max(0, plan.least_conversions - won),
        )  # fmt: skip


def _require_known(history: History, choice: Choice) -> None:
    known = {*history.labels, *history.labels.values()}
    asked = [*choice.exclude, *choice.force, *(choice.include - {OWNER}), *([choice.time] if choice.time else [])]
    for name in asked:
        if name not in known:
            message = f"there is no column {name!r}. {did_you_mean(name, known) or ''}".rstrip()
            raise InputError(message, code="unknown_column", column=name)


def _validate(coded: Coded, history: History, choice: Choice, paired: list[int]) -> Validation:
    rows = np.arange(history.rows)
    blocks = _time_blocks(history, choice)
    if blocks is None:
        folds = folds_of(history.rows, coded.outcome, FOLDS)
        splits = [(rows[folds != fold], rows[folds == fold]) for fold in range(FOLDS)]
        method = f"{FOLDS} folds at random, the same share of conversions in each"
    else:
        splits = [(rows[(blocks >= 0) & (blocks < at)], rows[blocks == at]) for at in range(1, TIME_BLOCKS)]
        splits = [(past, future) for past, future in splits if _both(coded.outcome[past]) and len(future)]
        method = f"{len(splits)} steps in time: each block of leads is judged by what came before it"
    if not splits:
        message = "the early leads by --time did all end alike, so the future cannot be judged by the past"
        raise InputError(message, code="time_one_class")
    judged, folds_found, margins = [], [], []
    for number, (learn, judge) in enumerate(splits):
        booster = fit_pairs(coded, learn, paired, MOST_ITERATIONS)
        margins.append(staged(booster, coded.matrix(judge)))
        judged.append(judge)
        folds_found.append(np.full(len(judge), number))
    return Validation(np.concatenate(judged), np.concatenate(folds_found), np.concatenate(margins), method)


def _both(outcome: Bools) -> bool:
    return len(outcome) > 0 and 0 < int(outcome.sum()) < len(outcome)


def _time_blocks(history: History, choice: Choice) -> Ints | None:
    """Which fifth of the time each row is in, by number of rows; -1 without a time; None: no time is known."""
    if choice.time is None:
        return None
    fact = next(name for name, label in history.labels.items() if choice.time in {name, label})
    column = Column(fact, history.labels[fact], history.columns[fact])
    moments = moments_of(column.values, column.order)
    if not np.isfinite(moments).any():  # plain numbers order as well
        moments = column.numbers
    known = np.isfinite(moments)
    if int(known.sum()) < history.rows / 2:
        message = f"{int((~known).sum()):,} of {history.rows:,} cells of {column.label!r} are no date"
        raise InputError(message, code="time_unreadable", column=column.label)
    edges = np.quantile(moments[known], np.linspace(0, 1, TIME_BLOCKS + 1)[1:-1])
    blocks: Ints = np.searchsorted(edges, moments, side="left").astype(np.int64)
    blocks[~known] = -1
    return blocks


def _cross_calibrated(margins: Floats, outcome: Bools, checked: Validation) -> Floats:
    """Chances whose calibration had not seen the row either: the other folds' or, in time, the earlier ones'."""
    in_time = "time" in checked.method
    chances = np.empty(len(margins))
    for fold in range(int(checked.folds.max()) + 1):
        inside = checked.folds == fold
        known = checked.folds < fold if in_time else ~inside
        usable = _both(outcome[known])
        found = calibrate(margins[known], outcome[known]) if usable else Calibration("platt")
        chances[inside] = found.chance(margins[inside])
    return chances


def _grades_of(chances: Floats) -> tuple[tuple[float, str], ...]:
    found = [(round(float(np.quantile(chances, 1.0 - share)) * 100.0, 1), grade) for share, grade in _GRADES]
    return (*found, (0.0, "C"))


def _measured(chances: Floats, outcome: Bools, checked: Validation) -> dict[str, Any]:
    auc, brier, lift = (
        one.as_list()
        for one in (auc_estimate(chances, outcome), brier_estimate(chances, outcome), lift_estimate(chances, outcome))
    )
    return {
        "auc": auc[0], "auc_interval": auc[1:], "brier": brier[0], "brier_interval": brier[1:],
        "lift_10": lift[0], "lift_10_interval": lift[1:], "log_loss": round(log_loss(chances, outcome), 5),
        "useful": auc[1] > 0.5,  # noqa: PLR2004  chance
        "validated_on": len(outcome), "validation": checked.method,
        "brier_of_average": round(float(outcome.mean() * (1.0 - outcome.mean())), 4),
        "reliability": [one.as_list() for one in reliability(chances, outcome)],
    }  # fmt: skip


def _learnt_from(history: History, plan: Plan, examined: Examined) -> dict[str, Any]:
    return {
        "rows": history.rows_given, "rows_used": history.rows, "rows_without_outcome": history.without_outcome,
        "conversions": sum(history.outcome), "base_rate": round(float(np.mean(history.outcome)), 4),
        "columns_used": [one.column.label for one in examined.used],
        "columns_refused": [_refused(one) for one in examined.refused],
        "outcome": history.outcome_label, "positive": history.positive, "time": plan.choice.time,
        "data_fingerprint": history.fingerprint,
        "libraries": {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}},
    }  # fmt: skip


def _refused(one: Refusal) -> dict[str, Any]:
    found: dict[str, Any] = {"column": one.column, "why": one.why, "kind": one.kind}
    return found | ({"forced": True} if one.forced else {})
