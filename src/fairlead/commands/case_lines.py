"""A case's story in lines, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from fairlead.api.timeline import answer_words
from fairlead.kit.clock import iso
from fairlead.kit.words import counted

if TYPE_CHECKING:
    from fairlead.api.case_story import CaseStory, StoryRuling

MAX_LINE = 160
MAX_ITEMS = 50
_QUIET = frozenset({"least_strict", "price_unknown", "price_not_in_experiments"})
"""Reasons that changed nothing and say nothing to a person; the data have them."""
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def told_in_lines(story: CaseStory, assigned: Mapping[str, Any] | None = None) -> Iterator[str]:
    """The story for a terminal; `assigned` is who has the lead as `assignment_of` tells it."""
    yield from _head_lines(story)
    yield "stages"
    for visit in story.visits:
        stay = f"{span_words(visit.seconds)}, {visit.outcome}" if visit.seconds is not None else "here now"
        stay = "the end" if visit.kind == "end" and visit.seconds is None else stay
        yield f"  {iso(visit.entered_at)}  {visit.stage}{f' ({visit.kind})' if visit.kind else ''}: {stay}"
    for ruling in story.rulings:
        yield from _ruling_lines(ruling)
    if assigned is not None:
        yield from _assignment_lines(assigned)
    yield from _done_lines(story)
    yield "facts" + (" as they came in; what was found is withheld" if story.withheld else "")
    for fact, value in story.facts.items():
        yield from _fact_lines(fact, value)


def _head_lines(story: CaseStory) -> Iterator[str]:
    ended = f", ended as {story.end}" if story.end else ""
    yield f"{story.id}: {story.playbook}, {story.state} at {story.stage}{ended}"
    version = "the deployed version" if story.is_current else "an older version"
    yield f"  opened {iso(story.opened_at)} on {story.subject.kind} {story.subject.id}, under {version}"
    yield f"  {story.bundle[:12]}" + (f", customer {story.customer}" if story.customer else "")
    if story.problem is not None:
        yield f"  became an exception at {story.problem.stage}: {story.problem.words} ({story.problem.code})"
    if story.waits is not None:
        until = f", until {iso(story.waits.until)}" if story.waits.until else ""
        by = f", in hand of {story.waits.by}" if story.waits.by else ""
        yield f"  waits for {story.waits.what}{by}{until}"


def _done_lines(story: CaseStory) -> Iterator[str]:
    """Effects, and what people did beside the standard path."""
    if story.actions:
        yield "actions"
    for action in story.actions:
        detail = (action.result or {}).get("detail") or action.problem or ""
        tries = counted(action.attempts, "attempt")
        way = f"{action.kind} through {action.connector}"
        yield f"  {iso(action.created_at)}  {way}: {action.state}, {tries}  {detail}".rstrip()
    if story.deviations:
        yield "off the standard path"
    for one in story.deviations:
        to = f" → {one.to}" if one.to else ""
        why = f": {one.reason}" if one.reason else ""
        yield f"  {iso(one.at)}  {one.words} ({one.stage}{to}) by {one.by or 'nobody'}{why}  {one.detail}".rstrip()


def _assignment_lines(one: Mapping[str, Any]) -> Iterator[str]:
    """Who has the lead and why, who was passed over and why, and who had it before."""
    yield f"given out to {one['name'] or 'nobody'}, team {one['team'] or 'none'}, {iso(one['at'])}"
    for words in one["words"]:
        yield f"  {_short(words)}"
    if one["passed_words"]:
        yield "  passed over"
    for words in one["passed_words"]:
        yield f"    {_short(words)}"
    for former in one["before"]:
        yield f"  before, {iso(former['at'])}: {_short(former['words'][0])}"


def _fact_lines(name: str, value: Any) -> Iterator[str]:
    """`name: value`; a list of several things, such as the reasons of a score, has a line for each."""
    if isinstance(value, list) and any(isinstance(item, (Mapping, list)) for item in value):
        yield f"  {name}:"
        for item in value[:MAX_ITEMS]:
            yield f"    {_short(item)}"
        if len(value) > MAX_ITEMS:
            yield f"    and {len(value) - MAX_ITEMS:,} more; --json has all"
    else:
        yield f"  {name}: {_short(value)}"


def _ruling_lines(ruling: StoryRuling) -> Iterator[str]:
    yield f"ruling at {ruling.checkpoint}: {ruling.path}, segment {ruling.segment}, {iso(ruling.at)}, {ruling.id}"
    yield f"  {ruling.explanation}"
    if ruling.proposal is not None:
        score = "" if ruling.score is None else f", score {ruling.score:g}"
        yield f"  {ruling.producer} proposed {answer_words(ruling.proposal)}{score}"
    for step in ruling.steps:
        for reason in step.reasons:
            if reason.code in _QUIET:
                continue
            read = ", ".join(f"{name} = {_short(value)}" for name, value in reason.read.items())
            said = f"rule {reason.rule}: {reason.words}" if reason.rule else f"{reason.code} {reason.words}".strip()
            left = ", ".join(step.left)
            yield f"  step {step.number} {step.name}: {said}{f' [{read}]' if read else ''}; left: {left}"
    if ruling.verdict is None:
        yield "  not decided yet"
        return
    decided = f", {answer_words(ruling.answer)}" if ruling.answer else ""
    why = f"; why: {ruling.reason}" if ruling.reason else ""
    when = iso(ruling.decided_at) if ruling.decided_at else "?"
    yield f"  {ruling.verdict}{decided} by {ruling.decided_by}, {when}{why}"
    yield f"  for the customer: {ruling.for_customer}"


def _short(value: Any) -> str:
    text = "".join(one if one.isprintable() else " " for one in _plain(value))
    return text if len(text) <= MAX_LINE else text[: MAX_LINE - 1] + "…"


def _plain(value: Any) -> str:
    """A value as a person writes it: yes or no, a whole number without a point, lists and fields by commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Mapping) and value:
        words = value.get("words") if isinstance(value.get("words"), str) and len(value) > 1 else None
        rest = ", ".join(f"{name} {_inner(one)}" for name, one in value.items() if words is None or name != "words")
        return rest if words is None else f"{words} ({rest})"
    if isinstance(value, (list, tuple)) and value:
        return ", ".join(map(_inner, value))
    return "none" if value is None or value in ("", [], (), {}) else str(value)


def _inner(value: Any) -> str:
    text = _plain(value)
    return f"({text})" if isinstance(value, (Mapping, list)) and value else text


def span_words(seconds: float) -> str:
    """A length of time in its largest unit: `3 days`, `40 seconds`, `at once`."""
    for size, unit in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"), (1, "second")):
        if seconds >= size:
            return counted(int(seconds // size), unit)
    return "at once"
