"""All SQL of draws."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.experiments import tables as t
from fairlead.experiments.inserting import insert_new
from fairlead.experiments.model import Draw, Experiment
from fairlead.kit.clock import from_micros
from fairlead.kit.unit_of_work import Reader, UnitOfWork

_COLUMNS = "SELECT unit, arm, probability, version, why, at, facts, case_id FROM experiment_draw "
_DRAWS = _COLUMNS + "WHERE experiment = ? AND unit = ANY(?)"
_IN_ORDER = _COLUMNS + "WHERE experiment = ? AND arm IS NOT NULL ORDER BY at, unit LIMIT ?"
_VERSION = "SELECT version FROM experiment_version WHERE experiment = ? AND version = ?"


class VersionRow(NamedTuple):
    """A version with how many units stand in each arm under it; None is the arm of those not eligible."""

    experiment: str
    version: str
    unit: str
    arms: tuple[tuple[str, float], ...]
    at: Any
    counts: dict[str | None, int]


def draws(reader: Reader, experiment: str, units: Iterable[str]) -> dict[str, Draw]:
    """The stored draws of these units; those never drawn are left out."""
    rows = reader.fetch(_DRAWS, experiment, sorted(units))
    return {row[0]: _draw(row) for row in rows}


def draws_in_order(reader: Reader, experiment: str, limit: int) -> list[Draw]:
    """The first `limit` draws into arms, in the order in which they were made."""
    return [_draw(row) for row in reader.fetch(_IN_ORDER, experiment, limit)]


def _draw(row: Any) -> Draw:
    return Draw(row[0], row[1], row[2], row[3], row[4], from_micros(row[5]), row[6], row[7])


def insert_version(uow: UnitOfWork, experiment: Experiment) -> bool:
    """Write a version down unless it stands; whether it is new."""
    if uow.fetch(_VERSION, experiment.name, experiment.version):
        return False
    values = {
        "experiment": experiment.name, "version": experiment.version, "unit": experiment.unit,
        "arms": [list(arm) for arm in experiment.arms], "at": uow.now,
    }  # fmt: skip
    statement = _insert(uow, t.version).values(**values).on_conflict_do_nothing().returning(t.version.c.version)
    return bool(insert_new(uow, statement))


def insert_draws(uow: UnitOfWork, experiment: str, new: Sequence[Draw]) -> set[str]:
    """Write draws down; the units that had none. In the order of units, so that two at once wait and never lock up."""
    values = [
        {
            "experiment": experiment, "unit": one.unit, "version": one.version, "eligible": one.arm is not None,
            "why": one.why, "arm": one.arm, "probability": one.probability, "at": one.at,
            "facts": one.facts, "case_id": one.case_id,
        }
        for one in sorted(new, key=lambda one: one.unit)
    ]  # fmt: skip
    statement = _insert(uow, t.drawn).values(values).on_conflict_do_nothing().returning(t.drawn.c.unit)
    return {row.unit for row in insert_new(uow, statement)}


def versions(reader: Reader, experiment: str | None = None) -> list[VersionRow]:
    """Every version that stands, by experiment and age, with its counts; None: of all experiments."""
    version, drawn = t.version.c, t.drawn.c
    known = select(t.version).order_by(version.experiment, version.at, version.version)
    count = select(drawn.experiment, drawn.version, drawn.arm, func.count().label("n")).group_by(
        drawn.experiment, drawn.version, drawn.arm
    )
    if experiment is not None:
        known, count = known.where(version.experiment == experiment), count.where(drawn.experiment == experiment)
    counts: dict[tuple[str, str], dict[str | None, int]] = {}
    for row in reader.execute(count):
        counts.setdefault((row.experiment, row.version), {})[row.arm] = row.n
    return [
        VersionRow(
            row.experiment, row.version, row.unit, tuple((name, share) for name, share in row.arms), row.at,
            counts.get((row.experiment, row.version), {}),
        )
        for row in reader.execute(known)
    ]  # fmt: skip


def _insert(uow: UnitOfWork, table: Any) -> Any:
    return (postgresql if uow.dialect == "postgresql" else sqlite).insert(table)
