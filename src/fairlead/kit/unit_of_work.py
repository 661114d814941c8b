"""One use case, one transaction: domain rows, audit entries and actions commit together or not at all."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    CursorResult,
    Executable,
    Select,
    Table,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.dml import UpdateBase

from fairlead.errors import FaultError, UnauditedWriteError
from fairlead.kit.actors import SYSTEM, Actor
from fairlead.kit.driver_errors import translated, unstorable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from fairlead.kit.lanes import Lane


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that happened.

    `verb` is `noun.past_tense` (`case.opened`); `subject` the id of what it happened to; `payload` what
    changed, any JSON. `customer_id` names whose key commits the payload, so that erasing the customer
    makes it unreadable; None where no customer is concerned.
    """

    verb: str
    subject: str
    payload: dict[str, Any] = field(default_factory=dict)
    customer_id: str | None = None
    actor: Actor = SYSTEM


class AuditTrail(Protocol):
    """Where a unit of work leaves its entries; `audit.Trail` is the real one."""

    def write(self, uow: UnitOfWork, entries: Sequence[AuditEntry]) -> None:
        """Store the entries inside the unit's own transaction."""
        ...


class Reader:
    """Reads one consistent state of the database; refuses everything else."""

    def __init__(self, connection: Connection) -> None:
        """`connection` is in a transaction that its opener ends."""
        self._connection = connection
        self.dialect = connection.dialect.name

    def execute(self, statement: Executable, params: Any = None) -> CursorResult[Any]:
        """Run a SELECT; FaultError for anything that is not one."""
        if not isinstance(statement, (Select, CompoundSelect)):  # a TextualSelect may hide anything
            message = f"a reader only reads: {statement}"
            raise FaultError(message)
        return self._run(statement, params)

    def fetch(self, sql: str, *params: Any) -> list[Any]:
        """Rows of one constant SELECT of ours, `?` for each value; FaultError for anything else.

        A list is one value, for `= ANY(?)`. For the hottest paths: building a statement and looking up its
        compiled form costs 100 to 200 µs, more than the database takes for it. Values come back as stored.
        """
        if not sql.startswith("SELECT "):
            message = f"only a SELECT is fetched: {sql}"
            raise FaultError(message)
        try:
            cursor = self._cursor()
            if self.dialect == "postgresql":
                sql = sql.replace("?", "%s")
            else:
                sql = sql.replace("= ANY(?)", "IN (SELECT value FROM json_each(?))")
                params = tuple(json.dumps(value) if type(value) is list else value for value in params)
            rows: list[Any] = cursor.execute(sql, params).fetchall()
        except (UnicodeEncodeError, OverflowError) as error:
            raise unstorable(error) from error
        return rows

    def _run(self, statement: Executable, params: Any) -> CursorResult[Any]:
        try:
            return self._connection.execute(statement, params)
        except (UnicodeEncodeError, OverflowError) as error:
            raise unstorable(error) from error

    def _cursor(self) -> Any:
        raw = self._connection.connection.driver_connection
        assert raw is not None  # noqa: S101  a live transaction has a connection
        return raw.cursor()


_POSTGRES = postgresql.dialect()  # type: ignore[no-untyped-call]


@cache
def _insert_sql(table: str, columns: tuple[str, ...], dialect: str) -> str:
    names = ", ".join(f'"{name}"' for name in columns)  # quoted: `order` and `user` are column names, too
    if dialect == "postgresql":
        return f'COPY "{table}" ({names}) FROM STDIN'
    marks = ", ".join("?" * len(columns))
    return f'INSERT INTO "{table}" ({names}) VALUES ({marks})'


_TOGETHER = 4
_ASSIGNED = re.compile(r'("?)(\w+)\1 = \?')


@cache
def _update_from(table: Table, sql_set: str, sql_where: str) -> str | None:
    """The update of many rows as one statement over arrays; None where a `?` is not `column = ?`."""
    kinds: list[str] = []

    def value(match: re.Match[str]) -> str:
        if match[2] not in table.c:
            return match[0]
        kinds.append(table.c[match[2]].type.compile(_POSTGRES))
        return f'"{match[2]}" = given.v{len(kinds)}'

    clauses = [_ASSIGNED.sub(value, clause) for clause in (sql_set, sql_where)]
    if any("?" in clause for clause in clauses):
        return None
    arrays = ", ".join(f"%s::{kind}[]" for kind in kinds)
    names = ", ".join(f"v{number}" for number in range(1, len(kinds) + 1))
    return f"UPDATE {table.name} SET {clauses[0]} FROM unnest({arrays}) AS given({names}) WHERE {clauses[1]}"


