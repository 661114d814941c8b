"""A world with a gate on each kind of database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.gate.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.testing.clock import FakeClock


@pytest.fixture
def world(database_url: str, clock: FakeClock) -> Iterator[World]:
    """Closed afterwards."""
    made = World.at(database_url, clock)
    with made.web:
        yield made
    made.database.close()
