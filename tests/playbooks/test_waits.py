"""Waiting for customers and for time, and the events that interrupt whatever a case is doing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fairlead.checkpoints import Level
from fairlead.playbooks import CaseVerb
from fairlead.reviews import Verb
from tests.playbooks.world import OFFER, playbook, step

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.playbooks import StepInput
    from tests.playbooks.world import World

WAIT = """
  w: {wait: replied, for: 2d, next: {replied: yes, timeout: no}}
  yes: {end: yes}
  no: {end: no}
"""


def test_an_event_ends_the_wait(world: World) -> None:
    """The case goes on when it happens, with the facts that the event brought."""
    world.deploy(playbook(WAIT))
    customer = world.customer()
    case = world.open(customer=customer)
    world.later(days=1)
    assert world.where(case) == ("waiting", "w")
    world.happens("replied", customer, found={"mood": "good"})
    world.run()
    row = world.case(case)
    assert (row.end, row.facts) == ("yes", {"mood": "good"})
    assert "case.signalled" in world.verbs(case)


def test_time_ends_the_wait(world: World) -> None:
    """Not a moment before; and an event that comes afterwards changes nothing."""
    world.deploy(playbook(WAIT))
    customer = world.customer()
    case = world.open(customer=customer)
    world.later(hours=47)
    assert world.where(case) == ("waiting", "w")
    world.later(hours=1)
    assert world.case(case).end == "no"
    world.happens("replied", customer)
    world.run()
    assert world.case(case).end == "no"


def test_events_of_others_and_of_other_types_do_not_count(world: World) -> None:
    """Only this event, about this customer."""
    world.deploy(playbook(WAIT))
    customer, other = world.customer(), world.customer()
    case = world.open(customer=customer)
    world.run()
    world.happens("replied", other)
    world.happens("visited", customer)
    world.run()
    assert world.where(case) == ("waiting", "w")


def test_an_event_before_the_wait_is_not_lost(world: World) -> None:
    """A reply that comes while the case is still busy ends the wait at once when the case gets there."""
    world.deploy(playbook("  t: {wait: time, for: 1h, next: {timeout: w}}" + WAIT))
    customer = world.customer()
    case = world.open(customer=customer)
    world.run()
    world.happens("replied", customer, found={"early": True})
    world.later(minutes=61)
    assert (world.case(case).end, world.case(case).facts) == ("yes", {"early": True})


def test_an_event_before_the_last_act_is_not_this_waits(world: World) -> None:
    """A reply to an earlier message does not answer the one that was sent since."""
    world.deploy(playbook("  t: {wait: time, for: 1h, next: {timeout: a}}\n  a: {act: mail, next: {sent: w}}" + WAIT))
    customer = world.customer()
    case = world.open(customer=customer)
    world.run()
    world.happens("replied", customer)
    world.later(hours=2)
    assert world.where(case) == ("waiting", "w")
    world.happens("replied", customer)
    world.run()
    assert world.case(case).end == "yes"


def test_one_event_ends_one_wait(world: World) -> None:
    """An event that a wait has used up does not end the next one, whether it came early or in time."""
    stages = "  v: {wait: replied, next: {replied: w}}" + WAIT
    world.deploy(playbook("  t: {wait: time, for: 1h, next: {timeout: v}}\n" + stages))
    customer = world.customer()
    early, late = world.open(customer=customer), world.open(customer=customer)
    world.run()
    world.happens("replied", customer)
    world.later(minutes=61)
    assert [world.where(one) for one in (early, late)] == [("waiting", "w")] * 2
    world.happens("replied", customer)
    world.run()
    assert [world.case(one).end for one in (early, late)] == ["yes", "yes"]


def test_the_same_event_twice_counts_once(world: World) -> None:
    """An id that was published before is known, and has no second effect."""
    world.deploy(playbook("  v: {wait: replied, next: {replied: w}}" + WAIT))
    customer = world.customer()
    case = world.open(customer=customer)
    world.run()
    assert world.happens("replied", customer, "evt_1")
    world.run()
    assert not world.happens("replied", customer, "evt_1")
    world.run()
    assert world.where(case) == ("waiting", "w")


def test_an_event_while_the_case_is_being_moved_is_not_lost(make_world: Callable[..., World]) -> None:
    """It comes after the engine looked and before the wait is stored, and is handled in between."""
    worlds: list[World] = []

    def during(case: StepInput) -> dict[str, bool]:
        if not case.facts.get("told"):
            worlds[0].happens("replied", worlds[0].customers[0])
            worlds[0].idle.sources[0].run("events")
        return {"told": True}

    world = make_world(step("later@1", during))
    worlds.append(world)
    # Two cases move together: the first has looked and waits in memory when the step of the second is called.
    stages = """
  b: {branch: [{when: first, next: w}], otherwise: c}
  c: {branch: [{when: first, next: w}], otherwise: d}
  d: {step: later@1, next: w}
