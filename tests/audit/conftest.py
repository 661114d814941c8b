"""A world on each database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.audit.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.testing.clock import FakeClock
    from fairlead.testing.postgres import EmbeddedPostgres


@pytest.fixture
def world(empty_database_url: str, clock: FakeClock) -> Iterator[World]:
    """On SQLite and on Postgres."""
    made = World(empty_database_url, clock)
    yield made
    made.database.close()


@pytest.fixture
def postgres_world(
    postgres_server: EmbeddedPostgres, clock: FakeClock, request: pytest.FixtureRequest
) -> Iterator[World]:
    """On Postgres alone, where transactions run side by side."""
    name = f"audit_{abs(hash(request.node.nodeid)):x}"
    made = World(postgres_server.create_database(name), clock)
    yield made
    made.database.close()
    postgres_server.drop_database(name)
