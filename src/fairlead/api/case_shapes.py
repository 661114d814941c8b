"""Cases and events as the API shows and takes them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from fairlead.api.asking import CustomerBody
from fairlead.api.review_shapes import ReviewItem
from fairlead.api.shapes import Reason, Sent, Shown, Text, Version
from fairlead.api.telling import Happened
from fairlead.customers import Identity
from fairlead.playbooks import CaseVerb

MAX_FACTS = 500


class SteerWord(StrEnum):
    """What may be done to a case, as it stands in an address."""

    PAUSE = "pause"
    RESUME = "resume"
    REDIRECT = "redirect"
    SKIP = "skip"
    TAKE_OVER = "take-over"
    HAND_BACK = "hand-back"
    CANCEL = "cancel"
    RETRY = "retry"

    @classmethod
    def _missing_(cls, value: object) -> SteerWord | None:
        """The command line's older `take_over` means the same."""
        known = {word.value: word for word in cls}
        return known.get(value.replace("_", "-")) if isinstance(value, str) else None

    @property
    def verb(self) -> CaseVerb:
        """As the engine calls it."""
        return CaseVerb(self.value.replace("-", "_"))


class SubjectShown(Shown):
    """What a case is about."""

    kind: str
    id: str


class ProblemShown(Shown):
    """Why a case is in the exceptions queue."""

    stage: str
    code: str
    words: str


class CaseItem(Shown):
    """One run of a playbook, for a list."""

    id: str
    playbook: str
    stage: str
    state: str = Field(description="ready, waiting, paused, exception or ended")
    subject_id: str
    customer_id: str | None
    problem: ProblemShown | None
    end: str | None = Field(description="Under which name it ended.")
    created_at: datetime
    changed_at: datetime


class CasePage(Shown):
    """Some cases, newest first; `next` continues behind the last, null at the end."""

    items: list[CaseItem]
    next: str | None


class RulingShown(Shown):
    """One proposal of the case: the path chosen and why, and what was decided."""

    id: str
    checkpoint: str
    path: str
    segment: str
    producer: str
    explanation: str | None = Field(description="null while an answer without the proposal is awaited.")
    proposal: dict[str, Any] | None = Field(description="null while withheld, as `explanation`.")
    score: float | None
    value_minor: int | None
    created_at: datetime
    verdict: str | None
    answer: dict[str, Any] | None
    decided_by: str | None
    reason: str | None
    decided_at: datetime | None


class ActionShown(Shown):
    """An effect of the case; `attempts` counts deliveries, `problem` says why the last is tried again."""

    id: str
    connector: str
    kind: str
    state: str
    attempts: int
    due_at: datetime
    result: dict[str, Any] | None
    problem: str | None
    created_at: datetime
    done_at: datetime | None


class CaseDetail(Shown):
    """A case with all that happened to it."""

    id: str
    playbook: str
    version: int = Field(description="Send it back when steering, to be refused if the case has moved since.")
    bundle: str = Field(description="Digest of the workspace version that it runs under.")
    stage: str
    state: str
    subject: SubjectShown
    customer: str | None
    withheld: bool = Field(
        description="While a review awaits an answer without the proposal, what steps found is kept back."
    )
    facts: dict[str, Any]
    waits: dict[str, str | None] | None
    problem: ProblemShown | None
    taken_by: str | None
    end: str | None
    created_at: datetime
    changed_at: datetime
    reviews: list[ReviewItem]
    rulings: list[RulingShown]
    actions: list[ActionShown]
    history: list[Happened] = Field(description="Oldest first; the newest 500 entries.")


class CaseCustomer(CustomerBody):
    """The customer, by exactly one of id, email, phone and external_id; made when nobody has it."""

    name: Annotated[str, StringConstraints(max_length=200)] = ""
    company: Annotated[str, StringConstraints(max_length=200)] = ""
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] | None = None
    language: Annotated[str, StringConstraints(max_length=35)] | None = Field(None, description="BCP 47.")

    def parts(self) -> tuple[str | None, Identity | None]:
        """As `CustomerBody.parts`; name and the like identify nobody."""
        return CustomerBody(**{name: getattr(self, name) for name in CustomerBody.model_fields}).parts()


class StartBody(Sent):
    """A case to be started."""

    playbook: Text
    idempotency_key: Text = Field(
        description="The same for every attempt; a second one gives the same case. Kept 30 days."
    )
    subject: Text | None = Field(None, description="Your id of the lead, ticket or order; made up when absent.")
    customer: CaseCustomer | None = None
    facts: Annotated[dict[Text, Any], Field(max_length=MAX_FACTS)] = Field(
        default_factory=dict, description="What is known; the playbook names what it reads."
    )


class CaseStarted(Shown):
    """The case of this idempotency key; `is_new` false when an earlier attempt started it."""

    id: str
    is_new: bool


class SteerBody(Sent):
    """How to step into a running case."""

    stage: Text | None = Field(None, description="For redirect and hand-back: where to put it.")
    reason: Reason = ""
    version: Version | None = Field(None, description="Refused with 409 when the case has another one by now.")


class Steered(Shown):
    """Where the case stands afterwards."""

    id: str
    state: str
    stage: str
    version: int


class EventBody(Sent):
    """Something that happened, which a case may wait for or be interrupted by."""

    type: Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_-]{0,63}$")] = Field(
        description="As playbooks name it: replied, opted_out, …"
    )
    customer: CustomerBody
    payload: Annotated[dict[Text, Any], Field(max_length=MAX_FACTS)] = Field(
        default_factory=dict,
        description="An object under `found` is added to the facts of the case that waited.",
    )
    id: Text | None = Field(None, description="Yours; the same event again is harmless.")


class EventTaken(Shown):
    """Whether it was new; false when you sent one of this id before."""

    customer: str
    is_new: bool
