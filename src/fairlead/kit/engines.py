"""Engines for SQLite and Postgres, with the settings that Fairlead relies on."""

from __future__ import annotations

import select
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, InvalidatePoolError
from sqlalchemy.pool import QueuePool

from fairlead.errors import InputError, UnavailableError
from fairlead.kit.lanes import Lane

CONNECT_TIMEOUT_S = 10
_TURN_S = 0.01
_POSTGRES_LIMITS = "-c statement_timeout=120000 -c idle_in_transaction_session_timeout=20000 -c timezone=UTC"


def checked_url(url: str) -> URL:
    """With the driver that is used; InputError `database_url` for anything but Postgres and a file of SQLite."""
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


def sqlite_engine(url: URL, busy_ms: int) -> Engine:
    """Opens the file in WAL mode, waiting `busy_ms` for a lock; UnavailableError when it cannot be there."""
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
        _write_ahead(raw, busy_ms)
        for pragma in (
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "cache_size=-16384",
            "secure_delete=ON",  # what is deleted is overwritten in the file; costs nothing that can be measured
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


def _write_ahead(raw: Any, busy_ms: int) -> None:
    # Two that turn one new file to WAL at the same moment would wait for each other; SQLite then refuses one of them
    # at once, whatever its time-out says.
    until = time.monotonic() + busy_ms / 1000
    while True:
        try:
            raw.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_TURN_S)
        else:
            return


def postgres_engine(url: URL) -> Engine:
    """Sessions with bounded statements and idle times; connections that broke are opened again."""
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
