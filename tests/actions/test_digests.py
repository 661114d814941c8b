"""`when_full: digest`: what a full cap held goes out as one message when there is a place again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead import actions
from fairlead.actions import Receipt, ReceiptState, Scope, ScopeKind
from fairlead.testing.connectors import AmbiguousConnector, FlakyConnector, RecordingConnector
from tests.actions.sending import RULES, USER, Outbox

if TYPE_CHECKING:
    from fairlead.connectors import Delivery
    from fairlead.kit.database import Database
    from fairlead.testing.clock import FakeClock

DIGEST = RULES.replace(
    "{name: two, most: 2, per: 7d}", "{name: one, most: 1, per: 7d, when_full: digest, expires: 20d}"
)
WEEK = timedelta(days=7)


class Putting(RecordingConnector):
    """Sends several messages as one."""

    def puts_together(self, body: dict[str, Any]) -> bool:
        """Every one."""
        return bool(body)


class Dying(Putting):
    """Its process ends after the first digest left."""

    def deliver(self, delivery: Delivery) -> Receipt:
        """See `Connector.deliver`."""
        receipt = super().deliver(delivery)
        if delivery.parts:
            raise KeyboardInterrupt
        return receipt


class Picky(Putting):
    """Refuses what is put together."""

    def deliver(self, delivery: Delivery) -> Receipt:
        """See `Connector.deliver`."""
        receipt = super().deliver(delivery)
        return Receipt(ReceiptState.REFUSED, "not like this") if delivery.parts else receipt


class Shaky(FlakyConnector):
    """Fails at first, and puts together."""

    puts_together = Putting.puts_together


class Doubtful(AmbiguousConnector):
    """Nobody can tell, and puts together."""

    puts_together = Putting.puts_together


@pytest.fixture
def outbox(database: Database, clock: FakeClock) -> Outbox:
    """One message a week; more wait to be put together."""
    one = Outbox(database, clock, Putting("mail", reaches_customer=True))
    one.rules(DIGEST)
    return one


def held(outbox: Outbox, *bodies: dict[str, Any], customer: str = "") -> tuple[str, list[str]]:
    """A customer who has had this week's message, and the ids of messages that wait because of it."""
    who = customer or outbox.customer()
    outbox.queue("first", who)
    outbox.work()
    ids = [outbox.queue(f"k{n}", who, body) for n, body in enumerate(bodies or ({}, {}, {}))]
    outbox.work()
    assert [outbox.state(one) for one in ids] == [("held", "cap")] * len(ids)
    outbox.out.calls.clear()
    return who, ids


def test_what_waits_goes_out_as_one(outbox: Outbox, clock: FakeClock) -> None:
    """One delivery, one place under the cap; each message says with which it went, and the next one waits again."""
    who, ids = held(outbox)
    clock.advance(WEEK)
    outbox.work()
    [call] = outbox.out.calls
    assert (call.idempotency_key, [part.idempotency_key for part in call.parts]) == ("k0", ["k1", "k2"])
    assert [outbox.state(one)[0] for one in ids] == ["sent"] * 3
    words = [str((outbox.action(one).result or {})["detail"]) for one in ids]
    assert words == ["in one message with 2 others: done"] + [f"in one message with {ids[0]}: done"] * 2
    assert outbox.places() == {"first": "accepted", "k0": "accepted"}
    later = outbox.queue("later", who)
    outbox.work()
    assert outbox.state(later) == ("held", "cap")


def test_with_defer_each_waits_for_its_own_place(outbox: Outbox, clock: FakeClock) -> None:
    """Nothing is put together unless the cap says so."""
    outbox.rules(DIGEST.replace("digest", "defer"))
    _, ids = held(outbox)
    clock.advance(WEEK)
    outbox.work()
    assert [len(call.parts) for call in outbox.out.calls] == [0]
    assert sorted(outbox.state(one)[0] for one in ids) == ["held", "held", "sent"]


def test_a_connector_that_cannot_gets_them_one_by_one(outbox: Outbox, clock: FakeClock) -> None:
    """Only mail holds several messages; elsewhere a digest is waiting."""
    outbox.out = RecordingConnector("mail", reaches_customer=True)
    _, ids = held(outbox)
    clock.advance(WEEK)
    outbox.work()
    assert [len(call.parts) for call in outbox.out.calls] == [0]
    assert sorted(outbox.state(one)[0] for one in ids) == ["held", "held", "sent"]


