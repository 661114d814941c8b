"""A database with one admin in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fairlead.audit import Trail
from fairlead.kit.actors import SYSTEM
from fairlead.kit.database import Database
from fairlead.people import add_person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.people import Person
    from fairlead.testing.clock import FakeClock


@pytest.fixture
def database(database_url: str, clock: FakeClock) -> Iterator[Database]:
    """An audited database of each kind on the test's own clock."""
    opened = Database(database_url, clock=clock, trail=Trail())
    yield opened
    opened.close()


@pytest.fixture
def admin(database: Database) -> Person:
    """The only admin."""
    with database.transaction() as uow:
        return add_person(uow, SYSTEM, name="Ada Admin", email="ada@example.com", roles=["admin"])


@pytest.fixture
def sqlite_database(sqlite_url: str, clock: FakeClock) -> Iterator[Database]:
    """As `database`, on SQLite alone, for what no database changes."""
    opened = Database(sqlite_url, clock=clock, trail=Trail())
    yield opened
    opened.close()


@pytest.fixture
def sqlite_admin(sqlite_database: Database) -> Person:
    """The only admin there."""
    with sqlite_database.transaction() as uow:
        return add_person(uow, SYSTEM, name="Ada Admin", email="ada@example.com", roles=["admin"])
