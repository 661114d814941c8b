"""A world on each database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fairlead.testing.clock import FakeClock
    from tests.sales.world import World


@pytest.fixture
def world(database_url: str, tmp_path: Path, clock: FakeClock) -> Iterator[World]:
    """The example workspace, deployed, on SQLite and on Postgres."""
    from tests.sales.world import World  # noqa: PLC0415  the pure tests beside it need no engine

    one = World(database_url, tmp_path, clock)
    yield one
    one.close()
