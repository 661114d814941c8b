"""An automatic decision that was drawn acts, and is answered afterwards by somebody who does not see it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import select

from fairlead import reviews
from fairlead.checkpoints import SETTLEMENT, Level, drawn, fold_drawn, read_decision
from fairlead.checkpoints.tables import ruling
from fairlead.customers import erase_customer
from fairlead.errors import ConflictError, FaultError, ForbiddenError, InputError
from fairlead.evidence import Labels, label_counts, page_of_labels
from fairlead.kit import faults
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.playbooks import CaseVerb, rerule_waiting
from fairlead.reviews import Given, Kind, Mode, QueueFilter, Review, Verb, View
from tests.playbooks.world import ANN, BOB, BOSS, LEASE, OFFER, POLICY, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.testing.clock import FakeClock

ALWAYS = POLICY.replace("rate: 0}", "rate: 1}")
NOW_REFUSED = "  - {id: no, when: score > 0.0, path: blocked, words: Not any more.}\n"
RESTING = OFFER.replace("approved: send", "approved: rest").replace(
    "  won:", "  rest:\n    wait: time\n    for: 30d\n    next: {timeout: send}\n  won:"
)
SURE = {"price": 10.0, "confidence": 0.95}


@pytest.fixture
def drawn_world(world: World) -> World:
    """Everything automatic is drawn."""
    world.deploy(OFFER, policy=ALWAYS)
    world.grant(Level.AUTO)
    return world


def opened(world: World, customer: str | None = None, **facts: Any) -> str:
    """A case that has run until it rests."""
    case_id = world.open({**SURE, **facts}, playbook="offer", customer=customer)
    world.run()
    return case_id


def label_of(world: World, case_id: str) -> Review:
    """The one review of an automatic case, which is a label."""
    [one] = world.reviews_of(case_id)
    assert (one.kind, one.mode, one.path) == (Kind.LABEL, Mode.LABEL, "human")
    return one


def stored(world: World, case_id: str) -> tuple[Any, ...]:
    """All that a label must leave alone: case, decision, actions, and whether anybody was told."""
    with world.database.reading() as reader:
        [ruling_id] = reader.execute(select(ruling.c.id).where(ruling.c.case_id == case_id)).scalars()
        decision = read_decision(reader, ruling_id)
    assert decision is not None
    return tuple(world.case(case_id)), tuple(decision), world.actions(case_id)


def test_a_drawn_automatic_case_goes_on_and_opens_one_label(drawn_world: World) -> None:
    """It acts at once; the label waits, blind, for the policy's role, behind every decision, with no end."""
    case_id = opened(drawn_world)
    one = label_of(drawn_world, case_id)

    assert drawn_world.where(case_id) == ("ended", "won")
    assert (one.role, dict(one.needs), one.on_expiry, one.state) == ("reviewer", {"reviewer": 1}, "wait", "waiting")
    waits = opened(drawn_world, price=5_000.0)
    with drawn_world.database.reading() as reader:
        queue = [item.case_id for item in reviews.page(reader, QueueFilter()).items]
        labels = [item.id for item in reviews.page(reader, QueueFilter(View.LABELS)).items]
        assert reviews.counts(reader)[View.LABELS].number == 1
    assert (queue, labels) == ([waits, case_id], [one.id])
    with drawn_world.database.transaction() as uow:
        taken = reviews.claim_next(uow, ANN, LEASE)
    assert taken is not None
    assert taken.review.case_id == waits


def test_what_is_not_drawn_opens_nothing(world: World) -> None:
    """Without the draw an automatic decision asks nobody."""
    world.deploy(OFFER)
    world.grant(Level.AUTO)
    assert world.reviews_of(opened(world)) == []


def test_the_answer_is_compared_and_touches_nothing(drawn_world: World) -> None:
    """Case, decision and actions are byte for byte what they were; the label says whether the answers agree."""
    ids = [opened(drawn_world) for _ in range(3)]
    before = [stored(drawn_world, case_id) for case_id in ids]
    drawn_world.decide(ids[0], Verb.ANSWER, answer={"price": 10})
    drawn_world.decide(ids[1], Verb.ANSWER, answer={"price": 99.0})
    done = drawn_world.decide(ids[2], Verb.CANNOT_TELL, BOB, reason="no idea")
    drawn_world.later(days=3)

    assert done.settled
    assert [stored(drawn_world, case_id) for case_id in ids] == before
    with drawn_world.database.reading() as reader:
        found = {one.review_id: one for one in page_of_labels(reader, 10, checkpoint="offer")}
        [count] = label_counts(reader)
    told = [found[label_of(drawn_world, case_id).id] for case_id in ids]
    assert [(one.agrees, one.source, one.path, one.lottery_p) for one in told] == [
        (True, "auto", "auto", 1.0), (False, "auto", "auto", 1.0), (None, "auto", "auto", 1.0),
    ]  # fmt: skip
    assert [one.by for one in told] == [str(ANN.actor), str(ANN.actor), str(BOB.actor)]
    assert (count.drawn, count.answered, count.agree, count.disagree, count.cannot_tell) == (3, 3, 1, 1, 1)
    assert "label.kept" in drawn_world.verbs(told[0].ruling_id)


