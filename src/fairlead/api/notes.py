"""Notes over HTTP: the words of an e-mail or call in, what they would change out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, status
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from fairlead.api.asking import CustomerBody
from fairlead.api.callers import known_customer
from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import library_of, require, services
from fairlead.api.note_sight import note_withheld
from fairlead.api.shapes import PathId, Sent, Shown
from fairlead.errors import NotFoundError
from fairlead.kit.ids import is_id
from fairlead.people import Permission, Principal
from fairlead.playbooks import read_case
from fairlead.sales import (
    Found,
    change_of_note,
    note_playbook,
    notes_page,
    read_found,
    read_letter,
    read_note,
    take_note,
    undo_change,
)

if TYPE_CHECKING:
    from fairlead.sales import NoteTaken

MAX_PASTED = 1_048_576
MAX_PAGE = 100

router = APIRouter(prefix="/v1/notes", tags=["notes"], responses=ERROR_RESPONSES)
Reading = Annotated[Principal, Depends(require(Permission.CUSTOMERS_READ))]
Starting = Annotated[Principal, Depends(require(Permission.CASES_START))]
Editing = Annotated[Principal, Depends(require(Permission.CUSTOMERS_EDIT))]


class NoteBody(Sent):
    """A note as a program gives it."""

    text: str = Field(
        min_length=1, max_length=MAX_PASTED, description="The words, with headers or not, or a whole .eml message."
    )
    playbook: str = Field("record-changes", min_length=1, max_length=200)
    customer: CustomerBody | None = Field(None, description="Whom it is about; else found by e-mail or telephone.")


@dataclass(frozen=True, slots=True)
class FoundField(Found):
    """The best value of a field; `also` are others that the text names."""

    also: tuple[Found, ...]


class NoteAnswer(Shown):
    """What became of the note; `is_new` false: the same text had come before, and nothing was added."""

    id: str
    case: str
    customer: str
    is_new: bool
    known: bool = Field(description="Whether the customer was known before.")
    withheld: str | None = Field(description="Why `found` is kept back, and then empty; null where it is not.")
    found: list[FoundField]


class NoteItem(Shown):
    """A note without its text."""

    id: str
    kind: str = Field(description="email or note")
    playbook: str
    case_id: str
    customer_id: str | None
    added_by: str
    added_at: datetime


class NotePage(Shown):
    """Notes, newest first; `next` continues behind the last, null at the end."""

    items: list[NoteItem]
    next: str | None


class NoteDetail(NoteItem):
    """A note with its text, what was found and what was written."""

    withheld: bool = Field(
        description="What was found and written is kept back while somebody answers from the text alone."
    )

    text: str = Field(description='"" once the customer was erased.')
    found: list[dict[str, Any]]
    case: dict[str, Any]
    written: dict[str, Any] | None = Field(description="changes, decided_by, at and undone_at; null so far.")


class Undone(Shown):
    """What was put back, and what was changed since and therefore left."""

    restored: list[str]
    kept: list[str]


@router.post("", status_code=status.HTTP_201_CREATED, responses={200: {"model": NoteAnswer}})
def add_note(request: Request, who: Starting, body: NoteBody, response: Response) -> NoteAnswer:
    """Propose what the text says; 200 when the same text had come before. Nothing is written before its review.

    What was found is not told before it is ruled that the proposal need not be withheld.
    """
    svc = services(request)
    letter = read_letter(body.text, svc.clock.now().date())
    found = read_found(letter)
    with svc.database.transaction() as uow:
        bundle = library_of(request).current(uow)
        note_playbook(bundle, body.playbook)
        customer = None if body.customer is None else known_customer(uow, uow.now, body.customer)
        taken = take_note(uow, who.actor, bundle, body.playbook, letter, found, customer_id=customer)
        withheld = note_withheld(uow, taken.case_id)
        uow.after_commit(svc.wake)
    if not taken.is_new:
        response.status_code = status.HTTP_200_OK
    return _answer(taken, withheld)


def _answer(taken: NoteTaken, withheld: str) -> NoteAnswer:
    return NoteAnswer.model_validate({
        "id": taken.note_id, "case": taken.case_id, "customer": taken.customer_id, "is_new": taken.is_new,
        "known": taken.known, "withheld": withheld or None, "found": [] if withheld else taken.found,
    })  # fmt: skip


@router.get("")
def list_notes(
    request: Request,
    _: Reading,
    before: Annotated[str | None, Query(max_length=64, description="The `next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> NotePage:
    """Every note, newest first, without the texts."""
    with services(request).database.reading() as reader:
        rows = notes_page(reader, limit + 1, before)
    items = [NoteItem.model_validate(row) for row in rows[:limit]]
    return NotePage(items=items, next=items[-1].id if len(rows) > limit else None)


@router.get("/{note_id}")
def show_note(request: Request, _: Reading, note_id: PathId) -> NoteDetail:
    """One note, what was found in it, and what was written because of it."""
    if not is_id(note_id, "note"):
        raise NotFoundError("There is no such note.")
    with services(request).database.reading() as reader:
        row = read_note(reader, note_id)
        change = change_of_note(reader, note_id)
        case = read_case(reader, row.case_id)
        blind = bool(note_withheld(reader, row.case_id))
    written = None
    if change is not None and not blind:
        names = ("id", "lead_id", "changes", "decided_by", "at", "undone_at", "undone_by")
        written = {name: getattr(change, name) for name in names}
    head = NoteItem.model_validate(row).model_dump()
    stands = {"id": case.id, "stage": case.stage, "state": case.state, "end": case.end}
    return NoteDetail(
        **head, text=row.text, withheld=blind, found=[] if blind else row.found, case=stands, written=written
    )


@router.post("/{note_id}/undo")
def undo_note(request: Request, who: Editing, note_id: PathId) -> Undone:
    """Put back what stood in the record before the note, where nobody changed it since."""
    if not is_id(note_id, "note"):
        raise NotFoundError("There is no such note.")
    with services(request).database.transaction() as uow:
        read_note(uow, note_id)
        currency = library_of(request).current(uow).currency
        done = undo_change(uow, who.actor, note_id, currency)
    return Undone(restored=done["restored"], kept=done["kept"])
