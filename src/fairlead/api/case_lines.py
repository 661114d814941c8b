"""A case's story in lines, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fairlead.api.timeline import answer_words
from fairlead.kit import jsons
from fairlead.kit.clock import iso
from fairlead.kit.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.api.case_story import CaseStory, StoryRuling

MAX_LINE = 160
_QUIET = frozenset({"least_strict", "price_unknown", "price_not_in_experiments"})
"""Reasons that changed nothing and say nothing to a person; the data have them."""
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def told_in_lines(story: CaseStory) -> Iterator[str]:
    """The story for a terminal."""
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
    yield "stages"
    for visit in story.visits:
        stay = f"{span_words(visit.seconds)}, {visit.outcome}" if visit.seconds is not None else "here now"
        stay = "the end" if visit.kind == "end" and visit.seconds is None else stay
        yield f"  {iso(visit.entered_at)}  {visit.stage}{f' ({visit.kind})' if visit.kind else ''}: {stay}"
    for ruling in story.rulings:
        yield from _ruling_lines(ruling)
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
    yield "facts" + (" as they came in; what was found is withheld" if story.withheld else "")
    for fact, value in story.facts.items():
        yield f"  {fact} = {_short(value)}"


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
    text = value if isinstance(value, str) else jsons.dumps(value)
    text = "".join(one if one.isprintable() else " " for one in text)
    return text if len(text) <= MAX_LINE else text[: MAX_LINE - 1] + "…"


def span_words(seconds: float) -> str:
    """A length of time in its largest unit: `3 days`, `40 seconds`, `at once`."""
    for size, unit in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"), (1, "second")):
        if seconds >= size:
            return counted(int(seconds // size), unit)
    return "at once"
