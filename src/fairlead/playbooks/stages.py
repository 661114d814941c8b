"""What each kind of stage does to a case; only `wait` reads the database, none writes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fairlead.actions import MESSAGE, ActionDraft
from fairlead.checkpoints import DECISION, Ask, CheckpointState, Path, Proposal, Ruled, rule_asks
from fairlead.customers import family_of
from fairlead.errors import FairleadError, InputError
from fairlead.kit import events
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.clock import from_micros, iso
from fairlead.kit.expressions import Environment, Unevaluable
from fairlead.kit.jsons import dumps
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.playbooks.live import LiveCase
from fairlead.playbooks.model import (
    ActStage,
    BranchStage,
    CaseState,
    CheckpointStage,
    SpawnStage,
    Stage,
    StepFailure,
    StepResult,
    StepStage,
    WaitStage,
    back_off,
)
from fairlead.playbooks.results import MAX_FACTS_CHARS, checked_batch
from fairlead.playbooks.steps import StepRun
from fairlead.reviews import draft_review, wants_review

MAX_CHILDREN = 1_000
MAX_SCORE = 1e300
MAX_VALUE = 2**43
"""Whole units of money that a proposal can be worth; beyond it, the value counts as not known."""
_OWN_WAITS = frozenset({DECISION, "action", "case.ended", "time"})
_PRODUCER = re.compile(r"[^\s@]{1,80}@[^\s@]{1,20}")
_FIELD = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def run_step(stage: StepStage, run: StepRun, cases: Sequence[LiveCase], *, plain: bool = False) -> None:
    """Call a pure step for all cases at once; a call that crashes is halved until the culprit stands alone."""
    inputs = [case.as_input() for case in cases]
    try:
        results = checked_batch(stage.step, run(inputs), len(cases), plain=plain)
    except (Exception, SystemExit) as error:  # noqa: BLE001  a step may raise anything; its neighbours go on
        if len(cases) == 1:
            cases[0].fail("step_crashed", f"{stage.step}: {type(error).__name__}: {error}")
            return
        middle = len(cases) // 2
        run_step(stage, run, cases[:middle], plain=plain)
        run_step(stage, run, cases[middle:], plain=plain)
        return
    for case, result in zip(cases, results, strict=True):
        take_result(stage, case, result)


def take_result(stage: StepStage, case: LiveCase, result: StepResult) -> None:
    """Move on with what a step found, or try again later, or into the exceptions queue."""
    if not isinstance(result, StepFailure):
        case.go("next", stage.next["next"], result)
    elif result.retry and case.attempt <= stage.retries:
        case.note("case.step_failed", {"stage": stage.name, "code": result.code, "attempt": case.attempt})
        case.retry_at(case.now + back_off(case.attempt))
    else:
        case.fail(result.code, result.words)


def branch(stage: BranchStage, environment: Environment, cases: Sequence[LiveCase]) -> None:
    """Send each case to the first arm whose condition holds; one that cannot be evaluated is an exception."""
    for case in cases:
        bound = environment.bind(case.facts)
        target = stage.otherwise
        for condition, arm in stage.arms:
            holds = condition.evaluate(bound)
            if isinstance(holds, Unevaluable):
                case.fail("branch", f"`{condition.source}` cannot be evaluated: {holds.reason}")
                break
            if holds:
                target = arm
                break
        if not case.stopped:
            case.go("next", target)


def take_decision(
    stage: CheckpointStage,
    state: CheckpointState,
    cases: Sequence[LiveCase],
    known: Mapping[str, Mapping[str, Any]],
    seed: bytes,
    minor_digits: int,
) -> None:
    """Rule on what the machine proposes for each case: act on it, ask a person, or refuse."""
    asked: list[tuple[LiveCase, Ask]] = []
    for case in cases:
        try:
            asked.append((case, _ask(stage, case, known.get(case.customer_id or ""), minor_digits)))
            proposal = asked[-1][1].proposal
            state.policy.answer.check(proposal.answer)
            _ = proposal.digest  # says whether it can be stored, and is kept for the ruling
        except FairleadError as error:
            if asked and asked[-1][0] is case:
                asked.pop()
            case.fail("proposal", error.message)
    ruled = rule_asks(state, [ask for _, ask in asked], seed, minor_digits=minor_digits)
    for (case, _), item in zip(asked, ruled, strict=True):
        _follow(stage, state, case, item)


def _ask(stage: CheckpointStage, case: LiveCase, known: Mapping[str, Any] | None, minor_digits: int) -> Ask:
    facts = case.facts
    value = facts.get(stage.value) if stage.value else None
    score = facts.get(stage.score) if stage.score else None
    proposal = Proposal(
        checkpoint=stage.checkpoint,
        answer={name: facts[fact] for name, fact in stage.answer.items() if facts.get(fact) is not None},
        producer=_producer_of(stage, facts),
        score=_score(score),
        value_minor=_minor(value, minor_digits),
        signals={name: facts[name] for name in stage.signals if name in facts},
    )
    return Ask(f"{case.id}/{stage.name}/{case.hops}", proposal, facts.copy(), known, case.id, case.customer_id)


def _producer_of(stage: CheckpointStage, facts: Mapping[str, Any]) -> str:
    if stage.producer_fact is None:
        return stage.producer
    found = facts.get(stage.producer_fact)
    if not isinstance(found, str) or not _PRODUCER.fullmatch(found):
        words = f"the fact {stage.producer_fact!r} should say who proposes, as name@version"
        message = f"{words}; it is {str(found)[:80]!r}"
        raise InputError(message, code="no_producer")
    return found


def _score(value: Any) -> float | None:
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= MAX_SCORE
    return float(value) if usable else None


def _minor(value: Any, digits: int) -> int | None:
    """None, which is missing information, for what is no amount of money."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= MAX_VALUE:
        return None
    minor: int = round(value * 10**digits)
    return minor


