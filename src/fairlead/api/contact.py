"""The gate over HTTP: its rules, what it would say, and what it said."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StringConstraints
from starlette.requests import Request

from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import require, services
from fairlead.api.shapes import Limit, Moment, Sent, Shown
from fairlead.guardrails import (
    Attempt,
    Checked,
    Logged,
    Sender,
    Verdict,
    contact_log,
    current_rules,
    deployed_rules,
    discreet,
    discreet_answer,
    log_cursor,
    parse_rules,
    read_log_cursor,
    replay_json,
    replay_log,
    replay_notes,
    told,
    would_pass,
)
from fairlead.people import Permission, Principal

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_REPLAYED = 20_000
router = APIRouter(prefix="/v1/contact", tags=["contact"], responses=ERROR_RESPONSES)
Ruling = Annotated[Principal, Depends(require(Permission.PLAYBOOKS_READ))]
Reading = Annotated[Principal, Depends(require(Permission.CUSTOMERS_READ))]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Filter = Annotated[str | None, Query(max_length=200)]


class SectionShown(Shown):
    """One table of the rules, in words."""

    name: str
    title: str
    words: str
    columns: list[str]
    rows: list[list[str]]


class RulesShown(Shown):
    """The rules in force."""

    version: str = Field(description="Digest of their content.")
    is_default: bool = Field(description="The workspace has no contact.yaml; the built-in rules count.")
    deployed_by: str | None = Field(description="null where nothing was ever deployed.")
    deployed_at: datetime | None
    text: str = Field(description='The file as it was deployed; "" for the built-in rules.')
    sections: list[SectionShown]


class WouldBody(Sent):
    """A message that might be sent."""

    customer: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = Field(
        None, description="null: whoever has the address."
    )
    channel: Name
    address: Annotated[str, StringConstraints(max_length=320)] = Field(
        "", description='"": the first address of the customer for the channel.'
    )
    purpose: Name
    sender: Sender = Sender.API
    tags: list[Name] = Field(default_factory=list, max_length=20)
    automatic: bool = Field(default=True, description="false: a person wrote or approved this very message.")
    reply: bool = Field(default=False, description="It answers something the customer just wrote.")
    key: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        "dry-run", description="The idempotency key of a message whose own place must not count against it."
    )
    at: Moment | None = Field(None, description="When it would go out; null: now. What is known is as of now.")


class CheckShown(Shown):
    """One check: its name, `passed` or the reason code, and why."""

    name: str
    code: str
    words: str


class AnswerShown(Shown):
    """What the gate would say; nothing was written."""

    verdict: Verdict
    code: str = Field(description="`withheld` where the reason is a sensitive fact that you may not read.")
    words: str
    allowed_at: datetime | None = Field(description="When it would go out, as far as can be foreseen.")
    ask_again_at: datetime | None
    facts: dict[str, Any]
    checks: list[CheckShown]


class LogShown(Shown):
    """One answer that the gate gave."""

    id: str
    at: datetime
    key: str
    customer: str | None
    channel: str
    purpose: str
    purpose_class: str
    sender: str
    kind: str
    case: str | None
    verdict: Verdict
    code: str
    words: str
    facts: dict[str, Any]
    checks: list[CheckShown]
    allowed_at: datetime | None
    state: str | None = Field(description="reserved, accepted, released, unknown; null where it never had a place.")


class LogPage(Shown):
    """Newest first."""

    items: list[LogShown]
    next: str | None = Field(description="The `before` of the page with older ones; null at the end.")


@router.get("/rules")
def show_rules(request: Request, _: Ruling) -> RulesShown:
    """The rules by which every message to a customer is judged, as tables in words and as the file."""
    with services(request).database.reading() as reader:
        rules, row = deployed_rules(reader)
    return RulesShown(
        version=rules.version,
        is_default=rules.is_default,
        deployed_by=row.deployed_by if row else None,
        deployed_at=row.at if row else None,
        text=rules.text,
        sections=[SectionShown(**{**one._asdict(), "rows": [list(row) for row in one.rows]}) for one in told(rules)],
    )


@router.post("/would")
def would(request: Request, who: Reading, body: WouldBody) -> AnswerShown:
    """Whether this message would go out, why, and when it would; a dry run without any trace."""
    svc = services(request)
    attempt = Attempt(
        body.key, body.customer, body.channel, body.address, body.purpose, body.sender.value, tags=tuple(body.tags),
        automatic=body.automatic, reply=body.reply,
    )  # fmt: skip
    with svc.database.reading() as reader:
        answer = would_pass(reader, attempt, body.at or svc.clock.now())
    code, words, checks = discreet_answer(answer, sensitive=who.can(Permission.SENSITIVE_READ))
    return AnswerShown(
        verdict=answer.verdict,
        code=code,
        words=words,
        allowed_at=answer.allowed_at,
        ask_again_at=answer.ask_again_at,
        facts=answer.facts if checks else {},
        checks=_checks(checks),
    )


class ReplayBody(Sent):
    """Rules to try on what was asked."""

    rules: Annotated[str, StringConstraints(max_length=200_000)] | None = Field(
        None, description="The text of a contact.yaml; null: the rules in force."
    )
    days: int = Field(30, ge=1, le=366, description="How far back.")


class ShiftShown(Shown):
    """How many messages went from one answer to another; `differs` where the verdict is another."""

    old: Verdict
    old_code: str
    new: Verdict
    new_code: str
    messages: int
    differs: bool


class PurposeShift(Shown):
    """How many messages of a purpose went from one verdict to another."""

    purpose: str
    old: Verdict
    new: Verdict
    messages: int


class AskingShift(Shown):
    """How many single askings, each counted, went from one answer to another."""

    old: Verdict
    old_code: str
    new: Verdict
    new_code: str
    askings: int


class ReplayExample(Shown):
    """A message that would fare otherwise; `id` is its line of the log."""

    id: str
    at: str
    key: str
    customer: str | None
    channel: str
    purpose: str
    old: Verdict
    old_code: str
    new: Verdict
    new_code: str
    words: str


class ReplayShown(Shown):
    """What the rules make of the messages asked about since then; a message counts once, by its last answer."""

    rules: str = Field(description="Digest of the rules' content.")
    since: datetime = Field(description="Later than asked for where more than 20,000 askings were.")
    until: datetime
    words: str
    messages: int
    unknown: dict[str, int] = Field(description="Messages that cannot be judged, by why.")
    changes: list[ShiftShown]
    purposes: list[PurposeShift]
    askings: list[AskingShift]
    examples: list[ReplayExample]
    notes: list[str] = Field(description="What no replay can know.")


@router.post("/replay")
def replay(request: Request, who: Reading, body: ReplayBody) -> ReplayShown:
    """Judge again by these rules what was asked of the gate, by the facts of each moment; writes nothing."""
    svc = services(request)
    with svc.database.reading() as reader:
        before = current_rules(reader)
        rules = before if body.rules is None else parse_rules(body.rules)
        found = replay_log(reader, rules, svc.clock.now(), timedelta(days=body.days), most=MAX_REPLAYED)
    shown = replay_json(found, replay_notes(found, rules, before), sensitive=who.can(Permission.SENSITIVE_READ))
    return ReplayShown.model_validate(shown)


@router.get("/log")
def show_log(  # noqa: PLR0913  one for each filter
    request: Request,
    who: Reading,
    *,
    customer: Filter = None,
    channel: Filter = None,
    purpose: Filter = None,
    sender: Filter = None,
    verdict: Verdict | None = None,
    code: Filter = None,
    key: Filter = None,
    case: Filter = None,
    limit: Limit = 50,
    before: Filter = None,
) -> LogPage:
    """What the gate said, newest first, with what became of each place since."""
    wanted = {
        "channel": channel, "purpose": purpose, "sender": sender, "verdict": verdict, "code": code, "key": key,
        "case_id": case,
    }  # fmt: skip
    filters = {name: str(value) for name, value in wanted.items() if value is not None}
    sensitive = who.can(Permission.SENSITIVE_READ)
    if code == "human_only" and not sensitive:
        return LogPage(items=[], next=None)
    with services(request).database.reading() as reader:
        rows = contact_log(reader, filters, customer_id=customer, limit=limit + 1, before=read_log_cursor(before))
    page = [discreet(one, sensitive=sensitive) for one in rows[:limit]]
    return LogPage(items=[_logged(one) for one in page], next=log_cursor(page[-1]) if len(rows) > limit else None)


def _checks(checks: Iterable[Checked]) -> list[CheckShown]:
    return [CheckShown(**one._asdict()) for one in checks]


def _logged(one: Logged) -> LogShown:
    return LogShown(
        id=one.id,
        at=one.at,
        key=one.key,
        customer=one.customer_id,
        channel=one.channel,
        purpose=one.purpose,
        purpose_class=one.cls,
        sender=one.sender,
        kind=one.kind,
        case=one.case_id,
        verdict=Verdict(one.verdict),
        code=one.code,
        words=one.words,
        facts=one.facts,
        checks=_checks(one.checks),
        allowed_at=one.allowed_at,
        state=one.state,
    )
