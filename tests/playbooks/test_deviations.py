"""Departures from the standard path: counted, listed with who, when and why, and nothing else among them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from fairlead.customers import erase_customer
from fairlead.kit.clock import to_micros
from fairlead.kit.unit_of_work import Reader
from fairlead.playbooks import (
    CaseVerb,
    Deviation,
    DeviationKind,
    Deviations,
    Playbook,
    Span,
    deviations_of_case,
    find_deviations,
    overview,
)
from fairlead.playbooks.figures import CAP, StageCount, cases_at, cases_ended_as
from fairlead.reviews import Verb
from tests.playbooks.world import BOSS, OFFER, step

if TYPE_CHECKING:
    from tests.playbooks.world import World

K = DeviationKind


def book(world: World, name: str = "offer") -> Playbook:
    """As it is deployed."""
    assert world.bundle is not None
    return world.bundle.playbooks[name].playbook


def found(world: World, days: float = 30, name: str = "offer", **more: object) -> Deviations:
    """Of the last days."""
    end = world.clock.now() + timedelta(seconds=1)
    with world.database.reading() as reader:
        return find_deviations(reader, book(world, name), Span(end - timedelta(days=days), end), **more)  # type: ignore[arg-type]


def test_what_people_do_beside_the_playbook_is_listed(world: World) -> None:
    """Skipped, redirected, taken over, cancelled: newest first, with the person, the reason and the stages."""
    world.deploy(OFFER)
    cases = world.open_many([{"price": 5.0, "confidence": 0.9}] * 5, playbook="offer")
    world.run()
    for case, verb, how in (
        (cases[0], CaseVerb.SKIP, {"reason": "rang <b>twice</b>"}),
        (cases[1], CaseVerb.REDIRECT, {"stage": "lost", "reason": "gone bust"}),
        (cases[2], CaseVerb.TAKE_OVER, {}),
        (cases[3], CaseVerb.CANCEL, {"reason": "test"}),
    ):
        world.clock.advance(timedelta(minutes=1))
        world.steer(case, verb, **how)
    world.decide(cases[4], Verb.ANSWER, answer={"price": 5})  # deciding is what the playbook asks for
    world.later(hours=1)

    seen = found(world)
    assert [one.kind for one in seen.items] == [K.CANCELLED, K.TAKEN_OVER, K.REDIRECTED, K.SKIPPED]
    skipped, redirected = seen.items[3], seen.items[2]
    assert (skipped.case_id, skipped.actor, skipped.stage, skipped.to_stage) == (cases[0], str(BOSS), "ask", "send")
    assert skipped.reason == "rang <b>twice</b>"
    assert redirected.detail == "The main road goes to send."
    assert seen.counts == dict.fromkeys(K, 0) | dict.fromkeys([K.CANCELLED, K.TAKEN_OVER, K.REDIRECTED, K.SKIPPED], 1)
    assert not seen.capped


def test_an_undisturbed_playbook_has_none(world: World) -> None:
    """Rulings, rejections, timers and interrupts are ways that the playbook names."""
    world.deploy(OFFER)
    customer = world.customer()
    case = world.open({"price": 5.0}, playbook="offer", customer=customer)
    world.open({"price": 5.0, "country": "KP"}, playbook="offer")
    world.run()
    world.happens("opted_out", customer)
    world.run()
    assert world.where(case) == ("ended", "gone")
    seen = found(world)
    assert (seen.items, sum(seen.counts.values())) == ([], 0)


def test_only_this_playbook_and_this_time(world: World) -> None:
    """Another playbook's cases do not count, nor what was done before or after the span."""
    world.deploy(OFFER, OFFER.replace("playbook: offer", "playbook: other"))
    mine, theirs = world.open({"price": 5.0}, playbook="offer"), world.open({"price": 5.0}, playbook="other")
    world.run()
    world.steer(mine, CaseVerb.SKIP)
    world.steer(theirs, CaseVerb.SKIP)
    assert [one.case_id for one in found(world).items] == [mine]
    assert [one.case_id for one in found(world, name="other").items] == [theirs]
    world.clock.advance(timedelta(days=2))
    assert found(world, days=1).items == []
    assert len(found(world, days=3).items) == 1


