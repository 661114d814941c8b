"""Every kind of stage, from the moment a case enters it to where it goes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead.actions import RetryPolicy
from fairlead.checkpoints import Level, lift_stop, switch_stop
from fairlead.connectors import ReceiptState
from fairlead.kit.actors import SYSTEM
from fairlead.playbooks import StepFailure
from fairlead.reviews import Verb
from fairlead.testing.connectors import AmbiguousConnector, FlakyConnector, RecordingConnector
from tests.playbooks.world import ANN, BOB, OFFER, playbook, step

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.playbooks.world import World

ENDED = "ended"


def test_a_step_adds_what_it_finds(make_world: Callable[..., World]) -> None:
    """A pure step sees the case's facts, and what it returns is there for the next stage and on record."""
    double = step("double@1", lambda case: {"twice": case.facts["n"] * 2})
    world = make_world(double)
    world.deploy(playbook("  a: {step: double@1, next: done}\n  done: {end: done}"))
    case = world.open({"n": 4})
    world.run()
    row = world.case(case)
    assert (row.state, row.end, row.facts) == (ENDED, "done", {"n": 4, "twice": 8})
    assert world.verbs(case) == ["case.opened", "case.moved", "case.ended"]


def test_a_step_that_fails_for_good_is_an_exception_with_its_words(make_world: Callable[..., World]) -> None:
    """A failure that no retry mends goes to the exceptions queue, named by stage, code and words."""
    world = make_world(step("no@1", lambda _case: StepFailure("no_rate", "there is no rate for CHF")))
    world.deploy(playbook("  a: {step: no@1, next: done}\n  done: {end: done}"))
    case = world.open()
    world.later(hours=2)
    assert world.where(case) == ("exception", "a")
    assert world.case(case).problem == {"stage": "a", "code": "no_rate", "words": "there is no rate for CHF"}


def test_an_automatic_approval_goes_straight_on(world: World) -> None:
    """With a grant and enough score no person is asked, and the effect is marked as automatic."""
    world.deploy(OFFER)
    world.grant()
    case = world.open({"price": 10.0, "confidence": 0.9}, playbook="offer")
    world.run()
    assert world.case(case).end == "won"
    assert world.paths(case) == ["auto"]
    [sent] = world.actions(case)
    assert (sent.checkpoint, sent.body, sent.state) == ("offer", {"price": 10.0}, "sent")
    assert world.reviews_of(case) == []


@pytest.mark.parametrize(
    ("verdict", "given", "end", "price"),
    [
        (Verb.APPROVE, {}, "won", 10.0),
        (Verb.EDIT, {"answer": {"price": 7.5, "note": "friend"}, "reason": "a friend"}, "won", 7.5),
        (Verb.REJECT, {"reason": "no"}, "lost", 10.0),
    ],
)
def test_a_persons_verdict_moves_the_case(
    world: World, verdict: Verb, given: dict[str, Any], end: str, price: float
) -> None:
    """The case waits until the verdict takes effect, goes on with its answer, and acts as a person's."""
    world.deploy(OFFER)
    world.grant(Level.ASSIST)
    case = world.open({"price": 10.0, "confidence": 0.9}, playbook="offer")
    world.run()
    assert world.where(case) == ("waiting", "ask")
    world.decide(case, verdict, **given)
    world.run()
    assert world.where(case) == ("waiting", "ask"), "a verdict can still be taken back"
    world.later(seconds=10)
    row = world.case(case)
    assert (row.state, row.end, row.facts["price"]) == (ENDED, end, price)
    sent = world.actions(case)
    assert [(one.body, one.checkpoint) for one in sent] == ([({"price": price}, None)] if end == "won" else [])


