"""Appeals: a customer asks that a person looks at what was decided automatically, and is told the answer.

The review is blind, so that the answer says what a person would have done, not whether they mind. It is no label:
who asks is no random draw, so the answer certifies nothing and is counted nowhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from fairlead.customers import TimelineNote, note_many
from fairlead.evidence.repairs import Repair, open_repair, repairs_of
from fairlead.kit import jsons
from fairlead.kit.events import Event, publish, since
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.reviews import Kind, Review, ReviewDraft, Verb, log_of, of_rulings, open_many

if TYPE_CHECKING:
    from fairlead.kit.actors import Actor

ASKED, ANSWERED = "appeal.asked", "appeal.answered"
"""Events, with the ruling's id as their key; the second one's payload says whether the person `agrees`."""
HEARD = "appeal_answered"
"""The same for playbooks, with the customer's id as key: they can wait for it or be interrupted by it."""
AUTOMATIC = frozenset({"auto", "blocked", "expired"})
"""Verdicts against which there is an appeal: no person has decided."""
PRIORITY = 90


class AppealState(StrEnum):
    """How far it has come, as the customer is told; `unsure`: the facts were not enough for the person."""

    WAITING = "waiting"
    LOOKING = "looking"
    AGREED = "agreed"
    DIFFERED = "differed"
    ANSWERED = "answered"
    UNSURE = "unsure"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Appeal:
    """One request for a person; `answer` and `answered_at` None until there is one.

    `answered` as state: there is an answer, and nobody can compare it any more.
    """

    review_id: str
    state: AppealState
    asked_at: datetime
    due_at: datetime | None
    answered_at: datetime | None = None
    answer: Mapping[str, Any] | None = None
    repair: Repair | None = None
    """What the answer set going; None where it agreed, or there is none."""


def ask_for_person(
    uow: UnitOfWork, actor: Actor, ruling: Any, *, role: str, due: timedelta, playbook: str | None
) -> bool:
    """Open the blind review of an automatic decision; False when it was asked for before, and nothing changed.

    `ruling` is a row of `read_ruling`; `due` is how long the role has.
    """
    asked = Event(ASKED, ruling.id, {"customer": ruling.customer_id}, id=f"{ASKED}/{ruling.id}")
    if not publish(uow, asked):
        return False
    draft = ReviewDraft(
        ruling_id=ruling.id, checkpoint=ruling.checkpoint, path="human", kind=Kind.APPEAL,
        title=f"A customer asks for a person: {_plain(ruling.checkpoint)}", segment=ruling.segment, role=role,
        proposal_digest=ruling.digest, facts_digest=hashlib.sha256(jsons.dumps(ruling.facts).encode()).hexdigest(),
        priority=PRIORITY, playbook=playbook, case_id=ruling.case_id, customer_id=ruling.customer_id,
        value_minor=ruling.value_minor, due_at=uow.now + due,
    )  # fmt: skip
    review_id = open_many(uow, [draft])[0]
    payload = {"review": review_id, "role": role, "due_at": draft.due_at}
    uow.record(AuditEntry(ASKED, ruling.id, payload, ruling.customer_id, actor))
    _note(uow, ruling.customer_id, ASKED, f"Asked that a person looks at {_plain(ruling.checkpoint)}.", review_id)
    return True


def keep_answer(
    uow: UnitOfWork, review: Review, answer: Mapping[str, Any] | None, actor: Actor, *, agrees: bool | None
) -> None:
    """Write down what came of an appeal; `answer` None: the person could not tell.

    One that differs from what the machine did opens a repair for the review's role.
    """
    payload = {"review": review.id, "answer": answer, "agrees": agrees}
    told_on = {"review": review.id, "case": review.case_id, "agrees": agrees}
    publish(uow, Event(ANSWERED, review.ruling_id, told_on))
    if review.customer_id is not None:
        publish(uow, Event(HEARD, review.customer_id, told_on))
    uow.record(AuditEntry(ANSWERED, review.ruling_id, payload, review.customer_id, actor))
    told = {True: "as the machine did", False: "in another way than the machine", None: "and it cannot be compared"}
    words = f"A person answered {told[agrees]}" if answer is not None else "A person could not tell"
    _note(uow, review.customer_id, ANSWERED, f"{words}: {_plain(review.checkpoint)}.", review.id)
    if agrees is False:
        open_repair(uow, review, actor)


def appeals_of(reader: Reader, ruling_ids: list[str]) -> dict[str, Appeal]:
    """The appeal against each of these rulings; those without one are absent."""
    known = repairs_of(reader, ruling_ids)
    found = {one.ruling_id: _appeal(reader, one) for one in of_rulings(reader, ruling_ids) if one.is_appeal}
    return {ruling_id: replace(one, repair=known.get(ruling_id)) for ruling_id, one in found.items()}


def _appeal(reader: Reader, review: Review) -> Appeal:
    if review.is_open:
        held = review.state == "claimed"
        state = AppealState.LOOKING if held else AppealState.WAITING
        return Appeal(review.id, state, review.created_at, review.due_at)
    given = next((one for one in log_of(reader, review.id) if one.verdict in {Verb.ANSWER, Verb.CANNOT_TELL}), None)
    if given is None:
        return Appeal(review.id, AppealState.CLOSED, review.created_at, review.due_at, review.closed_at)
    state = AppealState.UNSURE
    if given.verdict == Verb.ANSWER:
        kept = since(reader, ANSWERED, review.ruling_id, review.created_at)
        agrees = kept.payload.get("agrees") if kept else None
        state = {True: AppealState.AGREED, False: AppealState.DIFFERED, None: AppealState.ANSWERED}[agrees]
    return Appeal(review.id, state, review.created_at, review.due_at, review.closed_at, given.answer)


def _note(uow: UnitOfWork, customer_id: str | None, kind: str, words: str, subject: str) -> None:
    if customer_id is not None:
        note_many(uow, [TimelineNote(customer_id, kind, words, subject)])


def _plain(checkpoint: str) -> str:
    return checkpoint.replace("-", " ").replace("_", " ")
