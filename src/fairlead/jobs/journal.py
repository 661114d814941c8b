"""Where DBOS keeps its tables, and how it may connect to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fairlead.errors import InputError, UnavailableError

if TYPE_CHECKING:
    import threading

SCHEMA = "fairlead_jobs"
"""Postgres schema of DBOS's own tables, in the same database as ours."""
_LIMITS = "-c idle_in_transaction_session_timeout=60000"


def journal_url(database_url: str) -> sa.URL:
    """Where DBOS keeps its tables for `database_url`; InputError for SQLite in memory."""
    url = sa.make_url(database_url)
    if url.get_backend_name() != "sqlite":
        return url.set(drivername="postgresql+psycopg")
    if not url.database or url.database == ":memory:":
        message = "jobs need a database file; SQLite in memory has none to put jobs.sqlite beside"
        raise InputError(message)
    return sa.URL.create("sqlite", database=str(Path(url.database).with_name("jobs.sqlite")))


def journal_engine(url: sa.URL, closing: threading.Event) -> sa.Engine:
    """An engine as DBOS makes it, but WAL on SQLite, a small pool, and no new connection while closing.

    DBOS tries a lost connection again for ever; the refusal is what ends that when we stop.
    """
    sqlite = url.get_backend_name() == "sqlite"
    options: dict[str, Any] = (
        {} if sqlite else {"pool_size": 5, "connect_args": {"connect_timeout": 5, "options": _LIMITS}}
    )
    engine = sa.create_engine(url, pool_pre_ping=not sqlite, max_overflow=10, **options)

    @sa.event.listens_for(engine, "do_connect")
    def refuse(*_: Any) -> None:
        if closing.is_set():
            message = "the job runner is stopping"
            raise UnavailableError(message)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        if sqlite:
            connection.isolation_level = "IMMEDIATE"
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {pragma}")

    return engine
