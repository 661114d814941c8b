"""The public fakes keep their promises: a clock that obeys, connectors that count, a worker without threads."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from fairlead.audit import Trail
from fairlead.connectors import Delivery, ReceiptState
from fairlead.errors import FaultError
from fairlead.kit.database import Database
from fairlead.testing import running
from fairlead.testing.clock import FakeClock
from fairlead.testing.connectors import AmbiguousConnector, FlakyConnector, RecordingConnector
from fairlead.testing.oracle import NEVER_FOUND, NOT_AT_REST, check_world
from fairlead.testing.running import UntilIdle
from fairlead.testing.seed import SeededDesk, flag_vulnerable, seed_desk

if TYPE_CHECKING:
    from collections.abc import Iterator

SENT, REFUSED, AMBIGUOUS = ReceiptState.SENT, ReceiptState.REFUSED, ReceiptState.AMBIGUOUS


def delivery(key: str) -> Delivery:
    """Something to deliver under this key."""
    made = dict.fromkeys(Delivery.__dataclass_fields__, "x")
    return Delivery(**{**made, "idempotency_key": key})  # type: ignore[arg-type]  # only the key is looked at


def test_a_clock_stands_still_until_told() -> None:
    """Two looks see the same moment; it moves by exactly what it is told, backwards too."""
    clock = FakeClock()
    assert clock.now() == clock.now() == datetime(2026, 11, 2, 9, tzinfo=UTC)
    clock.advance(timedelta(days=1))
    clock.advance(timedelta(hours=-30))
    assert clock.now() == datetime(2026, 11, 2, 3, tzinfo=UTC)
    start = datetime(2000, 1, 1, tzinfo=UTC)
    assert FakeClock(start).now() == start


def test_a_known_key_has_no_second_effect() -> None:
    """Every call is on record in its order; the effect is counted once per key."""
    out = RecordingConnector("mail")
    answers = [out.deliver(delivery(key)) for key in ("a", "b", "a")]
    assert [one.state for one in answers] == [SENT] * 3
    assert [call.idempotency_key for call in out.calls] == ["a", "b", "a"]
    assert out.effects == {"a": 1, "b": 1}
    assert answers[2].detail != answers[0].detail


def test_many_threads_have_one_effect() -> None:
    """Deliveries side by side under one key count once."""
    out, gate = RecordingConnector(), threading.Barrier(8)

    def send() -> None:
        gate.wait(20)
        out.deliver(delivery("a"))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert out.effects["a"] == 1
    assert len(out.calls) == 8


def test_a_plan_is_followed_per_key() -> None:
    """Each key goes through the plan by itself; what is not sent has no effect, and behind the plan all is sent."""
    out = FlakyConnector([REFUSED, ConnectionError("hung up"), AMBIGUOUS])
    for key in ("a", "b"):
        assert out.deliver(delivery(key)).state is REFUSED
        with pytest.raises(ConnectionError, match="hung up"):
            out.deliver(delivery(key))
        assert out.deliver(delivery(key)).state is AMBIGUOUS
        assert out.effects[key] == 0
        assert out.deliver(delivery(key)).state is SENT
        assert out.effects[key] == 1
    assert len(out.calls) == 8


def test_an_ambiguous_service_has_its_effect_once() -> None:
    """It never says so, however often it is asked."""
    out = AmbiguousConnector()
    assert {out.deliver(delivery("a")).state for _ in range(3)} == {AMBIGUOUS}
    assert out.effects == {"a": 1}


@pytest.fixture
def database(sqlite_url: str, clock: FakeClock) -> Iterator[Database]:
    """Empty, closed at the end."""
    opened = Database(sqlite_url, clock=clock, trail=Trail())
    yield opened
    opened.close()


@pytest.fixture
def desk(database: Database) -> SeededDesk:
    """A few cases at their checkpoint, with what grants let through."""
    return seed_desk(database, leads=20)


def break_it(database: Database, *statements: str) -> None:
    """Change tables behind everybody's back."""
    with database.raw() as connection:
        connection.execute(text("PRAGMA foreign_keys = OFF"))
        for statement in statements:
            changed = connection.execute(text(statement))
            assert changed.rowcount > 0, f"nothing to break with {statement}"
        connection.commit()


def found(database: Database, *, resting: bool = False) -> str:
    """What the oracle says; "" when it finds nothing."""
    try:
        check_world(database, resting=resting)
    except AssertionError as error:
        return str(error)
    return ""


def test_a_desk_that_nobody_broke_is_right(database: Database, desk: SeededDesk) -> None:
    """The oracle has nothing to say of what the engine made."""
    assert found(database) == ""


