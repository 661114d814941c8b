"""Customers: finding them, and everything current about one."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from fairlead import reviews
from fairlead.api import (
    TIMELINE_KINDS,
    Line,
    actor_namer,
    cursor_of,
    customer_timeline,
    mark_of,
    require,
    reviewer_of,
    sees_every_role,
    services,
)
from fairlead.console.shell import Posted, desk_of, go, posted, render
from fairlead.customers import (
    checks_of,
    clear_flag,
    consents_of,
    flags_of,
    learn_zone,
    preferences_of,
    profile,
    search,
    set_flag,
    shown_address,
    zones_of,
)
from fairlead.errors import ConflictError, FairleadError, InputError, NotFoundError
from fairlead.identity import open_code
from fairlead.kit.ids import is_id
from fairlead.people import Permission, Principal
from fairlead.playbooks import open_cases_of

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 50
FEW = 20
KIND_WORDS = {
    "decision": "Decisions", "contact": "Messages", "consent": "Consents", "flag": "Flags",
    "preference": "Wishes", "time_zone": "Time zones", "note": "Notes and everything else",
}  # fmt: skip
_PAGES = (
    ("case", "/cases", Permission.CASES_READ),
    ("rev", "/reviews", Permission.REVIEWS_READ),
)
MAX_SEARCH_CHARS = 200

router = APIRouter()
Reading = Annotated[Principal, Depends(require(Permission.CUSTOMERS_READ))]
Editing = Annotated[Principal, Depends(require(Permission.CUSTOMERS_EDIT))]
Form = Annotated[Posted, Depends(posted)]


@router.get("/customers")
def customers(
    request: Request, principal: Reading, q: Annotated[str, Query(max_length=MAX_SEARCH_CHARS)] = ""
) -> Response:
    """Search by how a name, company, address, number or id begins."""
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        found = search(reader, q, MOST) if q.strip() else []
    return render(request, "customers.html", desk, q=q.strip(), found=found, most=MOST)


@router.get("/customers/{customer_id}")
def customer(request: Request, principal: Reading, customer_id: str) -> Response:
    """Identities, flags, where they are, consents, timeline, and what is open."""
    return customer_page(request, principal, customer_id)


def customer_page(
    request: Request, principal: Principal, customer_id: str, *, problem: FairleadError | None = None
) -> Response:
    """The page of one customer; with `problem` again, above what was refused."""
    check_customer_id(customer_id)
    svc = services(request)
    now = svc.clock.now()
    sensitive = principal.can(Permission.SENSITIVE_READ)
    roles = None if sees_every_role(principal) else tuple(sorted(reviewer_of(principal).roles))
    with svc.database.reading() as reader:
        desk = desk_of(request, reader, principal)
        one = profile(reader, customer_id, now)
        family = [one.id, *one.merged]
        erased = one.erased_at is not None
        timeline = customer_timeline(reader, customer_id, FEW, erased=erased, sensitive=sensitive)
        waiting = reviews.search_customers(reader, family, roles=roles).items
        cases = [row for each in family for row in open_cases_of(reader, each)]
        running = cases[:MOST] if desk.can(Permission.CASES_READ) else []
        flags = flags_of(reader, one.id, now, sensitive=sensitive)
        zones = zones_of(reader, [one.id], now)[one.id]
        standings = sorted(consents_of(reader, [one.id], now)[one.id].items())
        checks, waited = checks_of(reader, one.id, now), open_code(reader, one.id, now)
        wishes = sorted(preferences_of(reader, [one.id], now)[one.id].items())
        owner = one.facts.get("owner")
        if owner and is_id(owner, "person"):  # an owner from another system is shown as it came
            owner = actor_namer(reader)(f"user:{owner}")
    return render(
        request, "customer.html", desk, status=problem.status if problem else 200, one=one, timeline=timeline,
        waiting=waiting, running=running, me=principal.id, link_of=lambda line: _link(line, desk.can), flags=flags,
        zones=zones, standings=standings, wishes=wishes, problem=problem, shown_address=shown_address,
        checks=checks, waited=waited, owner=owner,
    )  # fmt: skip


@router.get("/customers/{customer_id}/timeline")
def timeline_page(
    request: Request,
    principal: Reading,
    customer_id: str,
    kind: Annotated[list[str] | None, Query(max_length=20)] = None,
    before: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Everything that happened to a customer, narrowed down by kind, page by page."""
    check_customer_id(customer_id)
    svc = services(request)
    kinds = [one for one in TIMELINE_KINDS if one in (kind or TIMELINE_KINDS)]
    with svc.database.reading() as reader:
        desk = desk_of(request, reader, principal)
        one = profile(reader, customer_id, svc.clock.now())
        lines = customer_timeline(
            reader, customer_id, MOST + 1, before=mark_of(before) if before else None,
            erased=one.erased_at is not None, kinds=kinds, sensitive=principal.can(Permission.SENSITIVE_READ),
        )  # fmt: skip
    last = lines[MOST - 1] if len(lines) > MOST else None
    older = urlencode([("kind", one) for one in kind or ()] + [("before", cursor_of(last.at, last.id))]) if last else ""
    return render(
        request, "timeline.html", desk, one=one, lines=lines[:MOST], kinds=KIND_WORDS, chosen=kinds,
        narrowed=len(kinds) < len(TIMELINE_KINDS), older=older, paged=bool(before),
        link_of=lambda line: _link(line, desk.can),
    )  # fmt: skip


@router.post("/customers/{customer_id}/flags")
def change_flag(request: Request, principal: Editing, customer_id: str, form: Form) -> Response:
    """Set a flag, until a day or until it is taken back; or take one back."""
    check_customer_id(customer_id)
    try:
        with services(request).database.transaction() as uow:
            if form.text("action") == "clear":
                clear_flag(uow, principal.actor, customer_id, form.text("flag"), source=principal.name)
            else:
                set_flag(
                    uow, principal.actor, customer_id, form.text("flag"), value=True,
                    source=form.text("source") or principal.name, owner=str(principal.actor),
                    expires_at=_end_of(form.text("until")),
                )  # fmt: skip
    except (InputError, ConflictError) as problem:
        return customer_page(request, principal, customer_id, problem=problem)
    return go(f"/customers/{customer_id}", said="flagged")


@router.post("/customers/{customer_id}/zone")
def set_zone(request: Request, principal: Editing, customer_id: str, form: Form) -> Response:
    """Write down where the customer is; an empty field takes what was written down before back."""
    check_customer_id(customer_id)
    zones = [one for one in form.text("zone").replace(",", " ").split() if one]
    evidence = "stated" if form.text("stated") else "staff"
    try:
        with services(request).database.transaction() as uow:
            learn_zone(uow, principal.actor, customer_id, zones, evidence, principal.name)
    except (InputError, ConflictError) as problem:
        return customer_page(request, principal, customer_id, problem=problem)
    return go(f"/customers/{customer_id}", said="located")


def check_customer_id(customer_id: str) -> None:
    """NotFoundError for what cannot be a customer's id."""
    if not is_id(customer_id, "cus"):
        raise NotFoundError("There is no such customer.")


def _end_of(day: str) -> datetime | None:
    """The end of that day, UTC; None for no day. InputError for what is none."""
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day), time.max, UTC).replace(microsecond=0)
    except ValueError:
        raise InputError("This is no day.", field="until") from None


def _link(line: Line, can: Callable[[str], bool]) -> str:
    """The page of what a line is about, "" where there is none or this person may not open it."""
    for kind, path, needed in _PAGES:
        if is_id(line.subject, kind):
            return f"{path}/{line.subject}" if can(needed) else ""
    return ""
