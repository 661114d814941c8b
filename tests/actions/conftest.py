"""A database of each kind, with the audit trail, under a clock that stands still."""

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
    """Closed at the end."""
    opened = Database(database_url, clock=clock, trail=Trail())
    yield opened
    opened.close()