ONE = "(SELECT min(id) FROM playbook_case WHERE state = 'waiting')"
RULED = "(SELECT min(ruling_id) FROM review)"
BROKEN = {
    "case is in no legal state": f"UPDATE playbook_case SET state = 'lost' WHERE id = {ONE}",
    "case both ended and did not": f"UPDATE playbook_case SET ended_at = 1 WHERE id = {ONE}",
    "case waits for nothing": f"UPDATE playbook_case SET wait_key = NULL WHERE id = {ONE}",
    "case is in the exceptions queue": f"UPDATE playbook_case SET state = 'exception' WHERE id = {ONE}",
    "case is paused and nothing says how to go on": f"UPDATE playbook_case SET state = 'paused' WHERE id = {ONE}",
    "case is leased and not ready": f"UPDATE playbook_case SET lease_token = 'lease_x' WHERE id = {ONE}",
    "ruling asks a person and has neither review nor decision": f"DELETE FROM review WHERE ruling_id = {RULED}",
    "case waits for a decision that nobody is asked for": f"DELETE FROM review WHERE ruling_id = {RULED}",
    "ruling settles itself and has no decision": f"UPDATE ruling SET path = 'auto' WHERE id = {RULED}",
    "history of": f"UPDATE playbook_case SET stage = 'nowhere' WHERE id = {ONE}",
}


@pytest.mark.parametrize("words", sorted(BROKEN))
def test_each_broken_promise_is_named(database: Database, desk: SeededDesk, words: str) -> None:
    """One row changed behind the engine's back is told with the promise it breaks and an id."""
    break_it(database, BROKEN[words])
    said = found(database)
    assert words in said
    assert any(prefix in said for prefix in ("case_", "rul_", "rev_", "ruling_"))


def test_unfinished_work_is_a_finding_at_rest_alone(database: Database, desk: SeededDesk) -> None:
    """A ready case is nothing while somebody works, and a broken promise once nobody does."""
    break_it(database, f"UPDATE playbook_case SET due_at = 1 WHERE id = {ONE}")
    assert found(database) == ""
    assert "case waits beyond its time" in found(database, resting=True)


def test_a_case_without_its_history_is_noticed(database: Database, desk: SeededDesk) -> None:
    """Entries that were removed leave a case that was never opened."""
    break_it(database, f"DELETE FROM audit_entry WHERE subject = {ONE}")
    assert "was opened 0 times" in found(database)


def test_every_promise_is_a_query_that_runs(database: Database) -> None:
    """On an empty database each query answers with nothing, so none of them is misspelt."""
    with database.raw() as connection:
        for sql in [*NEVER_FOUND.values(), *NOT_AT_REST.values()]:
            values = {"now": 0} if ":now" in sql else {}
            assert connection.execute(text(sql), values).all() == []


def test_running_ends_when_nothing_is_due(database: Database, desk: SeededDesk, clock: FakeClock) -> None:
    """The automatic ones go out, a second run does nothing, and the clock did not move."""
    out, before = RecordingConnector("file"), clock.now()
    idle = UntilIdle(desk.engine, clock, {"file": out, "log": out})
    idle.run()
    assert idle.run() == 0
    assert clock.now() == before
    assert all(count == 1 for count in out.effects.values())
    check_world(database)


def test_time_passes_only_as_far_as_asked(desk: SeededDesk, clock: FakeClock) -> None:
    """After `run_for` the clock stands at the end of the span, whether anything was due in it or not."""
    out, start = RecordingConnector("file"), clock.now()
    idle = UntilIdle(desk.engine, clock, {"file": out, "log": out})
    idle.run_for(timedelta(minutes=1))
    assert clock.now() == start + timedelta(minutes=1)
    following = idle.next_due()
    assert following is None or following > clock.now()


def test_work_without_end_is_a_fault(desk: SeededDesk, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop in the engine ends the test with a sentence and does not hang it."""
    monkeypatch.setattr(running, "MAX_TURNS", 5)
    idle = UntilIdle(desk.engine, clock, {})
    monkeypatch.setattr(idle, "_sweep", lambda: 1)
    with pytest.raises(FaultError, match="after 5 turns"):
        idle.run()


def test_a_flag_is_set_on_a_customer(database: Database, desk: SeededDesk) -> None:
    """The seeded flag is in force and on record."""
    with database.raw() as connection:
        customer = connection.execute(text("SELECT min(id) FROM customer")).scalar_one()
    flag_vulnerable(database, customer)
    with database.raw() as connection:
        query = text("SELECT count(*) FROM audit_entry WHERE subject = :id AND verb LIKE 'customer.flag%'")
        assert connection.execute(query, {"id": customer}).scalar_one() == 1
