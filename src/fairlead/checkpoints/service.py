"""Ruling on proposals, settling them, and the autonomy that people grant or take away."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairlead.actions import Scope, ScopeKind, hold_for, release_for
from fairlead.checkpoints import store
from fairlead.checkpoints.drawing import DrawnKey, count_drawn
from fairlead.checkpoints.draws import draws_for
from fairlead.checkpoints.model import Grant, GrantKey, Level, Path, Proposal, Stop
from fairlead.checkpoints.policy import CheckpointPolicy
from fairlead.checkpoints.record import Ruling
from fairlead.checkpoints.ruling import Question, Ruler
from fairlead.checkpoints.signatures import declared, signature_of
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.clock import iso, to_micros
from fairlead.kit.events import Event, publish, withdraw
from fairlead.kit.ids import new_id, new_ids
from fairlead.kit.jsons import dumps
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

MAX_SCORES_SEEN = 5_000
DECISION = "decision"
"""Type of the event that a decision publishes under its ruling's id, due when it takes effect."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One proposal to rule on.

    `decision_key` is stable over retries and unique within the checkpoint. `subject` is what the case is about
    as it stands, `known` the customer's facts; both are kept with the ruling.
    """

    decision_key: str
    proposal: Proposal
    subject: Mapping[str, Any]
    known: Mapping[str, Any] | None = None
    case_id: str | None = None
    customer_id: str | None = None


@dataclass(frozen=True, slots=True)
class Ruled:
    """An ask with its ruling, not stored yet."""

    id: str
    ask: Ask
    ruling: Ruling
    at: datetime


@dataclass(frozen=True, slots=True)
class CheckpointState:
    """What a ruling depends on besides the proposal, as one read saw it."""

    policy: CheckpointPolicy
    grants: Mapping[GrantKey, Grant]
    stop: Stop | None
    now: datetime
    signed: bool = False
    """Whether somebody signed what this version of the policy declares of itself."""

    @property
    def never_stopped(self) -> bool:
        """Whether stop switches do not reach it: the policy says so and is signed."""
        return self.signed and self.policy.never_stopped


def read_state(reader: Reader, policy: CheckpointPolicy, playbook: str | None, now: datetime) -> CheckpointState:
    """Grants and signature of the policy's checkpoint and the stop switch that applies to it, the widest first."""
    scopes = ["workspace", *([f"playbook:{playbook}"] if playbook else []), f"checkpoint:{policy.checkpoint}"]
    on = {row.scope: row.words for row in store.stops(reader)}
    stop = next((Stop(scope, on[scope]) for scope in scopes if scope in on), None)
    signed = bool(declared(policy)) and signature_of(reader, policy.checkpoint, policy.version) is not None
    return CheckpointState(policy, store.grants_by_key(reader, policy.checkpoint), stop, now, signed)


def rule_asks(state: CheckpointState, asks: Sequence[Ask], seed: bytes, *, minor_digits: int = 2) -> list[Ruled]:
    """Rule on each ask; nothing is stored. InputError for a proposal that is too large or not JSON."""
    ruler = Ruler(
        state.policy, state.grants, now=state.now, stop=state.stop, deterministic_signed=state.signed
    )  # fmt: skip
    ruled = []
    for ruling_id, ask in zip(new_ids("rul", len(asks)), asks, strict=True):
        known = {"subject": ask.subject, "customer": customer_view(ask.known or {})}
        facts = state.policy.collect(ask.proposal, known, now=state.now, minor_digits=minor_digits)
        draws = draws_for(seed, state.policy.checkpoint, ask.decision_key)
        ruled.append(Ruled(ruling_id, ask, ruler.rule(Question(ask.proposal, facts, draws)), state.now))
    return ruled


def customer_view(known: Mapping[str, Any]) -> dict[str, Any]:
    """A customer's facts as policies read them: each flag under its own name, and `flags` as the list of names."""
    flags = known.get("flags") or {}
    if not isinstance(flags, Mapping):
        return dict(known)
    return {**flags, **known, "flags": sorted(flags)}


