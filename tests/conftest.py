"""Fixtures for every test: a database of each kind, always new, and a clock that stands still."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from fairlead.testing.postgres import FORGETFUL, EmbeddedPostgres
from tests.house.budgets import tests_to_code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.testing.clock import FakeClock

# How long one example takes says nothing on a shared machine; the time-out of the whole test bounds it.
# The parent is named, for where CI is set hypothesis would take one that tries the same examples every time.
hypothesis.settings.register_profile("house", hypothesis.settings.get_profile("default"), deadline=None)
hypothesis.settings.load_profile("house")

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = "fairlead_template"

# A new database is some seven hundred files. On a disk, making and removing them takes longer than most tests do.
MEMORY, LEAST_BYTES = Path("/dev/shm"), 1024**3
# What was written is thrown away: a long log of it would only fill the memory.
SMALL = {**FORGETFUL, "max_wal_size": "96MB", "min_wal_size": "32MB"}

# Pages and routes ask the database through functions that tests of the rooms behind them try on both; the client of
# the gate does not know which one it speaks to. There a file's first test for both is a core test on Postgres.
FRONTS = ("tests/api/", "tests/console/", "tests/gate/test_client.py")

_numbers = itertools.count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of tests behind a front that run on both databases, the Postgres variants but one of a file are slow."""
    kept: dict[Path, str] = {}
    for item in items:
        if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
            continue
        fronted = item.path.relative_to(ROOT).as_posix().startswith(FRONTS)
        variant = fronted and "postgres" in item.callspec.id.split("-")
        if variant and kept.setdefault(item.path, item.originalname) != item.originalname:
            item.add_marker(pytest.mark.slow)


def pytest_report_header() -> str:
    """How much test stands against how much code; tests/house asserts the lower bound."""
    code, tests = tests_to_code(ROOT)
    return f"fairlead: {code} lines of code, {tests} of tests, ratio {tests / max(code, 1):.2f}"


def _roomy_memory() -> Path | None:
    """Where files live in memory, if there is such a place with room; None is the folder for temporary files."""
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return None
    found = os.statvfs(MEMORY)
    return MEMORY if found.f_bavail * found.f_frsize >= LEAST_BYTES else None


@contextmanager
def _server(prefix: str) -> Iterator[EmbeddedPostgres]:
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=_roomy_memory()))
    folder.chmod(0o755)  # pytest closes its own folders to other users
    server = EmbeddedPostgres(folder, options=SMALL)
    try:
        yield server.start()
    finally:
        server.destroy()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """One server for the whole run. Do not stop or kill it: `own_server` is for that."""
    with _server("fairlead-tests-") as server:
        yield server


@pytest.fixture
def own_server() -> Iterator[EmbeddedPostgres]:
    """A Postgres of this test alone, which it may stop and kill."""
    with _server("fairlead-own-") as server:
        yield server


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: EmbeddedPostgres) -> str:
    url = postgres_server.create_database(TEMPLATE)
    _create_schema(url)
    return TEMPLATE


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "fairlead.db"
    _create_schema(f"sqlite:///{path}")
    return path


def _create_schema(url: str) -> None:
    # Here, so that tests which need no schema (and those of the house) do not import every feature.
    from fairlead.schema import create_schema  # noqa: PLC0415

    create_schema(url)


@pytest.fixture
def postgres_url(postgres_server: EmbeddedPostgres, _postgres_template: str) -> Iterator[str]:
    """A Postgres database of this test alone, with the schema."""
    name = f"test_{next(_numbers)}"
    yield postgres_server.create_database(name, template=_postgres_template)
    postgres_server.drop_database(name)


@pytest.fixture
def sqlite_url(tmp_path: Path, _sqlite_template: Path) -> str:
    """A SQLite file of this test alone, with the schema."""
    path = tmp_path / "fairlead.db"
    shutil.copyfile(_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The test runs twice: on a new SQLite file and on a new Postgres database, both with the schema."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """As `database_url`, but without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: EmbeddedPostgres = request.getfixturevalue("postgres_server")
    name = f"test_{next(_numbers)}"
    yield server.create_database(name)
    server.drop_database(name)


@pytest.fixture
def clock() -> FakeClock:
    """A clock that moves only when the test says so."""
    # Here for the same reason as the schema above.
    from fairlead.testing.clock import FakeClock  # noqa: PLC0415

    return FakeClock()
