"""A database that is locked, full, stopped or wrong is a clear error, and nothing is half-written."""

# ruff: noqa: PT012  a whole transaction is what must fail

from __future__ import annotations

import functools
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert, text, update

from fairlead.errors import FairleadError, FaultError, InputError, UnavailableError
from fairlead.kit.database import Database
from fairlead.kit.lanes import Lane
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.testing.postgres import EmbeddedPostgres
from tests.kit.toys import THING, things, with_toys

if TYPE_CHECKING:
    from collections.abc import Iterator

ENTRY = AuditEntry("thing.made", "thing_1")
LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
"""


def _add(database: Database, number: int, order: str = "a", lane: Lane = Lane.INTERACTIVE) -> None:
    with database.transaction(lane) as uow:
        uow.execute(insert(THING), {"id": number, "order": order})
        uow.record(ENTRY)


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "oracle://x"])
def test_other_databases_are_refused(url: str) -> None:
    """Only a SQLite file or Postgres will do; the error names what may be given."""
    with pytest.raises(InputError) as caught:
        Database(url)
    assert caught.value.reason == "database_url"


def test_a_database_without_a_trail_takes_no_entries(tmp_path: Path) -> None:
    """Forgetting the trail is an error at the first audited write, not a silent loss."""
    with_toys(f"sqlite:///{tmp_path / 'a.db'}").close()
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    with pytest.raises(FaultError, match="without an audit trail"):
        _add(database, 1)
    assert things(database) == 0
    database.close()


def test_a_reader_sees_one_state(database: Database) -> None:
    """What is committed while somebody reads appears only to the next reader."""
    _add(database, 1)
    with database.reading() as reader:
        before = reader.execute(THING.select()).all()
        thread = threading.Thread(target=_add, args=(database, 2))
        thread.start()
        thread.join(30)
        assert reader.execute(THING.select()).all() == before
    assert things(database) == 2


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    """An open transaction keeps nobody from reading what was there before."""
    with database.transaction() as uow:
        uow.execute(insert(THING), {"id": 1})
        uow.record(ENTRY)
        assert things(database) == 0
    assert things(database) == 1


def test_the_servers_clock_is_near_ours(database: Database) -> None:
    """Both kinds of database tell seconds since 1970."""
    assert abs(database.seconds_now() - time.time()) < 60


@pytest.mark.parametrize(("lane", "level"), [(Lane.INTERACTIVE, 2), (Lane.BULK, 1)])
def test_how_lanes_reach_the_disk(sqlite_database: Database, lane: Lane, level: int) -> None:
    """SQLite syncs each interactive commit (FULL) and leaves bulk to the next one (NORMAL), in WAL mode."""
    for _ in range(2):  # the second time on a used connection, after the other lane
        with sqlite_database.transaction(Lane.BULK), sqlite_database.reading():
            pass
        with sqlite_database.transaction(lane) as uow:
            assert uow._connection.execute(text("PRAGMA synchronous")).scalar() == level
            assert uow._connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    """SQLite that waits only a twentieth of a second for a lock."""
    database = with_toys(f"sqlite:///{tmp_path / 'toy.db'}", busy_ms=50)
    yield database
    database.close()


@pytest.mark.parametrize("lane", Lane)
def test_locked_by_another_process(sqlite_database: Database, lane: Lane) -> None:
    """Writers give up in bounded time, readers go on, and all is well when the other lets go."""
    _add(sqlite_database, 1)
    command = [sys.executable, "-c", LOCKER, str(sqlite_database.url.database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        for number in (2, 3):
            with pytest.raises(UnavailableError, match="locked"):
                _add(sqlite_database, number, lane=lane)
        assert things(sqlite_database) == 1
        other.communicate("go\n", timeout=30)
    _add(sqlite_database, 2, lane=lane)
    assert things(sqlite_database) == 2


@pytest.mark.parametrize("bulk", [False, True])
def test_disk_full(sqlite_database: Database, bulk: bool) -> None:
    """A full disk is `unavailable`, no row of the transaction stays, and freed space is used again."""
    _add(sqlite_database, 1)
    with sqlite_database.raw() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
    with pytest.raises(UnavailableError, match="full"), sqlite_database.transaction() as uow:
        uow.record(ENTRY)
        uow._connection.execute(text(f"PRAGMA max_page_count={pages + 2}"))
        uow.execute(insert(THING), {"id": 2})
        rows = [(number, "x" * 4000) for number in range(3, 30)]
        if bulk:
            uow.insert_many(THING, ("id", "order"), rows)
        else:
            uow.execute(insert(THING), [{"id": number, "order": order} for number, order in rows])
    assert things(sqlite_database) == 1
    with sqlite_database.raw() as connection:
        connection.execute(text("PRAGMA max_page_count=1000000"))
    _add(sqlite_database, 2, order="x" * 40_000)
    assert things(sqlite_database) == 2


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """Something else under the database's name is an error of our tree."""
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes, not a database\n" * 200)
    database = Database(f"sqlite:///{path}")
    with pytest.raises(UnavailableError, match="not a database"), database.reading():
        pytest.fail("opened")
    assert path.read_text().startswith("these are my notes")
    database.close()


