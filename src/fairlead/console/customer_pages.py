"""Customers: finding them, and everything current about one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from fairlead import reviews
from fairlead.api import Line, customer_timeline, require, reviewer_of, sees_every_role, services
from fairlead.console.shell import desk_of, render
from fairlead.customers import profile, search
from fairlead.errors import NotFoundError
from fairlead.kit.ids import is_id
from fairlead.people import Permission, Principal
from fairlead.playbooks import open_cases_of

MOST = 50
_PAGES = (
    ("case", "/cases", Permission.CASES_READ),
    ("rev", "/reviews", Permission.REVIEWS_READ),
)
MAX_SEARCH_CHARS = 200

router = APIRouter()
Reading = Annotated[Principal, Depends(require(Permission.CUSTOMERS_READ))]


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
    """Identities, flags, consents, timeline, and what is open."""
    if not is_id(customer_id, "cus"):
        raise NotFoundError("There is no such customer.")
    svc = services(request)
    roles = None if sees_every_role(principal) else tuple(sorted(reviewer_of(principal).roles))
    with svc.database.reading() as reader:
        desk = desk_of(request, reader, principal)
        one = profile(reader, customer_id, svc.clock.now())
        family = [one.id, *one.merged]
        timeline = customer_timeline(reader, customer_id, MOST, erased=one.erased_at is not None)
        waiting = reviews.search_customers(reader, family, roles=roles).items
        cases = [row for each in family for row in open_cases_of(reader, each)]
        running = cases[:MOST] if desk.can(Permission.CASES_READ) else []
    return render(
        request,
        "customer.html",
        desk,
        one=one,
        timeline=timeline,
        waiting=waiting,
        running=running,
        me=principal.id,
        link_of=lambda line: _link(line, desk.can),
    )


def _link(line: Line, can: Callable[[str], bool]) -> str:
    """The page of what a line is about, "" where there is none or this person may not open it."""
    for kind, path, needed in _PAGES:
        if is_id(line.subject, kind):
            return f"{path}/{line.subject}" if can(needed) else ""
    return ""
