"""The embedded Postgres starts, dies and comes back as fault tests need it to."""

from __future__ import annotations

import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from fairlead.errors import UnavailableError
from fairlead.testing import postgres
from fairlead.testing.postgres import FORGETFUL, EmbeddedPostgres

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.postgres


def query(url: str, statement: str) -> list[tuple[object, ...]]:
    """Runs one statement in its own connection and transaction."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's own user can reach, which pytest's closed one is not when run as root."""
    path = Path(tempfile.mkdtemp(prefix="fairlead-tests-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    """A running server of this test alone."""
    server = EmbeddedPostgres(folder / "pg", options=FORGETFUL).start()
    yield server
    server.destroy()


def test_what_was_committed_outlives_kill_9(server: EmbeddedPostgres) -> None:
    """After kill -9 nobody answers; after the next start every commit is there and the URL is the same."""
    url = server.create_database("one")
    query(url, "CREATE TABLE t AS SELECT 1 AS x")
    killed = server.pid()
    server.kill()

    assert server.pid() is None
    with pytest.raises(OperationalError):
        query(url, "SELECT 1")
    server.start()
    assert server.pid() not in {None, killed}
    assert query(url, "SELECT x FROM t") == [(1,)]


def test_it_can_be_killed_with_clients_connected(server: EmbeddedPostgres) -> None:
    """Backends of a killed server are waited for: the next start succeeds though they held its memory."""
    url = server.create_database("one")
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        server.kill()
        server.start()
        with pytest.raises(OperationalError):
            connection.execute(text("SELECT 1"))
        connection.invalidate()

    assert query(url, "SELECT 1") == [(1,)]


def test_restart_keeps_urls(server: EmbeddedPostgres) -> None:
    """An orderly restart is another process behind the same URL."""
    before = server.pid()
    server.restart()

    assert server.pid() not in {None, before}
    assert query(server.url(), "SELECT 1") == [(1,)]


def test_a_copy_carries_the_template(server: EmbeddedPostgres) -> None:
    """Databases made from a template hold its tables and are independent of it and of each other."""
    query(server.create_database("template"), "CREATE TABLE t AS SELECT 1 AS x")
    one = server.create_database("one", template="template")
    other = server.create_database("odd name'; --", template="template")
    query(one, "DELETE FROM t")

    assert query(other, "SELECT x FROM t") == [(1,)]
    server.drop_database("one")
    server.drop_database("one")
    with pytest.raises(OperationalError):
        query(one, "SELECT 1")


def test_a_running_server_is_found_again(server: EmbeddedPostgres) -> None:
    """A second handle on the same folder uses the running server instead of damaging it."""
    second = EmbeddedPostgres(server.data_dir).start()

    assert second.pid() == server.pid()
    assert second.url() == server.url()
    second.stop()
    assert server.pid() is None


def test_only_its_own_user_reaches_the_socket(server: EmbeddedPostgres) -> None:
    """Trust authentication is bearable because the socket's folder is closed and no port is open."""
    sockets = Path(query(server.url(), "SHOW unix_socket_directories")[0][0].__str__())

    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert query(server.url(), "SHOW listen_addresses") == [("",)]


def test_a_long_or_closed_folder_is_no_obstacle(folder: Path) -> None:
    """Below a private home, and where the path is too long for a socket."""
    private = folder / "private"
    private.mkdir(mode=0o700)
    server = EmbeddedPostgres(private / ("long" * 30) / "pg", options=FORGETFUL)
    try:
        assert query(server.start().url(), "SELECT 1") == [(1,)]
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    finally:
        server.destroy()


def test_destroy_leaves_nothing(folder: Path) -> None:
    """Neither data nor a process stay behind."""
    server = EmbeddedPostgres(folder / "pg", options=FORGETFUL).start()
    server.destroy()

    assert server.pid() is None
    assert list(folder.iterdir()) == []


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    """The error carries the server's own words."""
    server = EmbeddedPostgres(folder / "pg", options={"shared_buffers": "nonsense"}, timeout_s=1)

    with pytest.raises(UnavailableError, match="shared_buffers"):
        server.start()


def test_creating_a_database_twice_is_reported(server: EmbeddedPostgres) -> None:
    """Postgres's own error comes through: the name is taken."""
    server.create_database("one")

    with pytest.raises(psycopg.errors.DuplicateDatabase):
        server.create_database("one")


def test_a_missing_package_names_the_cure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the wheel the error says which make target installs it."""
    monkeypatch.setattr(postgres, "WHEEL", "no_such_wheel")

    with pytest.raises(UnavailableError, match="make setup"):
        EmbeddedPostgres(folder / "pg").start()
    assert list(folder.iterdir()) == []
