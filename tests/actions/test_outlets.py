"""How fast an outlet is used, when it is left alone, in which order, and what is kept of what went out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies as st

from fairlead import actions
from fairlead.actions import Breaker, OutboxSource, OutletState, Rate, Receipt, ReceiptState, RetryPolicy, parse_rates
from fairlead.audit import history
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.testing.clock import FakeClock
from fairlead.testing.connectors import FlakyConnector, RecordingConnector
from tests.actions.sending import USER, Outbox

if TYPE_CHECKING:
    from fairlead.connectors import Delivery
    from fairlead.kit.database import Database

NOW = FakeClock().now()
PLAIN = {"purpose": "service"}


@pytest.fixture
def outbox(database: Database, clock: FakeClock) -> Outbox:
    """Ten in the morning; the connector does not reach customers here, so nothing but the outlet decides."""
    return Outbox(database, clock, RecordingConnector("mail"))


def _keys(out: RecordingConnector) -> list[str]:
    return [call.idempotency_key for call in out.calls]


def test_several_workers_keep_to_one_rate(outbox: Outbox, clock: FakeClock) -> None:
    """Three a minute are three a minute for all together; nobody spins, and attempts are not used up by waiting."""
    ids = [outbox.queue(f"k{n}", None) for n in range(8)]
    workers = [outbox.source(rates={"mail": Rate(3 / 60, 3)}) for _ in range(3)]
    sent = []
    for _ in range(4):
        for worker in workers:
            outbox.work(worker)
        sent.append(len(outbox.out.calls))
        due = workers[0].next_due()
        if due is not None:
            assert due > clock.now()
            assert not workers[1].lease(10, 60, "early")
        clock.advance(timedelta(minutes=1))
    assert sent == [3, 6, 8, 8]
    assert {outbox.action(one).attempts for one in ids} == {1}


def test_a_connector_may_declare_its_rate(outbox: Outbox) -> None:
    """Declared on the connector, without any setting."""
    outbox.out.rate = Rate(1.0, 2)  # type: ignore[attr-defined]
    for n in range(5):
        outbox.queue(f"k{n}", None)
    outbox.work()
    assert len(outbox.out.calls) == 2


def test_one_limited_outlet_does_not_hold_up_another(outbox: Outbox) -> None:
    """What is left of a slow one waits; a quick one goes on, in the same lease."""
    other = RecordingConnector("mail/b")
    source = OutboxSource(
        outbox.database, {"mail": outbox.out, "web": other}, rates={"mail": Rate(0.001)}, now=outbox.clock.now
    )
    for n in range(4):
        outbox.queue(f"m{n}", None)
    with outbox.database.transaction() as uow:
        actions.queue_many(uow, [actions.ActionDraft(f"w{n}", "web", "note") for n in range(4)])
        uow.record(actions_entry())
    outbox.work(source)
    assert (len(outbox.out.calls), len(other.calls)) == (1, 4)


def actions_entry() -> Any:
    """What the caller's own change would say."""
    from fairlead.kit.unit_of_work import AuditEntry  # noqa: PLC0415  used here alone

    return AuditEntry("case.moved", "case_1")


def test_a_breaker_opens_and_one_delivery_tries_it(outbox: Outbox, clock: FakeClock) -> None:
    """After eight failures in a row nothing more is tried and no attempt burns; one trial after the pause closes it."""
    out = FlakyConnector([ReceiptState.FAILED] * 2, "mail")
    source = outbox.source(out, retry=RetryPolicy(first_s=1))
    ids = [outbox.queue(f"k{n:02}", None) for n in range(20)]
    outbox.work(source)
    assert len(out.calls) == 8
    assert sorted(outbox.action(one).attempts for one in ids) == [0] * 12 + [1] * 8
    opens = source.next_due()
    assert opens is not None
    assert opens - clock.now() == timedelta(seconds=30)
    with outbox.database.reading() as reader:
        [state] = actions.outlets_now(reader, {}, clock.now())
        assert (state.queued, state.state.opened_at, state.state.problem) == (20, clock.now(), "planned answer 1")
        assert [one.verb for one in history(reader, ["mail"])] == ["outlet.opened"]
    clock.advance(timedelta(seconds=30))
    outbox.work(source)
    assert len(out.calls) == 9  # the trial failed, too: the pause is longer now
    second = source.next_due()
    assert second is not None
    assert second - clock.now() == timedelta(seconds=60)
    out._plan = ()
    clock.advance(timedelta(seconds=60))
    for _ in range(5):
        outbox.work(source)
        clock.advance(timedelta(seconds=60))
    assert {outbox.action(one).state.value for one in ids} == {"sent"}
    with outbox.database.reading() as reader:
        assert [one.verb for one in history(reader, ["mail"])] == ["outlet.opened", "outlet.closed"]