def test_in_shadow_a_person_answers(world: World) -> None:
    """Without a grant the path is human, and the person's answer is what the case goes on with."""
    world.deploy(OFFER)
    case = world.open({"price": 10.0, "confidence": 0.9}, playbook="offer")
    world.run()
    assert world.paths(case) == ["human"]
    world.decide(case, Verb.ANSWER, answer={"price": 3.0})
    world.later(minutes=1)
    assert (world.case(case).end, world.case(case).facts["price"]) == ("won", 3.0)


def test_blocked_has_a_way_of_its_own(world: World) -> None:
    """A refused proposal takes the `blocked` way at once; nobody is asked and nothing is sent."""
    world.deploy(OFFER)
    world.grant()
    case = world.open({"price": 10.0, "confidence": 0.9, "country": "KP"}, playbook="offer")
    world.run()
    assert world.case(case).end == "refused"
    assert (world.paths(case), world.reviews_of(case), world.actions(case)) == (["blocked"], [], [])


def test_an_expired_review_takes_the_expired_way(world: World) -> None:
    """`on_expiry: expire`: when the clock of the review runs out, the case goes where `expired` says."""
    world.deploy(OFFER)
    case = world.open({"price": 10.0}, playbook="offer")
    world.later(hours=23)
    assert world.where(case) == ("waiting", "ask")
    world.later(hours=2)
    assert world.case(case).end == "late"


def test_an_expiry_without_a_way_counts_as_a_rejection(world: World) -> None:
    """Where `next` names no `expired`, the case takes its `rejected` way."""
    world.deploy(OFFER.replace(", expired: late", "").replace("  late: {end: late}\n", ""))
    case = world.open({"price": 10.0}, playbook="offer")
    world.later(days=2)
    assert world.case(case).end == "lost"


def test_everybody_who_must_agree_is_asked(world: World) -> None:
    """Rules that need two roles: the review settles only when both agreed, and binds both to one answer."""
    world.deploy(OFFER)
    world.grant(Level.ASSIST)
    case = world.open({"price": 10.0, "confidence": 0.9, "country": "CH"}, playbook="offer")
    world.run()
    [review] = world.reviews_of(case)
    assert dict(review.needs) == {"legal": 1, "manager": 1}
    first = world.decide(case, Verb.APPROVE, BOB)
    assert not first.settled
    world.later(minutes=5)
    assert world.where(case) == ("waiting", "ask")
    assert world.decide(case, Verb.APPROVE, ANN).settled
    world.later(minutes=1)
    assert world.case(case).end == "won"
    assert len(world.reviews_of(case)) == 1


def test_one_of_several_roles_can_refuse(world: World) -> None:
    """A rejection by one of those who must agree is final."""
    world.deploy(OFFER)
    world.grant(Level.ASSIST)
    case = world.open({"price": 10.0, "confidence": 0.9, "country": "CH"}, playbook="offer")
    world.run()
    assert world.decide(case, Verb.REJECT, BOB, reason="unlawful").settled
    world.later(minutes=1)
    assert world.case(case).end == "lost"


def test_a_proposal_off_its_schema_is_an_exception(world: World) -> None:
    """What the machine proposes must fit the checkpoint's answer; otherwise a person looks at the case."""
    world.deploy(OFFER)
    cases = world.open_many([{"price": "ten"}, {"price": 10.0}, {}], playbook="offer")
    world.run()
    assert [world.where(one)[0] for one in cases] == ["exception", "waiting", "exception"]
    assert world.case(cases[0]).problem["code"] == "proposal"


ACT = """
  send:
    act: mail
    {extra}
    next: {{sent: yes, refused: no}}
  yes: {{end: yes}}
  no: {{end: no}}
"""


def test_an_act_waits_for_its_result(make_world: Callable[..., World]) -> None:
    """The case goes on only when the connector has answered, by the way that the answer names."""
    mail = FlakyConnector([ReceiptState.REFUSED], "mail")
    world = make_world(mail=mail)
    world.deploy(playbook(ACT.format(extra="")))
    case = world.open()
    world.run()
    assert world.case(case).end == "no"