@pytest.mark.parametrize(
    "other",
    [{"tags": ["news"]}, {"sender": "campaign"}, {"to": "anna@a.example"}, {"sealed": {"code": "x"}},
     {"language": "de"}, {"automatic": False}],
)  # fmt: skip
def test_what_is_not_alike_goes_by_itself(outbox: Outbox, clock: FakeClock, other: dict[str, Any]) -> None:
    """The gate was asked about one: what it might answer otherwise, or is for one reader alone, is no part of it."""
    _, ids = held(outbox, {}, other, {})
    clock.advance(WEEK)
    outbox.work()
    [call] = outbox.out.calls
    assert (call.idempotency_key, [part.idempotency_key for part in call.parts]) == ("k0", ["k2"])
    assert [outbox.state(one)[0] for one in ids] == ["sent", "held", "sent"]


def test_an_opt_out_beats_a_digest(outbox: Outbox, clock: FakeClock) -> None:
    """All of it."""
    who, ids = held(outbox)
    outbox.opt_out(who)
    clock.advance(WEEK)
    outbox.work()
    assert [outbox.state(one)[0] for one in ids] == ["refused"] * 3
    assert not outbox.out.calls


def test_what_was_taken_back_or_stopped_is_no_part(outbox: Outbox, clock: FakeClock) -> None:
    """Withdrawn by its case, or under a stop switch: the others go without it."""
    who = outbox.customer()
    outbox.queue("first", who)
    outbox.work()
    more = [{"case_id": "case_9"}, {"playbook": "nurture", "checkpoint": "cold"}, {}, {}]
    ids = [outbox.queue(f"k{n}", who, None, **one) for n, one in enumerate(more)]
    outbox.work()
    with outbox.database.transaction() as uow:
        actions.withdraw_of_case(uow, "case_9", USER)
        actions.hold_for(uow, Scope(ScopeKind.PLAYBOOK, "nurture"), USER)
    outbox.out.calls.clear()
    clock.advance(WEEK)
    outbox.work()
    [call] = outbox.out.calls
    assert (call.idempotency_key, [part.idempotency_key for part in call.parts]) == ("k2", ["k3"])
    assert [outbox.state(one)[0] for one in ids] == ["withdrawn", "held", "sent", "sent"]


def test_what_fails_is_tried_again_together(outbox: Outbox, clock: FakeClock) -> None:
    """The place is given back and taken again; nothing goes twice."""
    _, ids = held(outbox)
    outbox.out = Shaky([ReceiptState.FAILED], "mail", reaches_customer=True)
    clock.advance(WEEK)
    outbox.work()
    assert [outbox.state(one)[0] for one in ids] == ["queued"] * 3
    clock.advance(timedelta(hours=1))
    outbox.work()
    assert [outbox.state(one)[0] for one in ids] == ["sent"] * 3
    assert len(outbox.out.calls[-1].parts) == 2


def test_nobody_knows_is_so_of_all(outbox: Outbox, clock: FakeClock) -> None:
    """A person settles each."""
    _, ids = held(outbox)
    outbox.out = Doubtful("mail", reaches_customer=True)
    clock.advance(WEEK)
    outbox.work()
    assert [outbox.state(one)[0] for one in ids] == ["ambiguous"] * 3


def test_what_is_refused_together_goes_by_itself(outbox: Outbox, clock: FakeClock) -> None:
    """The first at once, the others when they have a place: one bad message takes no other with it."""
    _, ids = held(outbox)
    outbox.out = Picky("mail", reaches_customer=True)
    clock.advance(WEEK)
    outbox.work()
    clock.advance(timedelta(hours=1))
    outbox.work()
    assert sorted(outbox.state(one)[0] for one in ids) == ["held", "held", "sent"]


def test_a_worker_that_vanishes_leaves_all_in_doubt(outbox: Outbox, clock: FakeClock) -> None:
    """After the digest left and before that was written down: no part of it is sent again by itself."""
    _, ids = held(outbox)
    outbox.out = Dying("mail", reaches_customer=True)
    clock.advance(WEEK)
    with pytest.raises(KeyboardInterrupt):
        outbox.work()
    outbox.out = Putting("mail", reaches_customer=True)
    for _ in range(3):
        clock.advance(WEEK)
        outbox.work()
    again = {part.idempotency_key for call in outbox.out.calls for part in (call, *call.parts)}
    assert again <= {"k0"}  # under its own key, by which a connector knows that it had it
    assert [outbox.state(one)[0] for one in ids[1:]] == ["ambiguous"] * 2
