"""Decisions: exactly one for each ruling, taken back only in time, and told to whoever waits."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead import checkpoints
from fairlead.checkpoints import explain, find_many_asked, recall
from fairlead.errors import ConflictError, FaultError, NotFoundError
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.events import due, mark_handled, next_due, since
from fairlead.kit.jsons import loads
from fairlead.kit.unit_of_work import AuditEntry

if TYPE_CHECKING:
    from tests.checkpoints.desk import Desk

USER = Actor(ActorKind.USER, "usr_1")


def _take_back(desk: Desk, ruling_id: str) -> bool:
    with desk.database.transaction() as uow:
        uow.record(AuditEntry("review.undone", ruling_id, actor=USER))
        return checkpoints.unsettle(uow, ruling_id)


def test_a_persons_decision_is_stored_and_told(desk: Desk) -> None:
    """Approving means the proposal's own answer; the event bears it and becomes due when it takes effect."""
    one = desk.ruled("a", "vip")
    start = desk.clock.now()

    desk.decide(one.id, minutes=5)

    with desk.database.reading() as reader:
        row = checkpoints.read_decision(reader, one.id)
        told = since(reader, checkpoints.DECISION, one.id, start)
        assert next_due(reader) == start + timedelta(minutes=5)
    assert row is not None
    assert (row.verdict, row.answer, row.decided_by, row.reason) == ("approve", {"amount": 5}, "user:usr_1", "because")
    assert told is not None
    assert told.payload == {"verdict": "approve", "answer": {"amount": 5}}


@pytest.mark.parametrize(
    ("verdict", "answer", "kept"),
    [("edit", {"amount": 3}, {"amount": 3}), ("answer", {}, {}), ("reject", None, None), ("expired", None, None)],
)
def test_other_verdicts_keep_their_own_answer(light_desk: Desk, verdict: str, answer: Any, kept: Any) -> None:
    """What a person wrote instead counts, an empty answer too; a refusal has none and is never executed."""
    one = light_desk.ruled("a", "vip")

    light_desk.decide(one.id, verdict, answer)

    asked = light_desk.asked(one.id)
    assert (asked.verdict, asked.answer) == (verdict, kept)
    assert asked.to_execute(light_desk.clock.now()) == kept


def test_the_second_decision_is_refused(desk: Desk) -> None:
    """Whoever comes later is told who was first, and nothing of theirs is stored or told."""
    one = desk.ruled("a", "vip")
    desk.decide(one.id, "reject")

    with pytest.raises(ConflictError) as caught:
        desk.decide(one.id, "approve")

    assert caught.value.fields["by"] == "user:usr_1"
    assert desk.asked(one.id).verdict == "reject"
    with desk.database.transaction() as uow:
        assert len(due(uow, uow.now, 10)) == 1


@pytest.mark.parametrize("need", ["yes", "ban"])
def test_what_needs_no_person_takes_none(desk: Desk, need: str) -> None:
    """An automatic or blocked ruling is decided as it is stored, and nobody can decide it again."""
    desk.grant()
    one = desk.ruled("a", need)

    verdict = desk.asked(one.id).verdict
    with pytest.raises(ConflictError):
        desk.decide(one.id)

    assert verdict == {"yes": "auto", "ban": "blocked"}[need]
    assert desk.asked(one.id).verdict == verdict


def test_a_blocked_ruling_names_its_rules_and_executes_nothing(light_desk: Desk) -> None:
    """The decision says which rule blocked; no time makes it executable."""
    one = light_desk.ruled("a", "ban")

    asked = light_desk.asked(one.id)

    assert (asked.reason, asked.decided_by, asked.answer) == ("ban", "system:policy", None)
    assert asked.state(light_desk.clock.now()) == "blocked"
    assert asked.to_execute(light_desk.clock.now() + timedelta(days=9)) is None


@pytest.mark.parametrize("verdict", ["approve", "edit", "reject"])
def test_an_unknown_ruling_cannot_be_decided(light_desk: Desk, verdict: str) -> None:
    """A decision without a ruling would never be found again; nothing is told of it either."""
    with pytest.raises((NotFoundError, FaultError)):
        light_desk.decide("rul_0", verdict, {} if verdict == "edit" else None)

    with light_desk.database.reading() as reader:
        assert next_due(reader) is None


def test_a_decision_is_none_until_it_takes_effect(light_desk: Desk) -> None:
    """While it can be taken back, programs see it as waiting and may execute nothing."""
    one = light_desk.ruled("a", "vip")
    light_desk.decide(one.id, minutes=5)
    asked, now = light_desk.asked(one.id), light_desk.clock.now()
    just_before = now + timedelta(minutes=5) - timedelta(microseconds=1)

    assert [asked.state(at) for at in (now, just_before)] == ["waiting", "waiting"]
    assert asked.to_execute(just_before) is None
    assert asked.state(now + timedelta(minutes=5)) == "decided"
    assert asked.to_execute(now + timedelta(minutes=5)) == {"amount": 5}


