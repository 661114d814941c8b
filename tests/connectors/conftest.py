"""A database and a mail server of the test alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fairlead.audit import Trail
from fairlead.kit.database import Database
from tests.connectors.mail_world import Letterbox, connected, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.connectors.smtp import SmtpConnector
    from fairlead.testing.clock import FakeClock


@pytest.fixture
def database(database_url: str, clock: FakeClock) -> Iterator[Database]:
    """With the schema, on both kinds."""
    made = Database(database_url, clock=clock, trail=Trail())
    yield made
    made.close()


@pytest.fixture
def light_database(sqlite_url: str, clock: FakeClock) -> Iterator[Database]:
    """On SQLite alone, for what does not touch storage much."""
    made = Database(sqlite_url, clock=clock, trail=Trail())
    yield made
    made.close()


@pytest.fixture
def box() -> Letterbox:
    """What the server accepted."""
    return Letterbox()


@pytest.fixture
def smtp(light_database: Database, box: Letterbox) -> Iterator[SmtpConnector]:
    """A connector to a server that accepts everything it is not told to refuse."""
    with serving(box) as port, connected(light_database, port) as connector:
        yield connector
