"""From queue to result: once, in order, in time, also over crashes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead import actions
from fairlead.actions import (
    ActionDraft,
    ActionState,
    OutboxSource,
    ReceiptState,
    RetryPolicy,
    Scope,
    ScopeKind,
)
from fairlead.audit import history
from fairlead.errors import ConflictError, InputError, TooLargeError
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.events import since
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.testing.connectors import AmbiguousConnector, FlakyConnector, RecordingConnector

if TYPE_CHECKING:
    from fairlead.connectors import Connector, Delivery, Receipt
    from fairlead.kit.database import Database
    from fairlead.testing.clock import FakeClock

USER = Actor(ActorKind.USER, "usr_1")
CHECKPOINT = Scope(ScopeKind.CHECKPOINT, "route")


def _draft(key: str, **values: Any) -> ActionDraft:
    return ActionDraft(**{"idempotency_key": key, "connector": "out", "kind": "note", "body": {"n": key}} | values)


def _queue(database: Database, *drafts: ActionDraft) -> list[str]:
    with database.transaction() as uow:
        uow.record(AuditEntry("case.moved", "case_1"))
        return actions.queue_many(uow, drafts)


def _source(database: Database, connector: Connector, **values: Any) -> OutboxSource:
    return OutboxSource(database, {"out": connector}, now=database.clock.now, **values)


def _work(source: OutboxSource) -> None:
    """Lease and run until nothing is ready."""
    for turn in range(50):
        if not source.lease(100, 60, f"turn{turn}"):
            return
        source.run(f"turn{turn}")
    pytest.fail("the outbox never came to rest")


def _states(database: Database, ids: list[str]) -> list[str]:
    with database.reading() as reader:
        states = actions.states_of(reader, ids)
    return [states[one].value for one in ids]


def _keys(connector: RecordingConnector) -> list[str]:
    return [call.idempotency_key for call in connector.calls]


def test_a_key_is_one_action(database: Database) -> None:
    """The same key, in one batch or later, is the one action whose body came first."""
    one, same, other = _queue(database, _draft("a"), _draft("a", body={"n": 2}), _draft("b"))
    assert one == same != other
    assert _queue(database, _draft("c"), _draft("a"))[1] == one
    out = RecordingConnector()
    _work(_source(database, out))
    assert out.effects == {"a": 1, "b": 1, "c": 1}
    assert out.calls[0].body == {"n": "a"}
    assert _queue(database, _draft("a")) == [one]
    _work(_source(database, out))
    assert len(out.calls) == 3


def test_what_was_sent_is_told(database: Database, clock: FakeClock) -> None:
    """The result stands on the action, in the audit record, and in an event that a waiting case can find."""
    start = clock.now()
    (one,) = _queue(database, _draft("a", customer_id="cus_1", case_id="case_1"))
    source = _source(database, RecordingConnector())
    _work(source)
    with database.reading() as reader:
        (action,) = actions.actions_of_case(reader, "case_1")
        assert (action.id, action.state, action.attempts) == (one, ActionState.SENT, 1)
        assert action.done_at == start
        told = since(reader, actions.EVENT, one, start)
        assert told is not None
        assert told.payload == {"state": "sent", "result": action.result}
        (entry,) = history(reader, [one])
    assert (entry.verb, entry.scope, entry.actor) == ("action.sent", "cus_1", "system:outbox")
    assert source.counts == {"delivered": 1, "retried": 0, "dropped": 0}
    assert source.next_due() is None


def test_failures_are_tried_again_later_and_not_for_ever(database: Database, clock: FakeClock) -> None:
    """Each failure waits longer, an exception of the connector counts as one, and the last is final."""
    plan: list[ReceiptState | Exception] = [ReceiptState.FAILED, RuntimeError("bug"), ReceiptState.FAILED]
    out = FlakyConnector(plan)
    source = _source(database, out, retry=RetryPolicy(max_attempts=3, first_s=10))
    (one,) = _queue(database, _draft("a"))
    _work(source)
    assert len(out.calls) == 1
    with database.reading() as reader:
        assert actions.action_of(reader, one).problem == "planned answer 1"
    waits = []
    for _ in range(2):
        due = source.next_due()
        assert due is not None
        waits.append(due - clock.now())
        clock.advance(waits[-1] - timedelta(microseconds=1))
        assert not source.lease(10, 60, "early")
        clock.advance(timedelta(microseconds=1))
        _work(source)
    assert timedelta(0) < waits[0] < waits[1]
    assert len(out.calls) == 3
    assert _states(database, [one]) == ["failed"]
    assert source.next_due() is None


@pytest.mark.parametrize("state", [ReceiptState.REFUSED, ReceiptState.AMBIGUOUS])
def test_some_answers_are_final(database: Database, clock: FakeClock, state: ReceiptState) -> None:
    """Refused and ambiguous are never sent again by themselves."""
    out = FlakyConnector([state])
    source = _source(database, out)
    (one,) = _queue(database, _draft("a"))
    _work(source)
    clock.advance(timedelta(days=30))
    _work(source)
    assert len(out.calls) == 1
    assert _states(database, [one]) == [state.value]


def test_a_person_settles_what_is_ambiguous(database: Database) -> None:
    """Once, as sent, failed or to be sent again; other words and a second word are refused."""
    out = AmbiguousConnector()
    source = _source(database, out)
    one, two = _queue(database, _draft("a"), _draft("b"))
    _work(source)
    with database.transaction() as uow:
        with pytest.raises(InputError):
            actions.settle_ambiguous(uow, one, ActionState.HELD, USER, reason="?")
        actions.settle_ambiguous(uow, one, ActionState.SENT, USER, reason="they answered")
        actions.settle_ambiguous(uow, two, ActionState.QUEUED, USER, reason="not in their inbox")
        with pytest.raises(ConflictError):
            actions.settle_ambiguous(uow, one, ActionState.FAILED, USER, reason="?")
    assert _states(database, [one, two]) == ["sent", "queued"]
    _work(source)
    assert _keys(out) == ["a", "b", "b"]
    assert out.effects == {"a": 1, "b": 1}


def test_an_unknown_connector_is_a_failure(database: Database) -> None:
    """An action for a connector that this worker lacks waits instead of stopping its neighbours."""
    one, two = _queue(database, _draft("a", connector="fax"), _draft("b"))
    out = RecordingConnector()
    _work(_source(database, out))
    assert _states(database, [one, two]) == ["queued", "sent"]
    with database.reading() as reader:
        assert "fax" in (actions.action_of(reader, one).problem or "")


def test_one_customer_one_voice(database: Database, clock: FakeClock) -> None:
    """One effect per serial key at a time, in order of due time; later ones wait for a failure's retry."""
    out = FlakyConnector([ReceiptState.FAILED])
    source = _source(database, out)
    _queue(database, _draft("a1", customer_id="a"), _draft("a2", customer_id="a"), _draft("b1", customer_id="b"))
    _queue(database, _draft("a0", customer_id="a", due_at=clock.now() + timedelta(days=2)))
    _queue(database, _draft("free", customer_id="a", serial_key=""))
    assert source.lease(100, 60, "one") == 3
    assert source.lease(100, 60, "two") == 0
    source.run("one")
    assert sorted(_keys(out)) == ["a1", "b1", "free"]
    assert source.lease(100, 60, "three") == 0
    for _ in range(6):
        clock.advance(timedelta(seconds=10))
        _work(source)
    mine = [key for key in _keys(out) if key.startswith("a")]
    assert mine == ["a1", "a1", "a2", "a2"]
    clock.advance(timedelta(days=2))
    _work(source)
    assert _keys(out)[-1] == "a0"


