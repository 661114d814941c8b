"""A program's proposal that is decided automatically and drawn is answered afterwards, blind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from fairlead.checkpoints import parse_policy
from fairlead.evidence import page_of_labels
from fairlead.reviews import Mode, Review, Verb, find_many
from fairlead.reviews.tables import review
from tests.gate.world import REFUNDS, World

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.fixture
def drawn(world: World) -> World:
    """Everything at refunds is drawn; the order is a fact about the subject."""
    text = REFUNDS.replace("rate: 0}", "rate: 1}").replace(
        "facts:\n", "facts:\n  order: {type: string, from: subject.order, default: ''}\n"
    )
    world.policies["refunds"] = parse_policy(text, "t.yaml")
    world.grant()
    return world


def reviews_of(world: World) -> Sequence[Review]:
    """Everything that people have to do, oldest first."""
    with world.database.reading() as reader:
        ids = list(reader.execute(select(review.c.id)).scalars())
        return sorted(find_many(reader, ids).values(), key=lambda one: one.id)


def test_a_drawn_decision_answers_at_once_and_opens_one_label(drawn: World) -> None:
    """The program gets its approval and hears of no review; a retry finds the same and opens no second label."""
    signals = {"order": "A-17", "margin": 0.3}
    first = drawn.asked(signals=signals)
    again = drawn.asked(signals=signals)

    assert (first["state"], first["path"], first["review"]) == ("decided", "auto", None)
    assert again["approval"] == first["approval"]
    assert again["review"] is None
    [one] = reviews_of(drawn)
    assert (one.mode, one.ruling_id, one.role) == (Mode.LABEL, first["id"], "support")
    assert one.title == "Refunds: order A-17"


def test_the_label_leaves_decision_and_approval_alone(drawn: World) -> None:
    """Another answer is kept as a disagreement; the program may still execute what was decided."""
    first = drawn.asked()
    [one] = reviews_of(drawn)
    drawn.decide({"review": {"id": one.id}}, Verb.ANSWER, answer={"amount": 1})

    now = drawn.asked()
    assert (now["answer"], now["verdict"], now["approval"]) == ({"amount": 40}, "auto", first["approval"])
    with drawn.database.reading() as reader:
        [label] = page_of_labels(reader, 5)
    assert (label.agrees, label.answer, label.ruling_id) == (False, {"amount": 1}, first["id"])


def test_a_title_never_tells_what_the_machine_says(drawn: World) -> None:
    """Without facts about the subject it is the caller's key; signals and answer stay out."""
    drawn.asked(signals={"order": None, "guess": "pay"}, idempotency_key="order-9")
    [one] = reviews_of(drawn)
    assert one.title == "Refunds: order-9"
