"""A database becomes what the code expects, once, whoever comes first; others' databases are left alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import event, make_url, text
from sqlalchemy.engine import Engine

from fairlead.errors import FaultError, InputError, UnavailableError
from fairlead.kit.database import Database
from fairlead.migrations import HEAD, VERSION_TABLE, number_of, statements
from fairlead.migrations.upgrading import known_revisions
from fairlead.schema import create_schema, metadata
from tests.migrations.catalogue import catalogue
from tools import migration

# Says when it is ready, waits for the word, then upgrades: so that all of them do it at the same moment.
_RACER = """
import sys
import fairlead.migrations.upgrading
from fairlead.schema import create_schema
print("ready", flush=True)
sys.stdin.readline()
create_schema(sys.argv[1])
"""


def run(url: str, *statements: str) -> None:
    """Statements as somebody else's program would run them."""
    database = Database(url)
    try:
        with database.raw() as connection:
            for statement in statements:
                connection.execute(text(statement))
    finally:
        database.close()


def revision(url: str) -> list[str]:
    """What stands in the version table."""
    database = Database(url)
    try:
        with database.raw() as connection:
            return list(connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalars())
    finally:
        database.close()


def test_the_revisions_give_what_the_code_expects(empty_database_url: str) -> None:
    """Every table, column, type, collation, index with its condition, constraint and sequence is the same."""
    database = Database(empty_database_url)
    with database.raw() as connection:
        metadata.create_all(connection)
    database.close()
    expected = catalogue(empty_database_url)
    names = {row[1] for row in expected}

    run(empty_database_url, *_drop_all(empty_database_url))
    assert catalogue(empty_database_url) == set()
    create_schema(empty_database_url)

    assert catalogue(empty_database_url) == expected, "run `make migration`"
    assert {table.name for table in metadata.sorted_tables} <= names


def _drop_all(url: str) -> list[str]:
    if make_url(url).get_backend_name() == "postgresql":
        return ["DROP SCHEMA public CASCADE", "CREATE SCHEMA public"]
    return [f'DROP TABLE "{table.name}"' for table in reversed(metadata.sorted_tables)]


def test_the_frozen_statements_are_those_of_the_code() -> None:
    """A column added to the tables without `make migration` is noticed here, with the cure."""
    made = migration.texts()
    kept = {dialect: migration.path_of(migration.NAME, dialect).read_text() for dialect in made}

    assert kept == made, "run `make migration`"


def test_the_head_is_the_newest_revision() -> None:
    """The constant that is compared at each start agrees with the history that Alembic reads."""
    known = known_revisions()

    assert known[-1] == HEAD
    assert [number_of(one) for one in known] == list(range(1, len(known) + 1))
    assert migration.revision_id(list(migration.texts().values())) == known[0], "run `make migration`"


def test_upgrading_twice_changes_nothing(empty_database_url: str) -> None:
    """The second time asks one question and writes nothing."""
    create_schema(empty_database_url)
    before = catalogue(empty_database_url)
    asked: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        create_schema(empty_database_url)
    finally:
        event.remove(Engine, "before_cursor_execute", listen)

    ours = [one for one in asked if VERSION_TABLE in one]
    assert len(ours) == 1
    assert ours[0].startswith("SELECT")
    assert not [one for one in asked if one.lstrip().upper().startswith(("CREATE", "ALTER", "INSERT", "UPDATE"))]
    assert catalogue(empty_database_url) == before
    assert revision(empty_database_url) == [HEAD]


def test_processes_that_start_together_all_find_the_schema(empty_database_url: str) -> None:
    """One of them makes the tables, the others wait for it; none fails and nothing is made twice."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", _RACER, empty_database_url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    ends = [(racer.communicate(timeout=60)[1], racer.returncode) for racer in racers]

    assert ends == [("", 0)] * 2
    assert revision(empty_database_url) == [HEAD]


def test_an_upgrade_that_fails_leaves_nothing(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that the database refuses takes the whole upgrade back; the next start makes it whole."""
    whole = statements.statements_of

    def broken(name: str, dialect: str) -> list[str]:
        return [*whole(name, dialect)[:5], "CREATE NONSENSE"]

    monkeypatch.setattr(statements, "statements_of", broken)
    with pytest.raises(FaultError, match=r"(?i)nonsense"):
        create_schema(empty_database_url)
    monkeypatch.undo()

    assert catalogue(empty_database_url) == set()
    create_schema(empty_database_url)
    assert revision(empty_database_url) == [HEAD]


@pytest.mark.parametrize("theirs", ["alembic_version", "customer", "orders"])
def test_another_programs_database_is_refused(empty_database_url: str, theirs: str) -> None:
    """Tables that we did not make are named, and nothing is added to them, whatever they are called."""
    run(empty_database_url, f"CREATE TABLE {theirs} (version_num VARCHAR(32))")
    before = catalogue(empty_database_url)

    with pytest.raises(InputError, match=theirs) as raised:
        create_schema(empty_database_url)

    assert raised.value.reason == "foreign_database"
    assert "FAIRLEAD_DATABASE_URL" in raised.value.message
    assert catalogue(empty_database_url) == before


@pytest.mark.parametrize(
    "rows", [[], ["0001_12345678", "0002_12345678"], ["e3b0c44298fc"]], ids=["empty", "two", "strange"]
)
def test_a_version_table_that_is_not_ours_is_refused(empty_database_url: str, rows: list[str]) -> None:
    """A table of the same name with anything but one revision of ours does not make it our database."""
    run(
        empty_database_url,
        f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32))",
        *(f"INSERT INTO {VERSION_TABLE} VALUES ('{row}')" for row in rows),
    )

    with pytest.raises(InputError) as raised:
        create_schema(empty_database_url)

    assert raised.value.reason == "foreign_database"


def test_a_newer_database_is_refused(database_url: str) -> None:
    """An old build beside a newer database says so, and how to go on, instead of failing at a column."""
    run(database_url, f"UPDATE {VERSION_TABLE} SET version_num = '9999_0a1b2c3d'")

    with pytest.raises(UnavailableError, match=r"newer Fairlead.*backup") as raised:
        create_schema(database_url)

    assert raised.value.reason == "newer_database"
    assert raised.value.fields == {"revision": "9999_0a1b2c3d", "known": HEAD}
    assert revision(database_url) == ["9999_0a1b2c3d"]


def test_a_database_from_before_the_release_is_refused(database_url: str) -> None:
    """The first revision in another form, as during development, is told apart from the released one."""
    run(database_url, f"UPDATE {VERSION_TABLE} SET version_num = '0001_00000000'")

    with pytest.raises(UnavailableError, match="before the release") as raised:
        create_schema(database_url)

    assert raised.value.reason == "unreleased_database"


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """A text file is left as it is."""
    path = tmp_path / "notes.db"
    path.write_text("Meeting on Monday.\n" * 200)

    with pytest.raises(InputError, match="not a database") as raised:
        create_schema(f"sqlite:///{path}")

    assert raised.value.reason == "foreign_database"
    assert path.read_text().startswith("Meeting on Monday.")


@pytest.mark.parametrize(
    ("text_", "number"),
    [("0001_abcdef01", 1), ("0042_x", 42), ("_x", None), ("x_1", None), ("0001", None), ("٣_x", None)],
)
def test_a_revision_says_its_place(text_: str, number: int | None) -> None:
    """The number before the line orders builds; anything else is no revision of ours."""
    assert number_of(text_) == number
