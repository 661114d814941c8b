"""All SQL of the evidence."""

from __future__ import annotations

from dataclasses import astuple, fields
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.evidence.model import Outcome
from fairlead.evidence.tables import outcome
from fairlead.kit.unit_of_work import Reader, UnitOfWork

_COLUMNS = tuple(outcome.c[field.name] for field in fields(Outcome))


def insert_outcome(uow: UnitOfWork, one: Outcome) -> bool:
    """Append; False when the source used this key before."""
    dialect = postgresql if uow.dialect == "postgresql" else sqlite
    values = dict(zip((column.name for column in _COLUMNS), astuple(one), strict=True))
    statement = dialect.insert(outcome).values(**values)
    statement = statement.on_conflict_do_nothing(index_elements=["source", "key"])
    return uow.execute(statement.returning(outcome.c.id)).first() is not None


def find_outcome(reader: Reader, source: str, key: str) -> Outcome | None:
    """What this source reported under this key."""
    row = reader.execute(select(*_COLUMNS).where(outcome.c.source == source, outcome.c.key == key)).first()
    return _outcome(row) if row else None


def outcomes_of(reader: Reader, ruling_id: str, limit: int) -> list[Outcome]:
    """Of one decision, in the order in which they were reported."""
    query = select(*_COLUMNS).where(outcome.c.ruling_id == ruling_id).order_by(outcome.c.id).limit(limit)
    return [_outcome(row) for row in reader.execute(query)]


def _outcome(row: Any) -> Outcome:
    return Outcome(*row)