def test_two_that_open_a_new_file_at_once_both_open_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite refuses one of them on the spot; it asks again, and nobody is told that the file is locked."""
    refusals = ["first", "second"]

    class Busy(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if "journal_mode" in sql and refusals:
                refusals.pop()
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = sqlite3.SQLITE_BUSY
                raise error
            return super().execute(sql, *values)

    monkeypatch.setattr("sqlite3.dbapi2.connect", functools.partial(sqlite3.connect, factory=Busy))
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    with database.reading() as reader:
        assert reader.fetch("SELECT 1") == [(1,)]
    database.close()
    assert refusals == []


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file where a folder should be: the error names the folder."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(UnavailableError, match="taken"):
        Database(f"sqlite:///{tmp_path / 'taken' / 'a.db'}")


@pytest.mark.postgres
def test_postgres_stopped_and_started(own_server: EmbeddedPostgres) -> None:
    """Without a server: `unavailable`. With one again the same object works at once, on every connection."""
    database = with_toys(own_server.url())
    _fill_pool(database, 4)
    own_server.stop()
    with pytest.raises(UnavailableError):
        _add(database, 10)
    with pytest.raises(UnavailableError), database.reading():
        pytest.fail("read without a server")
    own_server.start()
    _fill_pool(database, 4, first=100)
    assert things(database) == 8
    own_server.restart()  # nobody noticed: every connection of the pool is dead
    _fill_pool(database, 4, first=200)
    assert things(database) == 12
    database.close()


@pytest.mark.postgres
@pytest.mark.parametrize("how", ["execute", "insert_many", "update_many", "commit"])
def test_postgres_killed_in_a_transaction(own_server: EmbeddedPostgres, how: str) -> None:
    """It fails with `unavailable` whatever it was doing, stores nothing, and the next one works."""
    database = with_toys(own_server.url())
    _add(database, 1)
    with pytest.raises(UnavailableError), database.transaction(Lane.BULK) as uow:
        uow.execute(insert(THING), {"id": 2})
        uow.record(ENTRY)
        own_server.kill()
        _work(uow, how)
    own_server.start()
    assert things(database) == 1
    _add(database, 2)
    assert things(database) == 2
    database.close()


def _work(uow: Any, how: str) -> None:
    if how == "execute":
        uow.execute(update(THING).values(amount=1))
    elif how == "insert_many":
        uow.insert_many(THING, ("id",), [(number,) for number in range(3, 5_000)])
    elif how == "update_many":
        uow.update_many(THING, "amount = ?", "id = ?", [(1, 1), (1, 2)])


def _fill_pool(database: Database, count: int, first: int = 1) -> None:
    """`count` connections in use at the same moment, each for one row."""
    together = threading.Barrier(count)
    errors: list[FairleadError] = []

    def work(number: int) -> None:
        try:
            with database.transaction() as uow:
                uow.execute(insert(THING), {"id": number})
                uow.record(ENTRY)
                together.wait(30)
        except FairleadError as error:
            errors.append(error)
            together.abort()

    threads = [threading.Thread(target=work, args=(first + number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
