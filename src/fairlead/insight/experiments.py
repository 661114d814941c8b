"""Experiments with what came of them, put together from the draws and from the log of the gate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from fairlead.errors import InputError, NotFoundError
from fairlead.experiments import (
    HELD_OUT,
    HOLDOUT,
    WRITTEN_TO,
    ArmFigures,
    ExperimentFigures,
    Standing,
    check_all,
    experiment_named,
    experiments,
    standing_plan,
    standing_plans,
)
from fairlead.guardrails import Code, current_rules
from fairlead.insight.comparing import Comparison
from fairlead.insight.outcomes import comparison_of
from fairlead.kit.clock import to_micros
from fairlead.kit.intervals import wilson
from fairlead.kit.unit_of_work import Reader

MAX_DAYS = 3_650
# A key is one message, however often it was asked for; the index by time bounds what is read.
_UNSENT = (
    "SELECT purpose, COUNT(DISTINCT key), COUNT(DISTINCT customer_id) FROM contact_answer "
    "WHERE code = ? AND at >= ? GROUP BY purpose ORDER BY purpose"
)
_WHOM = "SELECT COUNT(DISTINCT customer_id) FROM contact_answer WHERE code = ? AND at >= ?"


class UnsentFor(NamedTuple):
    """Messages of one purpose that the holdout kept back, and to how many customers."""

    purpose: str
    messages: int
    customers: int


class Unsent(NamedTuple):
    """What the gate refused because of the holdout since a moment; nothing else would have stopped it before."""

    since: datetime
    messages: int
    customers: int
    purposes: tuple[UnsentFor, ...]


class ExperimentReport(NamedTuple):
    """`unsent` and `share_now` only for the contact holdout; `share_now` is what the rules in force say, 0: nobody.

    `standing` and `comparison` only for those of `experiments.yaml`; the comparison is of the version in force.
    """

    figures: ExperimentFigures
    unsent: Unsent | None
    share_now: float | None
    standing: Standing | None = None
    comparison: Comparison | None = None


def reports(reader: Reader, now: datetime, days: int = 90) -> list[ExperimentReport]:
    """Every experiment by name; declared ones and the contact holdout also when nobody was drawn yet.

    `days` (1 to 3,650) is how far back unsent messages are counted; draws are counted for all time.
    """
    since = _since(now, days)
    share, plans = current_rules(reader).holdout_share, standing_plans(reader)
    found = {one.name: one for one in experiments(reader)}
    declared = {name: _declared(standing) for name, standing in plans.items()}
    if share:
        declared[HOLDOUT] = _not_begun(HOLDOUT, ((HELD_OUT, share), (WRITTEN_TO, 1 - share)))
    every = sorted((declared | found).items())
    return [_report(reader, one, since, share, plans.get(name), now) for name, one in every]


def report_of(reader: Reader, name: str, now: datetime, days: int = 90) -> ExperimentReport:
    """One of `reports`; NotFoundError for a name that is none of them."""
    since = _since(now, days)
    share, standing = current_rules(reader).holdout_share, standing_plan(reader, name)
    try:
        figures = experiment_named(reader, name)
    except NotFoundError:
        if standing is not None:
            figures = _declared(standing)
        elif name == HOLDOUT and share:
            figures = _not_begun(HOLDOUT, ((HELD_OUT, share), (WRITTEN_TO, 1 - share)))
        else:
            raise
    return _report(reader, figures, since, share, standing, now)


def _since(now: datetime, days: int) -> datetime:
    if not 1 <= days <= MAX_DAYS:
        message = f"messages are counted over 1 to {MAX_DAYS:,} days, not {days}"
        raise InputError(message, field="days")
    return now - timedelta(days=days)


def _declared(standing: Standing) -> ExperimentFigures:
    return _not_begun(standing.plan.name, standing.plan.arms)


def _not_begun(name: str, shares: Sequence[tuple[str, float]]) -> ExperimentFigures:
    arms = tuple(ArmFigures(arm, 0, expected, None, *wilson(0, 0)) for arm, expected in shares)
    return ExperimentFigures(name, "customer", 0, 0, arms, check_all([]), ())


def _report(
    reader: Reader, figures: ExperimentFigures, since: datetime, share: float, standing: Standing | None, now: datetime
) -> ExperimentReport:
    if standing is not None:
        return ExperimentReport(figures, None, None, standing, comparison_of(reader, standing, now))
    if figures.name != HOLDOUT:
        return ExperimentReport(figures, None, None)
    code, moment = Code.HOLDOUT.value, to_micros(since)
    purposes = tuple(UnsentFor(*row) for row in reader.fetch(_UNSENT, code, moment))
    customers = reader.fetch(_WHOM, code, moment)[0][0]
    return ExperimentReport(figures, Unsent(since, sum(one.messages for one in purposes), customers, purposes), share)
