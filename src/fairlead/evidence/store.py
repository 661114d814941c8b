"""All SQL of the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from typing import Any

from sqlalchemy import case, func, null, select
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.evidence.model import Label, Outcome
from fairlead.evidence.tables import label, outcome
from fairlead.kit import jsons
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


_NAMED = "SELECT ruling_id, value FROM outcome WHERE ruling_id = ANY(?) AND name = ? ORDER BY id"


def values_of(reader: Reader, ruling_ids: Sequence[str], name: str) -> dict[str, Any]:
    """The value reported last under this name, by decision."""
    return {row[0]: jsons.loads(row[1]) for row in reader.fetch(_NAMED, list(ruling_ids), name)}


def _outcome(row: Any) -> Outcome:
    return Outcome(*row)


def insert_label(uow: UnitOfWork, one: Label) -> bool:
    """Append; False when the review has its label."""
    dialect = postgresql if uow.dialect == "postgresql" else sqlite
    values = {field.name: getattr(one, field.name) for field in fields(one)}
    statement = dialect.insert(label).values(**values).on_conflict_do_nothing(index_elements=["review_id"])
    return uow.execute(statement.returning(label.c.id)).first() is not None


def page_of_labels(reader: Reader, limit: int, checkpoint: str | None, before: str | None) -> list[Label]:
    """Newest first."""
    query = select(label).order_by(label.c.id.desc()).limit(limit)
    query = query if checkpoint is None else query.where(label.c.checkpoint == checkpoint)
    query = query if before is None else query.where(label.c.id < before)
    return [Label(**row._mapping) for row in reader.execute(query)]  # noqa: SLF001  SQLAlchemy's public name for it


def label_sums(reader: Reader, checkpoint: str | None) -> list[tuple[tuple[str, str, str], tuple[int, int, int, int]]]:
    """((checkpoint, segment, producer), (answered, agree, disagree, cannot tell)); the last is no answer at all."""
    c = label.c
    key = (c.checkpoint, c.segment, c.producer)

    def number(condition: Any) -> Any:
        return func.count(case((condition, 1)))

    sums = (func.count(), number(c.agrees.is_(True)), number(c.agrees.is_(False)), number(c.answer.is_(null())))
    query = select(*key, *sums).group_by(*key)
    query = query if checkpoint is None else query.where(c.checkpoint == checkpoint)
    rows: Iterable[Any] = reader.execute(query)
    return [(tuple(row[:3]), tuple(row[3:])) for row in rows]
