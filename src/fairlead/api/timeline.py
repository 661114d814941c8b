"""A customer's timeline: what was noted, decided, allowed, flagged and sent, read from the records themselves."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fairlead import customers, reviews
from fairlead.api.naming import actor_namer
from fairlead.checkpoints import decisions_of_customer
from fairlead.customers import HAPPENINGS
from fairlead.errors import InputError
from fairlead.guardrails import Logged, Verdict, contact_log
from fairlead.kit import jsons
from fairlead.kit.clock import from_micros, to_micros
from fairlead.reviews import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from fairlead.kit.unit_of_work import Reader
    from fairlead.reviews import Review

DECIDED, CONTACT, NOTED = "decision", "contact", "note"
TIMELINE_KINDS = (DECIDED, CONTACT, *HAPPENINGS, NOTED)
"""What a timeline can be narrowed down to; `note` is whatever was noted under any other name."""
_GATE = {
    Verdict.ALLOWED: "{what} could go.",
    Verdict.HELD: "{what} was held: {why}.",
    Verdict.REFUSED: "{what} was refused: {why}.",
}
MAX_ANSWER = 160
MAX_ID = 100
_LATEST = 2**53
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
    reader: Reader,
    customer_id: str,
    limit: int,
    *,
    before: tuple[datetime, str] | None = None,
    erased: bool = False,
    kinds: Collection[str] | None = None,
    sensitive: bool = False,
) -> list[Line]:
    """The newest lines, newest first; `before` is (at, id) of the last line already seen.

    `kinds` None: all of TIMELINE_KINDS. Delicate flags are absent unless `sensitive`. A decision stands at the time of
    its verdict. Its content is left out while somebody is asked for the same answer without seeing it, and for good
    when the customer was `erased`.
    """
    wanted = TIMELINE_KINDS if kinds is None else kinds
    found: list[Line] = []
    if NOTED in wanted:
        found += map(_line, customers.timeline_of(reader, customer_id, limit, before=before))
    if any(kind in wanted for kind in HAPPENINGS):
        told = customers.happened(reader, customer_id, limit, before=before, kinds=wanted, sensitive=sensitive)
        found += map(_line, told)
    if CONTACT in wanted:
        found += map(_contact, contact_log(reader, customer_id=customer_id, limit=limit, before=before))
    if DECIDED in wanted:
        found += _decisions(reader, customer_id, limit, before, erased=erased)
    found.sort(key=lambda one: (one.at, one.id), reverse=True)
    return found[:limit]


def _line(one: Any) -> Line:
    return Line(one.id, one.at, one.kind, one.words, one.subject)


def _contact(one: Logged) -> Line:
    what = f"{_plain(one.channel)} about {one.purpose.replace('_', ' ')} by {one.sender}"
    words = _GATE[Verdict(one.verdict)].format(what=what, why=one.code.replace("_", " "))
    return Line(one.id, one.at, CONTACT, words, one.case_id or "")


def _decisions(
    reader: Reader, customer_id: str, limit: int, before: tuple[datetime, str] | None, *, erased: bool
) -> list[Line]:
    decided = decisions_of_customer(reader, customer_id, limit, before)
    work = reviews.of_rulings(reader, [one.id for one in decided])
    hidden, review_of, name = withheld_rulings(work), {one.ruling_id: one.id for one in work}, actor_namer(reader)
    lines = []
    for row in decided:
        words = _withheld(row) if row.id in hidden else _told(row, name, erased=erased)
        lines.append(Line(row.id, row.decided_at, DECIDED, words, row.case_id or review_of.get(row.id) or row.id))
    return lines


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


def cursor_of(at: datetime, last_id: str) -> str:
    """The `next` of a page that ends with this line."""
    return base64.urlsafe_b64encode(jsons.dumps([to_micros(at), last_id]).encode()).decode().rstrip("=")


def mark_of(text: str) -> tuple[datetime, str]:
    """(at, id) of the last line of the page before; InputError for what `cursor_of` did not make."""
    try:
        found = jsons.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        found = None
    match found:
        case [int(at), str(line)] if 0 <= at < _LATEST and len(line) <= MAX_ID and "\0" not in line:
            return from_micros(at), line
    raise InputError("This is not the `next` of an earlier page.", code="cursor")
