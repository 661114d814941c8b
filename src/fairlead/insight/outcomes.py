"""What came of the customers of an experiment, read from the rows of other rooms."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from fairlead.customers import families_of
from fairlead.experiments import Draw, Goal, GoalKind, Standing, draws_in_order, oldest
from fairlead.insight.comparing import Comparison, Counted, Question, compare
from fairlead.kit.clock import to_micros
from fairlead.kit.unit_of_work import Reader

MAX_READ = 200_000
"""Draws of one experiment that are read, the first ones: more than the largest plan can need."""
_SLICE = 5_000
_EVENTS = "SELECT key, at FROM event WHERE type = ? AND key = ANY(?)"
_ENDS = 'SELECT id, "end", ended_at FROM playbook_case WHERE id = ANY(?) AND ended_at IS NOT NULL'


def comparison_of(reader: Reader, standing: Standing, now: datetime) -> Comparison:
    """The version in force, compared.

    A customer with merged records counts once, under the oldest draw; who was drawn in an older version is left out,
    since other shares and another time would be compared.
    """
    plan = standing.plan
    drawn = draws_in_order(reader, plan.name, MAX_READ)
    families = _families(reader, [one.unit for one in drawn])
    by_unit = {one.unit: one for one in drawn}
    first = {family[0]: oldest(by_unit[one] for one in family if one in by_unit) for family in families.values()}
    counted = [one for one in first.values() if one is not None and one.version == plan.experiment.version]
    hits = _hits(reader, plan.goal, counted, families)
    people = [Counted(one.unit, one.arm or "", one.at, one.unit in hits) for one in counted]
    over = standing.winner is not None or not (standing.draws(now) or _to_come(standing, now))
    return compare(Question(plan.version, plan.arms, plan.per_arm, plan.goal.within, over), people, now)


def _to_come(standing: Standing, now: datetime) -> bool:
    return standing.plan.begins is not None and now < standing.plan.begins


def _families(reader: Reader, units: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for some in _slices(units):
        found |= families_of(reader, some)
    return found


def _hits(
    reader: Reader, goal: Goal, counted: Sequence[Draw], families: Mapping[str, Sequence[str]]
) -> Collection[str]:
    """The units whose outcome came in time."""
    until = goal.within // timedelta(microseconds=1)
    found: set[str] = set()
    if goal.kind is GoalKind.ENDED:
        cases = {one.case_id: one for one in counted if one.case_id}
        for some in _slices(list(cases)):
            for case, end, at in reader.fetch(_ENDS, some):
                if end in goal.names and at <= to_micros(cases[case].at) + until:
                    found.add(cases[case].unit)
        return found
    owners = {record: one for one in counted for record in families[one.unit]}
    for some in _slices(list(owners)):
        for name in goal.names:
            for record, at in reader.fetch(_EVENTS, name, some):
                began = to_micros(owners[record].at)
                if began <= at <= began + until:
                    found.add(owners[record].unit)
    return found


def _slices(keys: Sequence[str]) -> Iterator[list[str]]:
    return (list(keys[start : start + _SLICE]) for start in range(0, len(keys), _SLICE))