def test_shadow_and_assist_leave_labels_too(drawn_world: World) -> None:
    """A blind-first answer counts as assist, an answer that decides as human; both only once."""
    world = drawn_world
    assisted = opened(world, price=5_000.0)
    assert not world.decide(assisted, Verb.ANSWER, answer={"price": 5_000.0}).settled
    world.decide(assisted, Verb.APPROVE)
    human = opened(world, country="XX")
    world.decide(human, Verb.ANSWER, answer={"price": 1.0})
    with world.database.reading() as reader:
        told = [(one.source, one.path, one.agrees) for one in page_of_labels(reader, 10)]
    assert told == [("human", "human", False), ("assist", "assist", True)]


def test_the_first_answer_stays_when_a_verdict_is_taken_back(drawn_world: World) -> None:
    """Who has seen the proposal is blind no more, so the second answer decides but is no label."""
    world = drawn_world
    case_id = opened(world, country="XX")
    world.decide(case_id, Verb.ANSWER, answer={"price": 1.0})
    [one] = world.reviews_of(case_id)
    with world.database.transaction() as uow:
        reviews.undo(uow, one.id, ANN, LEASE, settlement=SETTLEMENT)
    world.decide(case_id, Verb.ANSWER, answer={"price": 10.0})
    with world.database.reading() as reader:
        assert [label.answer for label in page_of_labels(reader, 10)] == [{"price": 1.0}]


@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.EDIT, Verb.REJECT, Verb.REQUEST_INFO])
def test_no_other_verdict_fits_a_label(drawn_world: World, verb: Verb) -> None:
    """There is nothing to approve, and nobody to ask; the review is as it was."""
    case_id = opened(drawn_world)
    given = {"answer": {"price": 1.0}} if verb is Verb.EDIT else {}
    with pytest.raises(ConflictError):
        drawn_world.decide(case_id, verb, reason="because", **given)
    assert label_of(drawn_world, case_id).state == "waiting"


def test_a_label_is_never_put_away_or_taken_back(drawn_world: World) -> None:
    """Snooze and undo are refused; release, return and escalation keep it open for others."""
    world = drawn_world
    case_id = opened(world)
    one = label_of(world, case_id)
    with world.database.transaction() as uow, pytest.raises(ConflictError, match="drawn"):
        reviews.snooze(uow, one.id, ANN, uow.now + timedelta(hours=1))
    world.decide(case_id, Verb.ESCALATE, reason="abroad", to_role="legal")
    assert label_of(world, case_id).role == "legal"
    with pytest.raises(ForbiddenError):
        world.decide(case_id, Verb.ANSWER, answer={"price": 10.0})
    world.decide(case_id, Verb.RETURN, BOB, reason="not now")
    world.decide(case_id, Verb.ANSWER, BOB, answer={"price": 10.0})
    with world.database.transaction() as uow, pytest.raises(ConflictError, match="taken effect"):
        reviews.undo(uow, one.id, BOB, LEASE, settlement=SETTLEMENT)


def test_an_answer_off_the_schema_is_no_label(drawn_world: World) -> None:
    """It is refused whole, and the review goes on waiting."""
    case_id = opened(drawn_world)
    with pytest.raises(InputError):
        drawn_world.decide(case_id, Verb.ANSWER, answer={"price": "ten"})
    with drawn_world.database.reading() as reader:
        assert page_of_labels(reader, 10) == []
    assert label_of(drawn_world, case_id).is_open


def test_nothing_that_befalls_case_or_customer_withdraws_it(drawn_world: World) -> None:
    """Cancelled, interrupted, erased, ruled anew on deploy, long overdue: it can still be answered."""
    world = drawn_world
    customer = world.customer()
    world.deploy(RESTING, policy=ALWAYS)
    case_id, other = opened(world, customer), opened(world, customer)
    one = label_of(world, case_id)
    world.steer(case_id, CaseVerb.CANCEL, reason="stop")
    world.happens("opted_out", customer)
    world.run()
    assert world.where(other) == ("ended", "gone")
    assert label_of(world, other).is_open
    with world.database.transaction() as uow:
        erase_customer(uow, BOSS, customer, reason="asked")
    world.run()
    world.deploy(RESTING, policy=ALWAYS.replace("rules:\n", f"rules:\n{NOW_REFUSED}"))
    done = rerule_waiting(world.engine)
    world.later(days=40)

    after = label_of(world, case_id)
    assert (done.stricter, done.blocked, done.looser) == ((), (), ())
    assert (after.state, after.digest, after.role) == ("waiting", one.digest, one.role)
    assert after.overdue_since is not None
    with world.database.reading() as reader:
        assert [(c.drawn, c.overdue) for c in label_counts(reader)] == [(2, 2)]
    world.decide(case_id, Verb.ANSWER, answer={"price": 10.0})
    with world.database.reading() as reader:
        assert [(c.answered, c.overdue, c.agree) for c in label_counts(reader)] == [(1, 1, 1)]