def _follow(stage: CheckpointStage, state: CheckpointState, case: LiveCase, item: Ruled) -> None:
    ruling = item.ruling
    case.ruled.append(item)
    payload = {
        "stage": stage.name,
        "ruling": item.id,
        "checkpoint": ruling.checkpoint,
        "path": ruling.path.value,
        "segment": ruling.segment,
        "rules": ruling.rules,
        "needs_information": ruling.needs_information,
        "policy": ruling.policy_version,
        "proposal": ruling.proposal_digest,
    }
    if wants_review(ruling):
        title = title_of(stage.title, case.facts) or f"{case.subject_kind} {case.subject_id}"
        case.reviews.append((item, draft_review(item, state.policy.review, title, playbook=case.playbook)))
        payload["label"] = ruling.label_way.value
    if ruling.path is Path.AUTO:
        case.note("ruling.made", payload, Actor(ActorKind.MACHINE, ruling.producer))
        case.automatic = None if state.never_stopped else ruling.checkpoint
        case.go("approved", stage.next["approved"], item.ask.proposal.answer)
        return
    case.note("ruling.made", payload)
    if ruling.path is Path.BLOCKED:
        case.go("blocked", stage.next["blocked"])
        return
    case.wait(DECISION, item.id, None)


def title_of(template: str, facts: Mapping[str, Any]) -> str:
    """`{name} {company}` filled from facts; missing ones leave nothing behind. At most 300 characters."""
    filled = _FIELD.sub(lambda match: str(facts.get(match[1]) or ""), template)
    return " ".join(filled.split()).strip(" ,·-")[:300]


def act(stage: ActStage, cases: Sequence[LiveCase], minor_digits: int) -> None:
    """Queue the effect; its idempotency key is the case, the stage and how often the case came by."""
    for case in cases:
        body = _body(stage, case)
        if len(dumps(body)) > MAX_FACTS_CHARS:
            case.fail("body_too_large", f"what {stage.name!r} would hand over is too large")
            continue
        draft = ActionDraft(
            idempotency_key=f"{case.id}/{stage.name}/{case.hops}",
            connector=stage.connector,
            kind=stage.kind,
            body=body,
            playbook=case.playbook,
            checkpoint=case.automatic,
            case_id=case.id,
            customer_id=case.customer_id,
            serial_key=case.serial_key,
            expires_at=case.now + stage.expires if stage.expires is not None else None,
            priority=stage.priority,
            value_minor=_minor(case.facts.get(stage.value), minor_digits) if stage.value else None,
        )
        case.actions.append((draft, not stage.detach))
        case.mark_at = case.now
        case.note("action.queued", {"stage": stage.name, "connector": stage.connector, "key": draft.idempotency_key})
        if stage.detach:
            case.go("next", stage.next["next"])
        else:
            case.wait("action", "", None)  # the key is the action's id, known once it is stored


