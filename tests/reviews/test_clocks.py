"""Clocks, leases, snoozes and pauses: what time does, and that it never approves."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from fairlead import reviews
from fairlead.errors import ConflictError, InputError
from fairlead.kit.actors import SYSTEM
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.reviews import QueueFilter, Verb, View
from fairlead.worker.chores import SWEPT_AT_ONCE, sweep_reviews
from tests.reviews.world import ANN, BOB, CEM, LEASE, Desk, person

if TYPE_CHECKING:
    from fairlead.worker import Runtime

HOUR = timedelta(hours=1)


def test_a_clock_that_runs_out_does_what_was_said_and_approves_nothing(desk: Desk) -> None:
    """Reject and withdraw settle with nothing to be done, escalate changes the role, wait only becomes
    overdue.
    """
    said = ("reject", "withdraw", "escalate:lead", "wait")
    ids = {on: desk.open(due_in=HOUR, on_expiry=on)[0] for on in said}
    later = desk.open(due_in=2 * HOUR, on_expiry="reject")[0]
    desk.claim(ids["reject"])
    assert desk.expire().count == 0
    desk.clock.advance(HOUR)
    done = desk.expire()

    assert (done.rejected, done.withdrawn) == ((ids["reject"],), (ids["withdraw"],))
    assert (done.passed_on, done.waiting) == ((ids["escalate:lead"],), (ids["wait"],))
    assert ["expired", "withdrawn", "waiting", "waiting"] == [desk.get(ids[on]).state for on in said]
    assert ("reject", None) == desk.decision(ids["reject"])[1:3]
    assert ("expired", None) == desk.decision(ids["withdraw"])[1:3]
    assert desk.get(ids["escalate:lead"]).role == "lead"
    assert desk.get(later).state == "waiting"
    assert desk.expire().count == 0, "each is dealt with once"
    overdue = desk.page(QueueFilter(View.OVERDUE))
    assert {ids["escalate:lead"], ids["wait"]} == set(overdue)
    assert desk.claim(ids["escalate:lead"], person("Lea", "lead")).review.state == "claimed"
    assert desk.decide(ids["escalate:lead"], Verb.APPROVE, person("Lea", "lead")).settled


def test_the_sweep_takes_the_longest_overdue_first_in_bounded_bites(desk: Desk) -> None:
    """A limit bounds one transaction; what is left comes with the next."""
    late = [desk.open(due_in=timedelta(minutes=n), on_expiry="reject")[0] for n in (3, 1, 2)]
    desk.clock.advance(HOUR)
    assert [late[1], late[2]] == list(desk.expire(limit=2).rejected)
    assert [late[0]] == list(desk.expire(limit=2).rejected)


def test_a_backlog_is_swept_in_one_tick(desk: Desk) -> None:
    """More reviews run out at once, as after a night without a worker, than one transaction takes: a single tick of
    the worker deals with all of them, in several bounded transactions.
    """
    rung: list[None] = []
    runtime = SimpleNamespace(database=desk.database, dispatcher=SimpleNamespace(wake=lambda: rung.append(None)))
    late = desk.open(SWEPT_AT_ONCE + 30, due_in=HOUR, on_expiry="reject")
    still = desk.open(due_in=3 * HOUR, on_expiry="reject")[0]
    desk.clock.advance(2 * HOUR)
    sweep_reviews(cast("Runtime", runtime))

    with desk.database.reading() as reader:
        found = reviews.find_many(reader, late)
    assert {one.state for one in found.values()} == {"expired"}
    assert len(found) == len(late) > 200
    assert desk.get(still).state == "waiting"
    assert rung == [None]


def test_a_person_who_was_first_keeps_their_verdict(desk: Desk) -> None:
    """The timer finds nothing to do on a decided review; a person after the timer gets a 409 that says so."""
    first, second = desk.open(2, due_in=HOUR, on_expiry="reject")
    desk.claim(first)
    desk.decide(first, Verb.APPROVE)
    desk.clock.advance(HOUR)
    desk.claim(second)
    assert desk.expire().rejected == (second,)
    with pytest.raises(ConflictError) as late:
        desk.decide(second, Verb.APPROVE)
    assert late.value.reason == "expired"
    assert late.value.fields["by"] == "timer:fairlead"
    assert desk.decision(first).verdict == "approve"


def test_a_ruling_decided_by_another_way_does_not_stop_the_sweep(desk: Desk) -> None:
    """The moot review is withdrawn, its neighbour expires as it should."""
    moot, due = desk.open(2, due_in=HOUR, on_expiry="reject")
    with desk.transaction() as uow:
        desk.settlement.settle(uow, desk.get(moot).ruling_id, "answer", {"team": "x"}, SYSTEM, "", uow.now)
        uow.record(AuditEntry("test.settled", moot))
    desk.clock.advance(HOUR)
    done = desk.expire()
    assert (done.moot, done.rejected) == ((moot,), (due,))
    assert desk.decision(moot).verdict == "answer"


def test_asking_for_information_stops_the_clock(desk: Desk) -> None:
    """What was left when the question was asked is left when the answer comes, however long it took."""
    (one,) = desk.open(due_in=HOUR, on_expiry="reject")
    desk.claim(one)
    desk.clock.advance(timedelta(minutes=5))
    desk.decide(one, Verb.REQUEST_INFO, reason="which country?")
    desk.clock.advance(timedelta(days=3))
    assert desk.expire().count == 0
    assert [one] == desk.page(QueueFilter(View.NEEDS_INFORMATION))
    assert desk.page() == []
    with desk.transaction() as uow:
        back = reviews.resume(uow, one, SYSTEM, "customer answered")
    assert back.due_at == desk.clock.now() + timedelta(minutes=55)
    assert [one] == desk.page(QueueFilter(View.MINE, person=ANN.id))
    with pytest.raises(ConflictError) as again, desk.transaction() as uow:
        reviews.resume(uow, one, SYSTEM, "twice")
    assert again.value.reason == "not_paused"
    desk.clock.advance(timedelta(minutes=55))
    assert desk.expire().rejected == (one,)


def test_asking_twice_does_not_lose_the_clock(desk: Desk) -> None:
    """A second question while the first is open keeps what was left at the first."""
    (one,) = desk.open(due_in=HOUR, on_expiry="reject")
    for _ in range(2):
        desk.claim(one)
        desk.decide(one, Verb.REQUEST_INFO, reason="which country?")
        desk.clock.advance(HOUR)
    with desk.transaction() as uow:
        back = reviews.resume(uow, one, SYSTEM, "answered")
    assert back.due_at == desk.clock.now() + HOUR


def test_a_paused_review_decided_and_undone_is_still_paused(desk: Desk) -> None:
    """Nothing of its clock is lost on the way."""
    (one,) = desk.open(due_in=HOUR, on_expiry="reject")
    desk.claim(one)
    desk.decide(one, Verb.REQUEST_INFO, reason="which country?")
    desk.claim(one)
    desk.decide(one, Verb.APPROVE)
    desk.undo(one)
    with desk.transaction() as uow:
        assert reviews.resume(uow, one, SYSTEM, "answered").due_at == desk.clock.now() + HOUR


def test_a_snoozed_review_leaves_the_queue_and_comes_back_to_its_person(desk: Desk) -> None:
    """By itself when the time has come, or at once when it is unsnoozed; its clock runs on meanwhile."""
    first, second = desk.open(2, due_in=2 * HOUR, on_expiry="reject")
    desk.claim(first)
    for one in (first, second):
        with desk.transaction() as uow:
            reviews.snooze(uow, one, ANN, uow.now + HOUR)
    assert desk.page() == []
    assert desk.claim_next(BOB) is None
    assert {first, second} == set(desk.page(QueueFilter(View.SNOOZED, person=ANN.id)))
    with desk.transaction() as uow:
        reviews.unsnooze(uow, first, ANN)
    assert [first] == desk.page()
    desk.clock.advance(HOUR)
    desk.sweep()
    assert {first, second} == set(desk.page(QueueFilter(View.MINE, person=ANN.id)))
    with pytest.raises(ConflictError), desk.transaction() as uow:
        reviews.unsnooze(uow, first, ANN)
    desk.clock.advance(HOUR)
    assert {first, second} == set(desk.expire().rejected)


def test_claiming_a_snoozed_review_ends_the_snooze(desk: Desk) -> None:
    """A colleague may need it now."""
    (one,) = desk.open()
    with desk.transaction() as uow:
        reviews.snooze(uow, one, ANN, uow.now + HOUR)
    assert desk.claim(one, BOB).review.snoozed_until is None


@pytest.mark.parametrize("away", [timedelta(0), timedelta(seconds=-1), timedelta(days=367)])
def test_a_snooze_ends_ahead_and_within_a_year(desk: Desk, away: timedelta) -> None:
    """Nothing is put away for ever."""
    (one,) = desk.open()
    with pytest.raises(InputError), desk.transaction() as uow:
        reviews.snooze(uow, one, ANN, uow.now + away)


def test_nobody_snoozes_what_somebody_else_holds(desk: Desk) -> None:
    """It is not theirs to put away."""
    (one,) = desk.open()
    desk.claim(one, BOB)
    with pytest.raises(ConflictError), desk.transaction() as uow:
        reviews.snooze(uow, one, ANN, uow.now + HOUR)


def test_a_lapsed_claim_goes_back_to_the_queue(desk: Desk) -> None:
    """The sweep frees it, on record, and the next person finds it as unclaimed."""
    (one,) = desk.open()
    desk.claim(one)
    assert desk.page(QueueFilter(View.UNCLAIMED)) == []
    desk.clock.advance(LEASE)
    desk.sweep()
    assert [one] == desk.page(QueueFilter(View.UNCLAIMED))
    assert ["review.claimed", "review.lapsed"] == desk.audited(one)


def test_one_customers_reviews_are_one_persons(desk: Desk) -> None:
    """Claiming shows the customer's other open reviews and keeps them from others until the claim ends."""
    first, second = desk.open(2, customer_id="cus_1")
    (other,) = desk.open(customer_id="cus_2")
    claimed = desk.claim(first, ANN)
    assert [second] == [one.id for one in claimed.siblings]
    with pytest.raises(ConflictError) as busy:
        desk.claim(second, BOB)
    assert (busy.value.reason, busy.value.fields["name"]) == ("customer_in_work", "Ann")
    found = desk.claim_next(BOB)
    assert found is not None
    assert found.review.id == other
    assert desk.claim(second, ANN).review.claimed_by == ANN.id
    desk.clock.advance(LEASE)
    assert desk.claim(second, CEM).review.claimed_by == CEM.id
    with pytest.raises(ConflictError) as mended, desk.transaction() as uow:
        reviews.heartbeat(uow, first, ANN, LEASE)
    assert mended.value.reason == "customer_in_work"


def test_when_the_sweep_is_needed_next_is_known(desk: Desk) -> None:
    """The earliest of clock, lease and snooze; nothing when nothing runs."""

    def next_due() -> timedelta | None:
        with desk.database.reading() as reader:
            due = reviews.next_due(reader)
        return None if due is None else due - desk.clock.now()

    assert next_due() is None
    first, second = desk.open(2, due_in=HOUR)
    assert next_due() == HOUR
    desk.claim(first)
    assert next_due() == LEASE
    with desk.transaction() as uow:
        reviews.snooze(uow, second, ANN, uow.now + timedelta(minutes=1))
    assert next_due() == timedelta(minutes=1)