def insert_ruled(uow: UnitOfWork, ruled: Sequence[Ruled]) -> None:
    """Store rulings, the decisions of those that no person takes (auto and blocked), and how many were drawn."""
    now = to_micros(uow.now)
    rulings: list[tuple[Any, ...]] = []
    decisions: list[tuple[Any, ...]] = []
    drawn: Counter[DrawnKey] = Counter()
    for item in ruled:
        ruling, ask = item.ruling, item.ask
        proposal = ask.proposal
        if ruling.lottery.drawn:
            drawn[DrawnKey(ruling.checkpoint, ruling.segment, ruling.producer)] += 1
        rulings.append((
            item.id, ruling.checkpoint, ask.decision_key, ask.case_id, ask.customer_id, ruling.path.value,
            ruling.segment, ruling.producer, ruling.policy_version, ruling.trace.grant_id, ruling.score,
            proposal.value_minor, ruling.proposal_digest,
            dumps({"answer": proposal.answer, "signals": proposal.signals}), dumps(ask.subject), ruling.as_json(),
            ruling.lottery.drawn, ruling.lottery.probability, now,
        ))  # fmt: skip
        if ruling.path is Path.AUTO:
            by = Actor(ActorKind.MACHINE, ruling.producer)
            decisions.append((item.id, "auto", dumps(proposal.answer), str(by), "", now, now))
        elif ruling.path is Path.BLOCKED:
            decisions.append((item.id, "blocked", None, "system:policy", ", ".join(ruling.rules), now, now))
    store.insert_rulings(uow, rulings, decisions)
    count_drawn(uow, drawn)


def settle(
    uow: UnitOfWork,
    ruling_id: str,
    verdict: str,
    answer: Mapping[str, Any] | None,
    actor: Actor,
    reason: str,
    effective_at: datetime,
) -> None:
    """Store the one decision of a ruling and tell whoever waits for it, from `effective_at` on.

    `answer` None means the proposal's own for approve, and that nothing is to be done for reject and expired.
    ConflictError when it was decided already, NotFoundError for an unknown ruling. The caller records the audit
    entry.
    """
    if verdict == "approve" and answer is None:
        answer = store.read_ruling(uow, ruling_id).proposal["answer"]
    elif not store.exists(uow, ruling_id):
        message = f"there is no ruling {ruling_id}"
        raise NotFoundError(message, ruling=ruling_id)
    stored = store.insert_decision(
        uow,
        {
            "ruling_id": ruling_id,
            "verdict": verdict,
            "answer": None if answer is None else dict(answer),
            "decided_by": str(actor),
            "reason": reason,
            "decided_at": uow.now,
            "effective_at": effective_at,
        },
    )
    if not stored:
        taken = store.read_decision(uow, ruling_id)
        message = "this was decided already"
        raise ConflictError(message, ruling=ruling_id, by=taken.decided_by if taken else "somebody")
    publish(uow, Event(DECISION, ruling_id, {"verdict": verdict, "answer": answer}, due_at=effective_at))


def unsettle(uow: UnitOfWork, ruling_id: str) -> bool:
    """Take a decision back before it takes effect; False when it already has."""
    if not withdraw(uow, DECISION, ruling_id):
        return False
    store.delete_decision(uow, ruling_id)
    return True


class Settling:
    """`settle` and `unsettle` as one object, for whoever is handed them."""

    settle = staticmethod(settle)
    unsettle = staticmethod(unsettle)


SETTLEMENT = Settling()


def set_grant(uow: UnitOfWork, actor: Actor, role: str, grant: Grant, evidence: Mapping[str, Any]) -> Grant:
    """Give autonomy by hand; it replaces the one in force for the same segment and producer.

    `role` is the role under which the actor signs. InputError for a grant that could not work: auto without a
    threshold, an expiry that has passed, an error promise or a lottery rate outside 0 to 1, a threshold outside
    0 to 1 where no score of the producer was ever outside it.
    """
    if grant.expires_at <= uow.now:
        message = f"a grant that expires at {iso(grant.expires_at)} would never hold"
        raise InputError(message, code="grant_expired")
    if grant.level is Level.AUTO and grant.threshold is None:
        message = "an auto grant needs a threshold: the least score that may act alone"
        raise InputError(message, code="grant_threshold")
    if grant.threshold is not None and not math.isfinite(grant.threshold):
        message = f"{grant.threshold} is no threshold: no score compares with it"
        raise InputError(message, code="grant_threshold")
    if grant.threshold is not None and not 0.0 <= grant.threshold <= 1.0:
        _check_reach(uow, grant, grant.threshold)
    if grant.promised_error is not None and not 0.0 < grant.promised_error < 1.0:
        message = "the promised error is a share between 0 and 1, such as 0.02"
        raise InputError(message, code="grant_promise")
    if grant.lottery_rate is not None and not 0.0 <= grant.lottery_rate <= 1.0:
        message = "the lottery rate is a share from 0 to 1, such as 0.05"
        raise InputError(message, code="grant_lottery")
    made = Grant(
        new_id("gra"), grant.checkpoint, grant.segment, grant.producer, grant.level, grant.policy_version,
        grant.expires_at, grant.threshold, grant.promised_error, grant.lottery_rate,
    )  # fmt: skip
    replaced = store.withdraw_grants(uow, grant.checkpoint, grant.segment, grant.producer, f"replaced by {made.id}")
    store.insert_grant(
        uow,
        {
            "id": made.id,
            "checkpoint": made.checkpoint,
            "segment": made.segment,
            "producer": made.producer,
            "level": made.level.value,
            "threshold": made.threshold,
            "promised_error": made.promised_error,
            "lottery_rate": made.lottery_rate,
            "policy_version": made.policy_version,
            "evidence": dict(evidence),
            "signed_by": str(actor),
            "signed_role": role,
            "created_at": uow.now,
            "expires_at": made.expires_at,
        },
    )
    payload = {
        "checkpoint": made.checkpoint, "segment": made.segment, "producer": made.producer, "level": made.level.value,
        "threshold": made.threshold, "expires_at": iso(made.expires_at), "replaced": replaced, "role": role,
        "evidence": dict(evidence),
    }  # fmt: skip
    uow.record(AuditEntry("grant.set", made.id, payload, actor=actor))
    return made


