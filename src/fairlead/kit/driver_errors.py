"""What an exception of a database driver means to whoever asked for the work."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeoutError

from fairlead.errors import ConflictError, FairleadError, FaultError, InputError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

_GENERIC = 1  # SQLITE_ERROR: the statement itself is wrong, as opposed to the file, disk or lock
_UNIQUE = {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID"}


@contextmanager
def translated() -> Iterator[None]:
    """Turn drivers' exceptions, wrapped by SQLAlchemy or bare, into errors of our tree.

    Values that the database cannot hold → InputError `data`; a taken unique key → ConflictError; locked,
    full, stopped, cut off → UnavailableError; everything else is our fault → FaultError.
    """
    try:
        yield
    except PoolTimeoutError as error:
        raise UnavailableError(f"no database connection became free: {first_line(error)}") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise UnavailableError(f"the connection to the database was lost: {first_line(error.orig)}") from error
        raise _meaning(error.orig) from error
    except (sqlite3.Error, psycopg.Error) as error:
        raise _meaning(error) from error


def unstorable(error: UnicodeEncodeError | OverflowError) -> InputError:
    """The error for a value that Python holds and a database column cannot."""
    reason = "a lone surrogate in a text" if isinstance(error, UnicodeEncodeError) else "a number beyond 64 bits"
    return InputError(f"the database cannot store {reason}", code="data")


def first_line(error: BaseException | None) -> str:
    """The first line of the driver's message: later lines may quote other people's rows."""
    return str(error).strip().partition("\n")[0]


def _meaning(error: BaseException | None) -> FairleadError:
    line = first_line(error)
    if isinstance(error, (sqlite3.DataError, psycopg.DataError)):
        return InputError(f"the database cannot store a value: {line}", code="data")
    if isinstance(error, (sqlite3.IntegrityError, psycopg.IntegrityError)):
        if isinstance(error, psycopg.errors.UniqueViolation) or _sqlite_name(error) in _UNIQUE:
            return ConflictError(f"a record with this key exists already: {line}")
        return FaultError(f"a row breaks a rule of the database: {line}")
    if isinstance(error, (sqlite3.ProgrammingError, psycopg.ProgrammingError)) or _sqlite_code(error) == _GENERIC:
        return FaultError(f"the database refused a statement: {line}")
    return UnavailableError(f"the database cannot be used right now: {line}")


def _sqlite_code(error: BaseException | None) -> int | None:
    return getattr(error, "sqlite_errorcode", None)


def _sqlite_name(error: BaseException | None) -> str | None:
    return getattr(error, "sqlite_errorname", None)