def test_a_label_neither_waits_for_the_customers_other_work_nor_stops_it(drawn_world: World) -> None:
    """It says nothing to the customer, so one customer's one voice is not its business."""
    world = drawn_world
    customer = world.customer()
    label, live = opened(world, customer), opened(world, customer, price=5_000.0)
    with world.database.transaction() as uow:
        held = reviews.claim(uow, label_of(world, label).id, ANN, LEASE)
    assert held.siblings == ()
    [other] = world.reviews_of(live)
    with world.database.transaction() as uow:
        assert reviews.claim(uow, other.id, BOB, LEASE).siblings == ()


@pytest.mark.parametrize("where", ["chunk.before_move", "chunk.committed"])
def test_a_crash_leaves_ruling_and_label_both_or_neither(
    drawn_world: World, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Before the commit nothing of it is there, after it both are; and the retry adds nothing."""
    world = drawn_world
    monkeypatch.setattr(faults, "_armed", (where, "fail", 1))
    monkeypatch.setattr(faults, "_seen", 0)
    case_id = world.open(SURE, playbook="offer")
    with pytest.raises(FaultError):
        world.run()
    with world.database.reading() as reader:
        rulings = reader.execute(select(ruling.c.id).where(ruling.c.case_id == case_id)).all()
        counted = sum(drawn(reader).values())
    assert len(rulings) == len(world.reviews_of(case_id)) == counted == (where == "chunk.committed")
    world.clock.advance(timedelta(minutes=10))
    world.run()
    assert label_of(world, case_id).is_open
    with world.database.reading() as reader:
        assert sum(drawn(reader).values()) == 1


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rate=st.sampled_from([0.2, 0.5, 1.0]), scores=st.lists(st.sampled_from([0.95, 0.1]), min_size=1, max_size=8))
def test_every_drawn_ruling_has_exactly_its_review(light_world: World, rate: float, scores: list[float]) -> None:
    """Drawn automatic rulings have one label each, others none; the running count is that of the rulings."""
    world = light_world
    world.deploy(OFFER, policy=POLICY.replace("rate: 0}", f"rate: {rate}}}"))
    world.grant(Level.AUTO)
    cases = world.open_many([{"price": 10.0, "confidence": score} for score in scores], playbook="offer")
    world.run()
    with world.database.transaction() as uow:
        fold_drawn(uow, 1_000)
        uow.record(AuditEntry("test.folded", "draws"))
    with world.database.reading() as reader:
        rulings = list(reader.execute(select(ruling)))
        counted = sum(drawn(reader).values())
    assert counted == sum(row.lottery for row in rulings)
    kinds = Counter((one.ruling_id, one.kind) for case_id in cases for one in world.reviews_of(case_id))
    for row in rulings:
        if row.case_id in cases:
            labels = int(row.path == "auto" and row.lottery)
            assert (kinds[row.id, "label"], kinds[row.id, "decision"]) == (labels, int(row.path != "auto"))


def test_one_of_many_answers_wins(drawn_world: World) -> None:
    """A second answer to the same label is refused and kept nowhere."""
    world = drawn_world
    case_id = opened(world)
    one = label_of(world, case_id)
    world.decide(case_id, Verb.ANSWER, answer={"price": 10.0})
    with world.database.transaction() as uow, pytest.raises(ConflictError):
        reviews.decide(
            uow, one.id, Given(Verb.ANSWER, one.digest, {"price": 1.0}), BOB, settlement=SETTLEMENT,
            labels=Labels(lambda *_: None), check_answer=lambda *_: None, effective_after=timedelta(0),
        )  # fmt: skip
    with world.database.reading() as reader:
        assert [label.answer for label in page_of_labels(reader, 10)] == [{"price": 10.0}]


@pytest.fixture
def light_world(sqlite_url: str, clock: FakeClock) -> Iterator[World]:
    """On SQLite alone, for what does not hang on storage."""
    made = World.at(sqlite_url, clock)
    yield made
    made.database.close()