def test_taking_back_makes_it_open_again(desk: Desk) -> None:
    """The decision and its event are gone, and another one can be taken."""
    one = desk.ruled("a", "vip")
    desk.decide(one.id, "reject", minutes=5)

    assert _take_back(desk, one.id)

    assert desk.asked(one.id).verdict is None
    with desk.database.reading() as reader:
        assert next_due(reader) is None
    desk.decide(one.id, "edit", {"amount": 1})
    assert desk.asked(one.id).answer == {"amount": 1}


def test_what_was_told_is_not_taken_back(desk: Desk) -> None:
    """Once somebody acted on the event the decision stays."""
    one = desk.ruled("a", "vip")
    desk.decide(one.id)
    with desk.database.transaction() as uow:
        mark_handled(uow, due(uow, uow.now, 10))

    assert not _take_back(desk, one.id)

    assert desk.asked(one.id).verdict == "approve"


def test_taking_back_touches_no_other_decision(light_desk: Desk) -> None:
    """Neither a neighbour's decision nor its event; and twice is once."""
    one, other = light_desk.ruled("a", "vip"), light_desk.ruled("b", "vip")
    for ruled in (one, other):
        light_desk.decide(ruled.id, minutes=5)

    assert [_take_back(light_desk, one.id), _take_back(light_desk, one.id)] == [True, False]

    assert light_desk.asked(other.id).verdict == "approve"
    assert not _take_back(light_desk, "rul_0")


def test_a_ruling_is_recalled_as_it_was(desk: Desk) -> None:
    """From what is stored the same sentence can be said, whatever became of policy and grants since."""
    desk.grant()
    made = [desk.ruled(f"k{n}", need) for n, need in enumerate(("yes", "vip", "ban"))]
    for one in made:
        with desk.database.reading() as reader:
            record = checkpoints.read_ruling(reader, one.id).record

        again = recall(record)

        assert explain(again) == explain(one.ruling)
        assert loads(again.as_json()) == loads(one.ruling.as_json())


def test_one_key_is_ruled_on_once(desk: Desk) -> None:
    """The same key at the same checkpoint is a conflict, and the first ruling stays."""
    one = desk.ruled("a")

    with pytest.raises(ConflictError):
        desk.ruled("a")

    assert desk.asked(one.id).decision_key == "a"


def test_a_cases_rulings_tell_its_story(desk: Desk) -> None:
    """Oldest first, each with its decision; the first one says what narrowed it at the time."""
    first = desk.ruled("a", "vip", case_id="case_1")
    desk.clock.advance(timedelta(minutes=1))
    second = desk.ruled("b", "ban", case_id="case_1")
    desk.ruled("c", case_id="case_2")
    desk.decide(first.id)

    with desk.database.reading() as reader:
        rows = checkpoints.rulings_of_case(reader, "case_1")
        firsts = checkpoints.first_rulings(reader, ["case_1", "case_2", "case_0"])
        assert checkpoints.rulings_of_case(reader, "case_0") == []
        assert checkpoints.first_rulings(reader, []) == {}

    assert [(row.id, row.verdict) for row in rows] == [(first.id, "approve"), (second.id, "blocked")]
    assert set(firsts) == {"case_1", "case_2"}
    assert firsts["case_1"].path == "human"
    assert "vip" in firsts["case_1"].reasons
    assert "no_grant" in firsts["case_2"].reasons
    assert not firsts["case_1"].needs_information


def test_only_what_cannot_be_taken_back_is_effective(desk: Desk) -> None:
    """Of many rulings those whose decision has taken effect; waiting, undecided and unknown ones are not."""
    now, later, never = (desk.ruled(key, "vip") for key in ("a", "b", "c"))
    desk.decide(now.id)
    desk.decide(later.id, minutes=5)
    ids = [now.id, later.id, never.id, "rul_0"]

    with desk.database.reading() as reader:
        assert checkpoints.effective_ones(reader, ids, desk.clock.now()) == {now.id}
        assert checkpoints.effective_ones(reader, ids, desk.clock.now() + timedelta(minutes=5)) == {now.id, later.id}
        assert checkpoints.effective_ones(reader, [], desk.clock.now()) == set()


def test_only_programs_own_decisions_are_found_for_them(desk: Desk) -> None:
    """A playbook's decision has no asker, also when its key merely looks like a program's."""
    mine, near, playbooks = (desk.ruled(key) for key in ("key_1/a", "keyx1/a", "case_1/triage"))

    with desk.database.reading() as reader:
        found = find_many_asked(reader, [mine.id, near.id, playbooks.id, "rul_0"])
        assert find_many_asked(reader, []) == []

    assert [(one.id, one.asker) for one in found] == [(mine.id, "key_1")]
    assert desk.asked(near.id).asker is None


def test_pages_of_decisions_are_complete(desk: Desk) -> None:
    """Newest first, page after page without a gap or a repetition; another checkpoint has none of them."""
    ids = [desk.ruled(f"k{n}").id for n in range(5)]

    with desk.database.reading() as reader:

        def page(before: str | None, checkpoint: str | None = None) -> list[str]:
            found = checkpoints.page_of_asked(reader, 2, key_id=None, checkpoint=checkpoint, before=before)
            return [one.id for one in found]

        first = page(None)
        second = page(first[-1], "refund")
        third = page(second[-1])
        assert [*first, *second, *third] == ids[::-1]
        assert page(third[-1]) == page(None, "discount") == []