def _body(stage: ActStage, case: LiveCase) -> dict[str, Any]:
    """What is handed over: facts by name, fixed words, and the template's fields, without those that are not known.

    Messages of one case are one thread, unless the body names another.
    """
    body: dict[str, Any] = {name: case.facts.get(fact) for name, fact in stage.body.items()}
    body |= stage.words
    if "template" in stage.words or stage.fields:
        known = {name: case.facts.get(fact) for name, fact in stage.fields.items()}
        body["fields"] = {name: value for name, value in known.items() if value is not None}
    if stage.connector == MESSAGE and not body.get("thread"):
        body["thread"] = case.id
    return body


def wait(reader: Reader, stage: WaitStage, case: LiveCase) -> None:
    """Rest until the event or the timer; an event that came since the case's mark ends the wait at once."""
    until = case.now + stage.timeout if stage.timeout is not None else None
    payload = {"stage": stage.name, "for": stage.event or "time", "until": iso(until) if until else None}
    if stage.event is None:
        case.note("case.waiting", payload)
        case.wait("time", "", until)
        return
    if case.customer_id is None:
        case.fail("no_customer", f"waits for {stage.event!r}, which is told by customer, and has no customer")
        return
    early = _heard(reader, stage.event, case.customer_id, case.mark_at)
    if early is not None:
        found = early.payload.get("found")
        case.pass_event(early.at or case.now)
        case.go(stage.event, stage.next[stage.event], found if isinstance(found, Mapping) else None)
    else:
        case.note("case.waiting", payload)
        case.wait(stage.event, case.customer_id, until)


def _heard(reader: Reader, event_type: str, customer_id: str, mark: datetime) -> events.Event | None:
    """The first such event since the mark about this customer, under whichever of their merged records' ids."""
    found = [events.since(reader, event_type, one, mark) for one in family_of(reader, customer_id)]
    return min(filter(None, found), key=lambda event: event.at or mark, default=None)


def heed_events(uow: UnitOfWork, cases: Sequence[LiveCase]) -> None:
    """Let cases look again that are about to wait for an event which came while they were being moved."""
    for case in cases:
        if waits_for_customer(case) and _heard(uow, case.wait_type or "", case.wait_key or "", case.mark_at):
            case.state, case.wait_type, case.wait_key, case.due_at = CaseState.READY, None, None, None


def waits_for_customer(case: LiveCase) -> bool:
    """Whether it is about to wait for an event about its customer, as opposed to a decision or an action."""
    return case.state is CaseState.WAITING and case.wait_type not in _OWN_WAITS


def spawn(stage: SpawnStage, cases: Sequence[LiveCase]) -> None:
    """Start a child per item of the list fact; no item means that there is nothing to wait for."""
    for case in cases:
        items = case.facts.get(stage.each) or []
        if not isinstance(items, list) or len(items) > MAX_CHILDREN:
            case.fail("spawn", f"{stage.each!r} must be a list of at most {MAX_CHILDREN} items")
            continue
        case.note("case.spawned", {"stage": stage.name, "playbook": stage.playbook, "children": len(items)})
        if not items:
            case.go("done", stage.next["done"])
            continue
        case.children += [(stage.playbook, item if isinstance(item, dict) else {"item": item}) for item in items]
        case.wait("case.ended", case.id, None)


def resume(stage: Stage, case: LiveCase) -> None:
    """Go on after a wait with the signal that ended it; an outcome without a next stage is an exception."""
    signal = case.signal or {}
    outcome = str(signal.get("outcome", ""))
    if isinstance(stage, CheckpointStage):
        outcome = outcome if outcome in stage.next else "rejected"
        case.automatic = None
    if outcome not in stage.next:
        detail = signal.get("result") or {}
        words = f"{stage.name!r} ended with {outcome!r}, for which no next stage is named; {dumps(detail)[:500]}"
        case.fail(f"outcome_{outcome}"[:64], words)
        return
    found = signal.get("found")
    if isinstance(signal.get("at"), int):
        case.pass_event(from_micros(signal["at"]))
    case.go(outcome, stage.next[outcome], found if isinstance(found, Mapping) else None)
