"""An installation with a signed way out, and a desk with rules, for the promises that laws and standards ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fairlead.audit import Trail
from fairlead.kit.database import Database
from tests.guardrails.desk import Desk
from tests.law.world import Office, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fairlead.testing.clock import FakeClock


@pytest.fixture
def desk(sqlite_url: str, clock: FakeClock) -> Iterator[Desk]:
    """The gate over a database; each test brings its own rules."""
    database = Database(sqlite_url, clock=clock, trail=Trail())
    yield Desk(database)
    database.close()


@pytest.fixture
def office(tmp_path: Path, sqlite_url: str, clock: FakeClock) -> Iterator[Office]:
    """Over a real mail server, with a DKIM key, at ten in the morning where the customer is."""
    with opened(tmp_path, sqlite_url, clock) as made:
        yield made
