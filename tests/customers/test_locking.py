"""Keeping several customers from others at once, and how a message greets one of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from fairlead.customers import (
    CustomerDraft,
    addressee_of,
    erase_customer,
    lock_contact,
    lock_contacts,
    merge,
    resolve_many,
    unmerge,
)
from fairlead.errors import NotFoundError
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.unit_of_work import AuditEntry

if TYPE_CHECKING:
    from fairlead.kit.database import Database

USER = Actor(ActorKind.USER, "usr_1")
NOBODY = "cus_nobody"
ROUNDS = 20


def somebody(database: Database, name: str, **more: Any) -> str:
    """A customer with an address of their own."""
    draft = CustomerDraft(name=name, identities=(("email", f"{name.lower()}@a.example"),), source="test", **more)
    with database.transaction() as uow:
        made = resolve_many(uow, [draft])[0].id
        uow.record(AuditEntry("test.made", made))
    return made


def merged(database: Database, keep: str, other: str) -> str:
    """Let the first stand for the second; the merge."""
    with database.transaction() as uow:
        return merge(uow, USER, keep, other, reason="the same person")


def test_who_stands_for_whom_is_told_with_the_lock(database: Database) -> None:
    """A merged record is answered by its survivor, and by itself once the merge is undone; unknown ids are left out."""
    anna, bert = somebody(database, "Anna"), somebody(database, "Bert")
    with database.transaction() as uow:
        assert lock_contacts(uow, [anna, bert, NOBODY]) == {anna: anna, bert: bert}
        assert lock_contacts(uow, []) == {}
    one = merged(database, anna, bert)
    with database.transaction() as uow:
        assert lock_contacts(uow, [anna, bert]) == {anna: anna, bert: anna}
        assert lock_contact(uow, bert) == anna
        with pytest.raises(NotFoundError, match=NOBODY):
            lock_contact(uow, NOBODY)
    with database.transaction() as uow:
        unmerge(uow, USER, one)
    with database.transaction() as uow:
        assert lock_contacts(uow, [bert]) == {bert: bert}


def test_nobody_waits_in_a_ring(database: Database) -> None:
    """Two who lock the same customers in opposite orders take turns, however often they try."""
    people = [somebody(database, f"P{number}") for number in range(6)]

    def turns(order: list[str]) -> int:
        held = 0
        for _ in range(ROUNDS):
            with database.transaction() as uow:
                held += len(lock_contacts(uow, order))
        return held

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(turns, [people, people[::-1]])) == [6 * ROUNDS, 6 * ROUNDS]


def test_a_message_greets_who_stands_for_the_customer(database: Database) -> None:
    """The survivor's name, language and first address; nobody where the customer is unknown or was erased."""
    anna, bert = somebody(database, "Anna", language="de"), somebody(database, "Bert")
    with database.reading() as reader:
        assert addressee_of(reader, anna) == ("Anna", "de", "anna@a.example")
        assert addressee_of(reader, bert) == ("Bert", "", "bert@a.example")
        assert addressee_of(reader, NOBODY) is None
    merged(database, bert, anna)
    with database.reading() as reader:
        found = addressee_of(reader, anna)
        assert found is not None
        assert (found.name, found.email) == ("Bert", "anna@a.example")
    with database.transaction() as uow:
        erase_customer(uow, USER, bert, reason="asked for")
    with database.reading() as reader:
        assert addressee_of(reader, bert) is None
        assert addressee_of(reader, anna) is None
