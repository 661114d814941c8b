"""One transaction: audited domain rows commit together, or nothing does."""

# ruff: noqa: PT012  a whole transaction is what must fail

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from fairlead.errors import ConflictError, FaultError, InputError, UnauditedWriteError
from fairlead.kit.lanes import Lane
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from tests.kit.toys import PEBBLE, THING, KeptTrail, things

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.kit.database import Database

ENTRY = AuditEntry("thing.made", "thing_1")
ROW = {"id": 1, "order": "a"}
WRITES: dict[str, Callable[[UnitOfWork], object]] = {
    "insert": lambda uow: uow.execute(insert(THING), {"id": 2}),
    "update": lambda uow: uow.execute(update(THING).values(amount=1)),
    "delete": lambda uow: uow.execute(delete(THING)),
    "insert_many": lambda uow: uow.insert_many(THING, ("id",), [(2,), (3,)]),
    "update_many": lambda uow: uow.update_many(THING, "amount = ?", "id = ?", [(5, 1)]),
}


@pytest.fixture
def filled(database: Database) -> Database:
    """One thing, audited as it should be."""
    with database.transaction() as uow:
        uow.execute(insert(THING), ROW)
        uow.record(ENTRY)
    return database


def _rows(database: Database) -> list[Any]:
    with database.reading() as reader:
        return list(reader.execute(select(THING).order_by(THING.c.id)))


@pytest.mark.parametrize("lane", Lane)
@pytest.mark.parametrize("name", WRITES)
def test_a_write_without_an_audit_entry_is_rolled_back(filled: Database, name: str, lane: Lane) -> None:
    """However the row was written, the error names the table and nothing of it stays."""
    before = _rows(filled)
    with pytest.raises(UnauditedWriteError) as caught, filled.transaction(lane) as uow:
        WRITES[name](uow)
    assert caught.value.fields == {"tables": ["thing"]}
    assert _rows(filled) == before


@pytest.mark.parametrize("name", WRITES)
def test_an_audited_write_commits_with_its_entry(filled: Database, name: str) -> None:
    """With an entry the same writes are stored, and the trail has the entry."""
    before = _rows(filled)
    with filled.transaction() as uow:
        WRITES[name](uow)
        uow.record_many([ENTRY])
    assert _rows(filled) != before
    assert isinstance(filled.trail, KeptTrail)
    assert filled.trail.entries == [ENTRY, ENTRY]


def test_exempt_tables_need_no_entry(database: Database) -> None:
    """Tables that say why they are exempt need none; beside audited tables they excuse nothing."""
    with database.transaction() as uow:
        uow.insert_many(PEBBLE, ("id",), [(1,)])
    with pytest.raises(UnauditedWriteError), database.transaction() as uow:
        uow.execute(delete(PEBBLE))
        uow.execute(insert(THING), ROW)
    with database.reading() as reader:
        assert len(reader.execute(select(PEBBLE)).all()) == 1


@pytest.mark.parametrize("lane", Lane)
def test_an_error_in_the_block_stores_nothing(database: Database, lane: Lane) -> None:
    """Neither rows nor entries of a failed block stay, and what should follow a commit does not happen."""
    called: list[str] = []
    with pytest.raises(KeyError), database.transaction(lane) as uow:
        uow.execute(insert(THING), ROW)
        uow.record(ENTRY)
        uow.after_commit(lambda: called.append("x"))
        raise KeyError
    assert (things(database), called) == (0, [])
    assert isinstance(database.trail, KeptTrail)
    assert database.trail.entries == []


def test_what_follows_a_commit_sees_it_and_may_write(database: Database) -> None:
    """Wake-ups run in order, after the rows are there for everybody, outside the transaction."""
    seen: list[int] = []

    def again() -> None:
        with database.transaction() as uow:
            uow.execute(insert(PEBBLE), {"id": 9})

    with database.transaction() as uow:
        uow.execute(insert(THING), ROW)
        uow.record(ENTRY)
        uow.after_commit(lambda: seen.append(things(database)))
        uow.after_commit(again)
        assert seen == []
    assert seen == [1]


def test_unaudited_means_no_wake_up(database: Database) -> None:
    """A commit that was refused wakes nobody."""
    called: list[int] = []
    with pytest.raises(UnauditedWriteError), database.transaction() as uow:
        uow.execute(insert(THING), ROW)
        uow.after_commit(lambda: called.append(1))
    assert called == []


@pytest.mark.parametrize("outer", Lane)
@pytest.mark.parametrize("inner", Lane)
def test_a_transaction_inside_a_transaction_is_refused(database: Database, outer: Lane, inner: Lane) -> None:
    """The error is clear and at once on both databases; the outer transaction can still commit."""
    with database.transaction(outer) as uow:
        uow.execute(insert(THING), ROW)
        uow.record(ENTRY)
        with pytest.raises(FaultError, match="inside a transaction"), database.transaction(inner):
            pytest.fail("a second transaction was opened")
    assert things(database) == 1


