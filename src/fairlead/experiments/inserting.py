"""Inserts of which only the first counts."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from fairlead.kit.unit_of_work import UnitOfWork


class _NothingNewError(Exception):
    """Takes back a statement that made nothing; never leaves this file."""


def insert_new(uow: UnitOfWork, statement: Any) -> list[Any]:
    """The rows that an INSERT … ON CONFLICT DO NOTHING RETURNING made; where it made none, nothing was written.

    So whoever lost the race owes the audit record no entry.
    """
    made: list[Any] = []
    with suppress(_NothingNewError), uow.savepoint():
        made = list(uow.execute(statement))
        if not made:
            raise _NothingNewError
    return made
