"""A seeded console on either database: seeded once in a run, copied for each test."""

from __future__ import annotations

import itertools
import shutil
from typing import TYPE_CHECKING

import pytest

from fairlead.testing.clock import FakeClock
from tests.console.world import Site, opened, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fairlead.testing.postgres import EmbeddedPostgres
    from fairlead.testing.seed import SeededDesk

SEEDED = "fairlead_console_template"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def seeded_sqlite(tmp_path_factory: pytest.TempPathFactory, _sqlite_template: Path) -> tuple[Path, SeededDesk]:
    """A file with a desk in it, and what it holds."""
    path = tmp_path_factory.mktemp("console") / "seeded.db"
    shutil.copyfile(_sqlite_template, path)
    return path, prepare(f"sqlite:///{path}", FakeClock())


@pytest.fixture(scope="session")
def seeded_postgres(postgres_server: EmbeddedPostgres, _postgres_template: str) -> SeededDesk:
    """As `seeded_sqlite`, as a template database."""
    return prepare(postgres_server.create_database(SEEDED, template=_postgres_template), FakeClock())


@pytest.fixture
def sqlite_site(seeded_sqlite: tuple[Path, SeededDesk], clock: FakeClock, tmp_path: Path) -> Iterator[Site]:
    """As `site`, on SQLite alone, for what no database changes."""
    path, seeded = seeded_sqlite
    shutil.copyfile(path, tmp_path / "fairlead.db")
    made = opened(f"sqlite:///{tmp_path / 'fairlead.db'}", clock, tmp_path, seeded)
    yield made
    made.database.close()


@pytest.fixture
def postgres_site(
    seeded_postgres: SeededDesk, postgres_server: EmbeddedPostgres, clock: FakeClock, tmp_path: Path
) -> Iterator[Site]:
    """On Postgres alone."""
    name = f"console_{next(_numbers)}"
    made = opened(postgres_server.create_database(name, template=SEEDED), clock, tmp_path, seeded_postgres)
    yield made
    made.database.close()
    postgres_server.drop_database(name)


@pytest.fixture(params=["sqlite_site", "postgres_site"], ids=["sqlite", "postgres"])
def site(request: pytest.FixtureRequest) -> Site:
    """A desk with work on it; the test runs on SQLite and on Postgres."""
    made: Site = request.getfixturevalue(request.param)
    return made
