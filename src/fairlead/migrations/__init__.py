"""How a database gets the tables of this build, revision by revision.

Importing this is cheap; `fairlead.migrations.upgrading` loads Alembic and is imported only where there is
work to do.
"""

from __future__ import annotations

VERSION_TABLE = "fairlead_version"
"""Holds one row, the revision that the database is at. Not called as Alembic calls it, so that another
program's database is not taken for ours."""
HEAD = "0001_c508dc07"
"""The newest revision that this build knows, as `number_digest`. Written by `make migration`."""


def number_of(revision: str) -> int | None:
    """The revision's place in the history, from 1; None for a text that is no revision of ours."""
    digits, line, _ = revision.partition("_")
    return int(digits) if line and digits.isascii() and digits.isdigit() else None
