"""The audit record in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from fairlead.api.shapes import Shown
from fairlead.kit import jsons
from fairlead.kit.clock import from_micros

if TYPE_CHECKING:
    from fairlead.audit import EntryRow

MAX_SHOWN = 300
SENTENCES = {
    "action.queued": "Something is to be done through {connector}.",
    "action.sent": "Done.",
    "action.held": "Held back.",
    "action.released": "Released and queued again.",
    "action.refused": "Refused by the other side.",
    "action.failed": "Failed for good.",
    "action.expired": "Not done in time.",
    "action.withdrawn": "Taken back before it was done.",
    "action.ambiguous": "Perhaps done; somebody must say.",
    "action.resent": "To be done again.",
    "case.opened": "The case was opened.",
    "case.moved": "Went from {from} to {to}.",
    "case.step_failed": "The step {stage} failed ({code}) and is tried again.",
    "case.excepted": "Became an exception at {stage}: {words}",
    "case.spawned": "Started {children} further cases.",
    "case.ended": "Ended as “{end}”.",
    "case.waiting": "Waits for: {for}.",
    "case.timed_out": "The wait at {stage} ran out.",
    "case.signalled": "What it waited for came: {type}.",
    "case.paused": "Was paused at {from}.",
    "case.resumed": "Goes on.",
    "case.redirected": "Was sent from {from} to {to}.",
    "case.skipped": "Skipped {from} and went to {to}.",
    "case.taken_over": "Was taken over at {from}: a person does the rest, unless it is handed back.",
    "case.handed_back": "Was handed back to the machine at {to}.",
    "case.cancelled": "Was cancelled at {from}.",
    "case.retried": "{from} is tried again.",
    "case.interrupted": "{event} interrupted it: from {from} to {to}.",
    "lead.assigned": "Routing gave the lead to somebody.",
    "lead.unassigned": "Routing found nobody for the lead.",
    "lead.handed_over": "Handed the lead to somebody.",
    "lead.days_over": "The lead no longer counts as open: its days are over.",
    "lead.worked": "Said that the lead is worked.",
    "lead.touched": "Was in touch with the lead: {kind}.",
    "lead.touch_removed": "Took a contact back that was logged by mistake: {kind}.",
    "review.decided": "Decided: {verdict}.",
    "review.snoozed": "Put away until {until}.",
    "review.withdrawn": "Withdrawn: {why}",
    "review.rebound": "What a verdict binds to changed: {why}",
    "review.claimed": "Claimed.",
    "review.released": "Given back to the queue.",
    "review.kept": "Kept for longer.",
    "review.unsnoozed": "Brought back.",
    "review.woken": "Came back from its snooze.",
    "review.lapsed": "The claim ran out.",
    "review.labelled": "Answered without the proposal.",
    "review.voted": "Voted: {votes} of {quorum}.",
    "review.undone": "The verdict was taken back.",
    "review.escalated": "Passed on.",
    "review.information_requested": "Asked for information; the clock stands still.",
    "review.resumed": "The information came; the clock goes on.",
    "review.returned": "Returned for somebody else.",
    "review.overdue": "Its time ran out; it goes on waiting.",
    "review.expired": "Its time ran out; it was closed.",
    "appeal.asked": "The customer asked that a person looks at it.",
    "appeal.answered": "A person answered what the customer had asked for.",
    "label.kept": "Answered without seeing what the machine decided or proposed: {outcome}.",
    "mail.taken": "A mail came in: {kind}.",
    "mail.taken_again": "A mail came in a second time.",
    "mail.forgotten": "{rows} lines about old mail were dropped.",
    "ruling.made": "{checkpoint} ruled: {path}.",
}


class Happened(Shown):
    """One entry of the audit record."""

    id: int
    at: datetime
    verb: str = Field(description="noun.past_tense, such as case.moved")
    subject: str = Field(description="The id of what it happened to.")
    actor: str = Field(description="kind:id of who did it.")
    words: str
    payload: dict[str, Any] | None = Field(description="What changed; null when erased or withheld.")


def happened(row: EntryRow, *, withheld: bool = False) -> Happened:
    """An entry for an answer; `withheld` leaves out its payload."""
    payload = _payload(row)
    return Happened(
        id=row.id,
        at=from_micros(row.at),
        verb=row.verb,
        subject=row.subject,
        actor=row.actor,
        words=told(row.verb, payload),
        payload=None if withheld else payload,
    )


def told(verb: str, payload: Mapping[str, Any] | None) -> str:
    """An entry as a sentence; one whose payload was erased, or an unknown verb, says only its kind."""
    plain = verb.replace(".", " ").replace("_", " ").capitalize()
    if payload is None:
        return f"{plain} (erased)."
    template = SENTENCES.get(verb)
    return f"{plain}." if template is None else template.format_map(_Texts(payload))


class _Texts(dict[str, str]):
    def __init__(self, payload: Mapping[str, Any]) -> None:
        super().__init__({name: _text(value) for name, value in payload.items()})

    def __missing__(self, key: str) -> str:
        return "–"


def _text(value: Any) -> str:
    text = " ".join((value if isinstance(value, str) else jsons.dumps(value)).split())
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def _payload(row: EntryRow) -> dict[str, Any] | None:
    if row.body is None:
        return None
    try:
        found = jsons.loads(row.body)
    except ValueError:  # somebody edited the table; verification says so
        return None
    return found if isinstance(found, dict) else {"value": found}
