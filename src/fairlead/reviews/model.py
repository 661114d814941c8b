"""Reviews as plain data: what is asked of a person, what they may answer, where it stands in the queue."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from fairlead.errors import InputError
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.clock import to_micros
from fairlead.kit.jsons import digest as digest_of
from fairlead.reviews.binding import Needs, bind, cast_as, matter, role_part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fairlead.kit.unit_of_work import UnitOfWork

MAX_PRIORITY = 100
MAX_QUORUM = 20
MAX_ROLES = 10
MAX_REASON_CHARS = 4_000
MAX_TITLE_CHARS = 300
TITLE_KEY_CHARS = 80
MAX_SNOOZE = timedelta(days=366)
_CREATED_BITS = 52  # microseconds since 1970 fit until the year 2112
_LATEST_CREATED = datetime(2112, 1, 1, tzinfo=UTC)


class State(enum.StrEnum):
    """Where a review is; the last three are final, but for a verdict that is taken back in time."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    DECIDED = "decided"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


OPEN_STATES = (State.WAITING, State.CLAIMED)


class Verb(enum.StrEnum):
    """Everything that can happen to a review after it was opened."""

    CLAIM = "claim"
    RELEASE = "release"
    HEARTBEAT = "heartbeat"
    SNOOZE = "snooze"
    UNSNOOZE = "unsnooze"
    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"
    ANSWER = "answer"
    CANNOT_TELL = "cannot_tell"  # an answer, too, but only where the answer is a label
    ESCALATE = "escalate"
    REQUEST_INFO = "request_info"
    RESUME = "resume"  # the information asked for has come
    RETURN = "return"
    UNDO = "undo"
    REBIND = "rebind"  # what a verdict binds to changed while the review was open
    LAPSE = "lapse"  # the claim's lease ran out
    OVERDUE = "overdue"  # the clock ran out and the review goes on waiting
    PASS_ON = "pass_on"  # noqa: S105  the clock ran out and another role takes over
    EXPIRE = "expire"
    WITHDRAW = "withdraw"


NEED_REASON = frozenset({Verb.REJECT, Verb.EDIT, Verb.CANNOT_TELL, Verb.ESCALATE, Verb.REQUEST_INFO, Verb.RETURN})
VERDICTS = NEED_REASON | {Verb.APPROVE, Verb.ANSWER}
NEED_ANSWER = frozenset({Verb.EDIT, Verb.ANSWER})


class Kind(enum.StrEnum):
    """What becomes of the answer: it decides, it only shows whether the machine was right, or it is told to the
    customer who asked that a person looks at what the machine decided.
    """

    DECISION = "decision"
    LABEL = "label"
    APPEAL = "appeal"


class Mode(enum.Enum):
    """What the page shows: the proposal (assist), the question alone (human), the question first (blind), or
    the question alone although the machine has decided it already (label).
    """

    ASSIST = "assist"
    HUMAN = "human"
    BLIND = "blind"
    LABEL = "label"

    @classmethod
    def of(cls, path: str, *, blind: bool, kind: str = Kind.DECISION) -> Mode:
        """A human answer is its own label, so only an assisted review is asked twice when it is blind."""
        if kind != Kind.DECISION:
            return cls.LABEL
        if path == "human":
            return cls.HUMAN
        return cls.BLIND if blind else cls.ASSIST


class Bucket(enum.StrEnum):
    """What is counted; an open review is in exactly one of the first five (its shelf) and in any of the
    others.
    """

    FREE = "free"  # anybody with the role may take it
    ASSIGNED = "assigned"  # waits for one person
    CLAIMED = "claimed"
    SNOOZED = "snoozed"
    PAUSED = "paused"  # its clock stands still until information comes
    OVERDUE = "overdue"
    NEEDS_INFORMATION = "needs_information"
    LABEL = "label"  # drawn, to be answered after the machine decided


CLOSED_SHELF = "closed"


@dataclass(frozen=True, slots=True)
class Reviewer:
    """A person at the desk, with the roles they hold now."""

    id: str
    roles: frozenset[str]
    name: str = ""

    @property
    def actor(self) -> Actor:
        """How the audit record names them."""
        return Actor(ActorKind.USER, self.id)


