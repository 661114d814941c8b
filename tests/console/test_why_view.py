"""What the why-page tells of a decision, worked out from stored records alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from fairlead.checkpoints import parse_policy
from fairlead.console.why_view import Decided, shown_answer, told_of, used_facts
from fairlead.evidence import Appeal, AppealState

NOW = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
POLICY = parse_policy(
    """
checkpoint: refund
answer:
  type: object
  required: [decision]
  properties: {decision: {enum: [pay, refuse]}, desk: {type: string}}
agree: {how: exact, fields: [decision]}
facts:
  order_total: double
  risk: {type: string, from: answer.desk}
  country: {type: string, from: customer.country, default: ""}
  returns: {type: int, from: subject.returns, default: 0}
review: {role: reviewer, due: 2d}
""",
    "refund.yaml",
)
RECORD = {
    "checkpoint": "refund", "policy_version": "v", "segment": "other", "path": "auto", "steps": [], "rules": [],
    "needs": {}, "needs_information": [], "grant": None, "lottery_probability": 0.0, "proposal": "d", "producer": "p@1",
    "in_population": False, "score": 0.9, "lottery_draw": 0.5, "priority": 0.0,
}  # fmt: skip


def decided(values: dict[str, Any] | None = None, *, case: str | None = None, **more: Any) -> Decided:
    """An automatic refund."""
    ruling = SimpleNamespace(checkpoint="refund", case_id=case, record={**RECORD, "values": values or {}})
    given: dict[str, Any] = {
        "ruling": ruling, "verdict": "auto", "answer": {"decision": "pay", "desk": "B"}, "at": NOW, "policy": POLICY,
        "arrived": {}, "by_model": False, "appeal": None, **more,
    }  # fmt: skip
    return Decided(**given)


def test_only_what_the_checkpoint_answers_for_is_shown() -> None:
    """The rest of an answer is for staff; without a policy all of it counts."""
    assert shown_answer({"decision": "pay", "desk": "B"}, POLICY) == "decision pay"
    assert shown_answer({"decision": "pay", "desk": "B"}, None) == "decision pay, desk B"
    assert shown_answer(None, POLICY) == ""


def test_what_was_at_hand_is_named_and_nothing_that_was_not() -> None:
    """Of a program's request its declared facts; never the machine's own, an empty one or a default."""
    values = {"order_total": 80.0, "risk": "B", "country": "DE", "returns": 0}
    assert used_facts(decided(values), "de") == ("Order total", "Land")
    assert used_facts(decided({"country": ""}), "en") == ()


def test_of_a_case_what_came_in_is_named() -> None:
    """Ids, our own remarks and what steps found are not theirs."""
    arrived = {"returns": 2, "email": "a@b.example", "crm_id": "7", "unusable": ["x"], "note": "", "vip": False}
    found = used_facts(decided({"order_total": 1.0, "returns": 2}, case="case_x", arrived=arrived), "en")
    assert found == ("Returns", "Email")


@pytest.mark.parametrize(
    ("verdict", "said", "asks"),
    [
        ("auto", "A computer program decided this on 24 November 2026.", True),
        ("blocked", "A fixed rule refused this on 24 November 2026.", True),
        ("expired", "Nobody decided in time", True), ("approve", "A person decided this", False),
        ("reject", "A person decided this", False), (None, "Nothing is decided yet", False),
    ],
)  # fmt: skip
def test_who_decided_is_told_and_whether_a_person_can_be_asked(verdict: str | None, said: str, asks: bool) -> None:
    """By the customer's calendar; what nobody does has no answer to show."""
    told = told_of(decided(verdict=verdict), "en", "Europe/Berlin", NOW)
    assert any(one.startswith(said) for one in told.outcome)
    assert told.may_ask is asks
    assert bool(told.answer) is (verdict in {"auto", "approve"})
    assert bool(told.how) is asks


def test_rules_and_models_are_told_apart() -> None:
    """A trained model is called one."""
    assert "fixed rules" in told_of(decided(), "en", "UTC", NOW).how[0]
    assert "statistical model" in told_of(decided(by_model=True), "en", "UTC", NOW).how[0]


def test_without_a_policy_nobody_can_be_asked() -> None:
    """An answer could not be checked any more."""
    told = told_of(decided(policy=None), "en", "UTC", NOW)
    assert (told.automatic, told.may_ask) == (True, False)


@pytest.mark.parametrize("state", list(AppealState))
@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_every_state_of_an_appeal_has_words(state: AppealState, language: str) -> None:
    """In each language, with its days filled in, and the other answer only where there is one to tell."""
    over = state not in {AppealState.WAITING, AppealState.LOOKING}
    answer = (
        {"decision": "refuse"} if state in {AppealState.DIFFERED, AppealState.ANSWERED, AppealState.AGREED} else None
    )
    appeal = Appeal("rev_x", state, NOW, NOW + timedelta(days=2), NOW if over else None, answer)
    told = told_of(decided(appeal=appeal), language, "UTC", NOW)
    assert len(told.state) == 2
    assert "2026" in told.state[0]
    assert not any("{" in one for one in told.state)
    assert bool(told.theirs) is (state in {AppealState.DIFFERED, AppealState.ANSWERED})
    late = told_of(decided(appeal=appeal), language, "UTC", NOW + timedelta(days=3))
    assert (late.state != told.state) is (state is AppealState.WAITING)