def test_a_trial_that_the_gate_holds_is_no_trial(outbox: Outbox, clock: FakeClock) -> None:
    """An open breaker is not kept shut by a message that may not go out; the next one tries it at once."""
    mail = FlakyConnector([ReceiptState.FAILED], "mail", reaches_customer=True)
    source = outbox.source(mail, breaker=Breaker(after=1), retry=RetryPolicy(first_s=1))
    first, second = outbox.customer(), outbox.customer("b@b.example")
    outbox.queue("k1", first)
    outbox.work(source)
    outbox.opt_out(first)
    later = outbox.queue("k2", second)
    mail._plan = ()
    clock.advance(timedelta(seconds=31))
    outbox.work(source)
    assert outbox.state(later)[0] == "sent"


def test_what_is_due_goes_by_priority_then_value_then_age(outbox: Outbox) -> None:
    """Over all customers; within one customer's thread the order is that of due times."""
    outbox.queue("old", None)
    outbox.queue("rich", None, value_minor=10**15)
    outbox.queue("urgent", None, priority=5)
    outbox.queue("modest", None, value_minor=100)
    outbox.queue("later", None, priority=-1, value_minor=10**12)
    customer = outbox.customer()
    outbox.queue("first-of-two", customer)
    outbox.queue("urgent-second", customer, priority=9)
    outbox.work()
    assert _keys(outbox.out) == ["urgent", "rich", "modest", "old", "first-of-two", "later", "urgent-second"]


def test_order_is_kept_within_a_thread(outbox: Outbox, clock: FakeClock) -> None:
    """A message in back-off keeps the later ones of its thread waiting, not those of another thread."""
    customer = outbox.customer()
    out = FlakyConnector([ReceiptState.FAILED], "mail")

    class Picky(FlakyConnector):
        def deliver(self, delivery: Delivery) -> Receipt:
            if delivery.idempotency_key == "a1":
                return out.deliver(delivery)
            return RecordingConnector.deliver(self, delivery)

    picky = Picky([], "mail")
    source = outbox.source(picky)
    for key, thread in (("a1", "a"), ("a2", "a"), ("b1", "b"), ("b2", "b")):
        outbox.queue(key, customer, {"thread": thread})
    assert source.lease(10, 60, "one") == 1  # never two effects of one customer at a time
    assert source.lease(10, 60, "two") == 0
    source.run("one")
    outbox.work(source)
    assert _keys(picky) == ["b1", "b2"]
    clock.advance(timedelta(seconds=10))
    outbox.work(source)
    assert _keys(picky) == ["b1", "b2", "a2"]
    assert _keys(out) == ["a1", "a1"]


class _Copying(RecordingConnector):
    def deliver(self, delivery: Delivery) -> Receipt:
        super().deliver(delivery)
        return Receipt(
            ReceiptState.SENT, "250 2.0.0 queued as 7", f"Message-ID: <{delivery.idempotency_key}>\r\n\r\nHi"
        )


def test_what_went_out_is_kept_to_the_letter_and_erased_with_the_customer(outbox: Outbox) -> None:
    """The copy and the server's words; after an erasure neither is there."""
    customer = outbox.customer()
    one = outbox.queue("k1", customer)
    outbox.work(outbox.source(_Copying("mail")))
    with outbox.database.reading() as reader:
        kept = actions.copy_of(reader, one)
        assert kept is not None
        assert (kept.content, kept.words) == ("Message-ID: <k1>\r\n\r\nHi", "250 2.0.0 queued as 7")
    with outbox.database.transaction() as uow:
        actions.forget_customer(uow, customer, USER)
    with outbox.database.reading() as reader:
        kept = actions.copy_of(reader, one)
        assert kept is not None
        assert (kept.content, kept.words) == ("", "")