"""
    world.deploy(playbook(stages + WAIT, head="facts: {first: bool}"))
    customer = world.customer()
    first, second = world.open_many([{"first": True}, {"first": False}], customer=customer)
    world.run()
    assert [world.case(one).end for one in (first, second)] == ["yes", "yes"]


def test_a_wait_for_an_event_needs_a_customer(world: World) -> None:
    """A case about nobody cannot hear of anybody: it is an exception and does not wait for ever."""
    world.deploy(playbook(WAIT))
    case = world.open()
    world.run()
    assert world.case(case).problem["code"] == "no_customer"


def test_an_interrupt_withdraws_the_review(world: World) -> None:
    """The event moves the case and takes the review off the desk in one transaction."""
    world.deploy(OFFER)
    customer = world.customer()
    case = world.open({"price": 1.0}, playbook="offer", customer=customer)
    world.run()
    world.happens("opted_out", customer)
    world.run()
    assert world.case(case).end == "gone"
    assert [one.state for one in world.reviews_of(case)] == ["withdrawn"]
    assert "case.interrupted" in world.verbs(case)


def test_an_interrupt_brings_what_was_found_and_uses_the_event_up(world: World) -> None:
    """What the event tells is a fact, and a wait for the next one of its kind is not ended by this one."""
    stages = """
  a: {wait: time, for: 9d, next: {timeout: z}}
  again: {wait: replied, for: 1d, next: {replied: twice, timeout: z}}
  twice: {end: twice}
  z: {end: z}
"""
    world.deploy(playbook(stages, head="on: {replied: again}"))
    customer = world.customer()
    case = world.open(customer=customer)
    world.run()
    world.happens("replied", customer, found={"reply": "first"})
    world.run()
    assert (world.where(case), world.case(case).facts) == (("waiting", "again"), {"reply": "first"})
    world.clock.advance(timedelta(seconds=1))
    world.happens("replied", customer, found={"reply": "second"})
    world.run()
    assert (world.case(case).end, world.case(case).facts["reply"]) == ("twice", "second")


def test_an_interrupt_withdraws_what_was_not_sent_and_the_timer(world: World) -> None:
    """Nothing that waited in the outbox goes out, and no timer brings the old stage back."""
    stages = """
  a: {act: mail, detach: true, next: w}
  w: {wait: time, for: 1d, next: {timeout: z}}
  z: {end: z}
  gone: {wait: time, for: 9d, next: {timeout: z}}
"""
    world.deploy(playbook(stages, head="on: {opted_out: gone}"))
    customer = world.customer()
    case = world.open(customer=customer)
    source = world.idle.sources[2]
    assert source.lease(9, 60.0, "t")
    source.run("t")
    world.happens("opted_out", customer)
    world.idle.sources[0].run("events")
    world.later(days=2)
    assert world.where(case) == ("waiting", "gone")
    assert [one.state for one in world.actions(case)] == ["withdrawn"]
    world.later(days=8)
    assert world.case(case).end == "z"


def test_an_interrupt_leaves_what_a_person_has_taken_over(world: World) -> None:
    """Whoever has the case in hand decides about it; the event does not move it."""
    world.deploy(OFFER)
    customer = world.customer()
    case = world.open({"price": 1.0}, playbook="offer", customer=customer)
    world.run()
    world.steer(case, CaseVerb.TAKE_OVER)
    world.happens("opted_out", customer)
    world.run()
    assert world.where(case) == ("paused", "ask")


def test_an_interrupt_of_a_paused_case_waits_for_its_resumption(world: World) -> None:
    """Review and actions are withdrawn at once; the case goes on at its new stage when it is resumed."""
    world.deploy(OFFER)
    customer = world.customer()
    case = world.open({"price": 1.0}, playbook="offer", customer=customer)
    world.run()
    world.steer(case, CaseVerb.PAUSE)
    world.happens("opted_out", customer)
    world.run()
    assert world.where(case) == ("paused", "gone")
    assert [one.state for one in world.reviews_of(case)] == ["withdrawn"]
    world.steer(case, CaseVerb.RESUME)
    world.run()
    assert world.case(case).end == "gone"


def test_an_interrupt_goes_before_a_verdict_of_the_same_moment(world: World) -> None:
    """Opting out wins over an approval that takes effect in the same turn."""
    world.deploy(OFFER)
    world.grant(Level.ASSIST)
    customer = world.customer()
    case = world.open({"price": 1.0, "confidence": 0.9}, playbook="offer", customer=customer)
    world.run()
    world.decide(case, Verb.APPROVE)
    world.clock.advance(timedelta(seconds=10))
    world.happens("opted_out", customer)
    world.run()
    assert (world.case(case).end, world.actions(case)) == ("gone", [])


def test_an_event_from_before_the_case_does_not_interrupt_it(world: World) -> None:
    """A case opened after somebody opted out is not moved by that old event."""
    world.deploy(OFFER)
    customer = world.customer()
    world.happens("opted_out", customer)
    world.clock.advance(timedelta(seconds=1))
    case = world.open({"price": 1.0}, playbook="offer", customer=customer)
    world.run()
    assert world.where(case) == ("waiting", "ask")


@pytest.mark.parametrize("count", [1, 450])
def test_one_event_reaches_every_case_that_waits_for_it(world: World, count: int) -> None:
    """However many cases of the customer wait, and whatever the size of a turn."""
    world.deploy(playbook(WAIT))
    customer = world.customer()
    cases = world.open_many([{}] * count, customer=customer)
    world.run()
    world.happens("replied", customer)
    world.run()
    assert {world.case(one).end for one in cases} == {"yes"}


def test_an_event_is_delivered_although_a_bundle_cannot_be_loaded(make_world: Callable[..., World]) -> None:
    """A case that this build cannot run keeps no event of others back; it is an exception itself."""
    world = make_world(step("old@1", lambda _case: {}))
    world.deploy(playbook("  t: {wait: time, for: 9d, next: {timeout: s}}\n  s: {step: old@1, next: z}\n  z: {end: z}"))
    customer = world.customer()
    case = world.open(customer=customer)
    world.run()
    other = make_world()
    other.happens("replied", customer)
    other.run()
    assert other.case(case).problem["code"] == "bundle"
