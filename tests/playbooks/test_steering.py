"""What a person may do to a running case: every state with every verb, one winner, always on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.playbooks import CaseState, CaseVerb, StepFailure, cases_page
from fairlead.reviews import Verb
from fairlead.testing.connectors import AmbiguousConnector
from tests.playbooks.world import OFFER, playbook, step

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.playbooks.world import World

STAGES = """
  a: {wait: time, for: 1d, next: {timeout: either}}
  either: {branch: [{when: "true", next: broken}], otherwise: b}
  broken: {step: broken@1, next: c}
  b: {wait: time, for: 1d, next: {timeout: c}}
  c: {end: c}
"""
ALLOWED = {
    "ready": {"pause", "redirect", "skip", "take_over", "cancel"},
    "waiting": {"pause", "redirect", "skip", "take_over", "cancel"},
    "paused": {"resume", "redirect", "skip", "take_over", "cancel"},
    "taken": {"hand_back", "redirect", "skip", "take_over", "cancel"},
    "exception": {"retry", "redirect", "skip", "take_over", "cancel"},
    "ended": set(),
}
AFTER = {
    "pause": "paused", "resume": "waiting", "redirect": "ready", "skip": "ready", "take_over": "paused",
    "hand_back": "ready", "cancel": "ended", "retry": "ready",
}  # fmt: skip
PAST = {
    "pause": "paused", "resume": "resumed", "redirect": "redirected", "skip": "skipped",
    "take_over": "taken_over",
    "hand_back": "handed_back", "cancel": "cancelled", "retry": "retried",
}  # fmt: skip


def broken(_case: object) -> StepFailure:
    """Fails for good."""
    return StepFailure("broken", "it is broken")


@pytest.fixture
def deployed(make_world: Callable[..., World]) -> World:
    """With a playbook in which a case can be brought into every state."""
    world = make_world(step("broken@1", broken))
    world.deploy(playbook(STAGES))
    return world


def brought(world: World, state: str) -> str:
    """A case in this state; `taken` is paused because somebody took it over."""
    case = world.open()
    if state == "ready":
        return case
    world.run()
    if state == "paused":
        world.steer(case, CaseVerb.PAUSE)
    elif state == "taken":
        world.steer(case, CaseVerb.TAKE_OVER)
    elif state == "exception":
        world.steer(case, CaseVerb.REDIRECT, stage="broken")
        world.run()
    elif state == "ended":
        world.steer(case, CaseVerb.CANCEL)
    return case


def test_the_table_covers_everything() -> None:
    """Every state and every verb stands in the table of these tests."""
    assert {*ALLOWED} - {"taken"} == {state.value for state in CaseState}
    assert {*AFTER} == {verb.value for verb in CaseVerb} == {*PAST}


@pytest.mark.parametrize("state", sorted(ALLOWED))
def test_every_verb_in_every_state(deployed: World, state: str) -> None:
    """What is allowed works and is on record; everything else is refused and changes nothing at all."""
    for verb in CaseVerb:
        case = brought(deployed, state)
        before = deployed.case(case)
        stage = "b" if verb is CaseVerb.REDIRECT else None
        if verb.value in ALLOWED[state]:
            after = deployed.steer(case, verb, stage=stage, reason="because")
            row = deployed.case(case)
            assert after == row.state == AFTER[verb.value], (state, verb)
            assert row.version == before.version + 1
            assert deployed.verbs(case)[-1] == f"case.{PAST[verb.value]}"
        else:
            with pytest.raises(ConflictError):
                deployed.steer(case, verb, stage=stage)
            assert tuple(deployed.case(case)) == tuple(before), (state, verb)


def test_a_steered_case_comes_to_its_end(deployed: World) -> None:
    """Wherever a person put it, it goes on from there by itself."""
    redirected, skipped, retried, back = (deployed.open() for _ in range(4))
    deployed.run()
    deployed.steer(redirected, CaseVerb.REDIRECT, stage="c")
    deployed.steer(skipped, CaseVerb.REDIRECT, stage="broken")
    deployed.steer(retried, CaseVerb.REDIRECT, stage="broken")
    deployed.steer(back, CaseVerb.TAKE_OVER)
    deployed.run()
    assert deployed.where(skipped) == ("exception", "broken")
    deployed.steer(skipped, CaseVerb.SKIP)
    deployed.steer(retried, CaseVerb.RETRY)
    deployed.steer(back, CaseVerb.HAND_BACK, stage="b")
    deployed.run()
    assert [deployed.case(one).end for one in (redirected, skipped)] == ["c", "c"]
    assert deployed.where(retried) == ("exception", "broken"), "it is still broken"
    assert deployed.where(back) == ("waiting", "b")
    deployed.later(days=1)
    assert deployed.case(back).end == "c"


def test_only_one_of_two_people_wins(deployed: World) -> None:
    """Who looked at an older version is told so, with the present one; nothing changes."""
    case = brought(deployed, "waiting")
    seen = deployed.case(case).version
    deployed.steer(case, CaseVerb.PAUSE, version=seen)
    with pytest.raises(ConflictError) as refused:
        deployed.steer(case, CaseVerb.CANCEL, version=seen)
    assert refused.value.fields["version"] == deployed.case(case).version
    assert deployed.where(case)[0] == "paused"


def test_an_unknown_stage_is_refused_with_what_was_meant(deployed: World) -> None:
    """Redirecting and handing back name a stage of the case's own playbook."""
    case = brought(deployed, "waiting")
    with pytest.raises(InputError, match="Did you mean 'broken'"):
        deployed.steer(case, CaseVerb.REDIRECT, stage="brokn")
    with pytest.raises(InputError):
        deployed.steer(case, CaseVerb.REDIRECT)
    deployed.steer(case, CaseVerb.TAKE_OVER)
    with pytest.raises(InputError):
        deployed.steer(case, CaseVerb.HAND_BACK, stage="nowhere")
    with pytest.raises(NotFoundError):
        deployed.steer("case_unknown", CaseVerb.PAUSE)


