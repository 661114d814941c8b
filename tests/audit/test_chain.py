"""Sealing follows the order of commits, whatever order the ids were given out in."""

from __future__ import annotations

import tempfile
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.audit import history
from fairlead.errors import InputError, TooLargeError
from fairlead.kit import jsons
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.testing.clock import FakeClock
from tests.audit.world import HeldTransaction, World

if TYPE_CHECKING:
    from fairlead.testing.postgres import EmbeddedPostgres

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["write", "fail", "seal", "erase", "hold", "release", "drop", "later"]),
        st.integers(0, 3),
    ),
    max_size=25,
)


def test_what_was_recorded_is_sealed_once_and_verifies(world: World) -> None:
    """Entries of several transactions and customers end in one seal, and the statement names its head."""
    world.notes(3)
    world.notes(2, customer="cust_a")
    assert world.seal() == [1, 2, 3, 4, 5]
    assert world.seal() is None
    world.notes(1)
    found = world.verify()
    assert (found.problems, found.rows, found.seals, found.unsealed) == ([], 5, 1, 1)
    assert found.statement().startswith(f"untampered up to head {found.head[:16]}… of 2026-11-02T09:00:00Z, 5 rows")
    assert "1 row unsealed" in found.statement()


def test_an_empty_record_claims_nothing(world: World) -> None:
    """Nothing sealed is said to be nothing sealed, not `untampered`."""
    assert world.seal() is None
    world.notes(2)
    assert world.verify().statement() == "nothing is sealed yet; 2 rows unsealed"


def test_a_large_backlog_is_sealed_in_bounded_pieces(world: World) -> None:
    """A limit cuts the backlog without losing or repeating a row."""
    world.notes(7)
    assert [world.seal(limit=3) for _ in range(4)] == [[1, 2, 3], [4, 5, 6], [7], None]
    assert world.verify().problems == []


def test_history_reads_what_was_recorded(world: World) -> None:
    """Subject, actor, time and payload come back as they were given, oldest first."""
    actor = Actor(ActorKind.USER, "user_ü:1")
    with world.database.transaction() as uow:
        uow.record(AuditEntry("lead.routed", "lead_1", {"to": "Zoë\x00\x1f", "share": float("nan")}, "cust_a", actor))
        uow.record(AuditEntry("lead.won", "lead_1"))
        uow.record(AuditEntry("lead.won", "lead_2"))
    with world.database.reading() as reader:
        first, second = history(reader, ["lead_1"])
        assert history(reader, ["lead_1"], limit=1) == [second]
    assert (first.verb, first.scope, Actor.parse(first.actor)) == ("lead.routed", "cust_a", actor)
    assert first.body is not None
    assert jsons.loads(first.body) == {"to": "Zoë\x00\x1f", "share": None}
    assert first.at == second.at > 0
    world.seal()
    assert world.verify().problems == []


@pytest.mark.parametrize("payload", [{"x": "\ud800"}, {"x": object()}, {"x": b"\xff"}])
def test_what_json_cannot_hold_is_refused_whole(world: World, payload: dict[str, object]) -> None:
    """An unstorable payload is a clear error, and nothing of the transaction stays."""
    with pytest.raises(InputError) as caught:
        world.note({"fine": 1}, payload)
    assert caught.value.reason == "data"
    assert world.ids() == []


def test_an_endless_payload_is_refused(world: World) -> None:
    """The record takes no payload that an export could not carry."""
    with pytest.raises(TooLargeError):
        world.note({"x": "y" * 4_000_000})
    assert world.ids() == []


def test_ids_of_failed_transactions_leave_gaps_without_alarm(postgres_world: World) -> None:
    """A rollback takes its ids with it; neither sealing nor verifying minds."""
    world = postgres_world
    world.notes(1)
    HeldTransaction(world, count=3).roll_back()
    world.notes(1)
    assert world.seal() == [1, 5]
    assert world.verify().problems == []
    world.clock.advance(timedelta(hours=2))
    world.notes(1)
    assert world.seal() == [6]
    assert world.verify().problems == []


def test_a_late_commit_goes_into_the_next_seal(postgres_world: World) -> None:
    """A takes ids, B commits and is sealed, A commits: A is sealed next, B never again, all verifies."""
    world = postgres_world
    held = HeldTransaction(world, count=2)
    world.notes(2)
    assert world.seal() == [3, 4]
    assert world.verify().problems == []
    held.commit()
    between = world.verify()
    assert (between.problems, between.unsealed) == ([], 2)
    assert world.seal() == [1, 2]
    assert world.seal() is None
    world.notes(1)
    assert world.seal() == [5]
    found = world.verify()
    assert (found.problems, found.rows, found.seals) == ([], 5, 3)


