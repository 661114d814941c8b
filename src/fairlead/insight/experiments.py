"""Experiments with what came of them, put together from the draws and from the log of the gate."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from fairlead.errors import InputError, NotFoundError
from fairlead.experiments import (
    HELD_OUT,
    HOLDOUT,
    WRITTEN_TO,
    ArmFigures,
    ExperimentFigures,
    check_all,
    experiment_named,
    experiments,
)
from fairlead.guardrails import Code, current_rules
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
    """`unsent` and `share_now` only for the contact holdout; `share_now` is what the rules in force say, 0: nobody."""

    figures: ExperimentFigures
    unsent: Unsent | None
    share_now: float | None


def reports(reader: Reader, now: datetime, days: int = 90) -> list[ExperimentReport]:
    """Every experiment by name; the contact holdout also when it is declared and nobody was drawn yet.

    `days` (1 to 3,650) is how far back unsent messages are counted; draws are counted for all time.
    """
    since = _since(now, days)
    share = current_rules(reader).holdout_share
    found = experiments(reader)
    if share and all(one.name != HOLDOUT for one in found):
        found = sorted([*found, _not_begun(share)])
    return [_report(reader, one, since, share) for one in found]


def report_of(reader: Reader, name: str, now: datetime, days: int = 90) -> ExperimentReport:
    """One of `reports`; NotFoundError for a name that is none of them."""
    since = _since(now, days)
    share = current_rules(reader).holdout_share
    try:
        figures = experiment_named(reader, name)
    except NotFoundError:
        if name != HOLDOUT or not share:
            raise
        figures = _not_begun(share)
    return _report(reader, figures, since, share)


def _since(now: datetime, days: int) -> datetime:
    if not 1 <= days <= MAX_DAYS:
        message = f"messages are counted over 1 to {MAX_DAYS:,} days, not {days}"
        raise InputError(message, field="days")
    return now - timedelta(days=days)


def _not_begun(share: float) -> ExperimentFigures:
    shares = ((HELD_OUT, share), (WRITTEN_TO, 1 - share))
    arms = tuple(ArmFigures(name, 0, expected, None, *wilson(0, 0)) for name, expected in shares)
    return ExperimentFigures(HOLDOUT, "customer", 0, 0, arms, check_all([]), ())


def _report(reader: Reader, figures: ExperimentFigures, since: datetime, share: float) -> ExperimentReport:
    if figures.name != HOLDOUT:
        return ExperimentReport(figures, None, None)
    code, moment = Code.HOLDOUT.value, to_micros(since)
    purposes = tuple(UnsentFor(*row) for row in reader.fetch(_UNSENT, code, moment))
    customers = reader.fetch(_WHOM, code, moment)[0][0]
    return ExperimentReport(figures, Unsent(since, sum(one.messages for one in purposes), customers, purposes), share)
