"""A desk that can be reached over HTTP, on each kind of database."""

from __future__ import annotations

import itertools
import shutil
from typing import TYPE_CHECKING

import pytest

from fairlead.testing.clock import FakeClock
from tests.api.world import Template, World, opened, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fairlead.testing.postgres import EmbeddedPostgres

PREPARED = "fairlead_api_template"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory, _sqlite_template: Path) -> tuple[Path, Template]:
    """A file with a day's work in it, and what it holds."""
    path = tmp_path_factory.mktemp("api") / "prepared.db"
    shutil.copyfile(_sqlite_template, path)
    template = prepare(f"sqlite:///{path}", FakeClock())
    return path, template


@pytest.fixture(scope="session")
def prepared_postgres(postgres_server: EmbeddedPostgres, _postgres_template: str) -> tuple[str, Template]:
    """As `prepared_sqlite`, as a template database by its name; another folder's tests may prepare one more."""
    name = f"{PREPARED}_{next(_numbers)}"
    return name, prepare(postgres_server.create_database(name, template=_postgres_template), FakeClock())


@pytest.fixture
def light_world(prepared_sqlite: tuple[Path, Template], clock: FakeClock, tmp_path: Path) -> Iterator[World]:
    """On SQLite alone, for what does not touch storage; closed afterwards."""
    path, template = prepared_sqlite
    shutil.copyfile(path, tmp_path / "fairlead.db")
    with opened(f"sqlite:///{tmp_path / 'fairlead.db'}", clock, tmp_path, template) as made:
        yield made


@pytest.fixture
def postgres_world(
    prepared_postgres: tuple[str, Template], postgres_server: EmbeddedPostgres, clock: FakeClock, tmp_path: Path
) -> Iterator[World]:
    """On Postgres alone."""
    prepared, template = prepared_postgres
    name = f"api_{next(_numbers)}"
    url = postgres_server.create_database(name, template=prepared)
    with opened(url, clock, tmp_path, template) as made:
        yield made
    postgres_server.drop_database(name)


@pytest.fixture(params=["light_world", "postgres_world"], ids=["sqlite", "postgres"])
def world(request: pytest.FixtureRequest) -> World:
    """On both databases."""
    made: World = request.getfixturevalue(request.param)
    return made
