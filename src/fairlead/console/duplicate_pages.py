"""Duplicates: pairs that look like one customer, why, what became of them, and taking a merge back."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from fairlead import reviews
from fairlead.api import require, services
from fairlead.console.shell import desk_of, go, render
from fairlead.customers import merges_page, names_of
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.people import Permission, Principal
from fairlead.reviews import Mode
from fairlead.sales import ask_search, pair_counts, pairs_page, undo_merge

PAGE = 50
STATES = {"open": "Open", "merged": "Merged", "different": "Kept apart", "gone": "Erased since"}

router = APIRouter()
Reading = Annotated[Principal, Depends(require(Permission.CUSTOMERS_READ))]
Editing = Annotated[Principal, Depends(require(Permission.CUSTOMERS_EDIT))]


@router.get("/duplicates")
def duplicates(
    request: Request,
    principal: Reading,
    state: Literal["open", "merged", "different", "gone", ""] = "open",
    before: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Pairs of one state, newest first, each with its reasons."""
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        rows = pairs_page(reader, state or None, before or None, PAGE + 1)
        names = names_of(reader, sorted({one for row in rows for one in (row.left_id, row.right_id)}))
        found = reviews.open_of_cases(reader, [row.case_id for row in rows[:PAGE] if row.state == "open"])
        counts = pair_counts(reader)
    waiting = {case_id: listed[0] for case_id, listed in found.items()}
    return render(
        request, "duplicates.html", desk, rows=rows[:PAGE], names=names, counts=counts, states=STATES, state=state,
        older=rows[PAGE - 1].id if len(rows) > PAGE else "", reviews=waiting,
        withheld={case_id for case_id, one in waiting.items() if one.mode is not Mode.ASSIST},
    )  # fmt: skip


@router.get("/merges")
def merges(request: Request, principal: Reading, before: Annotated[str, Query(max_length=64)] = "") -> Response:
    """Every merge, by decision or by hand, newest first."""
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        rows = merges_page(reader, before or None, PAGE + 1)
        names = names_of(reader, sorted({row.kept_id for row in rows}))
    older = rows[PAGE - 1].id if len(rows) > PAGE else ""
    return render(request, "merges.html", desk, rows=rows[:PAGE], names=names, older=older)


@router.post("/duplicates/search")
def search(request: Request, principal: Editing) -> Response:
    """Ask for a search; the next worker does it."""
    with services(request).database.transaction() as uow:
        uow.record(AuditEntry("duplicates.search_asked", principal.id, actor=principal.actor))
        ask_search(uow, str(principal.actor))
    return go("/duplicates", said="searching")


@router.post("/merges/{merge_id}/undo")
def unmerge(request: Request, principal: Editing, merge_id: str) -> Response:
    """Take a merge back."""
    svc = services(request)
    with svc.database.transaction() as uow:
        undo_merge(uow, principal.actor, merge_id[:64])
        uow.after_commit(svc.wake)
    return go("/merges", said="unmerged")
