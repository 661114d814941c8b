"""All SQL of declared experiments."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import insert

from fairlead.experiments import tables as t
from fairlead.kit.clock import from_micros
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import Reader, UnitOfWork

_COLUMNS = 'SELECT experiment, digest, text, state, winner, reason, "by", at FROM experiment_plan AS p '
_NEWEST = (
    "NOT EXISTS (SELECT 1 FROM experiment_plan AS q WHERE q.experiment = p.experiment "
    "AND (q.at > p.at OR (q.at = p.at AND q.id > p.id)))"
)
_ALL = f"{_COLUMNS}WHERE {_NEWEST} ORDER BY experiment"
_ONE = f"{_COLUMNS}WHERE experiment = ? ORDER BY at DESC, id DESC LIMIT 1"
_BEGAN = "SELECT 1 FROM experiment_version WHERE experiment = ? AND version = ?"


class PlanRow(NamedTuple):
    """The newest word about an experiment, as it is stored."""

    experiment: str
    digest: str
    text: str
    state: str
    winner: str | None
    reason: str
    by: str
    at: Any


def newest(reader: Reader) -> list[PlanRow]:
    """Of every experiment that was ever declared, by name."""
    return [_row(row) for row in reader.fetch(_ALL)]


def newest_of(reader: Reader, experiment: str) -> PlanRow | None:
    """Of one; None where it was never declared."""
    rows = reader.fetch(_ONE, experiment)
    return _row(rows[0]) if rows else None


def insert_plan(uow: UnitOfWork, row: PlanRow) -> str:
    """Write down what counts from now on; the row's id."""
    row_id = new_id("exp")
    uow.execute(insert(t.plan).values(id=row_id, **row._asdict()))
    return row_id


def began(reader: Reader, experiment: str, version: str) -> bool:
    """Whether anybody was drawn under this version."""
    return bool(reader.fetch(_BEGAN, experiment, version))


def _row(row: Any) -> PlanRow:
    return PlanRow(row[0], row[1], row[2], row[3], row[4], row[5], row[6], from_micros(row[7]))
