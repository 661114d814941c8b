"""Bringing a database to the newest revision, under a lock; refusing one that is not ours or is newer."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from fairlead.errors import InputError, UnavailableError
from fairlead.migrations import HEAD, VERSION_TABLE, number_of

FOLDER = Path(__file__).resolve().parent
LOCK_WAIT_S = 300
_LOCK = 0x6661_6972_6C65_6164  # "fairlead"; advisory locks are numbers
_SHOWN = 5


def configuration() -> Config:
    """Alembic's configuration, made of code: no file is read besides the revisions."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config


def known_revisions() -> list[str]:
    """Every revision of this build, oldest first."""
    return [script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()][::-1]


def upgrade(connection: Connection) -> None:
    """Apply what is missing, in the transaction that `connection` is in.

    Two processes may do this at once: on SQLite the caller's BEGIN IMMEDIATE keeps the second one out, on
    Postgres an advisory lock does; the second then finds nothing to do. InputError `foreign_database` for a
    database that holds somebody else's tables, UnavailableError `newer_database` for one that a later build
    upgraded, `unreleased_database` for one from before the release whose tables were still others.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT_S}s'"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))  # a large table takes the time it takes
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    present = _present(connection)
    if present == HEAD:
        return
    if present is not None:
        _refuse_unknown(present)
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)


def _present(connection: Connection) -> str | None:
    """The revision that the database is at, None for an empty one."""
    tables = sorted(inspect(connection).get_table_names())
    if VERSION_TABLE not in tables:
        if tables:
            raise _foreign(tables)
        return None
    found = [str(row[0]) for row in connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}"))]
    if len(found) != 1 or number_of(found[0]) is None:
        raise _foreign(tables)
    return found[0]


def _foreign(tables: list[str]) -> InputError:
    some = ", ".join(tables[:_SHOWN]) + (f" and {len(tables) - _SHOWN} more" if len(tables) > _SHOWN else "")
    message = (
        f"the database holds tables, but is not a Fairlead database: {some}. "
        "Let FAIRLEAD_DATABASE_URL name an empty one"
    )
    return InputError(message, code="foreign_database", tables=tables[:_SHOWN])


def _refuse_unknown(present: str) -> None:
    if present in known_revisions():
        return
    if (number_of(present) or 0) > (number_of(HEAD) or 0):
        message = (
            f"a newer Fairlead upgraded the database to revision {present}; this build ends at {HEAD}."
            " Start the newer build, or put back the backup from before the upgrade"
        )
        raise UnavailableError(message, code="newer_database", revision=present, known=HEAD)
    message = (
        f"the database is at revision {present}, which this build ({HEAD}) does not know: "
        "it was made by a build from before the release. Move it away and start with an empty one"
    )
    raise UnavailableError(message, code="unreleased_database", revision=present, known=HEAD)