@dataclass(frozen=True, slots=True)
class ReviewDraft:
    """A review to be opened.

    `path` is assist or human. `proposal_digest` and `facts_digest` are SHA-256 in hex of what is proposed and
    of the facts shown and read by rules. `priority` runs from 0 to 100, higher first. `due_at` None: no
    clock. `needs` says how many people of which roles must agree, all different; the first role looks at it
    first. Where one role decides, `role` and `quorum` say the same. `on_expiry` is `wait`, `reject`,
    `withdraw` or `escalate:ROLE`. `value_minor` None: not known. A label and an appeal have one decider and no
    expiry; a label comes behind every decision whatever its priority.
    """

    ruling_id: str
    checkpoint: str
    path: str
    title: str
    segment: str
    proposal_digest: str
    facts_digest: str
    needs: Needs = ()
    role: str = ""
    quorum: int = 1
    blind: bool = False
    needs_information: bool = False
    priority: int = 50
    on_expiry: str = "wait"
    playbook: str | None = None
    case_id: str | None = None
    customer_id: str | None = None
    value_minor: int | None = None
    due_at: datetime | None = None
    kind: Kind = Kind.DECISION

    def __post_init__(self) -> None:
        """Refuse with InputError what could never be decided or never be found in the queue."""
        if self.path not in {"assist", "human"}:
            raise InputError(f"A review's path is assist or human, not {self.path!r}.", path=self.path)
        if not 0 <= self.priority <= MAX_PRIORITY:
            raise InputError(f"A priority runs from 0 to {MAX_PRIORITY}.", priority=self.priority)
        if not self.needs:
            object.__setattr__(self, "needs", ((self.role, self.quorum),))
        check_needs(self.needs)
        if not self.title:
            raise InputError("A review needs a title.", title=self.title)
        parse_expiry(self.on_expiry)
        alone = [count for _, count in self.needs] == [1]
        if self.kind is not Kind.DECISION and (self.path != "human" or self.on_expiry != "wait" or not alone):
            message = f"A {self.kind} is one person's answer, without the proposal and without an end."
            raise InputError(message, kind=self.kind)

    @property
    def digest(self) -> str:
        """What a verdict on this review binds to."""
        return bind(self.proposal_digest, self.facts_digest, self.needs[0][0], self.needs)


@dataclass(frozen=True, slots=True)
class Review:
    """A review as stored; the fields are the columns of the same name."""

    id: str
    ruling_id: str
    checkpoint: str
    kind: str
    playbook: str | None
    case_id: str | None
    customer_id: str | None
    path: str
    blind: bool
    state: str
    title: str
    segment: str
    needs_information: bool
    value_minor: int | None
    priority: int
    role: str
    quorum: int
    needs: Needs
    assignee: str | None
    claimed_by: str | None
    claimer_name: str | None
    claimed_until: datetime | None
    snoozed_until: datetime | None
    paused_at: datetime | None
    clock_left: int | None
    due_at: datetime | None
    overdue_since: datetime | None
    on_expiry: str
    digest: str
    version: int
    created_at: datetime
    closed_at: datetime | None
    effective_at: datetime | None

    @property
    def mode(self) -> Mode:
        """What the page shows now."""
        return Mode.of(self.path, blind=self.blind, kind=self.kind)

    @property
    def is_label(self) -> bool:
        """Whether the machine decided already, and the answer is only compared with what it did."""
        return self.kind != Kind.DECISION

    @property
    def is_appeal(self) -> bool:
        """Whether the customer asked for it, and is told the answer."""
        return self.kind == Kind.APPEAL

    @property
    def is_open(self) -> bool:
        """Whether somebody may still act on it."""
        return self.state in OPEN_STATES

    def held_by_other(self, person: str, now: datetime) -> bool:
        """Whether somebody else's claim is in force at `now`."""
        return self.held(now) and self.claimed_by != person

    def held(self, now: datetime) -> bool:
        """Whether anybody's claim is in force; a lease ends at `claimed_until` sharp."""
        return self.state == State.CLAIMED and self.claimed_until is not None and self.claimed_until > now

    @property
    def shelf(self) -> str:
        """The shelf of the queue it stands on: a claim counts before a snooze, a snooze before a pause."""
        if not self.is_open:
            return CLOSED_SHELF
        if self.state == State.CLAIMED:
            return Bucket.CLAIMED
        if self.snoozed_until is not None:
            return Bucket.SNOOZED
        if self.paused_at is not None:
            return Bucket.PAUSED
        return Bucket.FREE if self.assignee is None else Bucket.ASSIGNED

    @property
    def buckets(self) -> frozenset[str]:
        """Where it is counted; nowhere once it is closed."""
        if not self.is_open:
            return frozenset()
        others = {
            Bucket.OVERDUE: self.overdue_since is not None,
            Bucket.NEEDS_INFORMATION: self.needs_information,
            Bucket.LABEL: self.kind == Kind.LABEL,
        }
        return frozenset([self.shelf, *(bucket for bucket, inside in others.items() if inside)])


