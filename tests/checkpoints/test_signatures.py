"""What a policy declares of itself counts only while a person's signature stands under that very version."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fairlead import checkpoints
from fairlead.checkpoints import Path, parse_policy
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.kit.actors import Actor, ActorKind
from tests.checkpoints.desk import POLICY, USER, Desk

if TYPE_CHECKING:
    from fairlead.checkpoints import CheckpointPolicy, Signature

TEXT = """\
checkpoint: refund
answer: {type: object, properties: {amount: {type: integer}}}
facts:
  need: {type: string, required: true}
rules:
  - {id: vip, when: need == 'vip', path: human, words: A VIP}
review: {role: rep, due: 4h}
lottery: {rate: 0}
deterministic: true
"""
FIXED = parse_policy(TEXT, "refund.yaml")
UNSTOPPED = parse_policy(TEXT + "stop: never\n", "refund.yaml")
CHANGED = parse_policy(TEXT.replace("A VIP", "Another word"), "refund.yaml")
BOSS = Actor(ActorKind.USER, "usr_boss")


def at(desk: Desk, policy: CheckpointPolicy = FIXED) -> Desk:
    """The same desk under another policy."""
    return replace(desk, policy=policy)


def sign(desk: Desk, policy: CheckpointPolicy = FIXED, reason: str = "a fixed rule") -> Signature:
    """Signed by the boss as a manager."""
    with desk.database.transaction() as uow:
        return checkpoints.sign_policy(uow, BOSS, "manager", policy, reason)


def unsign(desk: Desk, checkpoint: str = "refund") -> None:
    """Taken back by somebody else."""
    with desk.database.transaction() as uow:
        checkpoints.withdraw_signatures(uow, USER, checkpoint, "not fixed at all")


def path(desk: Desk, key: str = "a", **how: Any) -> Path:
    """Of a proposal without any grant."""
    return desk.ruled(key, store=False, **how).ruling.path


def test_a_declaration_counts_from_the_signature_to_its_withdrawal(desk: Desk) -> None:
    """Unsigned it is in shadow like everything; signed it needs no grant; rules still bind; withdrawn, shadow again."""
    here = at(desk)
    epochs = [desk.epoch()]
    assert path(here) is Path.HUMAN
    made = sign(desk)
    epochs.append(desk.epoch())
    assert path(here) is Path.AUTO
    assert path(here, "b", need="vip") is Path.HUMAN
    unsign(desk)
    epochs.append(desk.epoch())
    assert path(here) is Path.HUMAN
    assert len(set(epochs)) == len(epochs)
    assert desk.verbs(made.id) == ["policy.signed", "policy.unsigned"]


def test_another_version_needs_another_signature(desk: Desk) -> None:
    """Cases under the old version keep theirs; the new one counts for nothing until it is signed, too."""
    sign(desk)
    assert (path(at(desk)), path(at(desk, CHANGED))) == (Path.AUTO, Path.HUMAN)
    with desk.database.reading() as reader:
        assert checkpoints.unsigned(reader, {"refund": CHANGED, "other": POLICY}) == ["refund"]
        assert checkpoints.unsigned(reader, {"refund": FIXED}) == []
    sign(desk, CHANGED)
    assert path(at(desk, CHANGED)) is Path.AUTO
    unsign(desk)
    assert {path(at(desk)), path(at(desk, CHANGED))} == {Path.HUMAN}


def test_a_stop_switch_reaches_it_unless_that_is_signed_as_well(desk: Desk) -> None:
    """`deterministic` alone is stopped; `stop: never` goes on, but only signed."""
    with desk.database.transaction() as uow:
        checkpoints.switch_stop(uow, BOSS, "workspace", "halt")
    sign(desk)
    assert path(at(desk)) is Path.HUMAN
    assert path(at(desk, UNSTOPPED)) is Path.HUMAN
    made = sign(desk, UNSTOPPED)
    assert made.covers == ("deterministic", "stop")
    assert path(at(desk, UNSTOPPED)) is Path.AUTO


def test_a_second_signature_changes_nothing(desk: Desk) -> None:
    """The first one stands with its name and reason; after a withdrawal a new one may be given."""
    first = sign(desk)
    with pytest.raises(ConflictError) as caught:
        sign(desk, reason="me, too")
    assert caught.value.reason == "signed"
    with desk.database.reading() as reader:
        assert checkpoints.signatures_of(reader) == [first]
    unsign(desk)
    second = sign(desk)
    with desk.database.reading() as reader:
        assert checkpoints.signatures_of(reader, "refund") == [second]
        kept = checkpoints.signatures_of(reader, "refund", withdrawn=True)
    assert [one.withdrawn_because for one in kept] == [None, "not fixed at all"]


@pytest.mark.parametrize("reason", ["", "   ", "\x00", "x" * 4_001])
def test_a_signature_without_a_usable_reason_is_refused(light_desk: Desk, reason: str) -> None:
    """Nothing is stored, and the version stays unsigned."""
    with pytest.raises(InputError):
        sign(light_desk, reason=reason)
    assert path(at(light_desk)) is Path.HUMAN


def test_a_policy_that_declares_nothing_cannot_be_signed(light_desk: Desk) -> None:
    """There would be nothing to answer for."""
    with pytest.raises(InputError) as caught:
        sign(light_desk, POLICY)
    assert caught.value.reason == "nothing_to_sign"


@pytest.mark.parametrize("name", ["refund", "", "' OR 1=1 --", "x" * 10_000])
def test_withdrawing_what_nobody_signed_is_not_found(light_desk: Desk, name: str) -> None:
    """Whatever the name, and other checkpoints keep theirs."""
    made = sign(light_desk) if name != "refund" else None
    with pytest.raises(NotFoundError):
        unsign(light_desk, name)
    with light_desk.database.reading() as reader:
        assert checkpoints.signatures_of(reader) == ([made] if made else [])


@pytest.mark.parametrize("verdict", ["approve", "answer", "reject", "expired", "blocked"])
def test_settling_an_unknown_ruling_is_not_found(desk: Desk, verdict: str) -> None:
    """Whatever the verdict; nothing is stored or told."""
    with pytest.raises(NotFoundError):
        desk.decide("rul_0", verdict, {"amount": 1} if verdict == "answer" else None)


@pytest.mark.parametrize(("threshold", "cure"), [(70.0, "0.7"), (-0.5, "from 0 to 1"), (1e9, "from 0 to 1")])
def test_a_threshold_no_probability_can_mean_is_refused_with_a_cure(
    light_desk: Desk, threshold: float, cure: str
) -> None:
    """A percentage or a slip would decide nothing or everything; scores seen so far are named."""
    light_desk.ruled("a")
    with pytest.raises(InputError, match=cure) as caught:
        light_desk.grant(threshold=threshold)
    assert caught.value.reason == "grant_threshold"
    assert "0.9 to 0.9" in caught.value.message


def test_scores_beyond_one_may_have_thresholds_there(light_desk: Desk) -> None:
    """A score is any confidence: where it was seen to go further, so may the threshold."""
    with pytest.raises(InputError, match="shadow first"):
        light_desk.grant(threshold=250.0)
    light_desk.ruled("a", score=300.0)
    assert light_desk.grant(threshold=250.0).threshold == 250.0