def test_what_is_too_late_expires(database: Database, clock: FakeClock) -> None:
    """Past its time nothing is sent, be it queued, waiting to be tried again, or held."""
    end = clock.now() + timedelta(minutes=5)
    out = FlakyConnector([ReceiptState.FAILED] * 9)
    source = _source(database, out, retry=RetryPolicy(first_s=3600))
    tried, held = _queue(database, _draft("a", expires_at=end), _draft("h", expires_at=end, checkpoint="route"))
    with database.transaction() as uow:
        assert actions.hold_for(uow, CHECKPOINT, USER) == 1
    _work(source)
    assert source.next_due() == end
    (late,) = _queue(database, _draft("late", expires_at=clock.now()))
    clock.advance(timedelta(minutes=5))
    _work(source)
    assert _states(database, [tried, held, late]) == ["expired"] * 3
    assert _keys(out) == ["a"]


def test_a_worker_that_died_is_followed_by_another(database: Database, clock: FakeClock) -> None:
    """A lease that nobody runs ends, and the next worker delivers with the same key: one effect."""
    out = RecordingConnector()
    dead, alive = _source(database, out), _source(database, out)
    (one,) = _queue(database, _draft("a"))
    assert dead.lease(10, 60, "dead") == 1
    assert alive.lease(10, 60, "alive") == 0
    assert alive.next_due() == clock.now() + timedelta(seconds=60)
    clock.advance(timedelta(seconds=60))
    _work(alive)
    dead.run("dead")
    assert out.effects == {"a": 1}
    assert len(out.calls) == 1
    assert _states(database, [one]) == ["sent"]
    with database.reading() as reader:
        assert actions.action_of(reader, one).attempts == 2


