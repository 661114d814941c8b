"""Rows of any table, filled with whatever its columns accept, so that every class can be tried on real tables."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Boolean, Double, Float, Integer, LargeBinary, func, insert, select

import fairlead.schema  # noqa: F401  registers every table
from fairlead.kit.columns import Instant, Json, metadata
from fairlead.kit.unit_of_work import AuditEntry

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Column

    from fairlead.kit.database import Database
    from fairlead.kit.unit_of_work import UnitOfWork

_numbers = itertools.count(1)


def plant(uow: UnitOfWork, name: str, at: datetime, **given: Any) -> dict[str, Any]:
    """A row of this table and, unless they are given, of those it refers to; moments that nobody gave are `at`."""
    table = metadata.tables[name]
    row = dict(given)
    for column in table.c:
        if column.name in row:
            continue
        parent = next(iter(column.foreign_keys), None)
        if parent is not None and not column.nullable:
            row[column.name] = plant(uow, parent.column.table.name, at)[parent.column.name]
        elif not column.nullable:
            row[column.name] = _filler(column, at)
    uow.execute(insert(table).values(**row))
    return row


def _filler(column: Column[Any], at: datetime) -> Any:
    kind = column.type
    number = next(_numbers)
    if isinstance(kind, Instant):
        return at
    if isinstance(kind, Json):
        return {"was": number}
    if isinstance(kind, Boolean):
        return False
    if isinstance(kind, BigInteger | Integer | Double | Float):
        return number
    return f"{number}".encode() if isinstance(kind, LargeBinary) else f"{column.name}-{number}"


def planted(database: Database, name: str, at: datetime, **given: Any) -> dict[str, Any]:
    """The same in a transaction of its own."""
    with database.transaction() as uow:
        uow.record(AuditEntry("test.planted", name))
        return plant(uow, name, at, **given)


def rows_of(database: Database, name: str) -> list[Any]:
    """Every row of a table."""
    with database.reading() as reader:
        return list(reader.execute(select(metadata.tables[name])))


def count(database: Database, name: str) -> int:
    """How many there are."""
    with database.reading() as reader:
        return int(reader.execute(select(func.count()).select_from(metadata.tables[name])).scalar_one())
