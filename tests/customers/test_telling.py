"""Telling other systems: sent, skipped, failed, tried again, overtaken; never silently lost."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fairlead import customers
from fairlead.customers import ConsentSource, Downstream, Telling, Told
from fairlead.customers.jobs import PAUSES_S
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.kit.actors import SYSTEM
from tests.customers.test_consents import say, somebody

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.customers import ConsentDelivery
    from fairlead.kit.database import Database
    from fairlead.testing.clock import FakeClock


def set_up(database: Database, *systems: Downstream) -> None:
    """These systems are told from now on."""
    with database.transaction() as uow:
        customers.set_downstreams(uow, SYSTEM, systems)


def run(database: Database, clock: FakeClock, tell: Callable[[Telling], Told], token: str = "t") -> int:
    """Tell everything that is due; how many."""
    source = ConsentSource(database, tell, now=clock.now)
    leased = source.lease(50, 60.0, token)
    source.run(token)
    return leased


def rows(database: Database) -> list[ConsentDelivery]:
    """Every delivery, oldest first."""
    with database.reading() as reader:
        return customers.deliveries(reader)[::-1]


def test_each_system_is_told_what_concerns_it(database: Database, clock: FakeClock) -> None:
    """With who it is about and under which notice; what does not concern it is skipped and says why."""
    set_up(database, Downstream("crm", "log"), Downstream("ads", "log", ("sales",)))
    one = somebody(database, ("email", "ann@example.org"))
    with database.transaction() as uow:
        notice = customers.publish_notice(uow, SYSTEM, "news", "en", "I want news.")
    row = say(database, clock, one, "given", notice=notice.id)
    say(database, clock, one, "withdrawn", ("*", "*"))
    told: list[Telling] = []

    def tell(one: Telling) -> Told:
        told.append(one)
        return Told(sent=True)

    assert run(database, clock, tell) == 3
    assert run(database, clock, tell, "again") == 0
    assert [(row.downstream, row.state, row.why) for row in rows(database)] == [
        ("ads", "skipped", "ads is told of sales only"), ("crm", "sent", ""), ("ads", "sent", ""), ("crm", "sent", ""),
    ]  # fmt: skip
    data = told[0].message["data"]
    assert data["id"] == row
    assert data["customer"] == {"id": one, "identities": [{"kind": "email", "value": "ann@example.org"}]}
    assert data["notice"] == {"name": "news", "version": 1, "language": "en"}
    assert (data["state"], told[-1].message["data"]["purpose"]) == ("given", "*")


def test_what_fails_is_tried_again_and_then_waits_for_a_person(database: Database, clock: FakeClock) -> None:
    """Ten attempts over three days under one id, an exception counting as one; told again by hand it starts anew."""
    set_up(database, Downstream("crm", "log"))
    say(database, clock, somebody(database), "given")
    seen: list[str] = []

    def tell(one: Telling) -> Told:
        seen.append(one.id)
        if len(seen) % 2:
            raise OSError("no route")
        return Told(sent=False, detail="HTTP 503")

    for pause in (*PAUSES_S, 0):
        assert run(database, clock, tell, f"t{len(seen)}") == 1
        if pause:
            clock.advance(timedelta(seconds=pause - 1))
            assert run(database, clock, tell, "early") == 0
            clock.advance(timedelta(seconds=1))
    [row] = rows(database)
    assert (row.state, row.attempt, row.why, row.due_at) == ("failed", 10, "HTTP 503", None)
    assert len(set(seen)) == 1
    with database.transaction() as uow:
        customers.retry_delivery(uow, SYSTEM, row.id)
    assert run(database, clock, lambda _: Told(sent=True), "b") == 1
    for wrong, error in ((row.id, ConflictError), ("cdl_none", NotFoundError)):
        with pytest.raises(error), database.transaction() as uow:
            customers.retry_delivery(uow, SYSTEM, wrong)


def test_a_newer_word_overtakes(database: Database, clock: FakeClock) -> None:
    """What still waits or had failed is skipped and names the newer one, even while somebody is at it."""
    set_up(database, Downstream("crm", "log"))
    one = somebody(database)
    say(database, clock, one, "given")
    newer: list[str] = []

    def slow(_: Telling) -> Told:
        if not newer:
            newer.append(say(database, clock, one, "withdrawn"))
        return Told(sent=True)

    run(database, clock, slow)
    assert [(row.said, row.state) for row in rows(database)] == [("given", "skipped"), ("withdrawn", "pending")]
    assert rows(database)[0].why == f"overtaken by {newer[0]}"
    run(database, clock, slow, "u")
    assert rows(database)[1].state == "sent"


def test_a_dead_worker_is_made_up_for(database: Database, clock: FakeClock) -> None:
    """Its lease runs out and somebody else tells it; the late one changes nothing any more."""
    set_up(database, Downstream("crm", "log"))
    say(database, clock, somebody(database), "given")
    dead = ConsentSource(database, lambda _: Told(sent=True), now=clock.now)
    assert dead.lease(10, 60.0, "dead") == 1
    assert run(database, clock, lambda _: Told(sent=True), "early") == 0
    clock.advance(timedelta(seconds=60))
    assert run(database, clock, lambda _: Told(sent=False, refused=True, detail="HTTP 410"), "alive") == 1
    dead.run("dead")
    [row] = rows(database)
    assert (row.state, row.why) == ("failed", "HTTP 410")


def test_a_system_that_is_gone_is_told_nothing(database: Database, clock: FakeClock) -> None:
    """What waits for it is skipped; deploying the same systems twice changes nothing; names are unique."""
    set_up(database, Downstream("crm", "log"), Downstream("ads", "log"))
    say(database, clock, somebody(database), "given")
    set_up(database, Downstream("ads", "log"))
    with database.transaction() as uow:
        assert not customers.set_downstreams(uow, SYSTEM, [Downstream("ads", "log")])
    assert {row.downstream: row.why for row in rows(database)} == {
        "crm": "crm is no longer told of consents",
        "ads": "",
    }
    with pytest.raises(InputError):
        set_up(database, Downstream("a", "log"), Downstream("a", "file"))
    with database.reading() as reader:
        assert customers.delivery_counts(reader) == {"ads": {"pending": 1}, "crm": {"skipped": 1}}


def test_a_merge_that_withdraws_is_told(database: Database, clock: FakeClock) -> None:
    """What the merged record had withdrawn now counts for the other, which downstreams must learn."""
    set_up(database, Downstream("crm", "log"))
    one, other = somebody(database), somebody(database, name="Anna")
    say(database, clock, one, "given")
    say(database, clock, other, "withdrawn")
    run(database, clock, lambda _: Told(sent=True))
    with database.transaction() as uow:
        customers.merge(uow, SYSTEM, one, other, reason="same person")
    last = rows(database)[-1]
    assert (last.customer_id, last.said, last.state) == (one, "withdrawn", "pending")
