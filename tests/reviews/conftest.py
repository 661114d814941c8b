"""The desk on either database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.reviews.world import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.testing.clock import FakeClock


@pytest.fixture
def desk(database_url: str, clock: FakeClock) -> Iterator[Desk]:
    """An empty desk; the test runs on SQLite and on Postgres."""
    made = Desk.at(database_url, clock)
    yield made
    made.database.close()
