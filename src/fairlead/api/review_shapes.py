"""Reviews as the API shows and takes them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, StringConstraints

from fairlead.api.shapes import MAX_MINOR, MAX_PAGE, Moment, Reason, Sent, Shown, Text
from fairlead.errors import InputError
from fairlead.reviews import Given, QueueFilter, Verb, View

if TYPE_CHECKING:
    from fairlead.api.story import Story
    from fairlead.reviews import Log, Review

VerdictWord = Literal[
    "approve", "edit", "reject", "answer", "cannot_tell", "escalate", "request_info", "return"
]  # fmt: skip


class ReviewItem(Shown):
    """One piece of human work as it stands in the queue."""

    id: str
    title: str
    checkpoint: str
    state: str = Field(description="waiting, claimed, decided, expired or withdrawn")
    kind: str = Field(
        description="decision; label: the machine decided, your answer is only compared with it; appeal: likewise, "
        "because the customer asked"
    )
    mode: str = Field(
        description="assist: judge the proposal; human: answer alone; blind: answer first, then judge; label: answer "
        "alone what the machine has decided already"
    )
    role: str = Field(description="The role that decides now.")
    needs: dict[str, int] = Field(description="How many people of which roles must agree in all.")
    priority: int = Field(description="0 to 100, higher first; labels come last whatever theirs is")
    segment: str
    value_minor: int | None = Field(description="Money at stake in minor units; null where not known.")
    needs_information: bool
    playbook: str | None
    case_id: str | None
    customer_id: str | None
    ruling_id: str
    assignee: str | None = Field(description="The person it waits for; null: anybody with the role.")
    claimed_by: str | None
    claimer_name: str | None
    claimed_until: datetime | None
    snoozed_until: datetime | None
    paused_at: datetime | None = Field(description="Since when its clock stands still.")
    due_at: datetime | None
    overdue_since: datetime | None
    created_at: datetime
    closed_at: datetime | None
    effective_at: datetime | None = Field(description="Until then the verdict can be taken back.")
    digest: str = Field(description="What a verdict on this state binds to; send it back with the verdict.")
    version: int


class Wanted(Sent):
    """Which reviews to list."""

    view: View = Field(View.OPEN, description="Which part of the open reviews.")
    checkpoint: Text | None = None
    min_value_minor: Annotated[int, Field(ge=0, le=MAX_MINOR)] | None = Field(
        None, description="For the view high_value."
    )
    q: Text | None = Field(None, description="How the title begins.")
    customer: Text | None = Field(None, description="A customer's id.")
    every_role: bool = Field(False, description="Also reviews for roles that you do not have.")  # noqa: FBT003 - the field's default
    after: Annotated[str, StringConstraints(max_length=1_000)] | None = Field(
        None, description="The `next` of the page before."
    )
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50

    def queue_filter(self, roles: tuple[str, ...] | None, person: str) -> QueueFilter:
        """As the queue knows it; InputError for what does not go together."""
        if (self.q is not None) + (self.customer is not None) + self._narrows > 1:
            raise InputError("Choose one of q, customer, and a view or checkpoint.", code="filter")
        mine = self.view is View.MINE
        return QueueFilter(
            self.view,
            None if mine else roles,
            self.checkpoint,
            person if mine else None,
            self.min_value_minor,
        )

    @property
    def _narrows(self) -> bool:
        return self.view is not View.OPEN or self.checkpoint is not None


class ReviewPage(Shown):
    """Some reviews; `next` continues behind the last, null at the end."""

    items: list[ReviewItem]
    next: str | None


class NextReview(Shown):
    """What should be done next; null when nothing waits for you."""

    review: ReviewItem | None


class CountOf(Shown):
    """How many; `capped`: at least as many, counting stopped there."""

    number: int
    capped: bool


class Claimed(Shown):
    """A review that is now yours, and its customer's other open ones, kept for you meanwhile."""

    review: ReviewItem
    siblings: list[ReviewItem]


class Said(Shown):
    """Something said about a review; `answer` is null while it is withheld."""

    verdict: str
    actor: str
    name: str
    answer: Any
    reason: str
    at: datetime
    undone_at: datetime | None


