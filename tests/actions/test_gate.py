"""Right before each delivery to a customer stands the gate; what commits before it counts, whatever the message did."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead import actions
from fairlead.actions import ReceiptState, RetryPolicy, Scope, ScopeKind
from fairlead.customers import ConsentRecord, ConsentState, record_consent
from fairlead.testing.connectors import AmbiguousConnector, FlakyConnector
from tests.actions.sending import USER, Outbox

if TYPE_CHECKING:
    from fairlead.connectors import Delivery, Receipt
    from fairlead.kit.database import Database
    from fairlead.testing.clock import FakeClock


@pytest.fixture
def outbox(database: Database, clock: FakeClock) -> Outbox:
    """Rules in force, ten in the morning."""
    return Outbox(database, clock)


def test_what_is_allowed_goes_out_and_takes_a_place(outbox: Outbox) -> None:
    """It is delivered to the customer's own address, its place becomes accepted, and the record says why."""
    one = outbox.queue("k1", outbox.customer())
    outbox.work()
    assert outbox.state(one) == ("sent", "")
    assert outbox.out.calls[0].body["to"] == "anna@a.example"
    assert outbox.places() == {"k1": "accepted"}


def test_a_quiet_night_holds_until_morning(outbox: Outbox, clock: FakeClock) -> None:
    """The action shows the reason and when it may go; it is sent then, and no attempt was used up by waiting."""
    clock.advance(timedelta(hours=13))  # eleven in the evening
    one = outbox.queue("k1", outbox.customer())
    outbox.work()
    held = outbox.action(one)
    assert (held.state.value, held.gate["code"], held.attempts) == ("held", "quiet_hours", 0)
    assert held.look_at is not None
    assert held.look_at.hour == 8
    assert held.gate["allowed_at"] == held.look_at.isoformat().replace("+00:00", "Z")
    assert not outbox.out.calls
    assert outbox.source().next_due() == held.look_at
    clock.advance(held.look_at - clock.now() - timedelta(microseconds=1))
    outbox.work()
    assert not outbox.out.calls
    clock.advance(timedelta(microseconds=1))
    outbox.work()
    assert (outbox.state(one)[0], outbox.action(one).attempts) == ("sent", 1)


def test_what_is_held_too_long_expires(outbox: Outbox, clock: FakeClock) -> None:
    """By the action's own time, with the reason it was held for."""
    clock.advance(timedelta(hours=13))
    one = outbox.queue("k1", outbox.customer(), expires_at=clock.now() + timedelta(hours=2))
    outbox.work()
    clock.advance(timedelta(hours=2))
    outbox.work()
    assert outbox.state(one) == ("expired", "quiet_hours")
    assert not outbox.out.calls


@pytest.mark.parametrize(
    "body", [{"purpose": ""}, {"purpose": "unheard"}, {"sender": "martian"}, {"to": "x@y.example"}]
)
def test_what_does_not_say_enough_is_refused(outbox: Outbox, body: dict[str, Any]) -> None:
    """No purpose, an unknown one, an unknown sender, somebody else's address: refused with a code, never sent."""
    one = outbox.queue("k1", outbox.customer(), body)
    outbox.work()
    state, code = outbox.state(one)
    assert state == "refused"
    assert code in {"no_purpose", "unknown_purpose", "input", "address_of_another"}
    assert not outbox.out.calls
    assert set(outbox.places().values()) <= {"released"}


def test_caps_hold_over_several_workers(outbox: Outbox, clock: FakeClock) -> None:
    """Of three messages two go; the third waits until the first has left the window, then it goes."""
    customer = outbox.customer()
    ids = [outbox.queue(f"k{n}", customer) for n in range(3)]
    outbox.work(outbox.source())
    outbox.work(outbox.source())
    assert sorted(outbox.state(one) for one in ids) == [("held", "cap"), ("sent", ""), ("sent", "")]
    clock.advance(timedelta(days=7))
    outbox.work()
    assert [outbox.state(one)[0] for one in ids] == ["sent"] * 3


# An opt-out in every state that a message can be in.


def test_an_opt_out_beats_a_queued_message(outbox: Outbox) -> None:
    """Queued and untouched."""
    customer = outbox.customer()
    one = outbox.queue("k1", customer)
    outbox.opt_out(customer)
    outbox.work()
    assert outbox.state(one)[0] == "refused"
    assert outbox.state(one)[1] in {"withdrawn", "suppressed"}
    assert not outbox.out.calls


def test_an_opt_out_beats_a_held_message(outbox: Outbox, clock: FakeClock) -> None:
    """Held for the night: in the morning it is refused."""
    customer = outbox.customer()
    clock.advance(timedelta(hours=13))
    one = outbox.queue("k1", customer)
    outbox.work()
    outbox.opt_out(customer)
    clock.advance(timedelta(hours=9))
    outbox.work()
    assert outbox.state(one)[0] == "refused"
    assert not outbox.out.calls


def test_an_opt_out_beats_a_message_in_back_off(outbox: Outbox, clock: FakeClock) -> None:
    """A first delivery failed; the second is never begun, and its place is free again."""
    customer = outbox.customer()
    out = FlakyConnector([ReceiptState.FAILED], "mail", reaches_customer=True)
    source = outbox.source(out)
    one = outbox.queue("k1", customer)
    outbox.work(source)
    assert outbox.places() == {"k1": "released"}
    outbox.opt_out(customer)
    clock.advance(timedelta(minutes=5))
    outbox.work(source)
    assert outbox.state(one)[0] == "refused"
    assert len(out.calls) == 1


