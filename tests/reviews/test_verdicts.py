"""Claiming and deciding, one person at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fairlead import reviews
from fairlead.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from fairlead.kit.actors import SYSTEM, TIMER
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.reviews import Given, Verb
from tests.reviews.world import ANN, BOB, CEM, LEASE, UNDO, Desk, person, sha

TEAM = {"team": "north"}


def test_a_claimed_review_is_decided_once_and_says_so(desk: Desk) -> None:
    """Claim, approve: the decision is stored, effective after the time to undo; the next gets a 409."""
    (one,) = desk.open()
    desk.claim(one)
    decided = desk.decide(one, Verb.APPROVE)

    assert decided.settled
    assert decided.effective_at == desk.clock.now() + UNDO
    assert ("approve", None, "user:per_ann") == desk.decision(one)[1:4]
    assert ["review.claimed", "review.decided"] == desk.audited(one)
    with pytest.raises(ConflictError) as late:
        desk.claim(one, BOB)
    assert late.value.reason == "decided"
    assert late.value.fields["verdict"] == "approve"
    assert late.value.fields["name"] == "Ann"
    assert late.value.fields["at"] == "2026-11-02T09:00:00Z"


def test_a_review_is_claimed_by_one_person_until_the_lease_ends(desk: Desk) -> None:
    """While the lease runs the other is told who and until when; afterwards the claim can be taken over."""
    (one,) = desk.open()
    desk.claim(one, ANN)
    with pytest.raises(ConflictError) as taken:
        desk.claim(one, BOB)
    assert (taken.value.reason, taken.value.fields["by"]) == ("claimed", "per_ann")
    assert taken.value.fields["until"] == "2026-11-02T09:10:00Z"
    desk.clock.advance(LEASE)
    assert desk.claim(one, BOB).review.claimed_by == "per_bob"
    with pytest.raises(ConflictError) as lost:
        desk.decide(one, Verb.APPROVE, ANN)
    assert lost.value.reason == "claimed"


def test_a_lapsed_claim_decides_nothing_but_a_heartbeat_mends_it(desk: Desk) -> None:
    """Somebody else may be looking by then, so the holder has to say they are still there."""
    (one,) = desk.open()
    desk.claim(one)
    desk.clock.advance(LEASE + timedelta(seconds=1))
    with pytest.raises(ConflictError) as lapsed:
        desk.decide(one, Verb.APPROVE)
    assert lapsed.value.reason == "claim_lapsed"
    with desk.transaction() as uow:
        kept = reviews.heartbeat(uow, one, ANN, LEASE)
    assert kept.claimed_until == desk.clock.now() + LEASE
    assert desk.decide(one, Verb.APPROVE).settled


def test_verdicts_need_a_claim_the_role_and_an_existing_review(desk: Desk) -> None:
    """Unclaimed: 409. Without the role: 403, at the claim. Unknown: 404."""
    (one,) = desk.open()
    with pytest.raises(ConflictError) as unclaimed:
        desk.decide(one, Verb.APPROVE)
    assert unclaimed.value.reason == "not_claimed"
    with pytest.raises(ForbiddenError) as stranger:
        desk.claim(one, person("Dora", "legal"))
    assert stranger.value.fields["role"] == "sales"
    with pytest.raises(NotFoundError):
        desk.claim("rev_nothing")


@pytest.mark.parametrize("verdict", [Verb.REJECT, Verb.EDIT, Verb.ESCALATE, Verb.REQUEST_INFO, Verb.RETURN])
def test_a_verdict_that_goes_against_something_says_why(verdict: Verb) -> None:
    """A blank reason is no reason."""
    with pytest.raises(InputError) as error:
        Given(verdict, "d", answer=TEAM if verdict is Verb.EDIT else None, reason="  ", to_role="lead")
    assert error.value.reason == "reason_missing"


@pytest.mark.parametrize(
    ("verdict", "given"),
    [
        (Verb.APPROVE, {"answer": TEAM}),
        (Verb.EDIT, {"reason": "r"}),
        (Verb.ANSWER, {}),
        (Verb.ESCALATE, {"reason": "r"}),
        (Verb.CLAIM, {}),
        (Verb.REJECT, {"reason": "x" * 4001}),
        (Verb.REJECT, {"reason": "nul\x00"}),
        (Verb.REJECT, {"reason": "half \ud800"}),
    ],
)
def test_what_is_no_verdict_is_refused_before_anything_is_read(verdict: Verb, given: dict[str, object]) -> None:
    """An approval takes no answer, an edit needs one, an escalation a target, a reason is text of some
    length.
    """
    with pytest.raises(InputError):
        Given(verdict, "d", **given)  # type: ignore[arg-type]


def test_an_answer_off_the_schema_is_refused_and_nothing_changes(desk: Desk) -> None:
    """The review stays claimed and can still be edited properly."""
    (one,) = desk.open()
    desk.claim(one)
    with pytest.raises(InputError):
        desk.decide(one, Verb.EDIT, answer={"teem": 1}, reason="typo")
    assert desk.get(one).state == "claimed"
    assert desk.decide(one, Verb.EDIT, answer=TEAM, reason="north is nearer").settled
    assert desk.decision(one).answer == TEAM


def test_a_changed_proposal_is_refused_with_the_difference(desk: Desk) -> None:
    """Whoever looked at the old proposal, role or quorum is told by part what changed and can decide anew."""
    (one,) = desk.open()
    shown = desk.claim(one).review.digest
    with desk.transaction() as uow:
        reviews.rebind(uow, one, SYSTEM, "stricter policy", proposal_digest=sha("another"), needs=(("sales", 2),))
    with pytest.raises(ConflictError) as stale:
        desk.decide(one, Verb.APPROVE, digest=shown)
    changed = stale.value.as_dict()["fields"]["changed"]
    assert (stale.value.reason, set(changed)) == ("stale", {"proposal", "quorum"})
    assert changed["quorum"] == {"now": "2 × sales"}
    assert desk.decision(one) is None
    assert not desk.decide(one, Verb.APPROVE).settled


def test_a_digest_that_is_none_is_stale_too(desk: Desk) -> None:
    """Made-up text never decides."""
    (one,) = desk.open()
    desk.claim(one)
    for text in ("", "...", "x" * 10_000, "a.b.c.d"):
        with pytest.raises(ConflictError) as stale:
            desk.decide(one, Verb.APPROVE, digest=text)
        assert stale.value.reason == "stale"


def test_a_quorum_is_not_loosened_in_place(desk: Desk) -> None:
    """Only stricter rules reach reviews that wait."""
    (one,) = desk.open(needs=(("sales", 3), ("legal", 1)))
    for looser in ((("sales", 2), ("legal", 1)), (("sales", 3),), (("legal", 1),)):
        with pytest.raises(InputError), desk.transaction() as uow:
            reviews.rebind(uow, one, SYSTEM, "looser", needs=looser)


def test_a_quorum_takes_distinct_people_who_agree(desk: Desk) -> None:
    """Two equal answers settle; one person counts once, and a different answer counts for itself."""
    (one,) = desk.open(quorum=2, path="human")
    desk.claim(one)
    first = desk.decide(one, Verb.ANSWER, answer=TEAM)
    assert (first.settled, first.missing, first.review.state) == (False, (("sales", 1),), "waiting")
    with pytest.raises(ConflictError) as again:
        desk.claim(one)
    assert again.value.reason == "already_voted"
    desk.claim(one, BOB)
    assert not desk.decide(one, Verb.ANSWER, BOB, answer={"team": "south"}).settled
    assert desk.decision(one) is None
    desk.claim(one, CEM)
    assert desk.decide(one, Verb.ANSWER, CEM, answer=TEAM).settled
    assert desk.decision(one).answer == TEAM


def test_several_roles_each_have_their_say(desk: Desk) -> None:
    """The review goes from role to role until all agree on one answer; nobody votes twice with two hats."""
    (one,) = desk.open(needs=(("legal", 1), ("sales", 2)))
    both, law = person("Bea", "legal", "sales"), person("Lou", "legal")
    with pytest.raises(ForbiddenError):
        desk.claim(one, ANN)
    desk.claim(one, both)
    first = desk.decide(one, Verb.APPROVE, both)
    assert (first.missing, first.review.role) == ((("sales", 2),), "sales")
    with pytest.raises(ConflictError) as hat:
        desk.claim(one, both)
    assert hat.value.reason == "already_voted"
    assert desk.claim_next(both) is None
    desk.claim(one, ANN)
    edited = desk.decide(one, Verb.EDIT, ANN, answer=TEAM, reason="nearer")
    assert edited.missing == (("legal", 1), ("sales", 1)), "another answer needs everybody anew"
    desk.claim(one, BOB)
    agreed = desk.decide(one, Verb.EDIT, BOB, answer=TEAM, reason="nearer")
    assert (agreed.missing, agreed.review.role) == ((("legal", 1),), "legal")
    desk.claim(one, law)
    assert desk.decide(one, Verb.EDIT, law, answer=TEAM, reason="agreed").settled
    assert desk.decision(one).answer == TEAM


def test_one_rejection_settles_whatever_the_quorum(desk: Desk) -> None:
    """Approvals given before do not outvote it."""
    (one,) = desk.open(quorum=3)
    desk.claim(one)
    desk.decide(one, Verb.APPROVE)
    desk.claim(one, BOB)
    assert desk.decide(one, Verb.REJECT, BOB, reason="sanctioned").settled
    assert desk.decision(one).verdict == "reject"


def test_votes_on_what_has_changed_since_do_not_count(desk: Desk) -> None:
    """Two approvals of two different proposals are not an approval by two."""
    (one,) = desk.open(quorum=2)
    desk.claim(one)
    desk.decide(one, Verb.APPROVE)
    with desk.transaction() as uow:
        reviews.rebind(uow, one, SYSTEM, "new score", proposal_digest=sha("another"))
    desk.claim(one, BOB)
    assert desk.decide(one, Verb.APPROVE, BOB).missing == (("sales", 1),)
    desk.claim(one, ANN)
    assert desk.decide(one, Verb.APPROVE, ANN).settled


def test_a_drawn_review_asks_first_and_shows_afterwards(desk: Desk) -> None:
    """The blind answer is kept as the label; the same person then sees the proposal and decides."""
    (one,) = desk.open(blind=True)
    desk.claim(one)
    with pytest.raises(ConflictError) as early:
        desk.decide(one, Verb.APPROVE)
    assert early.value.reason == "answer_first"
    labelled = desk.decide(one, Verb.ANSWER, answer=TEAM)
    assert (labelled.settled, labelled.review.state, labelled.review.blind) == (False, "claimed", False)
    assert desk.decision(one) is None
    with pytest.raises(ConflictError) as twice:
        desk.decide(one, Verb.ANSWER, answer=TEAM)
    assert twice.value.reason == "not_for_this_path"
    assert desk.decide(one, Verb.APPROVE).settled
    with desk.database.reading() as reader:
        log = reviews.log_of(reader, one)
    assert [("label", TEAM), ("approve", None)] == [(row.verdict, row.answer) for row in log]


def test_a_label_is_no_vote(desk: Desk) -> None:
    """With a quorum of one, a label equal to the later edit does not count twice or settle anything."""
    (one,) = desk.open(blind=True, quorum=2)
    desk.claim(one)
    desk.decide(one, Verb.ANSWER, answer=TEAM)
    assert desk.decide(one, Verb.EDIT, answer=TEAM, reason="nearer").missing == (("sales", 1),)
    assert desk.decision(one) is None


def test_an_undone_verdict_can_be_given_anew(desk: Desk) -> None:
    """Before it takes effect the person has the review back; the record keeps both verdicts."""
    (one,) = desk.open()
    desk.claim(one)
    desk.decide(one, Verb.APPROVE)
    desk.clock.advance(UNDO - timedelta(microseconds=1))
    assert desk.undo(one).claimed_by == "per_ann"
    assert desk.decision(one) is None
    assert desk.decide(one, Verb.REJECT, reason="on second thoughts").settled
    assert desk.decision(one).verdict == "reject"
    with desk.database.reading() as reader:
        log = reviews.log_of(reader, one)
    assert [True, False] == [row.undone_at is not None for row in log]
    verbs = ["claimed", "decided", "undone", "claimed", "decided"]
    assert [f"review.{verb}" for verb in verbs] == desk.audited(one)


def test_undoing_does_not_bring_two_people_to_one_customer(desk: Desk) -> None:
    """Whoever took over the customer meanwhile keeps them; the undone review waits."""
    first, second = desk.open(2, customer_id="cus_1")
    desk.claim(first)
    desk.decide(first, Verb.APPROVE)
    desk.claim(second, BOB)
    assert (desk.undo(first).state, desk.get(first).assignee) == ("waiting", ANN.id)
    with pytest.raises(ConflictError) as busy:
        desk.claim(first)
    assert busy.value.reason == "customer_in_work"


def test_what_took_effect_cannot_be_undone(desk: Desk) -> None:
    """Not at the very moment, and not by somebody else before it."""
    (one,) = desk.open()
    desk.claim(one)
    desk.decide(one, Verb.APPROVE)
    with pytest.raises(ForbiddenError):
        desk.undo(one, BOB)
    desk.clock.advance(UNDO)
    with pytest.raises(ConflictError) as late:
        desk.undo(one)
    assert late.value.reason == "too_late"
    assert desk.get(one).state == "decided"
    assert desk.decision(one) is not None


def test_an_undo_that_the_settlement_refuses_changes_nothing(desk: Desk) -> None:
    """When the decision was acted on by another way, the review stays decided."""
    (one,) = desk.open()
    desk.claim(one)
    desk.decide(one, Verb.APPROVE)
    with desk.transaction() as uow:
        assert desk.settlement.unsettle(uow, desk.get(one).ruling_id)
        uow.record(AuditEntry("test.took_it_away", one))
    with pytest.raises(ConflictError):
        desk.undo(one)
    assert desk.get(one).state == "decided"


def test_escalating_hands_the_same_review_to_another_role(desk: Desk) -> None:
    """It leaves the old role's queue; only the new role may claim it, and an old page no longer decides."""
    (one,) = desk.open()
    shown = desk.claim(one).review.digest
    desk.decide(one, Verb.ESCALATE, reason="too large for me", to_role="lead")
    with pytest.raises(ForbiddenError):
        desk.claim(one, BOB)
    boss = person("Lea", "lead")
    desk.claim(one, boss)
    with pytest.raises(ConflictError) as stale:
        desk.decide(one, Verb.APPROVE, boss, digest=shown)
    assert set(stale.value.fields["changed"]) == {"role"}
    assert desk.decide(one, Verb.APPROVE, boss).settled