class _Slow(RecordingConnector):
    """Lets the lease run out, and somebody else deliver, before it answers."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.meanwhile: list[Any] = []
        self._clock = clock

    def deliver(self, delivery: Delivery) -> Receipt:
        receipt = super().deliver(delivery)
        while self.meanwhile:
            self.meanwhile.pop()()
        return receipt


def test_a_late_result_is_dropped(database: Database, clock: FakeClock) -> None:
    """Who lost the lease may not write; the action has one result and the loss is counted."""
    out = _Slow(clock)
    slow, quick = _source(database, out), _source(database, out)
    (one,) = _queue(database, _draft("a"))

    def overtaken() -> None:
        clock.advance(timedelta(seconds=61))
        _work(quick)

    out.meanwhile = [overtaken]
    _work(slow)
    assert (slow.counts["dropped"], slow.counts["delivered"], quick.counts["delivered"]) == (1, 0, 1)
    assert out.effects == {"a": 1}
    with database.reading() as reader:
        assert [entry.verb for entry in history(reader, [one])] == ["action.sent"]


def test_running_a_token_twice_delivers_once(database: Database) -> None:
    """Recovery may start a job again while it still runs; the second finds nothing to do."""
    out = _Slow(database.clock)  # type: ignore[arg-type]
    source = _source(database, out)
    _queue(database, _draft("a"), _draft("b"))
    assert source.lease(10, 60, "token") == 2
    out.meanwhile = [lambda: source.run("token")]
    source.run("token")
    source.run("token")
    assert _keys(out) == ["a", "b"]


def test_workers_that_vanish_use_up_the_attempts(database: Database, clock: FakeClock) -> None:
    """A delivery that kills every worker ends ambiguous: nobody can say that it was not sent."""
    source = _source(database, RecordingConnector(), retry=RetryPolicy(max_attempts=2))
    (one,) = _queue(database, _draft("poison"))
    for turn in range(2):
        assert source.lease(10, 60, f"dead{turn}") == 1
        clock.advance(timedelta(seconds=60))
    assert source.lease(10, 60, "last") == 0
    assert _states(database, [one]) == ["ambiguous"]


def test_a_stop_holds_automatic_actions(database: Database) -> None:
    """What machines decided waits, later ones too; what people decided goes; release keeps the order."""
    out = RecordingConnector()
    source = _source(database, out)
    auto = [_draft(f"auto{n}", checkpoint="route", playbook="leads", customer_id="c") for n in range(2)]
    first = _queue(database, auto[0], _draft("person", playbook="leads"))[0]
    with database.transaction() as uow:
        assert actions.hold_for(uow, CHECKPOINT, USER) == 1
        assert actions.hold_for(uow, Scope(ScopeKind.WORKSPACE), USER) == 0
    (second,) = _queue(database, auto[1])
    _work(source)
    assert _keys(out) == ["person"]
    assert _states(database, [first, second]) == ["held", "held"]
    with database.transaction() as uow:
        assert actions.release_for(uow, CHECKPOINT, USER) == 0
    _work(source)
    assert len(out.calls) == 1
    with database.transaction() as uow:
        assert actions.release_for(uow, Scope(ScopeKind.WORKSPACE), USER) == 2
        assert actions.stops_on(uow) == []
    with database.reading() as reader:
        entries = history(reader, ["checkpoint:route", "workspace"])
    stops = [(entry.verb, entry.subject, entry.actor) for entry in entries]
    assert stops == [
        ("action.stop_set", "checkpoint:route", "user:usr_1"),
        ("action.stop_set", "workspace", "user:usr_1"),
        ("action.stop_lifted", "checkpoint:route", "user:usr_1"),
        ("action.stop_lifted", "workspace", "user:usr_1"),
    ]
    _work(source)
    assert _keys(out) == ["person", "auto0", "auto1"]


def test_a_failure_under_a_stop_is_held(database: Database, clock: FakeClock) -> None:
    """What was being delivered when the stop came is not tried again while it is on."""
    source = _source(database, FlakyConnector([ReceiptState.FAILED]))
    (one,) = _queue(database, _draft("a", checkpoint="route"))
    assert source.lease(10, 60, "t") == 1
    with database.transaction() as uow:
        assert actions.hold_for(uow, CHECKPOINT, USER) == 0
    source.run("t")
    clock.advance(timedelta(hours=1))
    _work(source)
    assert _states(database, [one]) == ["held"]


def test_withdrawing_what_a_case_queued(database: Database, clock: FakeClock) -> None:
    """Queued and held actions never go out; one under way is sent or ends, but is not tried again."""
    out = FlakyConnector([ReceiptState.FAILED])
    source = _source(database, out)
    mine = {"case_id": "case_7"}
    (flying,) = _queue(database, _draft("flying", **mine))
    assert source.lease(10, 60, "t") == 1
    queued, held, other = _queue(
        database, _draft("q", **mine), _draft("h", checkpoint="route", **mine), _draft("o", case_id="case_8")
    )
    with database.transaction() as uow:
        actions.hold_for(uow, CHECKPOINT, USER)
        gone = actions.withdraw_of_case(uow, "case_7", USER)
    assert set(gone.withdrawn) == {queued, held}
    assert gone.under_way == (flying,)
    source.run("t")
    for _ in range(3):
        clock.advance(timedelta(hours=1))
        _work(source)
    assert _states(database, [flying, queued, held, other]) == ["withdrawn", "withdrawn", "withdrawn", "sent"]
    assert "q" not in _keys(out)
    with database.transaction() as uow:
        assert actions.withdraw_of_case(uow, "case_7", USER) == actions.Withdrawal()
        uow.record(AuditEntry("case.moved", "case_7"))


def test_withdrawing_after_a_worker_vanished_is_ambiguous(database: Database, clock: FakeClock) -> None:
    """It may have gone out before the worker died, so nobody claims that it did not."""
    source = _source(database, RecordingConnector())
    (one,) = _queue(database, _draft("a", case_id="case_7"))
    assert source.lease(10, 60, "dead") == 1
    with database.transaction() as uow:
        assert actions.withdraw_of_case(uow, "case_7", USER).under_way == (one,)
    clock.advance(timedelta(seconds=61))
    _work(source)
    assert _states(database, [one]) == ["ambiguous"]


def test_an_erased_customers_actions_are_empty(database: Database) -> None:
    """Open ones never go out and nothing keeps the words of those that went."""
    out = RecordingConnector()
    done, other = _queue(database, _draft("a", customer_id="cus_1"), _draft("b", customer_id="cus_2"))
    _work(_source(database, out))
    (waiting,) = _queue(database, _draft("c", customer_id="cus_1"))
    with database.transaction() as uow:
        assert actions.forget_customer(uow, "cus_1", USER) == 2
    _work(_source(database, out))
    assert _keys(out) == ["a", "b"]
    with database.reading() as reader:
        assert [actions.action_of(reader, one).body for one in (done, waiting, other)] == [{}, {}, {"n": "b"}]


def test_a_body_is_bounded(database: Database) -> None:
    """A megabyte of body is refused and nothing of its batch is stored."""
    with pytest.raises(TooLargeError):
        _queue(database, _draft("a"), _draft("big", body={"x": "y" * 1_000_000}))
    out = RecordingConnector()
    _work(_source(database, out))
    assert out.calls == []