def test_an_opt_out_beats_a_leased_message(outbox: Outbox) -> None:
    """A worker has it in hand, several messages before it; the opt-out commits while it delivers the first."""
    first, second = outbox.customer(), outbox.customer("bert@b.example")
    ids = [outbox.queue("k1", first), outbox.queue("k2", second)]

    class Meanwhile(FlakyConnector):
        def deliver(self, delivery: Delivery) -> Receipt:
            other = {"k1": second, "k2": first}[delivery.idempotency_key]
            outbox.opt_out(other)
            return super().deliver(delivery)

    out = Meanwhile([], "mail", reaches_customer=True)
    outbox.work(outbox.source(out))
    assert sorted(outbox.state(one)[0] for one in ids) == ["refused", "sent"]
    assert len(out.calls) == 1


def test_an_opt_out_beats_a_message_that_a_person_tries_again(outbox: Outbox) -> None:
    """A dead letter that is retried passes the gate as of now."""
    customer = outbox.customer()
    out = FlakyConnector([ReceiptState.FAILED], "mail", reaches_customer=True)
    source = outbox.source(out, retry=RetryPolicy(max_attempts=1))
    one = outbox.queue("k1", customer)
    outbox.work(source)
    assert outbox.state(one)[0] == "failed"
    outbox.opt_out(customer)
    with outbox.database.transaction() as uow:
        assert actions.retry_dead(uow, [one], USER) == ["k1"]
    outbox.work(source)
    assert outbox.state(one)[0] == "refused"
    assert len(out.calls) == 1


def test_an_opt_out_beats_sending_again_what_may_have_arrived(outbox: Outbox) -> None:
    """An ambiguous message is sent again on a person's word only, and not past an opt-out; its place stays taken."""
    customer = outbox.customer()
    out = AmbiguousConnector("mail", reaches_customer=True)
    source = outbox.source(out)
    one = outbox.queue("k1", customer)
    outbox.work(source)
    assert (outbox.state(one)[0], outbox.places()) == ("ambiguous", {"k1": "unknown"})
    outbox.opt_out(customer)
    with outbox.database.transaction() as uow:
        actions.settle_ambiguous(uow, one, actions.ActionState.QUEUED, USER, reason="not in the inbox")
    outbox.work(source)
    assert outbox.state(one)[0] == "refused"
    assert (len(out.calls), outbox.places()) == (1, {"k1": "unknown"})


def test_coming_back_counts_as_well(outbox: Outbox) -> None:
    """A yes that was given before the moment of sending is a yes, though there was a no when it was queued."""
    customer = outbox.customer()
    record = ConsentRecord("sales", "email", ConsentState.WITHDRAWN, "opt_out", "test")
    with outbox.database.transaction() as uow:
        record_consent(uow, USER, customer, record)
    one = outbox.queue("k1", customer)
    given = ConsentRecord("sales", "email", ConsentState.GIVEN, "opt_in", "test")
    outbox.clock.advance(timedelta(seconds=1))
    with outbox.database.transaction() as uow:
        record_consent(uow, USER, customer, given)
    outbox.work()
    assert outbox.state(one)[0] == "sent"


# Workers that die.


@pytest.mark.parametrize("opted_out", [False, True])
def test_a_worker_that_dies_after_the_gate(outbox: Outbox, clock: FakeClock, opted_out: bool) -> None:
    """Between place and delivery: one message, one place. With an opt-out meanwhile nothing goes out any more, and a
    person is asked whether it had; its place stays taken.
    """
    customer = outbox.customer()
    one = outbox.queue("k1", customer)

    class Dying(FlakyConnector):
        def deliver(self, _delivery: Delivery) -> Receipt:
            raise KeyboardInterrupt  # what no `except Exception` catches: the process is gone

    source = outbox.source(Dying([], "mail", reaches_customer=True))
    assert source.lease(10, 60, "dead") == 1
    with pytest.raises(KeyboardInterrupt):
        source.run("dead")
    assert outbox.places() == {"k1": "reserved"}
    if opted_out:
        outbox.opt_out(customer)
    clock.advance(timedelta(seconds=61))
    outbox.work()
    if opted_out:
        assert (outbox.state(one)[0], outbox.places()) == ("ambiguous", {"k1": "unknown"})
        assert not outbox.out.calls
        return
    assert (outbox.state(one)[0], outbox.places()) == ("sent", {"k1": "accepted"})
    assert len(outbox.out.calls) == 1


def test_a_worker_that_dies_before_the_gate_leaves_no_doubt(outbox: Outbox, clock: FakeClock) -> None:
    """Leased and never begun: an opt-out refuses it plainly, nobody is asked whether it arrived."""
    customer = outbox.customer()
    one = outbox.queue("k1", customer)
    assert outbox.source().lease(10, 60, "dead") == 1
    outbox.opt_out(customer)
    clock.advance(timedelta(seconds=61))
    outbox.work()
    assert outbox.state(one)[0] == "refused"
    assert outbox.places() == {}


def test_a_stop_or_a_withdrawal_reaches_what_is_leased(outbox: Outbox) -> None:
    """A stop switch holds, a withdrawal takes back, also what a worker has in hand and has not begun."""
    stopped = outbox.queue("k1", outbox.customer(), checkpoint="route")
    taken = outbox.queue("k2", outbox.customer("b@b.example"), case_id="case_7")
    source = outbox.source()
    assert source.lease(10, 60, "one") == 2
    with outbox.database.transaction() as uow:
        actions.hold_for(uow, Scope(ScopeKind.CHECKPOINT, "route"), USER)
        actions.withdraw_of_case(uow, "case_7", USER)
    source.run("one")
    assert (outbox.state(stopped)[0], outbox.state(taken)[0]) == ("held", "withdrawn")
    assert not outbox.out.calls
    assert outbox.places() == {}
