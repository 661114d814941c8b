"""Whatever an intruder with write access to the database changes below a sealed head, the check names it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, insert, select, text
from sqlalchemy.exc import DBAPIError

from fairlead.audit import publish_heads, read_heads, tables
from fairlead.errors import FairleadError
from tests.audit.world import AUDIT_TABLES, World, new_signer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Rows 1-4, 5-8, 9-12 stand in three seals; 13 and 14 are not sealed. Of each four, the first two belong to
# the workspace and the last two to cust_a.
FORGED = (
    "INSERT INTO audit_entry (id, at, verb, actor, subject, scope, commitment)"
    " SELECT {id}, at, verb, actor, subject, scope, commitment FROM audit_entry WHERE id = 5"
)
THE_FIFTH = "SELECT e.commitment FROM audit_entry e WHERE e.id = 5"
THE_WORKSPACES = "SELECT secret FROM audit_key WHERE scope = ''"
ROW_TAMPERS = {
    "verb edited": (["UPDATE audit_entry SET verb = 'deal.won' WHERE id = 6"], 6),
    "control character slipped in": (["UPDATE audit_entry SET verb = 'note.\x1ftaken' WHERE id = 6"], 6),
    "text moved to the next field": (
        ["UPDATE audit_entry SET verb = 'note.take', actor = 'n' || actor WHERE id = 6"],
        6,
    ),
    "time edited": (["UPDATE audit_entry SET at = at + 1 WHERE id = 6"], 6),
    "impossible time": (["UPDATE audit_entry SET at = 9223372036854775807 WHERE id = 6"], 6),
    "actor edited": (["UPDATE audit_entry SET actor = 'user:eve' WHERE id = 6"], 6),
    "subject edited": (["UPDATE audit_entry SET subject = 'note_2' WHERE id = 6"], 6),
    "customer edited": (["UPDATE audit_entry SET scope = '' WHERE id = 7"], 7),
    "payload edited": (["UPDATE audit_payload SET body = '[]' WHERE entry_id = 6"], 6),
    "payload edited with its commitment": (
        ["UPDATE audit_payload SET body = '{}' WHERE entry_id = 6",
         f"UPDATE audit_entry SET commitment = ({THE_FIFTH}) WHERE id = 6"],
        6,
    ),
    "payload given to another customer": (["UPDATE audit_payload SET scope = '' WHERE entry_id = 7"], 7),
    "payloads swapped": (
        ["UPDATE audit_payload SET entry_id = 99 WHERE entry_id = 5",
         "UPDATE audit_payload SET entry_id = 5 WHERE entry_id = 6",
         "UPDATE audit_payload SET entry_id = 6 WHERE entry_id = 99"],
        5,
    ),
    "entry deleted": (["DELETE FROM audit_entry WHERE id = 6"], 6),
    "entry and payload deleted": (
        ["DELETE FROM audit_entry WHERE id = 6", "DELETE FROM audit_payload WHERE entry_id = 6"],
        6,
    ),
    "payload deleted": (["DELETE FROM audit_payload WHERE entry_id = 6"], 6),
    "pretended erasure": (
        ["DELETE FROM audit_payload WHERE scope = 'cust_a'", "DELETE FROM audit_key WHERE scope = 'cust_a'"],
        3,
    ),
    "pretended erasure of the workspace": (
        ["DELETE FROM audit_payload WHERE scope = ''", "DELETE FROM audit_key WHERE scope = ''"],
        1,
    ),
    "key deleted": (["DELETE FROM audit_key WHERE scope = 'cust_a'"], 3),
    "key replaced": (
        [f"UPDATE audit_key SET secret = ({THE_WORKSPACES}) WHERE scope = 'cust_a'"],
        3,
    ),
    "two rows swapped": (
        ["UPDATE audit_entry SET id = 99 WHERE id = 6",
         "UPDATE audit_entry SET id = 6 WHERE id = 7",
         "UPDATE audit_entry SET id = 7 WHERE id = 99"],
        6,
    ),
    "row replaced by a copy": (["DELETE FROM audit_entry WHERE id = 6", FORGED.format(id=6)], 6),
    "row inserted at zero": ([FORGED.format(id=0)], 0),
    "row inserted below zero": ([FORGED.format(id=-7)], -7),
}  # fmt: skip
SEAL_TAMPERS = {
    "number": ("UPDATE audit_seal SET no = 77 WHERE no = 3", 77),
    "first seal deleted": ("DELETE FROM audit_seal WHERE no = 1", 2),
    "middle seal deleted": ("DELETE FROM audit_seal WHERE no = 2", 3),
    "time": ("UPDATE audit_seal SET at = at - 1 WHERE no = 2", 2),
    "impossible time": ("UPDATE audit_seal SET at = -9223372036854775808 WHERE no = 2", 2),
    "highest": ("UPDATE audit_seal SET highest = 3 WHERE no = 2", 2),
    "gaps": ("UPDATE audit_seal SET missing = '[[1,4,9]]' WHERE no = 2", 2),
    "gaps that are none": ("UPDATE audit_seal SET missing = '[1,\"x\"]' WHERE no = 2", 2),
    "gaps that are no JSON": ("UPDATE audit_seal SET missing = 'soon' WHERE no = 2", 2),
    "rows": ("UPDATE audit_seal SET entries = '5-7,9' WHERE no = 2", 2),
    "rows that are none": ("UPDATE audit_seal SET entries = 'all of them' WHERE no = 2", 2),
    "rows without end": ("UPDATE audit_seal SET entries = '1-9000000000000000000' WHERE no = 2", 2),
    "no rows": ("UPDATE audit_seal SET entries = '' WHERE no = 2", 2),
    "signature": ("UPDATE audit_seal SET signature = previous WHERE no = 2", 2),
    "head": ("UPDATE audit_seal SET head = previous WHERE no = 2", 2),
    "previous": ("UPDATE audit_seal SET previous = head WHERE no = 2", 2),
    "digests": (
        "UPDATE audit_seal SET digests = (SELECT digests FROM audit_seal WHERE no = 1) WHERE no = 2",
        2,
    ),
}  # fmt: skip


@pytest.fixture
def sealed(world: World) -> World:
    """Three seals of four rows, two rows unsealed."""
    for _ in range(3):
        world.notes(2)
        world.notes(2, customer="cust_a")
        world.seal()
        world.clock.advance(timedelta(minutes=1))
    world.note({"n": "late"}, {"n": "later"})
    assert world.verify().problems == []
    return world


@pytest.mark.parametrize("name", ROW_TAMPERS)
def test_a_tampered_row_is_named(sealed: World, name: str) -> None:
    """The first bad row is the one that was touched, and the statement says TAMPERED."""
    statements, row = ROW_TAMPERS[name]
    sealed.tamper(*statements)
    found = sealed.verify()
    assert found.problems
    assert found.first_bad_row == row or (row == 0 and found.problems[0].row == 0)
    assert found.statement().startswith("TAMPERED")
    assert row == 0 or f"first: row {row}" in found.statement()


@pytest.mark.parametrize("name", SEAL_TAMPERS)
def test_a_tampered_seal_is_named(sealed: World, name: str) -> None:
    """Nothing in a seal can be changed, made unreadable or made endless without being named."""
    statement, seal = SEAL_TAMPERS[name]
    sealed.tamper(statement)
    found = sealed.verify()
    assert seal in {problem.seal for problem in found.problems}
    assert found.statement().startswith("TAMPERED")
    sealed.notes(1)
    assert sealed.seal()  # a damaged seal does not stop new rows from being sealed
    assert sealed.verify().problems


def test_two_seals_swapped(sealed: World) -> None:
    """Seals cannot change places."""
    sealed.tamper(
        "UPDATE audit_seal SET no = 99 WHERE no = 1",
        "UPDATE audit_seal SET no = 1 WHERE no = 2",
        "UPDATE audit_seal SET no = 2 WHERE no = 99",
    )
    assert {problem.seal for problem in sealed.verify().problems} >= {1, 2}


def test_a_row_in_a_gap_that_is_final(postgres_world: World) -> None:
    """An id that was rolled back long ago cannot be filled later."""
    world = postgres_world
    world.tamper("SELECT setval('audit_entry_ids', 4)")
    world.notes(1)
    world.seal()
    world.clock.advance(timedelta(hours=2))
    world.notes(1)
    world.seal()
    world.tamper(FORGED.format(id=3))
    assert world.verify().first_bad_row == 3


def test_undecodable_text_is_a_finding(sealed: World) -> None:
    """Bytes that are no text are named like any edit, and sealing goes on."""
    if not sealed.database.is_sqlite:
        pytest.skip("Postgres refuses such bytes itself")
    sealed.tamper("UPDATE audit_entry SET verb = CAST(x'ff' AS TEXT), commitment = 7 WHERE id IN (6, 14)")
    sealed.tamper("UPDATE audit_payload SET body = CAST(x'ff' AS TEXT) WHERE entry_id = 3")
    found = sealed.verify()
    assert [problem.row for problem in found.problems] == [3, 6, 14]
    assert sealed.seal() == [13, 14]
    assert "\ufffd" in sealed.export()


def test_more_problems_than_are_kept(world: World) -> None:
    """All problems are counted, and the first bad row is right although only a hundred are kept."""
    world.notes(300)
    world.seal()
    world.tamper("UPDATE audit_entry SET verb = 'x' WHERE id > 100", "DELETE FROM audit_payload WHERE entry_id = 7")
    found = world.verify()
    assert (found.problem_count, len(found.problems), found.first_bad_row) == (201, 100, 7)


def test_a_removed_tail(sealed: World, tmp_path: Path) -> None:
    """Dropped seals and rows show against published heads; without, the statement admits its limit."""
    heads_file = tmp_path / "heads.jsonl"
    with sealed.database.reading() as reader:
        assert publish_heads(reader, sealed.signer, heads_file) == 3
    sealed.tamper("DELETE FROM audit_seal WHERE no > 1")
    for table, column in (("audit_entry", "id"), ("audit_payload", "entry_id")):
        sealed.tamper(f"DELETE FROM {table} WHERE {column} > 4")
    alone = sealed.verify()
    assert alone.problems == []
    assert "a removed tail cannot be excluded" in alone.statement()
    found = sealed.verify(read_heads(heads_file))
    assert [problem.seal for problem in found.problems] == [2, 3]
    # New rows cannot hide it either, not even when seals with the same numbers follow.
    sealed.notes(2)
    sealed.seal_and_publish(heads_file)
    assert [problem.seal for problem in sealed.verify(read_heads(heads_file)).problems] == [2, 3]


def _rewrite(world: World) -> None:
    """Everything anew: other payloads, correct commitments, digests and chain."""
    with world.database.raw() as connection:
        for table in (tables.seal, tables.payload, tables.entry):
            connection.execute(delete(table))
        if not world.database.is_sqlite:
            connection.execute(text("SELECT setval('audit_entry_ids', 1, false)"))
    for _ in range(3):
        world.note({"n": "forged"}, {"n": "forged"}, {"n": "forged"}, {"n": "forged"})
        world.seal()


def test_a_full_rewrite_with_another_key(sealed: World) -> None:
    """Who lacks the signing key cannot rewrite the record."""
    key, sealed.signer = sealed.signer.public_key, new_signer()
    _rewrite(sealed)
    assert [problem.seal for problem in sealed.verify(public_key=key).problems] == [1, 2, 3]


def test_a_full_rewrite_with_the_same_key(sealed: World, tmp_path: Path) -> None:
    """Who has the signing key cannot rewrite what was published outside."""
    heads_file = tmp_path / "heads.jsonl"
    with sealed.database.reading() as reader:
        publish_heads(reader, sealed.signer, heads_file)
    _rewrite(sealed)
    assert sealed.verify().problems == []
    found = sealed.verify(read_heads(heads_file))
    assert [problem.seal for problem in found.problems] == [1, 2, 3]
    assert "rewritten" in str(found.problems[0])


def _changes(value: Any, *, every: bool) -> Iterator[Any]:
    """The value with one byte changed, for each byte or for the first, middle and last."""
    if isinstance(value, int):
        yield from (value ^ 1, value ^ 256)
        return
    raw = bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()
    places = range(len(raw)) if every else sorted({0, len(raw) // 2, len(raw) - 1} - {-1})
    for place in places:
        if place < len(raw):
            changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
            yield changed.decode() if isinstance(value, str) else changed


def test_any_single_byte_counts(world: World) -> None:
    """Each byte of each column of a sealed record: change it, and the check no longer says `untampered`."""
    world.note({"to": "müller", "n": 1}, customer="cust_a")
    world.note({"n": 2})
    world.seal()
    world.tamper("DELETE FROM audit_key WHERE scope = 'cust_held'")  # a key of nothing protects nothing
    tried = 0
    for table in AUDIT_TABLES:
        with world.database.raw() as connection:
            columns = text(f"SELECT * FROM {table.name}")
            rows = [dict(row) for row in connection.execute(columns).mappings()]
        for row in rows:
            for column, value in row.items():
                for changed in _changes(value, every=world.database.is_sqlite):
                    tried += 1
                    _assert_noticed(world, table, row, {**row, column: changed})
    assert tried > (400 if world.database.is_sqlite else 60)
    assert world.verify().problems == []


def _assert_noticed(world: World, table: Any, before: dict[str, Any], after: dict[str, Any]) -> None:
    place = " AND ".join(f"{key.name} = :{key.name}" for key in table.primary_key)
    values = ", ".join(f":{name}" for name in after)
    put = f"INSERT INTO {table.name} ({', '.join(after)}) VALUES ({values})"
    try:
        with world.database.raw() as connection:
            connection.execute(text(f"DELETE FROM {table.name} WHERE {place}"), before)
            connection.execute(text(put), after)
    except (FairleadError, DBAPIError):
        return  # the database itself refuses: the key is taken
    try:
        assert world.verify().problems, (table.name, before, after)
    finally:
        with world.database.raw() as connection:
            connection.execute(text(f"DELETE FROM {table.name} WHERE {place}"), after)
            connection.execute(text(put), before)


def test_what_the_check_does_not_claim(world: World) -> None:
    """An appended forgery looks like the application's own row: the documentation says so, this pins it."""
    world.notes(1)
    world.seal()
    with world.database.raw() as connection:
        row = connection.execute(select(tables.entry)).mappings().one()
        connection.execute(insert(tables.entry), {**row, "id": 2})
        body = connection.execute(select(tables.payload)).mappings().one()
        connection.execute(insert(tables.payload), {**body, "entry_id": 2})
    assert world.seal() == [2]
    assert world.verify().problems == []