def test_an_end_cannot_be_skipped(deployed: World) -> None:
    """There is nothing behind it."""
    case = brought(deployed, "waiting")
    deployed.steer(case, CaseVerb.REDIRECT, stage="c")
    with pytest.raises(ConflictError):
        deployed.steer(case, CaseVerb.SKIP)


def test_a_pause_stops_the_clock_of_nothing_and_loses_nothing(world: World) -> None:
    """A verdict given while the case is paused is kept; it goes on with it when it is resumed."""
    world.deploy(OFFER)
    case = world.open({"price": 1.0}, playbook="offer")
    world.run()
    world.steer(case, CaseVerb.PAUSE)
    world.decide(case, Verb.ANSWER, answer={"price": 2.0})
    world.later(minutes=1)
    assert world.where(case) == ("paused", "ask")
    world.steer(case, CaseVerb.RESUME)
    world.run()
    assert (world.case(case).end, world.case(case).facts["price"]) == ("won", 2.0)


def test_a_timer_that_ran_out_during_a_pause_fires_afterwards(deployed: World) -> None:
    """A paused case does not move by itself; its wait is over as soon as it is resumed."""
    case = brought(deployed, "paused")
    deployed.later(days=3)
    assert deployed.where(case) == ("paused", "a")
    deployed.steer(case, CaseVerb.RESUME)
    deployed.run()
    assert deployed.where(case) == ("exception", "broken")


def test_taking_over_withdraws_what_the_machine_had_under_way(world: World) -> None:
    """No review waits for others while a person has the case; handed back, it asks again."""
    world.deploy(OFFER)
    case = world.open({"price": 1.0}, playbook="offer")
    world.run()
    world.steer(case, CaseVerb.TAKE_OVER, reason="I know them")
    assert [one.state for one in world.reviews_of(case)] == ["withdrawn"]
    assert world.case(case).resume["taken_by"] == "user:per_boss"
    with pytest.raises(ConflictError, match="hand it back"):
        world.steer(case, CaseVerb.RESUME)
    world.steer(case, CaseVerb.HAND_BACK)
    world.run()
    assert [one.state for one in world.reviews_of(case)] == ["withdrawn", "waiting"]
    world.decide(case, Verb.ANSWER, answer={"price": 2.0})
    world.later(minutes=1)
    assert world.case(case).end == "won"


def test_cancelling_a_child_tells_its_parent(world: World) -> None:
    """A parent does not wait for ever for a child that somebody cancelled."""
    parent = "playbook: parent\nsubject: lead\nstages:\n  s: {spawn: test, each: items, next: z}\n  z: {end: z}\n"
    world.deploy(parent, playbook("  w: {wait: time, for: 9d, next: {timeout: z}}\n  z: {end: z}"))
    case = world.open({"items": [{}]}, playbook="parent")
    world.run()
    with world.database.reading() as reader:
        [child] = [row.id for row in cases_page(reader, state="waiting", playbook="test", before=None, limit=9)]
    world.steer(child, CaseVerb.CANCEL)
    world.run()
    assert world.case(case).end == "z"


def test_a_retried_act_is_a_new_effect(make_world: Callable[..., World]) -> None:
    """Sending again what was perhaps sent is a person's own decision, under a key of its own."""
    mail = AmbiguousConnector("mail")
    world = make_world(mail=mail)
    world.deploy(playbook("  a: {act: mail, next: {sent: z}}\n  z: {end: z}"))
    case = world.open()
    world.run()
    assert world.where(case) == ("exception", "a")
    world.steer(case, CaseVerb.RETRY)
    world.run()
    assert (len(mail.effects), mail.effects.total()) == (2, 2)
    world.steer(case, CaseVerb.SKIP)
    world.run()
    assert world.case(case).end == "z"