def test_what_was_passed_to_a_person_comes_next_for_them_only(desk: Desk) -> None:
    """An escalation to Bob is Bob's next review and nobody else's, though they may take it by hand."""
    (one,) = desk.open()
    desk.claim(one)
    desk.decide(one, Verb.ESCALATE, reason="Bob knows them", to_person=BOB.id)
    assert desk.claim_next(CEM) is None
    found = desk.claim_next(BOB)
    assert found is not None
    assert found.review.id == one


def test_returning_puts_it_back_for_anybody_with_the_comment(desk: Desk) -> None:
    """The next person sees what was said."""
    (one,) = desk.open()
    desk.claim(one)
    desk.decide(one, Verb.RETURN, reason="I know the customer")
    assert desk.get(one).assignee is None
    desk.claim(one, BOB)
    with desk.database.reading() as reader:
        assert reviews.log_of(reader, one)[0].reason == "I know the customer"


def test_releasing_is_for_the_holder(desk: Desk) -> None:
    """Somebody else cannot give away what one holds."""
    (one,) = desk.open()
    desk.claim(one)
    with pytest.raises(ConflictError), desk.transaction() as uow:
        reviews.release(uow, one, BOB)
    with desk.transaction() as uow:
        assert reviews.release(uow, one, ANN).state == "waiting"


def test_withdrawing_closes_what_is_open_and_leaves_what_is_decided(desk: Desk) -> None:
    """An interrupt of the case takes its reviews along, a claimed one too; the holder is told by a 409."""
    first, second = desk.open(2, case_id="case_1")
    (other,) = desk.open(case_id="case_2")
    desk.claim(first)
    desk.decide(first, Verb.APPROVE)
    desk.claim(second)
    with desk.transaction() as uow:
        assert [second] == reviews.withdraw_for_case(uow, "case_1", SYSTEM, "the customer opted out")
    with pytest.raises(ConflictError) as gone:
        desk.decide(second, Verb.APPROVE)
    assert gone.value.reason == "withdrawn"
    assert gone.value.fields["by"] == str(SYSTEM)
    assert ["decided", "withdrawn", "waiting"] == [desk.get(one).state for one in (first, second, other)]
    with desk.transaction() as uow:
        assert [other] == reviews.withdraw_for_ruling(uow, desk.get(other).ruling_id, TIMER, "moot")
