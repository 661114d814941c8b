"""A customer's timeline: what was noted, and every decision about them, read from the decisions themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fairlead import customers, reviews
from fairlead.api.naming import actor_namer
from fairlead.checkpoints import decisions_of_customer
from fairlead.kit import jsons
from fairlead.reviews import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from fairlead.kit.unit_of_work import Reader
    from fairlead.reviews import Review

DECIDED = "decision"
MAX_ANSWER = 160
_AUTOMATIC = {
    "auto": "{checkpoint}: decided automatically: {decided}.",
    "blocked": "{checkpoint}: refused by the policy.",
    "expired": "{checkpoint}: nobody decided in time, so nothing is done.",
}
_BY_A_PERSON = {
    "approve": "{checkpoint}: {who} approved {decided}.",
    "edit": "{checkpoint}: {who} changed {proposed} to {decided}.",
    "reject": "{checkpoint}: {who} rejected {proposed}.",
    "answer": "{checkpoint}: {who} answered {decided}.",
}
_SENTENCES = _AUTOMATIC | _BY_A_PERSON


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a timeline; `subject` is the id of the case, review or decision it is about, "" for none."""

    id: str
    at: datetime
    kind: str
    words: str
    subject: str


def withheld_rulings(work: Iterable[Review]) -> set[str]:
    """Rulings that somebody still has to answer without the proposal: nothing may give it away meanwhile."""
    return {one.ruling_id for one in work if one.is_open and one.mode is not Mode.ASSIST}


def customer_timeline(
    reader: Reader, customer_id: str, limit: int, *, before: tuple[datetime, str] | None = None, erased: bool = False
) -> list[Line]:
    """The newest lines, newest first; `before` is (at, id) of the last line already seen.

    A decision stands at the time of its verdict. Its content is left out while somebody is asked for the same
    answer without seeing it, and for good when the customer was `erased`.
    """
    noted = [
        Line(one.id, one.at, one.kind, one.words, one.subject)
        for one in customers.timeline_of(reader, customer_id, limit, before=before)
    ]
    decided = decisions_of_customer(reader, customer_id, limit, before)
    work = reviews.of_rulings(reader, [one.id for one in decided])
    hidden, review_of, name = withheld_rulings(work), {one.ruling_id: one.id for one in work}, actor_namer(reader)
    for row in decided:
        words = _withheld(row) if row.id in hidden else _told(row, name, erased=erased)
        noted.append(Line(row.id, row.decided_at, DECIDED, words, row.case_id or review_of.get(row.id) or row.id))
    noted.sort(key=lambda one: (one.at, one.id), reverse=True)
    return noted[:limit]


def _withheld(row: Any) -> str:
    return f"{_plain(row.checkpoint)}: decided; what is withheld while a person answers without seeing it."


def _told(row: Any, name: Callable[[str], str], *, erased: bool) -> str:
    """One decision as a sentence, with the reason that a person gave."""
    proposed = "what was proposed" if erased else answer_words(row.proposal["answer"])
    decided = "an answer" if erased else answer_words(row.proposal["answer"] if row.answer is None else row.answer)
    sentence = _SENTENCES.get(row.verdict, "{checkpoint}: {who} decided.").format(
        checkpoint=_plain(row.checkpoint), who=name(row.decided_by), proposed=proposed, decided=decided
    )
    return f"{sentence} “{row.reason}”" if row.reason and row.verdict in _BY_A_PERSON and not erased else sentence


def answer_words(answer: Mapping[str, Any]) -> str:
    """An answer on one line, such as `team nordics, discount 10`; at most 160 characters."""
    parts = [f"{name.replace('_', ' ')} {_value(value)}" for name, value in answer.items() if value is not None]
    text = ", ".join(parts) or "nothing"
    return text if len(text) <= MAX_ANSWER else text[: MAX_ANSWER - 1] + "…"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join((value if isinstance(value, str) else jsons.dumps(value)).split())


def _plain(checkpoint: str) -> str:
    text = checkpoint.replace("-", " ").replace("_", " ")
    return text[:1].upper() + text[1:]
