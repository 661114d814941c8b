"""The database: one engine per process, transactions in two lanes, the same SQL on SQLite and Postgres."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from fairlead.errors import FaultError
from fairlead.kit.clock import Clock, SystemClock
from fairlead.kit.driver_errors import translated
from fairlead.kit.engines import checked_url, postgres_engine, sqlite_engine
from fairlead.kit.lanes import Lane, WriteLanes
from fairlead.kit.unit_of_work import AuditEntry, AuditTrail, Reader, UnitOfWork

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BUSY_MS = 15_000


class _NoTrail:
    """Refuses entries: a database opened without a trail takes no audited write."""

    def write(self, uow: UnitOfWork, entries: Sequence[AuditEntry]) -> None:
        """Always a FaultError."""
        del uow, entries
        message = "this database was opened without an audit trail"
        raise FaultError(message)


class Database:
    """Opens transactions; share one per process, close it at the end.

    SQLite runs in WAL mode. Interactive transactions commit with `synchronous=FULL` (an answered request is
    on disk), bulk ones with NORMAL (the next interactive commit or checkpoint syncs them; what a power cut
    could lose is redone by the sweep).
    """

    def __init__(
        self, url: str, *, clock: Clock | None = None, trail: AuditTrail | None = None, busy_ms: int = BUSY_MS
    ) -> None:
        """`url` is an SQLAlchemy URL of SQLite (a file) or Postgres; InputError for any other.

        `busy_ms` is how long SQLite waits for another process to let go of the file.
        """
        self.url = checked_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.clock = clock or SystemClock()
        self.trail = trail or _NoTrail()
        # READ COMMITTED, the default of Postgres, would show every statement another state.
        options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reading = {"fairlead_begin": "read", **({} if self.is_sqlite else options)}
        self._lanes = WriteLanes(exclusive=self.is_sqlite)
        self._engine = sqlite_engine(self.url, busy_ms) if self.is_sqlite else postgres_engine(self.url)

    @contextmanager
    def transaction(self, lane: Lane = Lane.INTERACTIVE) -> Iterator[UnitOfWork]:
        """A unit of work that commits when the block ends and rolls back when it raises.

        Nothing was stored after UnavailableError (the database is locked, full, stopped or was started
        meanwhile), InputError `data` (it cannot hold a value), ConflictError (a key is taken) and FaultError
        (this thread has a transaction already).
        """
        with self._lanes.hold(lane), translated(), self._engine.connect() as pooled:
            connection = pooled.execution_options(fairlead_begin=lane.value)
            with connection.begin() as transaction:
                uow = UnitOfWork(connection, self.trail, self.clock.now(), lane)
                yield uow
                after = uow.finish()
                transaction.commit()
        for call in after:
            call()

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """One consistent view for as long as the block lasts; never blocks or waits for writers on SQLite."""
        with translated(), self._engine.connect() as pooled:
            connection = pooled.execution_options(**self._reading)
            with connection.begin():
                yield Reader(connection)

    @contextmanager
    def raw(self) -> Iterator[Connection]:
        """A bare connection in a transaction, for migrations, benchmarks and tests that play an intruder."""
        with self._lanes.hold(Lane.BULK), translated(), self._engine.connect() as pooled:
            connection = pooled.execution_options(fairlead_begin=Lane.BULK.value)
            with connection.begin():
                yield connection

    def empty_log(self) -> bool:
        """Write SQLite's log into the file and empty it, since rows stand in it as they were; True when it is empty.

        False while somebody reads what it holds: try again later. True at once on Postgres.
        """
        if not self.is_sqlite:
            return True
        with self._lanes.hold(Lane.BULK), translated(), self._engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            [waits] = raw.execute("PRAGMA busy_timeout").fetchone()
            raw.execute("PRAGMA busy_timeout=100")
            try:
                return bool(raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
            finally:
                raw.execute(f"PRAGMA busy_timeout={waits}")

    def seconds_now(self) -> float:
        """The database server's own clock, seconds since 1970; on SQLite the machine's."""
        if self.is_sqlite:
            return time.time()
        sql = "SELECT extract(epoch FROM clock_timestamp())"
        with translated(), self._engine.connect() as connection:
            return float(connection.execute(text(sql)).scalar_one())

    def close(self) -> None:
        """Give every connection back; the object is of no use afterwards."""
        self._engine.dispose()
