"""A deploy of a stricter policy reaches the reviews that wait; a looser one is only listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fairlead import reviews
from fairlead.checkpoints import Level
from fairlead.errors import ConflictError
from fairlead.playbooks import rerule_waiting
from fairlead.reviews import Verb
from tests.playbooks.world import ANN, BOB, LEASE, OFFER, POLICY

if TYPE_CHECKING:
    from tests.playbooks.world import World

MORE = POLICY.replace("rules:\n", "rules:\n  - {id: new, when: price_asked > 5.0, path: %s, %swords: New.}\n").replace(
    "facts:\n", "facts:\n  price_asked: {type: double, from: answer.price, default: 0.0}\n"
)


@pytest.fixture
def case(world: World) -> str:
    """A case that waits for an approval."""
    world.deploy(OFFER)
    world.grant(Level.ASSIST)
    opened = world.open({"price": 10.0, "confidence": 0.9}, playbook="offer")
    world.run()
    assert world.paths(opened) == ["assist"]
    return opened


def test_a_new_role_is_needed_in_place(world: World, case: str) -> None:
    """The same review now needs the second role too; what was shown before is refused with the difference."""
    [one] = world.reviews_of(case)
    with world.database.transaction() as uow:
        shown = reviews.claim(uow, one.id, ANN, LEASE).review
    world.deploy(OFFER, policy=MORE % ("assist", "role: legal, "))
    done = rerule_waiting(world.engine)
    assert (done.stricter, done.blocked, done.looser) == ((one.id,), (), ())
    [now] = world.reviews_of(case)
    assert dict(now.needs) == {"reviewer": 1, "legal": 1}
    assert (now.claimed_by, now.state) == (ANN.id, "claimed")
    with pytest.raises(ConflictError) as refused:
        world.decide(case, Verb.APPROVE, digest=shown.digest)
    assert refused.value.reason == "stale"
    assert not world.decide(case, Verb.APPROVE, ANN).settled
    assert world.decide(case, Verb.APPROVE, BOB).settled
    assert "review.rebound" in world.verbs(one.id)


def test_the_proposal_is_withheld_where_people_must_answer_now(world: World, case: str) -> None:
    """Assist becomes human: an approval is no longer possible, an answer is."""
    world.deploy(OFFER, policy=MORE % ("human", ""))
    assert len(rerule_waiting(world.engine).stricter) == 1
    with pytest.raises(ConflictError):
        world.decide(case, Verb.APPROVE)
    world.decide(case, Verb.ANSWER, answer={"price": 1.0})
    world.later(minutes=1)
    assert world.case(case).end == "won"


def test_what_is_forbidden_now_is_taken_off_the_desk(world: World, case: str) -> None:
    """The review is withdrawn and the case takes its `blocked` way."""
    world.deploy(OFFER, policy=MORE % ("blocked", ""))
    done = rerule_waiting(world.engine)
    assert len(done.blocked) == 1
    world.run()
    assert [one.state for one in world.reviews_of(case)] == ["withdrawn"]
    assert world.case(case).end == "refused"


def test_a_looser_policy_is_only_listed(world: World) -> None:
    """Nobody who was to look is passed over because the rule went away while it waited."""
    world.deploy(OFFER, policy=MORE % ("assist", "role: legal, quorum: 2, "))
    world.grant(Level.ASSIST)
    case = world.open({"price": 10.0, "confidence": 0.9}, playbook="offer")
    world.run()
    before = world.reviews_of(case)
    world.deploy(OFFER, policy=MORE % ("assist", "role: legal, "))
    world.grant(Level.ASSIST)
    done = rerule_waiting(world.engine)
    assert (done.stricter, done.looser) == ((), (before[0].id,))
    assert world.reviews_of(case) == before


def test_an_unchanged_policy_touches_nothing(world: World, case: str) -> None:
    """Nor does ruling once more a second time."""
    before = world.reviews_of(case)
    world.deploy(OFFER, policy=POLICY + "# a comment\n")
    assert rerule_waiting(world.engine).stricter == ()
    assert world.reviews_of(case) == before
    world.deploy(OFFER, policy=MORE % ("assist", "role: legal, "))
    rerule_waiting(world.engine)
    changed = world.reviews_of(case)
    assert rerule_waiting(world.engine).stricter == ()
    assert world.reviews_of(case) == changed