def test_late_commits_in_pieces(postgres_world: World) -> None:
    """Several late transactions, some rolled back, and a limit that cuts through them: each row once."""
    world = postgres_world
    held = [HeldTransaction(world, count=2) for _ in range(4)]
    world.notes(1)
    assert world.seal() == [9]
    held[3].commit()
    held[0].commit()
    held[1].roll_back()
    assert world.seal(limit=3) == [1, 2, 7]
    held[2].commit()
    world.notes(1)
    assert world.seal(limit=3) == [5, 6, 8]
    assert world.seal() == [10]
    assert world.verify().problems == []


def test_two_sealers_at_once_make_one_chain(postgres_world: World) -> None:
    """Sealers in competing processes neither fork the chain nor seal a row twice."""
    world = postgres_world
    rivals = [World(world.url, world.clock, world.signer) for _ in range(3)]
    start = threading.Barrier(3)
    sealed: list[int] = []

    def work(rival: World) -> None:
        start.wait(30)
        for _ in range(12):
            rival.notes(3)
            sealed.extend(rival.seal(limit=4) or [])

    threads = [threading.Thread(target=work, args=(rival,)) for rival in rivals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    while ids := world.seal():
        sealed += ids
    assert sorted(sealed) == world.ids()
    assert len(sealed) == 3 * 12 * 3
    assert world.verify().problems == []
    for rival in rivals:
        rival.database.close()


def test_two_transactions_may_meet_a_new_customer_together(postgres_world: World) -> None:
    """Both make the customer's key at the same moment; one key counts, both payloads verify."""
    world = postgres_world
    start = threading.Barrier(4)

    def work(number: int) -> None:
        for round_no in range(10):
            start.wait(30)
            for customer in (f"cust_{round_no}", f"cust_{round_no}_{number % 2}"):
                world.notes(1, customer=customer)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    world.seal()
    found = world.verify()
    assert (found.problems, found.rows) == ([], 80)


@given(steps=STEPS)
@settings(max_examples=40, deadline=None)
def test_any_course_of_events_verifies_on_sqlite(steps: list[tuple[str, int]]) -> None:
    """Commits, failures, seals, erasures and jumps of the clock in any order never raise an alarm."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(f"sqlite:///{Path(folder) / 'any.db'}", FakeClock())
        _play(world, steps, concurrent=False)
        world.database.close()


@pytest.mark.slow
def test_any_course_of_events_verifies_on_postgres(postgres_server: EmbeddedPostgres) -> None:
    """The same with transactions that commit late or never."""
    world = World(postgres_server.create_database("audit_any"), FakeClock())

    @given(steps=STEPS)
    @settings(max_examples=40, deadline=None, database=None)
    def play(steps: list[tuple[str, int]]) -> None:
        _play(world, steps, concurrent=True)

    try:
        play()
        assert world.verify().rows > 50
    finally:
        world.database.close()
        postgres_server.drop_database("audit_any")


def _play(world: World, steps: list[tuple[str, int]], *, concurrent: bool) -> None:
    held: list[HeldTransaction] = []
    try:
        for step, number in steps:
            _step(world, held, step, number, concurrent=concurrent)
            found = world.verify()
            assert found.problems == [], (step, number)
    finally:
        for transaction in held:
            transaction.roll_back()
    while world.seal(limit=3):
        pass
    found = world.verify()
    assert (found.problems, found.unsealed, found.rows) == ([], 0, len(world.ids()))


def _step(world: World, held: list[HeldTransaction], step: str, number: int, *, concurrent: bool) -> None:
    customer = f"cust_{number}" if number else None
    if step == "write":
        world.notes(number + 1, customer=customer)
    elif step == "fail":
        with pytest.raises(InputError):
            world.note({"n": 1}, {"x": "\ud800"}, customer=customer)
    elif step == "seal":
        world.seal(limit=number + 1)
    elif step == "erase" and customer:
        world.erase(customer)
    elif step == "hold" and concurrent and len(held) < 3:
        held.append(HeldTransaction(world, number + 1, customer="cust_held"))
    elif step == "release" and held:
        held.pop(number % len(held)).commit()
    elif step == "drop" and held:
        held.pop(number % len(held)).roll_back()
    elif step == "later":
        world.clock.advance(timedelta(minutes=-5 if number == 0 else number))