@pytest.mark.parametrize(
    ("plan", "code"), [(ReceiptState.AMBIGUOUS, "outcome_ambiguous"), (OSError("x"), "outcome_failed")]
)
def test_a_result_without_a_way_is_an_exception(
    make_world: Callable[..., World], plan: ReceiptState | Exception, code: str
) -> None:
    """A result that `next` does not name is never swallowed: the case stands in the exceptions queue."""
    mail = AmbiguousConnector("mail") if plan is ReceiptState.AMBIGUOUS else FlakyConnector([plan] * 6, "mail")
    world = make_world(mail=mail)
    world.deploy(playbook(ACT.format(extra="")))
    case = world.open()
    world.later(hours=3)
    assert world.where(case) == ("exception", "send")
    assert world.case(case).problem["code"] == code


def test_a_stop_switch_sends_cases_to_people(world: World) -> None:
    """While a stop switch is on people decide; afterwards the machine acts again."""
    world.deploy(OFFER)
    world.grant()
    with world.database.transaction() as uow:
        switch_stop(uow, SYSTEM, "workspace", "something is wrong")
    case = world.open({"price": 10.0, "confidence": 0.9}, playbook="offer")
    world.run()
    assert world.paths(case) == ["human"], "while it is stopped people decide"
    with world.database.transaction() as uow:
        lift_stop(uow, SYSTEM, "workspace")
    other = world.open({"price": 10.0, "confidence": 0.9}, playbook="offer")
    world.run()
    assert world.case(other).end == "won"


def test_a_stop_between_ruling_and_sending_holds_the_action(make_world: Callable[..., World]) -> None:
    """An automatic action that a stop switch catches in the outbox is not sent; the case waits until it is lifted."""
    mail = RecordingConnector("mail")
    world = make_world(mail=mail)
    world.deploy(OFFER)
    world.grant()
    case = world.open({"price": 10.0, "confidence": 0.9}, playbook="offer")
    for source in world.idle.sources[:-1]:  # everything but the outbox
        if source.lease(10, 60.0, "t" + source.name):
            source.run("t" + source.name)
    with world.database.transaction() as uow:
        assert switch_stop(uow, SYSTEM, "checkpoint:offer", "wrong prices") == 1
    world.run()
    assert mail.calls == []
    assert world.case(case).state == "waiting"
    with world.database.transaction() as uow:
        lift_stop(uow, SYSTEM, "checkpoint:offer")
    world.run()
    assert (world.case(case).end, len(mail.calls)) == ("won", 1)


def test_an_act_expires(make_world: Callable[..., World]) -> None:
    """What could not be sent in time is not sent later."""
    mail = FlakyConnector([OSError("down")] * 9, "mail")
    world = make_world(mail=mail)
    stages = ACT.format(extra="expires: 5s").replace("refused: no", "refused: no, expired: no")
    world.deploy(playbook(stages))
    case = world.open()
    world.later(hours=3)
    assert world.case(case).end == "no"
    assert mail.effects.total() == 0


def test_a_detached_act_does_not_wait(make_world: Callable[..., World]) -> None:
    """`detach: true` queues the effect and goes on in the same breath."""
    mail = RecordingConnector("mail")
    world = make_world(mail=mail)
    world.deploy(playbook("  a: {act: mail, detach: true, next: done}\n  done: {end: done}"))
    case = world.open()
    world.run()
    assert (world.case(case).end, mail.effects.total()) == ("done", 1)


def test_branches_are_tried_in_order(world: World) -> None:
    """The first condition that holds decides; none: otherwise; one that cannot be told: an exception."""
    stages = """
  b:
    branch:
      - {when: 'country == "DE"', next: home}
      - {when: size(country) == 2, next: abroad}
    otherwise: nowhere
  home: {end: home}
  abroad: {end: abroad}
  nowhere: {end: nowhere}
"""
    world.deploy(playbook(stages, head="facts: {country: string}"))
    cases = world.open_many([{"country": "DE"}, {"country": "FR"}, {"country": "?"}, {"country": 5}, {}])
    world.run()
    assert [world.case(one).end for one in cases] == ["home", "abroad", "nowhere", None, None]
    assert [world.case(one).state for one in cases[3:]] == ["exception"] * 2
    assert "country is not known" in world.case(cases[4]).problem["words"]


