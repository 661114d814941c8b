"""The review that a ruling asks for: whether there is one, what it is called and what it holds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from fairlead.checkpoints import (
    CheckpointPolicy,
    Path,
    ReviewTerms,
    Ruled,
    Ruling,
)
from fairlead.kit import jsons
from fairlead.reviews.model import MAX_TITLE_CHARS, Kind, ReviewDraft

MAX_TITLE_PART = 60
_ON_EXPIRY = {"keep": "wait", "expire": "reject"}
"""What the policies' words are called by the reviews; the third is escalate."""


def wants_review(ruling: Ruling) -> bool:
    """Whether a person has something to do: decide, or answer what was drawn after the machine decided."""
    return ruling.path in {Path.ASSIST, Path.HUMAN} or (ruling.path is Path.AUTO and ruling.lottery.drawn)


def title_from(policy: CheckpointPolicy, subject: Mapping[str, Any], key: str) -> str:
    """`Refunds: country de, order A-17` from the facts that the policy reads of the subject; else the caller's key.

    What the machine says (its answer and signals) is left out: a title is seen by who must answer without it.
    """
    fields = dict.fromkeys(fact.field for fact in policy.facts if fact.source == "subject")
    pairs = [f"{name.replace('_', ' ')} {_words(subject[name])}" for name in fields if subject.get(name) is not None]
    name = policy.checkpoint.replace("-", " ").replace("_", " ")
    return f"{name[:1].upper()}{name[1:]}: {', '.join(pairs) or key}"[:MAX_TITLE_CHARS]


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join((value if isinstance(value, str) else jsons.dumps(value)).split())[:MAX_TITLE_PART]


def draft_review(item: Ruled, terms: ReviewTerms, title: str, *, playbook: str | None = None) -> ReviewDraft:
    """The review that a ruling asks for; `playbook` None when a program asked from outside.

    To an automatic ruling that was drawn belongs a label: one person of the policy's role answers, with no end.
    """
    ruling, ask = item.ruling, item.ask
    drawn_auto = ruling.path is Path.AUTO
    return ReviewDraft(
        ruling_id=item.id,
        checkpoint=ruling.checkpoint,
        path=Path.HUMAN.value if drawn_auto else ruling.path.value,
        title=title[:300],
        segment=ruling.segment,
        needs=ruling.trace.needs or ((terms.role, 1),),
        proposal_digest=ruling.proposal_digest,
        facts_digest=hashlib.sha256(jsons.dumps(ask.subject).encode()).hexdigest(),
        kind=Kind.LABEL if drawn_auto else Kind.DECISION,
        blind=ruling.path is Path.ASSIST and ruling.lottery.drawn,
        # A required fact is missing, or the subject names facts that were given and cannot be used.
        needs_information=bool(ruling.needs_information or ask.subject.get("unusable")),
        priority=max(0, min(100, round(ruling.priority))),
        on_expiry="wait" if drawn_auto else _ON_EXPIRY.get(terms.on_expiry) or f"escalate:{terms.escalate_to}",
        playbook=playbook,
        case_id=ask.case_id,
        customer_id=ask.customer_id,
        value_minor=ask.proposal.value_minor,
        due_at=item.at + terms.due,
    )
