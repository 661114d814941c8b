"""A database with toy tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kit.toys import with_toys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.kit.database import Database


@pytest.fixture
def database(empty_database_url: str) -> Iterator[Database]:
    """On SQLite and on Postgres."""
    made = with_toys(empty_database_url)
    yield made
    made.close()
