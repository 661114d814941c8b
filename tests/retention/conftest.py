"""A database of each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fairlead.audit import Trail
from fairlead.kit.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.testing.clock import FakeClock


@pytest.fixture
def database(database_url: str, clock: FakeClock) -> Iterator[Database]:
    """With the schema, on both kinds."""
    made = Database(database_url, clock=clock, trail=Trail())
    yield made
    made.close()


@pytest.fixture
def light_database(sqlite_url: str, clock: FakeClock) -> Iterator[Database]:
    """On SQLite alone, for what does not hang on storage."""
    made = Database(sqlite_url, clock=clock, trail=Trail())
    yield made
    made.close()
