"""What the why-page tells of one decision, worked out without a database or a clock.

Never a score, a threshold, a producer, an id, a role, what was proposed elsewhere, or the words written for staff.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from fairlead.api import answer_words
from fairlead.checkpoints import recall
from fairlead.console.preference_words import day_words
from fairlead.console.why_words import FACT_WORDS, WHY_WORDS
from fairlead.console.words import plain
from fairlead.customers import is_delicate
from fairlead.evidence import AUTOMATIC, Appeal, AppealState

if TYPE_CHECKING:
    from datetime import datetime

    from fairlead.checkpoints import CheckpointPolicy

MAX_USED = 40
_EMPTY: tuple[Any, ...] = (None, "", [], {}, False)
_OF_THEIRS = frozenset({"subject", "customer"})
_NOT_THEIRS = frozenset({"asked", "unusable", "problems", "suspected_spam"})
_WITHOUT = {"blocked": "refused", "expired": "nothing", "reject": "nothing"}


@dataclass(frozen=True, slots=True)
class Decided:
    """What is read of one decision; `verdict` None while nobody has decided.

    `arrived` are the facts as they came in. `by_model`: a trained model stood behind it. `policy` None: not to be
    had any more.
    """

    ruling: Any
    verdict: str | None
    answer: Mapping[str, Any] | None
    at: datetime | None
    policy: CheckpointPolicy | None
    arrived: Mapping[str, Any]
    by_model: bool
    appeal: Appeal | None


@dataclass(frozen=True, slots=True)
class Told:
    """The page in `words`: `answer` is "" where none counts, `theirs` the answer of the person who looked."""

    words: Mapping[str, str]
    subject: str
    answer: str
    outcome: tuple[str, ...]
    how: tuple[str, ...]
    used: tuple[str, ...]
    automatic: bool
    may_ask: bool
    state: tuple[str, ...] = ()
    theirs: str = ""
    after: str = ""
    fresh: bool = False


def told_of(one: Decided, language: str, zone: str, now: datetime, *, fresh: bool = False) -> Told:
    """The page of a decision in a language of WHY_WORDS; days are those of `zone`."""
    words = WHY_WORDS[language]
    where = ZoneInfo(zone)
    automatic = one.verdict in AUTOMATIC
    state, theirs, after = _appeal(one, language, where, now)
    return Told(
        words=words,
        subject=plain(one.ruling.checkpoint),
        answer=shown_answer(one.answer, one.policy) if one.verdict not in {None, *_WITHOUT} else "",
        outcome=tuple(_outcome(one, language, where)),
        how=(words["model" if one.by_model else "rules"], *_sentences(one), words["watched"]) if automatic else (),
        used=used_facts(one, language),
        automatic=automatic,
        may_ask=automatic and one.policy is not None,
        state=state, theirs=theirs, after=after, fresh=fresh,
    )  # fmt: skip


def shown_answer(answer: Mapping[str, Any] | None, policy: CheckpointPolicy | None) -> str:
    """An answer as far as the checkpoint answers for it; the rest of it is for staff."""
    if not answer:
        return ""
    fields = policy.agreement.fields if policy else ()
    return answer_words({name: answer[name] for name in fields if name in answer} or answer)


def used_facts(one: Decided, language: str) -> tuple[str, ...]:
    """What was known of the customer when it was decided, by name, at most 40: facts that the policy reads first.

    A delicate one is left out: everybody who has the link can open the page.
    """
    names = FACT_WORDS[language]
    found: dict[str, None] = {}
    # What a program says of a request are its signals; those of a case are what our own steps made of it.
    sources = _OF_THEIRS if one.ruling.case_id else _OF_THEIRS | {"signal"}
    declared = [fact for fact in (one.policy.facts if one.policy else ()) if fact.source in sources]
    read = one.ruling.record["values"]
    for fact in declared:
        given = one.arrived.get(fact.field, read.get(fact.name)) if fact.source == "subject" else read.get(fact.name)
        hidden = fact.field in _NOT_THEIRS or is_delicate(fact.field) or is_delicate(fact.name)
        if given not in _EMPTY and given != fact.default and not hidden:
            found[names.get(fact.name) or names.get(fact.field) or plain(fact.name)] = None
    known = {fact.field for fact in declared}
    for name, value in one.arrived.items():
        hidden = name in known | _NOT_THEIRS or name.endswith("_id") or is_delicate(name)
        if value not in _EMPTY and not hidden:
            found[names.get(name) or plain(name)] = None
    return tuple(found)[:MAX_USED]


def _outcome(one: Decided, language: str, zone: ZoneInfo) -> list[str]:
    words = WHY_WORDS[language]
    if one.verdict is None or one.at is None:
        return [words["open"]]
    sentence = words[one.verdict if one.verdict in AUTOMATIC else "person"]
    found = [sentence.format(day=_day(one.at, zone, language))]
    return [words[_WITHOUT[one.verdict]], *found] if one.verdict in _WITHOUT else found


def _sentences(one: Decided) -> list[str]:
    """The rules' own words for customers, as far as they explain this very outcome."""
    ruling = recall(one.ruling.record)
    reasons = [reason for step in ruling.steps for reason in step.reasons]
    return list(dict.fromkeys(one.customer for one in reasons if one.customer and one.path is ruling.path))


def _appeal(one: Decided, language: str, zone: ZoneInfo, now: datetime) -> tuple[tuple[str, ...], str, str]:
    """What became of the request, the other answer, and what follows from it."""
    if one.appeal is None:
        return (), "", ""
    words, appeal = WHY_WORDS[language], one.appeal
    asked = words["asked"].format(day=_day(appeal.asked_at, zone, language))
    due = _day(appeal.due_at, zone, language) if appeal.due_at else ""
    if appeal.state is AppealState.LOOKING:
        return (asked, words["looking"]), "", ""
    if appeal.state is AppealState.WAITING:
        late = appeal.due_at is not None and appeal.due_at < now
        return (asked, words["late" if late else "waiting"].format(due=due)), "", ""
    day = _day(appeal.answered_at or appeal.asked_at, zone, language)
    told = words[appeal.state.value].format(day=day)
    if appeal.state not in {AppealState.DIFFERED, AppealState.ANSWERED}:
        return (asked, told), "", ""
    return (asked, told), shown_answer(appeal.answer, one.policy), _after(appeal, language, zone)


def _after(appeal: Appeal, language: str, zone: ZoneInfo) -> str:
    """What happens next where a person answered otherwise."""
    words = WHY_WORDS[language]
    if appeal.repair is None:
        return words["differed_words"] if appeal.state is AppealState.DIFFERED else ""
    if appeal.repair.done_at is None:
        return words["repairing"].format(day=_day(appeal.repair.opened_at, zone, language))
    return words["repaired"].format(day=_day(appeal.repair.done_at, zone, language))


def _day(at: datetime, zone: ZoneInfo, language: str) -> str:
    return day_words(at.astimezone(zone).date(), language)