SPAWN = """
playbook: parent
subject: lead
stages:
  s: {{spawn: child, each: items, until: {until}, next: done}}
  done: {{end: done}}
"""
CHILD = """
playbook: child
subject: lead
stages:
  w: {wait: time, for: 1h, next: {timeout: b}}
  b: {branch: [{when: slow, next: more}], otherwise: done}
  more: {wait: time, for: 1h, next: {timeout: done}}
  done: {end: done}
facts: {slow: bool}
"""


@pytest.mark.parametrize(("until", "hours"), [("all", 2), ("any", 1)])
def test_spawn_waits_for_its_children(world: World, until: str, hours: int) -> None:
    """`all`: until the last child ended; `any`: until the first; a child is a case of its own."""
    world.deploy(SPAWN.format(until=until), CHILD)
    case = world.open({"items": [{"slow": False}, {"slow": True}]}, playbook="parent")
    world.later(minutes=60 * hours - 1)
    assert world.where(case) == ("waiting", "s")
    world.later(minutes=2)
    assert world.case(case).end == "done"


def test_spawn_of_nothing_goes_on(world: World) -> None:
    """An empty list means nothing to wait for; what is no list is an exception."""
    world.deploy(SPAWN.format(until="all"), CHILD)
    cases = world.open_many([{"items": []}, {}, {"items": 5}, {"items": [{}] * 1001}], playbook="parent")
    world.run()
    assert [world.case(one).state for one in cases] == [ENDED, ENDED, "exception", "exception"]


def test_effects_of_one_customer_keep_their_order(make_world: Callable[..., World]) -> None:
    """`serial_key: customer`: a customer's second effect waits for the first; another's does not."""
    mail = FlakyConnector([OSError("down")], "mail")
    world = make_world(mail=mail)
    world.deploy(playbook("  a: {act: mail, body: {n: n}, next: {sent: done}}\n  done: {end: done}"))
    one, other = world.customer(), world.customer()
    world.open({"n": 1}, customer=one)
    world.clock.advance(timedelta(seconds=1))
    world.open({"n": 2}, customer=one)
    world.clock.advance(timedelta(seconds=1))
    world.open({"n": 3}, customer=other)
    world.later(minutes=10)
    numbers = [call.body["n"] for call in mail.calls]
    assert numbers.index(2) > [i for i, n in enumerate(numbers) if n == 1][-1]
    assert mail.effects.total() == 3


def test_serial_key_case_lets_a_customers_cases_run_side_by_side(make_world: Callable[..., World]) -> None:
    """`serial_key: case` orders only the effects of one case."""
    mail = FlakyConnector([OSError("down")], "mail")
    world = make_world(mail=mail)
    stages = "  a: {act: mail, body: {n: n}, next: {sent: done}}\n  done: {end: done}"
    world.deploy(playbook(stages, head="serial_key: case"))
    customer = world.customer()
    cases = [world.open({"n": n}, customer=customer) for n in (1, 2)]
    assert {world.case(one).serial_key for one in cases} == set(cases)
    world.run()
    assert sorted(call.body["n"] for call in mail.calls) == [1, 2]


def test_a_worn_out_delivery_follows_its_policy(make_world: Callable[..., World]) -> None:
    """How often a failed delivery is tried is the outbox's; the case waits as long."""
    mail = FlakyConnector([OSError("down")] * 2, "mail")
    world = make_world(mail=mail)
    world.deploy(playbook(ACT.format(extra="")))
    case = world.open()
    assert RetryPolicy().max_attempts > 2
    world.later(minutes=5)
    assert (world.case(case).end, len(mail.calls)) == ("yes", 3)
