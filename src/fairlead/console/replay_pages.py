"""Other contact rules tried on what the gate was asked before."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from fairlead.api import require, services
from fairlead.console.shell import Posted, desk_of, posted, render
from fairlead.customers import names_of
from fairlead.errors import FairleadError, InputError
from fairlead.guardrails import (
    ContactRules,
    current_rules,
    parse_rules,
    replay_examples,
    replay_line,
    replay_log,
    replay_notes,
    replay_table,
)
from fairlead.kit.unit_of_work import Reader
from fairlead.people import Permission, Principal

MAX_RULES = 200_000
MAX_ASKINGS = 20_000
DAYS = (1, 7, 30, 90, 365)

router = APIRouter()
Reading = Annotated[Principal, Depends(require(Permission.CUSTOMERS_READ))]


@router.get("/contact/replay")
def replay_form(request: Request, principal: Reading) -> Response:
    """The rules in force, to be changed and tried."""
    return _page(request, principal, None)


@router.post("/contact/replay")
def replay_page(request: Request, principal: Reading, form: Annotated[Posted, Depends(posted)]) -> Response:
    """What the rules of the form make of the log; nothing is written."""
    return _page(request, principal, form)


def _page(request: Request, principal: Principal, form: Posted | None) -> Response:
    svc, problem, shown = services(request), None, None
    with svc.database.reading() as reader:
        desk = desk_of(request, reader, principal)
        before = current_rules(reader)
        text, days = (form.text("rules"), form.text("days")) if form is not None else (before.text, "30")
        if form is not None:
            try:
                sensitive = principal.can(Permission.SENSITIVE_READ)
                shown = _shown(reader, before, _rules(text, before), _days(days), svc.clock.now(), sensitive=sensitive)
            except FairleadError as error:
                problem = error
    return render(
        request, "contact_replay.html", desk, status=problem.status if problem else 200, text=text, days=days,
        choices=DAYS, shown=shown, problem=problem, default=before.is_default, most=MAX_ASKINGS,
    )  # fmt: skip


def _rules(text: str, before: ContactRules) -> ContactRules:
    if len(text) > MAX_RULES:
        message = f"These rules have more than {MAX_RULES:,} characters."
        raise InputError(message, field="rules")
    return parse_rules(text + "\n") if text else before


def _days(text: str) -> timedelta:
    if text not in map(str, DAYS):
        raise InputError("Choose one of the spans.", field="days")
    return timedelta(days=int(text))


def _shown(
    reader: Reader, before: ContactRules, rules: ContactRules, back: timedelta, now: Any, *, sensitive: bool
) -> dict[str, Any]:  # fmt: skip
    found = replay_log(reader, rules, now, back, most=MAX_ASKINGS)
    examples = replay_examples(found, sensitive=sensitive)
    return {
        "line": replay_line(found), "rows": replay_table(found, sensitive=sensitive), "total": found.total,
        "examples": examples, "notes": replay_notes(found, rules, before), "same": rules.version == before.version,
        "names": names_of(reader, sorted({one["customer"] for one in examples if one["customer"]})),
        "since": found.since, "cut": found.since > now - back,
    }  # fmt: skip
