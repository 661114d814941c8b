"""Rulings stored, with the decisions of those that no person takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from fairlead.checkpoints import store
from fairlead.checkpoints.drawing import DrawnKey, count_drawn
from fairlead.checkpoints.model import Path
from fairlead.checkpoints.service import Ruled
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.clock import to_micros
from fairlead.kit.jsons import dumps
from fairlead.kit.unit_of_work import UnitOfWork


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
