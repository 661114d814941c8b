"""Ruling on proposals, and settling them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairlead.checkpoints.draws import draws_for
from fairlead.checkpoints.model import Proposal
from fairlead.checkpoints.record import Ruling
from fairlead.checkpoints.ruling import Question, Ruler
from fairlead.checkpoints.standing import CheckpointState
from fairlead.kit.ids import new_ids


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