def _check_reach(reader: Reader, grant: Grant, threshold: float) -> None:
    """InputError unless this producer's scores leave 0 to 1, as those of a probability never do."""
    seen = store.scores_seen(reader, grant.checkpoint, grant.producer, MAX_SCORES_SEEN)
    if seen is not None and (seen[0] < 0.0 or seen[1] > 1.0):
        return
    effect = "lets every case through" if threshold < 0.0 else "is never reached"
    where = f"{grant.producer} at {grant.checkpoint}"
    if seen is None:
        known = f"no score of {where} is recorded yet, so it counts as a probability"
        cure = "let it run in shadow first, if its scores go further"
    else:
        known, cure = f"scores of {where} run from {seen[0]:.3g} to {seen[1]:.3g}", ""
    if 1.0 < threshold <= 100.0:  # noqa: PLR2004  a percentage
        cure = f"did you mean {threshold / 100:g}?"
    message = f"a threshold of {threshold:g} {effect}: {known}; {cure or 'give one from 0 to 1'}"
    raise InputError(message, code="grant_threshold", threshold=threshold, seen=seen)


def withdraw_grant(uow: UnitOfWork, actor: Actor, grant_id: str, because: str) -> None:
    """End a grant at once; NotFoundError when there is none in force with this id."""
    for row in store.grants_of(uow):
        if row.id == grant_id:
            store.withdraw_grants(uow, row.checkpoint, row.segment, row.producer, because, grant_id)
            uow.record(AuditEntry("grant.withdrawn", grant_id, {"because": because}, actor=actor))
            return
    message = f"no grant {grant_id} is in force"
    raise NotFoundError(message, grant=grant_id)


def switch_stop(uow: UnitOfWork, actor: Actor, scope: str, words: str) -> int:
    """Send everything in `scope` to people from now on, and hold its undelivered automatic actions.

    `scope` is `workspace`, `playbook:NAME` or `checkpoint:NAME`. Returns how many actions were held.
    """
    stopped = _scope(scope)
    if not store.insert_stop(uow, scope, words, str(actor)):
        message = f"{scope} is stopped already"
        raise ConflictError(message, scope=scope)
    held = hold_for(uow, stopped, actor)
    uow.record(AuditEntry("stop.set", scope, {"words": words, "held": held}, actor=actor))
    return held


def lift_stop(uow: UnitOfWork, actor: Actor, scope: str) -> int:
    """Let automation go on in `scope`; returns how many held actions go out after all."""
    if not store.delete_stop(uow, scope):
        message = f"{scope} is not stopped"
        raise ConflictError(message, scope=scope)
    released = release_for(uow, _scope(scope), actor)
    uow.record(AuditEntry("stop.lifted", scope, {"released": released}, actor=actor))
    return released


def _scope(text: str) -> Scope:
    kind, _, name = text.partition(":")
    whole = text == ScopeKind.WORKSPACE.value  # `workspace:` would be held but never seen by a ruling
    if not whole and (kind not in {ScopeKind.PLAYBOOK.value, ScopeKind.CHECKPOINT.value} or not name):
        message = f"{text!r} cannot be stopped; give workspace, playbook:NAME or checkpoint:NAME"
        raise InputError(message, code="stop_scope")
    return Scope(ScopeKind(kind), name)
