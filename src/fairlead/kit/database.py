"""The database: one engine per process, transactions in two lanes, the same SQL on SQLite and Postgres."""

from __future__ import annotations

import select
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, InvalidatePoolError
from sqlalchemy.pool import QueuePool

from fairlead.errors import FaultError, InputError, UnavailableError
from fairlead.kit.clock import Clock, SystemClock
from fairlead.kit.driver_errors import translated
from fairlead.kit.lanes import Lane, WriteLanes
from fairlead.kit.unit_of_work import AuditEntry, AuditTrail, Reader, UnitOfWork

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BUSY_MS = 15_000
CONNECT_TIMEOUT_S = 10
_POSTGRES_LIMITS = "-c statement_timeout=120000 -c idle_in_transaction_session_timeout=20000 -c timezone=UTC"


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
        self.url = _checked(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.clock = clock or SystemClock()
        self.trail = trail or _NoTrail()
        # READ COMMITTED, the default of Postgres, would show every statement another state.
        options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reading = {"fairlead_begin": "read", **({} if self.is_sqlite else options)}
        self._lanes = WriteLanes(exclusive=self.is_sqlite)
        self._engine = _sqlite_engine(self.url, busy_ms) if self.is_sqlite else _postgres_engine(self.url)

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


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        message = "the database address is not of the form sqlite:///FILE or postgresql://USER@HOST/NAME"
        raise InputError(message, code="database_url") from None
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite" or parsed.database in (None, "", ":memory:"):
        message = f"the database must be an SQLite file or Postgres, not {backend!r} {parsed.database or ''}"
        raise InputError(message.rstrip(), code="database_url")
    return parsed


def _sqlite_engine(url: URL, busy_ms: int) -> Engine:
    folder = Path(str(url.database)).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"the folder of the database, {folder}, cannot be made: {error.strerror}"
        raise UnavailableError(message) from error
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=10,
        max_overflow=40,
        connect_args={"check_same_thread": False, "timeout": busy_ms / 1000, "cached_statements": 512},
    )

    @event.listens_for(engine, "connect")
    def prepare(raw: Any, _record: Any) -> None:
        raw.isolation_level = None  # we say BEGIN ourselves
        for pragma in (
            "journal_mode=WAL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "cache_size=-16384",
            "wal_autocheckpoint=4000",  # 16 MB: by default a bulk writer waits for the disk every few transactions
        ):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        kind = connection.get_execution_options().get("fairlead_begin", "read")
        raw: Any = connection.connection.driver_connection
        if kind == "read":
            raw.execute("PRAGMA query_only=ON")
            raw.execute("BEGIN")
            return
        raw.execute("PRAGMA query_only=OFF")
        raw.execute("PRAGMA synchronous=" + ("FULL" if kind == Lane.INTERACTIVE.value else "NORMAL"))
        raw.execute("BEGIN IMMEDIATE")

    return engine


def _postgres_engine(url: URL) -> Engine:
    engine = create_engine(
        url,
        pool_size=10,
        max_overflow=30,
        pool_timeout=30,
        connect_args={
            "options": _POSTGRES_LIMITS,
            "prepare_threshold": 2,
            "connect_timeout": url.query.get("connect_timeout", CONNECT_TIMEOUT_S),
        },
    )

    @event.listens_for(engine, "checkout")
    def refuse_dead(raw: Any, _record: Any, _proxy: Any) -> None:
        # An idle connection has nothing to say. One that can be read was closed by a server that stopped or
        # restarted; the pool then replaces all of them. Costs 5 µs, a ping 75.
        socket = select.poll()
        socket.register(raw.fileno(), select.POLLIN)
        if socket.poll(0):
            raise InvalidatePoolError("the server closed the connection")

    return engine
