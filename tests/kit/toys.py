"""One audited and one exempt table, and a trail that keeps what it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, func, select

from fairlead.kit.columns import Instant, Json, exempt
from fairlead.kit.database import Database

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork

TOYS = MetaData()
THING = Table(
    "thing",
    TOYS,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("order", Text),
    Column("amount", BigInteger),
    Column("at", Instant),
    Column("facts", Json),
)
PEBBLE = Table("pebble", TOYS, Column("id", BigInteger, primary_key=True), info=exempt("a toy"))


@dataclass
class KeptTrail:
    """Remembers what it was asked to store."""

    entries: list[AuditEntry] = field(default_factory=list)

    def write(self, uow: UnitOfWork, entries: Sequence[AuditEntry]) -> None:
        """In memory only."""
        self.entries += entries


def things(database: Database) -> int:
    """How many audited rows are stored."""
    with database.reading() as reader:
        return int(reader.execute(select(func.count()).select_from(THING)).scalar_one())


def with_toys(url: str, *, busy_ms: int = 15_000) -> Database:
    """A database that has the toy tables."""
    database = Database(url, trail=KeptTrail(), busy_ms=busy_ms)
    with database.raw() as connection:
        TOYS.create_all(connection)
    return database
