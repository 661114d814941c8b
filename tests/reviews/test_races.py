"""Many at once: one winner, clean refusals for all others, and nobody waits for ever."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from fairlead import reviews
from fairlead.checkpoints.tables import decision
from fairlead.errors import ConflictError, FairleadError
from fairlead.kit.actors import SYSTEM
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.reviews import Verb, View
from tests.reviews.world import ANN, BOB, LEASE, Desk, person

THREADS = 20


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Start all together; results in order, a FairleadError as a result. Anything else fails the test."""
    gate = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def play(number: int) -> None:
        gate.wait()
        try:
            results[number] = calls[number]()
        except FairleadError as error:
            results[number] = error
        except BaseException as error:  # noqa: BLE001  shown by the assertion below, with its type
            results[number] = AssertionError(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=play, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert not [thread for thread in threads if thread.is_alive()]
    assert not [result for result in results if isinstance(result, AssertionError)], results
    return results


def conflicts(results: Sequence[Any]) -> Counter[str]:
    """The codes of the 409s; any other error as its text, so that no comparison overlooks it."""
    refused = (result for result in results if isinstance(result, Exception))
    return Counter(one.reason if isinstance(one, ConflictError) else repr(one) for one in refused)


def test_twenty_people_claim_one_review(desk: Desk) -> None:
    """One has it, nineteen are told who."""
    (one,) = desk.open()
    people = [person(f"p{n}") for n in range(THREADS)]
    results = at_once([lambda who=who: desk.claim(one, who) for who in people])
    winners = [result for result in results if isinstance(result, reviews.Claim)]
    assert len(winners) == 1
    assert conflicts(results) == {"claimed": THREADS - 1}
    assert {winners[0].review.claimed_by} == {result.fields["by"] for result in results if result not in winners}


def test_twenty_verdicts_of_one_holder_settle_once(desk: Desk) -> None:
    """Double clicks, two browsers, a link in a mail: one decision, the rest hear what it was and when."""
    (one,) = desk.open()
    digest = desk.claim(one).review.digest
    calls = [
        lambda n=n: desk.decide(
            one, Verb.APPROVE if n % 2 else Verb.REJECT, digest=digest, reason="" if n % 2 else "no"
        )
        for n in range(THREADS)
    ]
    results = at_once(calls)
    winners = [result for result in results if isinstance(result, reviews.Decided)]
    assert len(winners) == 1
    assert conflicts(results) == {"decided": THREADS - 1}
    stored = desk.decision(one)
    for result in results:
        if isinstance(result, ConflictError):
            assert result.fields["verdict"] == stored.verdict
            assert result.fields["name"] == "Ann"
            assert result.fields["at"] == "2026-11-02T09:00:00Z"
    assert ["review.claimed", "review.decided"] == desk.audited(one)


def test_person_timer_and_interrupt_race_for_each_review(desk: Desk) -> None:
    """Whoever wins, a ruling has one decision at most, and what the review says agrees with it."""
    ids = desk.open(6, due_in=timedelta(minutes=1), on_expiry="reject", case_id="case_1")
    for one in ids:
        desk.claim(one)
    digests = {one: desk.get(one).digest for one in ids}
    desk.clock.advance(timedelta(minutes=1))

    def interrupt() -> list[str]:
        with desk.transaction() as uow:
            uow.record(AuditEntry("case.cancelled", "case_1"))
            return reviews.withdraw_for_case(uow, "case_1", SYSTEM, "cancelled")

    verdicts = [lambda one=one: desk.decide(one, Verb.APPROVE, digest=digests[one]) for one in ids]
    results = at_once([*verdicts, desk.expire, desk.expire, interrupt])
    decided = {one for one, result in zip(ids, results, strict=False) if isinstance(result, reviews.Decided)}
    expired = {one for result in results[6:8] if isinstance(result, reviews.Expired) for one in result.rejected}
    withdrawn = set(results[8])
    assert len(decided) + len(expired) + len(withdrawn) == len(ids)
    assert decided | expired | withdrawn == set(ids)
    for group, verdict in ((decided, "approve"), (expired, "reject"), (withdrawn, None)):
        for one in group:
            found = desk.decision(one)
            assert (found and found.verdict) == verdict
    assert set(conflicts(results)) <= {"decided", "expired", "withdrawn"}
    with desk.database.reading() as reader:
        assert reviews.tallies(reader) == {}


def test_undo_and_undo_take_back_once(desk: Desk) -> None:
    """The second finds a review that is no longer decided."""
    (one,) = desk.open()
    desk.claim(one)
    desk.decide(one, Verb.APPROVE)
    results = at_once([lambda: desk.undo(one)] * 8)
    assert len([result for result in results if isinstance(result, reviews.Review)]) == 1
    assert len(conflicts(results)) >= 1
    assert desk.decision(one) is None
    assert ["review.claimed", "review.decided", "review.undone", "review.claimed"] == desk.audited(one)


def test_twenty_people_ask_for_the_next_review(desk: Desk) -> None:
    """Nobody gets what another has; nothing is left lying when all have asked until there was nothing."""
    ids = desk.open(40)
    people = [person(f"p{n}") for n in range(THREADS)]

    def take_all(who: reviews.Reviewer) -> list[str]:
        mine = []
        while True:
            claim = desk.claim_next(who)
            if claim is None:
                return mine
            mine.append(claim.review.id)

    results = at_once([lambda who=who: take_all(who) for who in people])
    taken = [one for result in results for one in result]
    left = desk.claim_next(BOB)
    assert len(taken) == len(set(taken))
    assert set(ids) == set(taken)
    assert left is None


def test_one_customers_reviews_never_go_to_two_people(desk: Desk) -> None:
    """However the claims cross, one person has all that is claimed of a customer; the others hear who."""
    ids = desk.open(10, customer_id="cus_1")
    people = [person(f"p{n}") for n in range(10)]
    direct = [lambda one=one, who=who: desk.claim(one, who) for one, who in zip(ids, people, strict=True)]
    following = [lambda who=who: desk.claim_next(who) for who in people]
    results = at_once([*direct, *following])
    holders = {desk.get(one).claimed_by for one in ids} - {None}
    assert len(holders) == 1
    assert set(conflicts(results)) <= {"customer_in_work", "claimed"}


def test_votes_of_a_quorum_cannot_be_cast_twice_at_once(desk: Desk) -> None:
    """One person's twenty clicks are one vote."""
    (one,) = desk.open(quorum=3)
    digest = desk.claim(one).review.digest
    results = at_once([lambda: desk.decide(one, Verb.APPROVE, digest=digest)] * THREADS)
    assert len([result for result in results if isinstance(result, reviews.Decided)]) == 1
    with desk.database.reading() as reader:
        assert len(reviews.log_of(reader, one)) == 1
        assert reader.execute(select(func.count()).select_from(decision)).scalar_one() == 0


def test_counts_add_up_after_a_rush(desk: Desk) -> None:
    """Claims, releases, verdicts and folding at once leave the running counts equal to what is there."""
    ids = desk.open(12)

    def work(number: int) -> None:
        who = person(f"p{number}")
        for one in ids[number % 4 :: 4]:
            try:
                desk.claim(one, who)
                if number % 2:
                    desk.decide(one, Verb.APPROVE, who)
                else:
                    with desk.transaction() as uow:
                        reviews.release(uow, one, who)
            except ConflictError:
                continue

    at_once([*(lambda n=n: work(n) for n in range(8)), desk.sweep, desk.sweep])
    with desk.database.reading() as reader:
        counted = reviews.counts(reader)[View.OPEN].number
    assert counted == len(desk.page()) == sum(desk.get(one).is_open for one in ids)


def test_a_heartbeat_and_a_take_over_leave_one_holder(desk: Desk) -> None:
    """After the lease has lapsed, either the holder comes back or the other has it, never both."""
    (one,) = desk.open()
    desk.claim(one)
    desk.clock.advance(LEASE)

    def keep() -> reviews.Review:
        with desk.transaction() as uow:
            return reviews.heartbeat(uow, one, ANN, LEASE)

    results = at_once([keep, lambda: desk.claim(one, BOB)])
    won = [result for result in results if not isinstance(result, FairleadError)]
    assert len(won) == 1
    assert desk.get(one).held(desk.clock.now())
