"""The whole story of one case: where it was and how long, what was ruled and why, who decided, what it waits for."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from fairlead import audit, reviews
from fairlead.actions import actions_of_case
from fairlead.api import naming, story, timeline
from fairlead.api.case_shapes import ActionShown, ProblemShown, SubjectShown
from fairlead.api.discretion import discreet_facts, discreet_record
from fairlead.api.shapes import Shown
from fairlead.checkpoints import explain, explain_for_customer, recall, rulings_of_case
from fairlead.errors import FairleadError
from fairlead.kit import jsons
from fairlead.kit.clock import from_micros
from fairlead.playbooks import (
    KIND_WORDS,
    CaseState,
    case_summary,
    current_bundle,
    deviations_of_case,
    kind_of,
    read_case,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fairlead.kit.unit_of_work import Reader
    from fairlead.playbooks import BundleLibrary, Playbook
    from fairlead.reviews import Review

MAX_HISTORY = 2_000
FAR_YEAR = 9000
_MOVES = ("case.opened", "case.moved", "case.redirected", "case.skipped", "case.handed_back", "case.interrupted")
_BY_HAND = {"case.redirected": "redirected", "case.skipped": "skipped", "case.handed_back": "handed back"}


class Visit(Shown):
    """A stay of the case at a stage; `left_at`, `seconds` and `outcome` are null for the one it stands at."""

    stage: str
    kind: str | None = Field(description="step, checkpoint, act, wait, branch, spawn or end; null when not known.")
    entered_at: datetime
    left_at: datetime | None = None
    seconds: float | None = None
    outcome: str | None = None


class StoryReason(Shown):
    """Why a step of a ruling left fewer paths: the rule, its words, and the values it read."""

    code: str
    rule: str | None
    words: str
    path: str
    read: dict[str, Any]


class StoryStep(Shown):
    """One of the seven steps of a ruling with the paths it left."""

    number: int
    name: str
    left: list[str]
    reasons: list[StoryReason]


class StoryRuling(Shown):
    """A ruling with what was decided; everything that would tell is empty while an answer is awaited."""

    id: str
    checkpoint: str
    at: datetime
    path: str
    segment: str
    producer: str
    withheld: bool
    explanation: str
    for_customer: str
    score: float | None
    proposal: dict[str, Any] | None
    steps: list[StoryStep]
    verdict: str | None
    answer: dict[str, Any] | None
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None


class StoryDeviation(Shown):
    """A departure from the standard path."""

    kind: str
    words: str
    at: datetime
    by: str
    stage: str
    to: str | None
    reason: str
    detail: str


class Waiting(Shown):
    """What the case waits for now; `until` null: for as long as it takes."""

    what: str
    until: datetime | None
    by: str | None = Field(None, description="Who is to do something, or has it in hand.")


class CaseStory(Shown):
    """A case from its opening to now."""

    id: str
    playbook: str
    bundle: str
    is_current: bool = Field(description="Whether it runs under the version that is deployed now.")
    subject: SubjectShown
    customer: str | None
    state: str
    stage: str
    end: str | None
    opened_at: datetime
    ended_at: datetime | None
    withheld: bool
    facts: dict[str, Any]
    problem: ProblemShown | None
    waits: Waiting | None
    visits: list[Visit]
    rulings: list[StoryRuling]
    actions: list[ActionShown]
    deviations: list[StoryDeviation]


def case_story(reader: Reader, library: BundleLibrary, case_id: str, now: datetime) -> CaseStory:
    """Read it; NotFoundError when there is none. What is withheld from who answers blind is withheld here, too.

    So is what needs `sensitive:read`: nobody knows who looks.
    """
    row = read_case(reader, case_id)
    summary = case_summary(row)
    work = reviews.of_case(reader, case_id)
    hidden = timeline.withheld_rulings(work)
    playbook = _playbook(reader, library, row)
    name = naming.actor_namer(reader)
    return CaseStory(
        id=row.id,
        playbook=row.playbook,
        bundle=row.bundle,
        is_current=row.bundle == current_bundle(reader),
        subject=SubjectShown.model_validate(summary["subject"]),
        customer=row.customer_id,
        state=row.state,
        stage=row.stage,
        end=row.end,
        opened_at=row.created_at,
        ended_at=row.ended_at,
        withheld=bool(hidden),
        facts=discreet_facts(story.arrived_facts(reader, case_id) if hidden else row.facts),
        problem=ProblemShown.model_validate(row.problem) if row.problem else None,
        waits=_waits(row, work, name, now),
        visits=_visits(reader, row, playbook),
        rulings=[_ruling(one, name, withheld=one.id in hidden) for one in rulings_of_case(reader, case_id)],
        actions=[ActionShown.model_validate(one) for one in actions_of_case(reader, case_id)],
        deviations=[
            StoryDeviation(
                kind=one.kind.value, words=KIND_WORDS[one.kind], at=one.at, by=name(one.actor) if one.actor else "",
                stage=one.stage, to=one.to_stage, reason=one.reason, detail=one.detail,
            )
            for one in deviations_of_case(reader, row, playbook, now)
        ],
    )  # fmt: skip


def for_customer(reader: Reader, case_id: str) -> list[str]:
    """A sentence or two for each ruling on the case, fit for the customer; oldest first."""
    read_case(reader, case_id)
    return [explain_for_customer(recall(one.record)) for one in rulings_of_case(reader, case_id)]


def _playbook(reader: Reader, library: BundleLibrary, row: Any) -> Playbook | None:
    try:
        return library.load(reader, row.bundle).playbooks[row.playbook].playbook
    except FairleadError:  # its version needs what this build lacks; the story is told without its kinds
        return None


def _visits(reader: Reader, row: Any, playbook: Playbook | None) -> list[Visit]:
    found: list[Visit] = []
    for entry in audit.history(reader, [row.id], MAX_HISTORY):
        if entry.verb not in _MOVES or entry.body is None:
            continue
        body = jsons.loads(entry.body)
        at = from_micros(entry.at)
        if found:
            last = found[-1]
            outcome = body.get("outcome") or _BY_HAND.get(entry.verb) or f"interrupted by {body.get('event')}"
            seconds = (at - last.entered_at).total_seconds()
            found[-1] = last.model_copy(update={"left_at": at, "outcome": outcome, "seconds": seconds})
        stage = str(body.get("stage") if entry.verb == "case.opened" else body.get("to"))
        known = playbook.stages.get(stage) if playbook else None
        found.append(Visit(stage=stage, kind=kind_of(known) if known else None, entered_at=at))
    return found


def _ruling(row: Any, name: Callable[[str], str], *, withheld: bool) -> StoryRuling:
    ruling = recall(discreet_record(row.record))
    values = ruling.facts.values
    steps = [
        StoryStep(
            number=step.number, name=step.name, left=[path.value for path in step.left],
            reasons=[
                StoryReason(
                    code=one.code, rule=one.rule, words=one.words or one.detail, path=one.path.value,
                    read={fact: values.get(fact) for fact in one.reads},
                )
                for one in step.reasons
            ],
        )
        for step in ruling.steps
    ]  # fmt: skip
    return StoryRuling(
        id=row.id, checkpoint=row.checkpoint, at=row.created_at, path=row.path, segment=row.segment,
        producer=row.producer, withheld=withheld,
        explanation="A person answers this without seeing the proposal." if withheld else explain(ruling),
        for_customer=explain_for_customer(recall(row.record)),
        score=None if withheld else row.score,
        proposal=None if withheld else row.proposal["answer"],
        steps=[] if withheld else steps,
        verdict=row.verdict,
        answer=None if withheld else row.answer,
        decided_by=name(row.decided_by) if row.decided_by else None,
        decided_at=row.decided_at,
        reason=row.reason or None,
    )  # fmt: skip


def _waits(row: Any, work: Sequence[Review], name: Callable[[str], str], now: datetime) -> Waiting | None:
    state = CaseState(row.state)
    until = row.due_at if row.due_at.year < FAR_YEAR else None
    if state is CaseState.ENDED:
        return None
    if state is CaseState.EXCEPTION:
        return Waiting(what="somebody who retries, skips, redirects, takes over or cancels it", until=None)
    if state is CaseState.PAUSED:
        held = row.resume or {}
        taken = held.get("taken_by")
        what = "the person who took it over" if taken else "somebody who resumes it"
        return Waiting(what=what, until=None, by=name(taken or held.get("by") or ""))
    if state is CaseState.READY:
        return Waiting(what="the next free worker", until=until if until and until > now else None)
    one = next((each for each in work if each.is_open and each.ruling_id == row.wait_key), None)
    if one is not None:
        people = ", ".join(f"{count} × {role}" for role, count in one.needs)
        return Waiting(what=f"a decision at {one.checkpoint} ({people})", until=one.due_at, by=one.claimer_name or None)
    what = {
        "decision": "a decision to take effect", "action": "the result of its effect", "time": "time to pass",
        "case.ended": "the cases that it started",
    }.get(row.wait_type, f"the event {row.wait_type}")  # fmt: skip
    return Waiting(what=what, until=until)
