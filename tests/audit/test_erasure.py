"""An erased customer is unreadable, and the chain still verifies."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from fairlead.audit import history
from fairlead.errors import FaultError
from tests.audit.world import HeldTransaction

if TYPE_CHECKING:
    from tests.audit.world import World


def _stored(world: World, word: str) -> int:
    """Payloads and keys of a customer that are still anywhere in the tables."""
    query = (
        f"SELECT (SELECT count(*) FROM audit_payload WHERE scope = '{word}' OR body LIKE '%{word}%')"
        f" + (SELECT count(*) FROM audit_key WHERE scope = '{word}')"
    )
    with world.database.raw() as connection:
        return int(connection.execute(text(query)).scalar_one())


@pytest.mark.parametrize("sealed_before", [True, False])
def test_erasing_leaves_the_chain_whole(world: World, sealed_before: bool) -> None:
    """Payloads and key are gone, others' stay, and the check counts the erased, sealed or not."""
    world.note({"mail": "cust_a"}, {"n": 2}, customer="cust_a")
    world.note({"n": 3}, customer="cust_b")
    if sealed_before:
        world.seal()
    assert world.erase("cust_a") == 2
    assert (_stored(world, "cust_a"), _stored(world, "cust_b")) == (0, 2)
    world.seal()
    found = world.verify()
    assert (found.problems, found.erased, found.rows) == ([], 2, 4)
    assert "2 payloads erased" in found.statement()
    with world.database.reading() as reader:
        assert [row.body is None for row in history(reader, ["note_1"])] == [True, True, False]
        erasure = history(reader, ["cust_a"])[0]
    assert (erasure.verb, erasure.body) == ("customer.erased", '{"payloads":2,"reason":"asked for it"}')


def test_a_customer_may_come_back(world: World) -> None:
    """New entries get a new key; the old ones stay unreadable; a second erasure takes the new ones."""
    world.notes(2, customer="cust_a")
    world.seal()
    world.erase("cust_a")
    world.notes(3, customer="cust_a")
    world.seal()
    found = world.verify()
    assert (found.problems, found.erased) == ([], 2)
    assert world.erase("cust_a") == 3
    assert world.erase("cust_a") == 0
    assert world.verify().erased == 5


def test_an_old_erasure_excuses_nothing_new(world: World) -> None:
    """A payload that came after the erasure cannot vanish in its name."""
    world.notes(1, customer="cust_a")
    world.erase("cust_a")
    world.notes(1, customer="cust_a")
    world.seal()
    world.tamper("DELETE FROM audit_payload WHERE entry_id = 3", "DELETE FROM audit_key WHERE scope = 'cust_a'")
    assert world.verify().first_bad_row == 3


def test_nobody_erases_everything(world: World) -> None:
    """An empty customer id, which is the workspace's scope, is refused."""
    world.notes(1)
    with pytest.raises(FaultError):
        world.erase("")
    assert world.payloads() == 1


def test_an_erasure_waits_for_what_is_being_written(postgres_world: World) -> None:
    """A payload that is about to be committed elsewhere is erased with the rest, not left without a key."""
    world = postgres_world
    world.notes(1, customer="cust_held")
    held = HeldTransaction(world, count=2, customer="cust_held")
    erased: list[int] = []
    thread = threading.Thread(target=lambda: erased.append(world.erase("cust_held")))
    thread.start()
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with world.database.raw() as connection:
        while not connection.execute(waiting).scalar_one():
            assert thread.is_alive()
            connection.execute(text("SELECT pg_stat_clear_snapshot()"))
    held.commit()
    thread.join(30)
    assert erased == [3]
    world.notes(1, customer="cust_held")
    world.seal()
    found = world.verify()
    assert (found.problems, found.erased) == ([], 3)
