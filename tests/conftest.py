"""Fixtures for every test: a database of each kind, always new, and a clock that stands still."""

from __future__ import annotations

import itertools
import shutil
import tempfile
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

_numbers = itertools.count(1)


def pytest_report_header() -> str:
    """How much test stands against how much code; tests/house asserts the lower bound."""
    code, tests = tests_to_code(ROOT)
    return f"fairlead: {code} lines of code, {tests} of tests, ratio {tests / max(code, 1):.2f}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """One server for the whole run. Do not stop or kill it: fault tests start their own EmbeddedPostgres."""
    folder = Path(tempfile.mkdtemp(prefix="fairlead-tests-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder, options=FORGETFUL)
    try:
        yield server.start()
    finally:
        server.destroy()


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