def test_a_pause_counts_when_it_is_long(world: World) -> None:
    """Ended or still under way; a short one does not, and the limit can be chosen."""
    world.deploy(OFFER)
    short, ended, open_ = world.open_many([{"price": 5.0}] * 3, playbook="offer")
    world.run()
    for case in (short, ended, open_):
        world.steer(case, CaseVerb.PAUSE, reason="holiday")
    world.clock.advance(timedelta(hours=1))
    world.steer(short, CaseVerb.RESUME)
    world.clock.advance(timedelta(hours=29))
    world.steer(ended, CaseVerb.RESUME)
    world.clock.advance(timedelta(hours=10))
    seen = {one.case_id: one.detail for one in found(world).items}
    assert seen == {ended: "for 30 hours", open_: "since 40 hours"}
    assert len(found(world, paused_long=timedelta(minutes=30)).items) == 3
    assert len(found(world, paused_long=timedelta(hours=35)).items) == 1


def test_a_retry_after_an_exception_counts(make_world: object) -> None:
    """And handing back at the same stage does not, while at another it is a change of order."""
    broken = {"now": True}

    def shaky(_case: object) -> dict[str, object]:
        if broken["now"]:
            raise RuntimeError("down")
        return {}

    world: World = make_world(step("shaky@1", shaky))  # type: ignore[operator]
    stages = OFFER.replace("stages:\n", "stages:\n  first: {step: shaky@1, next: ask}\n")
    world.deploy(stages)
    case, same, other = world.open_many([{"price": 5.0}] * 3, playbook="offer")
    world.run()
    broken["now"] = False
    world.steer(case, CaseVerb.RETRY)
    world.run()
    for one, target in ((same, None), (other, "lost")):
        world.steer(one, CaseVerb.TAKE_OVER, reason="mine")
        world.steer(one, CaseVerb.HAND_BACK, stage=target, reason="yours")
    kinds = [(one.case_id, one.kind) for one in found(world).items]
    assert kinds.count((case, K.RETRIED)) == 1
    assert (other, K.REDIRECTED) in kinds
    assert (same, K.REDIRECTED) not in kinds


def test_cases_of_an_older_version_count_until_they_end(world: World) -> None:
    """Dated by the deployment that left them behind; ended ones and those of the current version do not."""
    world.deploy(OFFER)
    old = world.open({"price": 5.0}, playbook="offer")
    world.run()
    assert found(world).items == []
    world.clock.advance(timedelta(hours=1))
    world.deploy(OFFER.replace("subject: lead", "description: anew\nsubject: lead"))
    world.open({"price": 5.0}, playbook="offer")
    world.run()
    [one] = found(world).items
    assert (one.case_id, one.kind, one.at, one.actor) == (old, K.OLD_VERSION, world.clock.now(), "")
    world.clock.advance(timedelta(days=100))
    assert [each.case_id for each in found(world).items] == [old]
    world.decide(old, Verb.ANSWER, answer={"price": 1})
    world.later(minutes=1)
    assert found(world).items == []


def test_other_rooms_can_add_theirs(world: World) -> None:
    """Whoever routes says what was assigned by hand; it is sorted in and counted."""
    world.deploy(OFFER)
    case = world.open({"price": 5.0}, playbook="offer")
    world.run()
    world.steer(case, CaseVerb.SKIP)

    def source(_reader: Reader, playbook: Playbook, span: Span) -> Iterable[Deviation]:
        assert playbook.name == "offer"
        yield Deviation(K.ASSIGNED_BY_HAND, case, span.until, str(BOSS), "give-out", None, "knows them")

    seen = found(world, more=[source])
    assert [one.kind for one in seen.items] == [K.ASSIGNED_BY_HAND, K.SKIPPED]
    assert seen.counts[K.ASSIGNED_BY_HAND] == 1


def test_an_erased_customer_leaves_the_count_and_loses_the_words(world: World) -> None:
    """Who and when stay, the reason goes with the payload."""
    world.deploy(OFFER)
    customer = world.customer()
    case = world.open({"price": 5.0}, playbook="offer", customer=customer)
    world.run()
    world.steer(case, CaseVerb.SKIP, reason="she is ill")
    with world.database.transaction() as uow:
        erase_customer(uow, BOSS, customer, reason="asked")
    [one] = found(world).items
    assert (one.kind, one.reason, one.stage) == (K.SKIPPED, "", "")


