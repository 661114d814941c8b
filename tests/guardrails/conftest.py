"""A desk with rules in force, on each database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fairlead.audit import Trail
from fairlead.kit.database import Database
from tests.guardrails.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.testing.clock import FakeClock


@pytest.fixture
def desk(database_url: str, clock: FakeClock) -> Iterator[Desk]:
    """On both databases."""
    database = Database(database_url, clock=clock, trail=Trail())
    one = Desk(database)
    one.deploy()
    yield one
    database.close()


@pytest.fixture
def light_desk(sqlite_url: str, clock: FakeClock) -> Iterator[Desk]:
    """On SQLite alone, for what does not hang on storage."""
    database = Database(sqlite_url, clock=clock, trail=Trail())
    one = Desk(database)
    one.deploy()
    yield one
    database.close()
