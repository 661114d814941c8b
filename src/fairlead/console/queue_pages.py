"""The queue: which reviews wait, by view, checkpoint, role and search."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fairlead import reviews
from fairlead.api import nobody_left, principal as signed_in, require, reviewer_of, sees_every_role, services
from fairlead.console.shell import Desk, Posted, desk_of, go, posted, render
from fairlead.console.words import minor_units
from fairlead.customers import names_of, search as find_customers
from fairlead.people import Permission, Principal
from fairlead.reviews import Page, QueueFilter, View

if TYPE_CHECKING:
    from fairlead.kit.unit_of_work import Reader

PAGE = 50
MAX_SEARCH_CHARS = 200
HIGH_VALUE = 25_000
"""From how much on a review counts as high value, in whole units; the page can ask for another figure."""
_WITH_CHECKPOINT = {View.OPEN, View.UNCLAIMED, View.SNOOZED}

router = APIRouter()
Reading = Annotated[Principal, Depends(require(Permission.REVIEWS_READ))]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for; `every` shows the roles of others, too."""

    view: View = View.OPEN
    checkpoint: str = ""
    q: str = ""
    over: int = HIGH_VALUE
    every: bool = False
    after: str = ""

    def query(self, **changed: str) -> str:
        """The query part of a link to the same page with something changed; `after` only when given."""
        parts = {
            "view": self.view.value if self.view is not View.OPEN else "",
            "checkpoint": self.checkpoint,
            "q": self.q,
            "over": str(self.over) if self.over != HIGH_VALUE else "",
            "roles": "all" if self.every else "",
        } | changed
        return "?" + urlencode({name: value for name, value in parts.items() if value})


@router.get("/")
def start(principal: Reading) -> Response:
    """The desk begins with the queue."""
    del principal
    return RedirectResponse("/reviews", 303)


@router.get("/reviews")
def queue(
    request: Request,
    principal: Reading,
    view: View = View.OPEN,
    checkpoint: str = "",
    q: Annotated[str, Query(max_length=MAX_SEARCH_CHARS)] = "",
    over: Annotated[int, Query(ge=0, le=10**12)] = HIGH_VALUE,
    roles: str = "",
    after: str = "",
) -> Response:
    """One page of the queue; see `Wanted`."""
    only_looks = not principal.can(Permission.REVIEWS_DECIDE)
    every = sees_every_role(principal) and (roles == "all" or only_looks)
    wanted = Wanted(view, checkpoint if view in _WITH_CHECKPOINT else "", q.strip(), over, every, after)
    shown_roles = None if every else tuple(sorted(reviewer_of(principal).roles))
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        least = minor_units(wanted.over, desk.currency)
        page = _page(reader, wanted, shown_roles, principal, least)
        counts = reviews.counts(reader, roles=shown_roles, person=principal.id, min_value_minor=least)
        names = names_of(reader, list({one.customer_id for one in page.items if one.customer_id}))
        checkpoints = _checkpoints(reader, desk, shown_roles)
        stuck = nobody_left(reader, page.items)
    return render(
        request, "queue.html", desk, wanted=wanted, page=page, counts=counts, names=names,
        checkpoints=checkpoints, views=list(View), me=principal.id, roles=shown_roles, stuck=stuck,
        may_widen=sees_every_role(principal) and not only_looks,
    )  # fmt: skip


def _page(reader: Reader, wanted: Wanted, roles: tuple[str, ...] | None, principal: Principal, least: int) -> Page:
    after = wanted.after or None
    if wanted.q:
        found = reviews.search(reader, wanted.q, roles=roles, after=after, limit=PAGE)
        if found.items or after:
            return found
        customers = [one.id for one in find_customers(reader, wanted.q, 50)]
        return reviews.search_customers(reader, customers, roles=roles, limit=PAGE) if customers else Page([], None)
    by_person = wanted.view is View.MINE
    asked = QueueFilter(
        wanted.view,
        roles=None if by_person else roles,
        checkpoint=wanted.checkpoint or None,
        person=principal.id if by_person else None,
        min_value_minor=least if wanted.view is View.HIGH_VALUE else None,
    )
    return reviews.page(reader, asked, after=after, limit=PAGE)


def _checkpoints(reader: Reader, desk: Desk, roles: tuple[str, ...] | None) -> list[str]:
    known = {place for place, role, _ in reviews.tallies(reader) if roles is None or role in roles}
    return sorted(known | set(desk.bundle.policies if desk.bundle else ()))


@router.post("/reviews/next")
def take_next(
    request: Request,
    principal: Annotated[Principal, Depends(require(Permission.REVIEWS_DECIDE))],
    form: Annotated[Posted, Depends(posted)],
) -> Response:
    """Claim what should be done next and open it."""
    svc = services(request)
    with svc.database.transaction() as uow:
        taken = reviews.claim_next(
            uow, reviewer_of(principal), lease_of(request), checkpoint=form.text("checkpoint") or None
        )
    return go(f"/reviews/{taken.review.id}") if taken else go("/reviews", said="empty")


def lease_of(request: Request) -> timedelta:
    """How long a claim lasts without a sign of life."""
    return timedelta(minutes=services(request).settings.review_lease_min)


@router.get("/help")
def help_page(request: Request, principal: Annotated[Principal, Depends(signed_in)]) -> Response:
    """The keys and the words of the desk."""
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
    return render(request, "help.html", desk)
