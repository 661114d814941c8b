"""Worlds to be broken: one folder and one database each, copied from a company that was founded once."""

from __future__ import annotations

import itertools
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.faults.world import World, Zygote, found

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fairlead.testing.postgres import EmbeddedPostgres

TEMPLATE = "fairlead_faults"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """Forks commands; started once."""
    one = Zygote()
    yield one
    one.close()


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with its SQLite database."""
    folder = tmp_path_factory.mktemp("company") / "co"
    found(folder)
    return folder


@pytest.fixture
def sqlite_world(company: Path, tmp_path: Path, zygote: Zygote) -> Iterator[World]:
    """A copy of the company, on SQLite."""
    shutil.copytree(company, tmp_path / "co")
    world = World(tmp_path / "co", zygote)
    yield world
    world.end()


@pytest.fixture(scope="session")
def _company_on_postgres(postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company-pg") / "co"
    found(folder, postgres_server.create_database(TEMPLATE))
    return folder


@pytest.fixture
def postgres_world(
    postgres_server: EmbeddedPostgres, _company_on_postgres: Path, tmp_path: Path, zygote: Zygote
) -> Iterator[World]:
    """The same on a database of the run's Postgres, which no test may stop."""
    shutil.copytree(_company_on_postgres, tmp_path / "co")
    name = f"faults_{next(_numbers)}"
    world = World(tmp_path / "co", zygote, postgres_server.create_database(name, template=TEMPLATE))
    yield world
    world.end()
    postgres_server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgres"])
def world(request: pytest.FixtureRequest) -> World:
    """The test runs on both databases."""
    made: World = request.getfixturevalue(f"{request.param}_world")
    return made
