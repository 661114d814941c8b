"""A seeded console on either database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.console.world import Site, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fairlead.testing.clock import FakeClock


@pytest.fixture
def site(database_url: str, clock: FakeClock, tmp_path: Path) -> Iterator[Site]:
    """A desk with work on it; the test runs on SQLite and on Postgres."""
    made = build(database_url, clock, tmp_path)
    yield made
    made.database.close()


@pytest.fixture
def sqlite_site(sqlite_url: str, clock: FakeClock, tmp_path: Path) -> Iterator[Site]:
    """As `site`, on SQLite alone, for what no database changes."""
    made = build(sqlite_url, clock, tmp_path)
    yield made
    made.database.close()
