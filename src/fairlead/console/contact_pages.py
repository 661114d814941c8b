"""The contact rules for people who answer for them, the log of the gate, and a dry run of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from fairlead.api import require, services
from fairlead.console.shell import desk_of, render
from fairlead.customers import names_of
from fairlead.errors import InputError, NotFoundError
from fairlead.guardrails import (
    Attempt,
    Code,
    Sender,
    Verdict,
    contact_log,
    current_rules,
    deployed_rules,
    discreet,
    discreet_answer,
    log_cursor,
    read_log_cursor,
    told,
    would_pass,
)
from fairlead.people import Permission, Principal

if TYPE_CHECKING:
    from fairlead.kit.unit_of_work import Reader

ROWS = 50
CHANNELS = ("email", "sms", "phone", "chat", "post")

router = APIRouter()
Seeing = Annotated[Principal, Depends(require(Permission.CUSTOMERS_READ))]
Text = Annotated[str, Query(max_length=200)]


@router.get("/contact")
def rules_page(request: Request, principal: Seeing) -> Response:
    """The rules in force, as tables."""
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        rules, row = deployed_rules(reader)
    return render(request, "contact.html", desk, sections=told(rules), rules=rules, row=row)


@router.get("/contact/log")
def log_page(
    request: Request,
    principal: Seeing,
    *,
    customer: Text = "",
    channel: Text = "",
    purpose: Text = "",
    verdict: Text = "",
    code: Text = "",
    before: Text = "",
) -> Response:
    """What the gate said, newest first."""
    svc = services(request)
    filters = {"channel": channel, "purpose": purpose, "verdict": verdict, "code": code}
    sensitive = principal.can(Permission.SENSITIVE_READ)
    with svc.database.reading() as reader:
        desk = desk_of(request, reader, principal)
        wanted = {name: value for name, value in filters.items() if value}
        hidden = code == Code.HUMAN_ONLY and not sensitive
        rows = [] if hidden else contact_log(
            reader, wanted, customer_id=customer or None, limit=ROWS + 1, before=read_log_cursor(before)
        )  # fmt: skip
        rules = current_rules(reader)
        names = names_of(reader, sorted({one.customer_id for one in rows if one.customer_id}))
    page = [discreet(one, sensitive=sensitive) for one in rows[:ROWS]]
    return render(
        request, "contact_log.html", desk, rows=page, older=log_cursor(rows[ROWS - 1]) if len(rows) > ROWS else None,
        before=before, filters={**filters, "customer": customer}, names=names,
        choices=_choices([*rules.purposes]),
    )  # fmt: skip


def _choices(purposes: list[str]) -> dict[str, list[str]]:
    return {
        "channel": list(CHANNELS),
        "purpose": purposes,
        "verdict": [one.value for one in Verdict],
        "code": [one.value for one in Code if one is not Code.ALLOWED],
    }


@router.get("/contact/would")
def would_page(  # noqa: PLR0913  one for each field
    request: Request,
    principal: Seeing,
    *,
    customer: Text = "",
    channel: Text = "email",
    purpose: Text = "",
    address: Annotated[str, Query(max_length=320)] = "",
    at: Annotated[str, Query(max_length=40)] = "",
    by_hand: Annotated[str, Query(max_length=5)] = "",
    reply: Annotated[str, Query(max_length=5)] = "",
) -> Response:
    """A form for a message that might be sent, and what the gate would say to it; nothing is written."""
    svc, problem, shown = services(request), None, None
    asked = {
        "customer": customer, "channel": channel, "purpose": purpose, "address": address, "at": at,
        "by_hand": by_hand, "reply": reply,
    }  # fmt: skip
    with svc.database.reading() as reader:
        desk = desk_of(request, reader, principal)
        rules = current_rules(reader)
        if customer or address:
            try:
                shown = _asked(reader, principal, asked, _moment(at, rules.time_zone) or svc.clock.now())
            except (InputError, NotFoundError) as error:
                problem = error
    return render(
        request, "contact_would.html", desk, status=problem.status if problem else 200, asked=asked, shown=shown,
        problem=problem, channels=CHANNELS, purposes=list(rules.purposes.values()), zone=rules.time_zone,
    )  # fmt: skip


def _asked(reader: Reader, principal: Principal, asked: dict[str, str], moment: datetime) -> dict[str, Any]:
    attempt = Attempt(
        "dry-run", asked["customer"].strip() or None, asked["channel"], asked["address"].strip(), asked["purpose"],
        Sender.AGENT.value, automatic=not asked["by_hand"], reply=bool(asked["reply"]),
    )  # fmt: skip
    answer = would_pass(reader, attempt, moment)
    code, words, checks = discreet_answer(answer, sensitive=principal.can(Permission.SENSITIVE_READ))
    return {"verdict": answer.verdict.value, "code": code, "words": words, "checks": checks,
            "allowed_at": answer.allowed_at, "at": moment}  # fmt: skip


def _moment(text: str, zone: str) -> datetime | None:
    """The moment of a form's field, by the workspace's clock; None for an empty one."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError("Write the time as 2027-03-01T12:00.", field="at") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