def test_dead_letters_are_repaired(outbox: Outbox, clock: FakeClock) -> None:
    """One or all of an outlet's are tried again with all attempts, or given up with a reason; nothing else is."""
    out = FlakyConnector([ReceiptState.FAILED] * 2, "mail")
    source = outbox.source(out, retry=RetryPolicy(max_attempts=1))
    ids = [outbox.queue(f"k{n}", None) for n in range(3)]
    late = outbox.queue("late", None, expires_at=clock.now() + timedelta(hours=1))
    outbox.work(source)
    assert {outbox.action(one).state.value for one in [*ids, late]} == {"failed"}
    clock.advance(timedelta(hours=2))
    with outbox.database.transaction() as uow:
        assert actions.dead_letters(uow, "mail", now=uow.now) == ids
        assert actions.dead_letters(uow, "fax", now=uow.now) == []
        with pytest.raises(ConflictError, match="over"):
            actions.retry_dead(uow, [late], USER)
        with pytest.raises(NotFoundError):
            actions.retry_dead(uow, ["act_x"], USER)
        with pytest.raises(InputError):
            actions.give_up(uow, late, USER, reason="  ")
        actions.give_up(uow, late, USER, reason="nobody there")
        assert actions.retry_dead(uow, ids, USER) == ["k0", "k1", "k2"]
        with pytest.raises(ConflictError):
            actions.retry_dead(uow, ids[:1], USER)
    out._plan = ()
    outbox.work(source)
    assert [outbox.action(one).state.value for one in [*ids, late]] == ["sent"] * 3 + ["withdrawn"]
    assert outbox.action(late).result == {
        "detail": "given up: nobody there", "attempts": 1, "failed": "planned answer 1",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["mail", "mail=", "mail=0/s", "mail=5/w", "mail=-1/s", "=5/s", "mail=99999999/s"])
def test_a_rate_that_says_nothing_is_refused(text: str) -> None:
    """Half a rate never counts as none."""
    with pytest.raises(InputError):
        parse_rates(text)


def test_rates_are_read() -> None:
    """By connector or outlet, a second's worth at once."""
    assert parse_rates(" message/email=600/m, webhook=5/s,") == {"message/email": Rate(10, 10), "webhook": Rate(5, 5)}
    assert parse_rates("") == {}


@given(
    per_s=st.floats(0.01, 100),
    burst=st.integers(1, 50),
    asks=st.lists(st.tuples(st.floats(0, 30), st.integers(1, 80)), max_size=30),
)
def test_no_bucket_gives_more_than_its_rate(per_s: float, burst: int, asks: list[tuple[float, int]]) -> None:
    """Whatever is asked when: never more than the burst and what has come in since."""
    rate, state, now, given_out = Rate(per_s, burst), OutletState("x", float(burst), NOW), NOW, 0
    for pause, wanted in asks:
        now += timedelta(seconds=pause)
        room = state.room(rate, now, wanted)
        assert 0 <= room <= wanted
        state = state.begun(rate, Breaker(), now, room)
        given_out += room
        assert given_out <= burst + (now - NOW).total_seconds() * per_s + 1e-6
        ready = state.ready_at(rate, now)
        assert state.room(rate, ready + timedelta(microseconds=2), 1) == 1


@given(results=st.lists(st.booleans(), max_size=60), after=st.integers(1, 10))
def test_a_breaker_follows_its_reference(results: list[bool], after: int) -> None:
    """Open exactly from the n-th failure in a row until the next success; pauses never shrink in between."""
    state, row, last = OutletState("x", 0.0, NOW), 0, timedelta()
    for worked in results:
        state = state.after(worked, Breaker(after=after), NOW, "no")
        row = 0 if worked else row + 1
        assert (state.opened_at is not None) == (row >= after)
        if state.opened_at is None:
            last = timedelta()
            continue
        assert state.probe_at is not None
        assert last <= state.probe_at - NOW <= timedelta(minutes=15)
        last = state.probe_at - NOW
        assert state.room(None, NOW, 9) == 0
        assert state.room(None, state.probe_at, 9) == 1
