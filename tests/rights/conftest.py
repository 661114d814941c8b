"""A workspace with the example's playbooks on each database, and people who decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rights.world import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fairlead.testing.clock import FakeClock


@pytest.fixture
def desk(database_url: str, tmp_path: Path, clock: FakeClock) -> Iterator[Desk]:
    """Closed at the end."""
    one = Desk(database_url, tmp_path, clock)
    yield one
    one.close()
