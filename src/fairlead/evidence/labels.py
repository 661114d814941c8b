"""Labels: what people answered without seeing the machine's answer, where the lottery drew the decision.

Only these show how often the machine is wrong. Nothing here judges a producer or promises anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fairlead.checkpoints import DrawnKey, drawn, drawn_among, read_decision, read_ruling
from fairlead.evidence import store
from fairlead.evidence.appeals import keep_answer
from fairlead.evidence.model import Label, LabelCount, outcome_of
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.reviews import Mode, Review, overdue_unseen

if TYPE_CHECKING:
    from fairlead.checkpoints import CheckpointPolicy
    from fairlead.kit.actors import Actor

MAX_OVERDUE = 10_000
"""Up to how many overdue reviews are looked at for the counts."""
SOURCES = {Mode.LABEL: "auto", Mode.BLIND: "assist", Mode.HUMAN: "human"}

PolicyOf = Callable[[Reader, Review], "CheckpointPolicy | None"]
"""The policy by whose `agree` an answer to this review is compared; None when it cannot be had any more."""


class Labels:
    """Keeps blind answers; the reviews are handed one of these."""

    def __init__(self, policy_of: PolicyOf) -> None:
        """`policy_of` is asked within the transaction that keeps the answer."""
        self._policy_of = policy_of

    def keep(self, uow: UnitOfWork, review: Review, answer: Any, actor: Actor) -> Label | None:
        """See `reviews.Labelling`; None when the decision was not drawn or the review has its label.

        The answer to an appeal is kept as such: no label, whatever was drawn.
        """
        ruling = read_ruling(uow, review.ruling_id)
        if not (ruling.lottery or review.is_appeal):
            return None
        policy = self._policy_of(uow, review)
        agrees = None
        if answer is not None and policy is not None:
            agrees = policy.agreement.agrees(ruling.proposal["answer"], answer)
        if review.is_appeal:
            if answer is not None and _did_nothing(uow, ruling.id):
                agrees = False  # whatever was proposed: it was not done, and a person would have done something
            keep_answer(uow, review, answer, actor, agrees=agrees)
            return None
        one = Label(
            new_id("lab"), ruling.id, review.id, ruling.checkpoint, ruling.segment, ruling.producer, ruling.path,
            SOURCES[review.mode], answer, agrees, ruling.lottery_p, policy.version if policy else None, str(actor),
            uow.now,
        )  # fmt: skip
        if not store.insert_label(uow, one):
            return None
        payload = {
            "label": one.id, "review": review.id, "source": one.source, "answer": answer, "agrees": agrees,
            "outcome": outcome_of(one),
        }  # fmt: skip
        uow.record(AuditEntry("label.kept", ruling.id, payload, ruling.customer_id, actor))
        return one


def _did_nothing(reader: Reader, ruling_id: str) -> bool:
    made = read_decision(reader, ruling_id)
    return made is not None and made.verdict in {"blocked", "expired"}


def page_of_labels(
    reader: Reader, limit: int, *, checkpoint: str | None = None, before: str | None = None
) -> list[Label]:
    """Labels newest first, from the one after id `before` on; of one checkpoint or all."""
    return store.page_of_labels(reader, limit, checkpoint, before)


def label_counts(reader: Reader, checkpoint: str | None = None) -> list[LabelCount]:
    """The counts by checkpoint, segment and producer, of whatever was ever drawn there."""
    sums = {DrawnKey(*key): found for key, found in store.label_sums(reader, checkpoint)}
    overdue = drawn_among(reader, overdue_unseen(reader, MAX_OVERDUE))
    found = []
    for key, number in sorted(drawn(reader, checkpoint).items()):
        answered, agree, disagree, cannot = sums.get(key, (0, 0, 0, 0))
        rest = answered - agree - disagree - cannot
        found.append(LabelCount(*key, number, answered, overdue[key], agree, disagree, cannot, rest))
    return found