class DecisionShown(Shown):
    """The effective answer, by machine or person."""

    verdict: str
    answer: Any
    decided_by: str
    reason: str
    decided_at: datetime
    effective_at: datetime


class ReviewDetail(ReviewItem):
    """The whole story of a review, as far as it may be seen before it is decided."""

    withheld: bool = Field(
        description="True: proposal, score, signals, steps and earlier answers are kept back, so that the "
        "answer is your own."
    )
    explanation: str = Field(description="Why a person is asked.")
    proposal: dict[str, Any] | None = Field(description="The machine's answer; null while withheld.")
    signals: dict[str, Any]
    producer: str | None = Field(description="name@version of who proposed; null while withheld.")
    score: float | None
    facts: dict[str, Any] = Field(description="The stored inputs: what the rules read first, then the rest.")
    found: dict[str, Any] = Field(description="What steps of the case found; empty while withheld.")
    steps: list[dict[str, Any]] = Field(description="What each step of the ruling left, and why.")
    answer_schema: dict[str, Any] = Field(description="JSON Schema of an answer; empty when no policy is deployed.")
    log: list[Said]
    siblings: list[ReviewItem] = Field(description="The same customer's other open reviews.")
    decision: DecisionShown | None = Field(description="null while there is none, and while it is withheld.")


class SnoozeBody(Sent):
    """Until when to put a review away."""

    until: Moment = Field(description="Within the next 366 days; its clock runs on meanwhile.")


class ResumeBody(Sent):
    """The information asked for has come."""

    reason: Reason = Field("", description="What came, or where it is.")


class NextBody(Sent):
    """What to claim; both narrow it down."""

    role: Text | None = None
    checkpoint: Text | None = None


class VerdictBody(Sent):
    """What a person says about a review that they hold."""

    verdict: VerdictWord
    digest: Annotated[str, StringConstraints(max_length=200)] = Field(
        description="The `digest` of the review as you saw it; refused as stale when that has changed."
    )
    answer: dict[str, Any] | None = Field(None, description="For edit and answer only; fits the `answer_schema`.")
    reason: Reason = Field("", description="Needed for all but approve and answer; cannot_tell needs it.")
    to_role: Text | None = Field(None, description="For escalate.")
    to_person: Text | None = Field(None, description="For escalate: the id of a person.")

    def given(self) -> Given:
        """The same for the reviews; InputError for parts that do not go together."""
        return Given(Verb(self.verdict), self.digest, self.answer, self.reason, self.to_role, self.to_person)


class VerdictAnswer(Shown):
    """What came of a verdict.

    Not settled means that the review goes on: a blind answer was kept, a vote counted, or it was passed on.
    """

    review: ReviewItem
    settled: bool
    missing: dict[str, int] = Field(description="Whose votes it still takes.")
    effective_at: datetime | None


def item(one: Review) -> ReviewItem:
    """A review for a list."""
    return ReviewItem.model_validate(_values(one))


def detail(story: Story) -> ReviewDetail:
    """A review with its story."""
    one, ruling = story.review, story.ruling
    return ReviewDetail.model_validate({
        **_values(one),
        "withheld": story.withheld,
        "explanation": story.why,
        "proposal": story.proposal,
        "signals": dict(story.signals),
        "producer": None if story.withheld else ruling.producer,
        "score": None if story.withheld else ruling.score,
        "facts": dict(story.facts),
        "found": dict(story.found),
        "steps": story.steps,
        "answer_schema": dict(story.schema),
        "log": [_said(entry) for entry in story.log],
        "siblings": [item(other) for other in story.siblings],
        "decision": story.decision and DecisionShown.model_validate(story.decision),
    })  # fmt: skip


def _values(one: Review) -> dict[str, Any]:
    names = ReviewItem.model_fields.keys() - {"mode", "needs"}
    return {name: getattr(one, name) for name in names} | {"mode": one.mode.value, "needs": dict(one.needs)}


def _said(entry: Log) -> Said:
    return Said.model_validate(entry)