def test_the_deviations_of_one_case(world: World) -> None:
    """Oldest first; with the pause that still lasts."""
    world.deploy(OFFER)
    case = world.open({"price": 5.0}, playbook="offer")
    world.run()
    world.steer(case, CaseVerb.REDIRECT, stage="ask", reason="again")
    world.run()
    world.clock.advance(timedelta(hours=1))
    world.steer(case, CaseVerb.PAUSE)
    world.clock.advance(timedelta(days=2))
    with world.database.reading() as reader:
        seen = deviations_of_case(reader, world.case(case), book(world), world.clock.now())
        unreadable = deviations_of_case(reader, world.case(case), None, world.clock.now())
    assert [one.kind for one in seen] == [K.REDIRECTED, K.PAUSED_LONG]
    assert [one.kind for one in unreadable] == [K.REDIRECTED, K.PAUSED_LONG]


def test_counts_ages_and_exits_of_stages(world: World) -> None:
    """Open cases by state, the age of the middle and the oldest one, who left by which way, and what ended."""
    world.deploy(OFFER)
    world.grant()
    world.open_many([{"price": 5.0, "confidence": 0.1}] * 2, playbook="offer")
    world.run()
    world.clock.advance(timedelta(hours=3))
    world.open_many([{"price": 5.0, "confidence": 0.1}] * 3, playbook="offer")
    world.open_many([{"price": 5.0, "confidence": 0.9}] * 2, playbook="offer")
    world.open_many([{"price": 5.0, "country": "KP"}], playbook="offer")
    world.run()
    world.clock.advance(timedelta(hours=1))
    with world.database.reading() as reader:
        seen = overview(reader, book(world), world.clock.now(), 7)
        later = overview(reader, book(world), world.clock.now() + timedelta(days=20), 7)
    stages = {one.name: one for one in seen.stages}
    ask = stages["ask"]
    assert ask.count == StageCount({"waiting": 5}, to_micros(world.clock.now() - timedelta(hours=4)))
    assert (ask.median_s, ask.oldest_s) == (3600.0, 4 * 3600.0)
    assert [(one.outcome, one.target, one.cases) for one in ask.exits] == [
        ("approved", "send", 2), ("blocked", "refused", 1),
    ]  # fmt: skip
    assert (stages["won"].ended, stages["refused"].ended, stages["lost"].ended) == (2, 1, 0)
    assert (stages["send"].count.total, stages["send"].median_s) == (0, None)
    assert seen.complete_since is None
    assert [one.exits for one in later.stages if one.exits] == []
    assert CAP == 10_000


def test_a_stage_that_only_an_older_version_has_is_shown(world: World) -> None:
    """Cases stand there still, so it must not be hidden."""
    world.deploy(
        OFFER.replace("lost: {end: lost}", "lost: {wait: time, for: 3d, next: {timeout: end}}\n  end: {end: x}")
    )
    case = world.open({"price": 5.0}, playbook="offer")
    world.run()
    world.steer(case, CaseVerb.REDIRECT, stage="lost")
    world.run()
    world.deploy(
        OFFER.replace("lost: {end: lost}", "lost-now: {end: lost}").replace("rejected: lost", "rejected: lost-now")
    )
    with world.database.reading() as reader:
        seen = {one.name: one for one in overview(reader, book(world), world.clock.now(), 7).stages}
    assert (seen["lost"].known, seen["lost"].count.total) == (False, 1)


def test_the_cases_at_a_stage_come_page_by_page(world: World) -> None:
    """Longest standing first, ties by id; those that ended, newest first; none twice, none left out."""
    world.deploy(OFFER)
    world.grant()
    ids = world.open_many([{"price": 5.0, "confidence": 0.1}] * 4, playbook="offer")
    world.run()
    world.clock.advance(timedelta(hours=1))
    ids += world.open_many([{"price": 5.0, "confidence": 0.1}] * 3, playbook="offer")
    gone = world.open_many([{"price": 5.0, "country": "KP"}] * 3, playbook="offer")
    world.run()
    seen: list[str] = []
    after = (-1, "")
    with world.database.reading() as reader:
        while page := cases_at(reader, "offer", "ask", "waiting", after, 2):
            seen += [case for case, _ in page]
            after = (page[-1][1], page[-1][0])
        assert seen == ids
        ended, before = [], (2**62, "~")
        while more := cases_ended_as(reader, "offer", "refused", before, 2):
            ended += [case for case, _ in more]
            before = (more[-1][1], more[-1][0])
    assert ended == sorted(gone, reverse=True)