class UnitOfWork(Reader):
    """A transaction in progress; only `Database.transaction` opens and ends one."""

    def __init__(self, connection: Connection, trail: AuditTrail, now: datetime, lane: Lane) -> None:
        """`now` is the one moment of everything this unit does."""
        super().__init__(connection)
        self.now = now
        self.lane = lane
        self.new_scopes: set[str] = set()
        self._trail = trail
        self._written: set[str] = set()
        self._entries: list[AuditEntry] = []
        self._after: list[Callable[[], None]] = []

    def execute(self, statement: Executable, params: Any = None) -> CursorResult[Any]:
        """Run a SELECT, INSERT, UPDATE or DELETE of SQLAlchemy Core; FaultError for other statements."""
        if isinstance(statement, UpdateBase):
            self._note(statement.table)
            return self._run(statement, params)
        return super().execute(statement, params)

    def bookkeep(self, table: Table, where: ColumnElement[bool], values: Mapping[str, Any]) -> int:
        """Change columns that only say who is working on a row, which nobody needs to read about later.

        FaultError for a column whose `info` does not say `BOOKKEEPING`; returns the rows changed.
        """
        for name in values:
            if not table.c[name].info.get("bookkeeping"):
                message = f"{table.name}.{name} is not bookkeeping: its changes need an audit entry"
                raise FaultError(message)
        return self._run(update(table).where(where).values(**values), None).rowcount

    def insert_many(self, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows of plain values (int microseconds, JSON text) in the order of `columns`.

        Prepared `executemany` on SQLite, COPY on Postgres; no conflict handling, no defaults.
        """
        self._note(table)
        sql = _insert_sql(table.name, tuple(columns), self.dialect)
        try:
            if self.dialect != "postgresql":
                self._cursor().executemany(sql, rows)
                return
            with self._cursor() as cursor, cursor.copy(sql) as copy:
                for row in rows:
                    copy.write_row(row)
        except (UnicodeEncodeError, OverflowError) as error:
            raise unstorable(error) from error

    def update_many(self, table: Table, sql_set: str, sql_where: str, rows: Sequence[Sequence[Any]]) -> int:
        """Run `UPDATE table SET … WHERE …` once per row of positional values (`?`); returns rows changed.

        No two rows may change the same row of the table. The two clauses are written by us, never by a
        caller's caller.
        """
        if not rows:
            return 0
        self._note(table)
        sql = f"UPDATE {table.name} SET {sql_set} WHERE {sql_where}"
        try:
            if self.dialect == "postgresql":
                with self._cursor() as cursor:
                    together = _update_from(table, sql_set, sql_where)
                    if together and len(rows) >= _TOGETHER:
                        cursor.execute(together, [list(column) for column in zip(*rows, strict=True)])
                    else:
                        cursor.executemany(sql.replace("?", "%s"), rows)
                    return int(cursor.rowcount)
            return int(self._cursor().executemany(sql, rows).rowcount)
        except (UnicodeEncodeError, OverflowError) as error:
            raise unstorable(error) from error

    def record(self, entry: AuditEntry) -> None:
        """Leave an audit entry; it is stored at commit, with everything else or not at all."""
        self._entries.append(entry)

    def record_many(self, entries: Iterable[AuditEntry]) -> None:
        """`record` for each."""
        self._entries.extend(entries)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What the block wrote, recorded and asked for after the commit is forgotten when it raises.

        Drivers' exceptions come out as errors of our tree; after UnavailableError the whole unit is lost.
        """
        kept, after, written = len(self._entries), len(self._after), set(self._written)
        try:
            with translated(), self._connection.begin_nested():
                yield
        except BaseException:
            del self._entries[kept:], self._after[after:]
            self._written = written
            raise

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call this once the transaction is durable; only for wake-ups whose loss is harmless."""
        self._after.append(call)

    def finish(self) -> list[Callable[[], None]]:
        """Store the audit entries and check that every domain write has one; the opener then commits."""
        if self._written and not self._entries:
            tables = ", ".join(sorted(self._written))
            message = f"wrote {tables} without an audit entry; the transaction was rolled back"
            raise UnauditedWriteError(message, tables=sorted(self._written))
        if self._entries:
            self._trail.write(self, self._entries)
        return self._after

    def _note(self, table: Any) -> None:
        if "audit_exempt" not in table.info:
            self._written.add(table.name)