@dataclass(frozen=True, slots=True)
class Given:
    """What a person says about a review.

    `digest` is the one of the page they looked at. `answer` belongs to edit and answer only: an approval
    takes the proposal as it stands. `to_role` and `to_person` belong to escalate only.
    """

    verdict: Verb
    digest: str
    answer: Any = None
    reason: str = ""
    to_role: str | None = None
    to_person: str | None = None

    def __post_init__(self) -> None:
        """Refuse with InputError what can be seen to be wrong without looking at the review."""
        if self.verdict not in VERDICTS:
            raise InputError(f"{str(self.verdict)!r} is not a verdict.", verdict=str(self.verdict))
        if self.verdict in NEED_REASON and not self.reason.strip():
            raise InputError(f"Say why: {self.verdict} needs a reason.", code="reason_missing", verdict=self.verdict)
        if "\x00" in self.reason or self.reason != self.reason.encode("utf-8", "replace").decode():
            raise InputError("The reason is not valid text.", code="reason_text")
        if len(self.reason) > MAX_REASON_CHARS:
            raise InputError(f"A reason has at most {MAX_REASON_CHARS} characters.", size=len(self.reason))
        if (self.answer is not None) != (self.verdict in NEED_ANSWER):
            word = "needs an" if self.verdict in NEED_ANSWER else "takes no"
            raise InputError(f"{self.verdict} {word} answer.", code="answer_shape", verdict=self.verdict)
        if self.verdict is Verb.ESCALATE and not (self.to_role or self.to_person):
            raise InputError("Say to which role or person to escalate.", code="target_missing")


@dataclass(frozen=True, slots=True)
class Vote:
    """One row of the verdict log, as far as counting needs it; `answer_key` is the same for equal answers."""

    person: str
    verdict: str
    answer_key: str
    digest: str


@dataclass(frozen=True, slots=True)
class Log:
    """Something said or done about a review that stays on record; `undone_at`: when it was taken back."""

    id: str
    review_id: str
    verdict: str
    actor: str
    name: str
    answer: Any
    reason: str
    digest: str
    at: datetime
    undone_at: datetime | None


class Settlement(Protocol):
    """What makes a verdict the decision of its ruling; the checkpoints implement it."""

    def settle(
        self,
        uow: UnitOfWork,
        ruling_id: str,
        verdict: str,
        answer: Any,
        actor: Actor,
        reason: str,
        effective_at: datetime,
    ) -> object:
        """Store the decision, to take effect at `effective_at`.

        `verdict` is approve, edit, reject, answer or expired; `answer` None means the proposal's own for
        approve, and that nothing is to be done for reject and expired. ConflictError, before anything is
        written, when the ruling has its decision already.
        """
        ...

    def unsettle(self, uow: UnitOfWork, ruling_id: str) -> bool:
        """Take the decision back; False when it took effect already or is not there."""
        ...


class Labelling(Protocol):
    """What keeps answers that were given without the proposal; the evidence implements it."""

    def keep(self, uow: UnitOfWork, review: Review, answer: Any, actor: Actor) -> object:
        """Keep the answer to a review (as it was when it was given) if its decision was drawn.

        `answer` None: the person could not tell. The first answer to a review stays, whatever becomes of the
        verdict: a later one is given by somebody who has seen the proposal.
        """
        ...