def test_readers_refuse_writes(filled: Database) -> None:
    """A reader takes no statement but a SELECT, and no text that may be anything."""
    statements: list[Any] = [
        insert(THING).values(id=5),
        update(THING).values(amount=1),
        delete(THING),
        text("DELETE FROM thing"),
        text("DELETE FROM thing RETURNING id").columns(THING.c.id),
    ]
    for statement in statements:
        with filled.reading() as reader, pytest.raises(FaultError, match="only reads"):
            reader.execute(statement)
    with pytest.raises(FaultError, match="only reads"), filled.transaction() as uow:
        uow.execute(text("DELETE FROM thing"))
    with pytest.raises(FaultError, match="only a SELECT"), filled.transaction() as uow:
        uow.fetch("DELETE FROM thing RETURNING id")
    assert things(filled) == 1


def test_the_database_itself_refuses_a_readers_write(filled: Database) -> None:
    """Behind the reader's back a write fails, too."""
    with filled.reading() as reader, pytest.raises(DBAPIError, match=r"readonly|read-only"):
        reader._connection.execute(delete(THING))
    with filled.transaction() as uow:
        uow.execute(update(THING).values(amount=3))
        uow.record(ENTRY)
    assert things(filled) == 1


def test_bulk_rows_are_stored_as_given(database: Database) -> None:
    """Texts with every nasty character, big numbers, NULL and column names that are SQL words."""
    nasty = "\\N\t\n\r\\.\x01'\"%s ?ü€🙂"
    at = datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    rows = [(1, nasty, 2**63 - 1, -1, '{"a":[1]}'), (2, "", -(2**63), 0, None), (3, None, None, None, "[]")]
    with database.transaction(Lane.BULK) as uow:
        uow.insert_many(THING, ("id", "order", "amount", "at", "facts"), iter(rows))
        uow.insert_many(THING, ("id",), [])
        uow.record(ENTRY)
        assert uow.update_many(THING, "amount = ?", "id = ?", [(7, 3), (8, 99)]) == 1
        assert uow.update_many(THING, "amount = ?", "id = ?", []) == 0
    stored = _rows(database)
    assert tuple(stored[0]) == (1, nasty, 2**63 - 1, at, {"a": [1]})
    assert tuple(stored[1])[:3] == (2, "", -(2**63))
    assert tuple(stored[2]) == (3, None, 7, None, [])


BAD_VALUES: dict[str, tuple[str, Any]] = {
    "lone surrogate": ("order", "\ud800"),
    "number beyond 64 bits": ("amount", 2**70),
}
NUL = ("order", "a\x00b")


@pytest.mark.parametrize("bulk", [False, True])
@pytest.mark.parametrize("name", BAD_VALUES)
def test_values_that_no_column_holds(database: Database, name: str, bulk: bool) -> None:
    """Bad input is the caller's error with code `data`, never a driver's exception; nothing is stored."""
    _refused(database, *BAD_VALUES[name], bulk=bulk)


@pytest.mark.parametrize("bulk", [False, True])
def test_nul_in_text(database: Database, bulk: bool) -> None:
    """Postgres cannot store NUL and says so cleanly; SQLite can and gives it back whole."""
    if not database.is_sqlite:
        _refused(database, *NUL, bulk=bulk)
        return
    with database.transaction() as uow:
        _write(uow, *NUL, bulk=bulk)
        uow.record(ENTRY)
    assert _rows(database)[0].order == NUL[1]


def _refused(database: Database, column: str, value: Any, *, bulk: bool) -> None:
    with pytest.raises(InputError) as caught, database.transaction() as uow:
        uow.record(ENTRY)
        _write(uow, "id", 1, bulk=False)
        _write(uow, column, value, bulk=bulk)
    assert caught.value.reason == "data"
    assert things(database) == 0


def _write(uow: UnitOfWork, column: str, value: Any, *, bulk: bool) -> None:
    if bulk:
        uow.insert_many(THING, ("id", column), [(5, value)])
    else:
        uow.execute(insert(THING), {"id": 5, column: value} if column != "id" else {"id": value})


@pytest.mark.parametrize("bulk", [False, True])
def test_a_key_that_is_taken_is_a_conflict(filled: Database, bulk: bool) -> None:
    """Whoever comes second gets a clean conflict that does not quote rows."""
    with pytest.raises(ConflictError) as caught, filled.transaction() as uow:
        uow.record(ENTRY)
        if bulk:
            uow.insert_many(THING, ("id",), [(2,), (1,)])
        else:
            uow.execute(insert(THING), {"id": 1})
    assert "(1)" not in caught.value.message
    assert things(filled) == 1


def test_a_wrong_statement_is_our_fault(database: Database) -> None:
    """A table that is not there is not reported as a database that is down."""
    with pytest.raises(FaultError) as caught, database.transaction() as uow:
        uow.update_many(THING, "nothing = ?", "id = ?", [(1, 1)])
    assert caught.value.reason == "fault"


def test_a_trail_that_fails_takes_the_rows_with_it(database: Database) -> None:
    """No audit entry stored, no rows stored."""

    class Broken:
        def write(self, uow: UnitOfWork, entries: object) -> None:
            raise KeyError

    database.trail = Broken()
    with pytest.raises(KeyError), database.transaction() as uow:
        uow.execute(insert(THING), ROW)
        uow.record(ENTRY)
    assert things(database) == 0
