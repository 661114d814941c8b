"""Repairs at the desk: what a person decided otherwise than the machine had done, until somebody puts it right."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from fairlead.api import answer_words, repair_roles, require, services
from fairlead.checkpoints import read_decision, read_ruling
from fairlead.console.shell import Posted, desk_of, go, posted, render
from fairlead.customers import names_of
from fairlead.evidence import Repair, appeals_of, finish_repair, repairs_page
from fairlead.kit.unit_of_work import Reader
from fairlead.people import Permission, Principal
from fairlead.reviews import Mode, of_rulings

PAGE = 50
NOTHING = "nothing"
WITHHELD = "withheld while somebody answers the same blind"

router = APIRouter()
Reading = Annotated[Principal, Depends(require(Permission.REVIEWS_READ))]
Deciding = Annotated[Principal, Depends(require(Permission.REVIEWS_DECIDE))]
Form = Annotated[Posted, Depends(posted)]


@router.get("/repairs")
def repairs(
    request: Request, principal: Reading, state: str = "open", before: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """What waits to be put right, newest first, or what was."""
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        roles = repair_roles(principal, to_see=True)
        rows = repairs_page(reader, PAGE + 1, roles=roles, is_open=state != "done", before=before or None)
        shown = [_told(reader, one) for one in rows[:PAGE]]
        names = names_of(reader, sorted({one.customer_id for one in rows[:PAGE] if one.customer_id}))
    may = principal.can(Permission.REVIEWS_DECIDE)
    mine = repair_roles(principal, to_see=False)
    return render(
        request, "repairs.html", desk, shown=shown, names=names, state=state,
        older=rows[PAGE - 1].id if len(rows) > PAGE else "",
        mine=frozenset(one.role for one in rows if may and (mine is None or one.role in mine)),
    )  # fmt: skip


@router.post("/repairs/{repair_id}/done")
def finish(request: Request, principal: Deciding, repair_id: str, form: Form) -> Response:
    """Say what was done about it."""
    with services(request).database.transaction() as uow:
        roles = repair_roles(principal, to_see=False)
        finish_repair(uow, principal.actor, repair_id[:64], roles, form.get("note", ""))
    return go("/repairs", said="repaired")


def _told(reader: Reader, one: Repair) -> dict[str, Any]:
    """A repair with what was done and what a person answered."""
    ruling, made = read_ruling(reader, one.ruling_id), read_decision(reader, one.ruling_id)
    appeal = appeals_of(reader, [one.ruling_id]).get(one.ruling_id)
    acted = made is not None and made.verdict == "auto"
    if any(each.is_open and each.mode is not Mode.ASSIST for each in of_rulings(reader, [one.ruling_id])):
        # Somebody still answers the same without seeing what was decided.
        return {"repair": one, "decided": WITHHELD, "answered": WITHHELD}
    return {
        "repair": one,
        "decided": answer_words(ruling.proposal["answer"]) if acted else NOTHING,
        "answered": answer_words(dict(appeal.answer)) if appeal and appeal.answer else "",
    }