def parse_expiry(on_expiry: str) -> tuple[Verb, str | None]:
    """What the timer does at `due_at`, with the role that takes over; InputError for anything else.

    There is no word for approving: a clock that runs out never lets anything through.
    """
    word, _, role = on_expiry.partition(":")
    if word == "escalate" and role:
        return Verb.PASS_ON, role
    plain = {"wait": Verb.OVERDUE, "reject": Verb.EXPIRE, "withdraw": Verb.WITHDRAW}
    if role or word not in plain:
        message = f"on_expiry is wait, reject, withdraw or escalate:ROLE, not {on_expiry!r}."
        raise InputError(message, on_expiry=on_expiry)
    return plain[word], None


def rank_of(priority: int, created_at: datetime, kind: str = Kind.DECISION) -> int:
    """One ascending number for "higher priority first, then older first, labels last"; ties are broken by id."""
    if created_at >= _LATEST_CREATED:
        raise InputError("A review cannot be dated after 2111.", created_at=created_at)
    place = MAX_PRIORITY + 1 if kind == Kind.LABEL else MAX_PRIORITY - priority
    return (place << _CREATED_BITS) | max(to_micros(created_at), 0)


def clean_title(title: str) -> str:
    """What both databases can store of a title: no NUL, valid Unicode, at most 300 characters."""
    return title[:MAX_TITLE_CHARS].replace("\x00", "").encode("utf-8", "replace").decode()


def title_key(title: str) -> str:
    """What a search by how a title begins looks at: casefolded, single spaces, the first 80 characters."""
    return " ".join(clean_title(title).casefold().split())[:TITLE_KEY_CHARS]


def answer_key(answer: Any) -> str:
    """Equal for equal answers; an approval's None has its own."""
    return "" if answer is None else digest_of(answer)


def check_needs(needs: Needs) -> None:
    """InputError unless each of 1 to 10 different roles needs 1 to 20 people."""
    roles = [role for role, _ in needs]
    if not 1 <= len(needs) <= MAX_ROLES or len(set(roles)) != len(roles) or not all(roles):
        raise InputError(f"A review needs 1 to {MAX_ROLES} different roles.", needs=needs)
    if not all(1 <= count <= MAX_QUORUM for _, count in needs):
        raise InputError(f"A quorum runs from 1 to {MAX_QUORUM}.", needs=needs)


def passed_on(needs: Needs, old: str, new: str) -> Needs:
    """The needs when another role takes over from one; two needs of the same role add up."""
    counts: dict[str, int] = {}
    for role, count in needs:
        name = new if role == old else role
        counts[name] = min(counts.get(name, 0) + count, MAX_QUORUM)
    return tuple(counts.items())


def has_voted(votes: Iterable[Vote], person: str, digest: str) -> bool:
    """Whether this person's vote on what the digest stands for counts already, in whichever role it was
    given.
    """
    return any(vote.person == person and matter(vote.digest) == matter(digest) for vote in votes)


def missing(needs: Needs, votes: Iterable[Vote], key: str, digest: str) -> Needs:
    """What is still needed for this very answer, in the order of the needs; () when it can be settled."""
    people: dict[str, set[str]] = {}
    for vote in votes:
        if vote.answer_key == key and matter(vote.digest) == matter(digest):
            people.setdefault(cast_as(vote.digest), set()).add(vote.person)
    left = ((role, count - len(people.get(role_part(role), ()))) for role, count in needs)
    return tuple((role, count) for role, count in left if count > 0)


def clock_stopped(review: Review, now: datetime) -> dict[str, Any]:
    """The columns that change when the clock pauses: what is left is kept, nothing is due meanwhile."""
    if review.paused_at is not None:
        return {}
    left = None if review.due_at is None else to_micros(review.due_at) - to_micros(now)
    return {"paused_at": now, "clock_left": left, "due_at": None}


def clock_started(review: Review, now: datetime) -> dict[str, Any]:
    """The columns that change when the clock goes on with what was left."""
    if review.paused_at is None:
        return {}
    left = review.clock_left
    due = None if left is None else now + timedelta(microseconds=left)
    return {"paused_at": None, "clock_left": None, "due_at": due}
