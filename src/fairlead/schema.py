"""Every table of the product; importing this module registers them all. A composition root."""

from __future__ import annotations

import sqlite3

from sqlalchemy import Column, Text, select, table

from fairlead.actions import tables as _actions
from fairlead.alerts import tables as _alerts
from fairlead.audit import tables as _audit
from fairlead.checkpoints import tables as _checkpoints
from fairlead.connectors import tables as _connectors
from fairlead.customers import tables as _customers
from fairlead.errors import FaultError, InputError, UnavailableError
from fairlead.evidence import tables as _evidence
from fairlead.experiments import tables as _experiments
from fairlead.guardrails import tables as _guardrails
from fairlead.identity import tables as _identity
from fairlead.kit import events as _events
from fairlead.kit.columns import metadata
from fairlead.kit.database import Database
from fairlead.migrations import HEAD, VERSION_TABLE
from fairlead.people import tables as _people, team_tables as _teams
from fairlead.playbooks import tables as _playbooks
from fairlead.reviews import tables as _reviews
from fairlead.rights import tables as _rights
from fairlead.sales import tables as _sales
from fairlead.sales.capture import tables as _capture
from fairlead.sales.matching import tables as _matching
from fairlead.sales.nurture import tables as _nurture
from fairlead.sales.routing import tables as _routing
from fairlead.understanding import tables as _understanding

FEATURES = (
    _actions,
    _alerts,
    _audit,
    _capture,
    _checkpoints,
    _connectors,
    _customers,
    _events,
    _evidence,
    _experiments,
    _guardrails,
    _identity,
    _people,
    _teams,
    _playbooks,
    _reviews,
    _rights,
    _routing,
    _sales,
    _matching,
    _nurture,
    _understanding,
)

__all__ = ["FEATURES", "create_schema", "metadata"]

_VERSION = select(table(VERSION_TABLE, Column("version_num", Text)))


def create_schema(url: str) -> None:
    """Bring the database at `url` to the newest revision of this build; one query when it is there already.

    Any number of processes may do this at once. InputError for a database or file that is not ours,
    UnavailableError for one that a newer build upgraded; both say what to do.
    """
    database = Database(url)
    try:
        if _is_current(database):
            return
        # Here, because loading Alembic takes longer than every other start-up step together.
        from fairlead.migrations.upgrading import upgrade  # noqa: PLC0415

        with database.raw() as connection:
            upgrade(connection)
    except UnavailableError as error:
        if _root_code(error) == "SQLITE_NOTADB":
            message = f"{database.url.database} is not a database. Let FAIRLEAD_DATABASE_URL name a new file"
            raise InputError(message, code="foreign_database") from error
        raise
    finally:
        database.close()


def _is_current(database: Database) -> bool:
    try:
        with database.reading() as reader:
            return reader.execute(_VERSION).scalars().all() == [HEAD]
    except UnavailableError:
        raise
    except FaultError:  # the table is not there
        return False


def _root_code(error: BaseException) -> str | None:
    cause = error.__cause__
    while cause is not None and not isinstance(cause, sqlite3.Error):
        cause = getattr(cause, "orig", None) or cause.__cause__
    return getattr(cause, "sqlite_errorname", None)
