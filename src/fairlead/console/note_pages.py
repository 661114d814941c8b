"""Add from text: paste an e-mail or call note, see what it would change, take it back later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Query
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from fairlead.api import note_withheld, require, services
from fairlead.checkpoints import rulings_of_case
from fairlead.console import words
from fairlead.console.shell import Desk, console_of, desk_of, go, render
from fairlead.customers import names_of
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.kit.ids import is_id
from fairlead.people import Permission, Principal
from fairlead.playbooks import read_case, read_cases
from fairlead.reviews import of_case
from fairlead.sales import (
    change_of_note,
    note_playbook,
    notes_page,
    read_found,
    read_letter,
    read_note,
    source_words,
    take_note,
    undo_change,
)

if TYPE_CHECKING:
    from fairlead.errors import FairleadError

PAGE = 25
DEFAULT = "record-changes"

router = APIRouter()
Reading = Annotated[Principal, Depends(require(Permission.CUSTOMERS_READ))]
Starting = Annotated[Principal, Depends(require(Permission.CASES_START))]
Editing = Annotated[Principal, Depends(require(Permission.CUSTOMERS_EDIT))]


async def pasted(request: Request) -> tuple[str, bytes]:
    """(text, bytes of a file) of the posted form; a dependency."""
    async with request.form(max_fields=10, max_files=1) as form:
        text, file = form.get("text"), form.get("file")
        content = await file.read() if isinstance(file, UploadFile) else b""
    return (text if isinstance(text, str) else ""), content


Pasted = Annotated[tuple[str, bytes], Depends(pasted)]


@router.get("/notes")
def notes(request: Request, principal: Reading, before: Annotated[str, Query(max_length=64)] = "") -> Response:
    """The box to paste into, and the notes that were added before."""
    return _page(request, principal, before=before)


def _page(
    request: Request, principal: Principal, *, before: str = "", text: str = "", problem: FairleadError | None = None
) -> Response:
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        rows = notes_page(reader, PAGE + 1, before or None)
        names = names_of(reader, [row.customer_id for row in rows if row.customer_id])
        stands = read_cases(reader, [row.case_id for row in rows[:PAGE]])
    return render(
        request, "notes.html", desk, status=problem.status if problem else 200, rows=rows[:PAGE], names=names,
        stands=stands, text=text, problem=problem, older=rows[PAGE - 1].id if len(rows) > PAGE else "",
        ready=_ready(desk),
    )  # fmt: skip


def _ready(desk: Desk) -> bool:
    """Whether the playbook for notes is deployed."""
    if desk.bundle is None:
        return False
    try:
        note_playbook(desk.bundle, DEFAULT)
    except InputError:
        return False
    return True


@router.post("/notes")
def add(request: Request, principal: Starting, given: Pasted) -> Response:
    """Read the text and open its case; what cannot be used comes back with what was typed."""
    text, content = given
    svc = services(request)
    try:
        letter = read_letter(content or text, svc.clock.now().date())
        text = text or letter.text
        found = read_found(letter)
        with svc.database.transaction() as uow:
            bundle = console_of(request).library.current(uow)
            taken = take_note(uow, principal.actor, bundle, DEFAULT, letter, found)
            uow.after_commit(svc.wake)
    except InputError as error:
        return _page(request, principal, text=text, problem=error)
    return go(f"/notes/{taken.note_id}", said="noted" if taken.is_new else "noted_before")


@router.get("/notes/{note_id}")
def one_note(request: Request, principal: Reading, note_id: str) -> Response:
    """The text with what was found in it, the review, and what was written."""
    return _one(request, principal, note_id)


def _one(request: Request, principal: Principal, note_id: str, problem: FairleadError | None = None) -> Response:
    if not is_id(note_id, "note"):
        raise NotFoundError("There is no such note.")
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        note = read_note(reader, note_id)
        case = read_case(reader, note.case_id)
        change = change_of_note(reader, note_id)
        work = of_case(reader, note.case_id)
        who = names_of(reader, [note.customer_id]).get(note.customer_id, ("", "")) if note.customer_id else ("", "")
        withheld = note_withheld(reader, case.id)
        ruled = next((one for one in reversed(rulings_of_case(reader, case.id)) if one.verdict), None)
        actor = words.actor_namer(reader)
        changes = [] if withheld else _shown(note, case)
        told = None if withheld or ruled is None else _decided(ruled, actor(ruled.decided_by), changes, change)
        undone_by = actor(change.undone_by) if change is not None and change.undone_by else ""
    return render(
        request, "note.html", desk, status=problem.status if problem else 200, note=note, case=case,
        change=None if withheld else change, work=work, who=who, problem=problem, withheld=withheld, decided=told,
        changes=[] if told else changes, skipped=case.facts.get("skipped") or [], undone_by=undone_by,
    )  # fmt: skip


def _shown(note: Any, case: Any) -> list[dict[str, Any]]:
    """The proposed changes, or before the case was moved what the rules found, each with its words."""
    changes = case.facts.get("record_changes")
    if changes is None:
        changes = [{**one, "new": one["value"], "old": None, "warning": ""} for one in note.found]
    return [with_words(note.text, change) for change in changes]


class Fate(NamedTuple):
    """What became of one proposed or answered value: `kind` is written, refused, left, same or coming."""

    field: str
    before: Any
    proposed: Any
    decided: Any
    kind: str


class DecidedNote(NamedTuple):
    """Who decided what about a note, and what became of each value."""

    ruling: Any
    by: str
    fates: list[Fate]


def _decided(ruling: Any, by: str, changes: Sequence[Mapping[str, Any]], change: Any) -> DecidedNote:
    """`change` None: refused, or not written yet. Nothing is told of a customer who was erased."""
    if change is not None and not change.changes and not any(one["words"][1] for one in changes):
        return DecidedNote(ruling, by, [])
    answer = {}
    if ruling.verdict in words.EXECUTED:
        answer = ruling.proposal["answer"] if ruling.answer is None else ruling.answer
    proposed = {one["field"]: one for one in changes}
    written = {one["field"]: one for one in change.changes} if change is not None else {}
    fates = []
    for name in dict.fromkeys([*proposed, *answer]):
        was, new = proposed.get(name, {}).get("old"), proposed.get(name, {}).get("new")
        if name in written:
            one = written[name]
            fates.append(Fate(name, one["old"], new, one["new"], "written"))
        elif answer.get(name) in (None, ""):
            fates.append(Fate(name, was, new, None, "refused"))
        else:
            same = answer[name] in (was if isinstance(was, list) else [was])
            kind = "same" if same else "coming" if change is None else "left"
            fates.append(Fate(name, was, new, answer[name], kind))
    return DecidedNote(ruling, by, fates)


def with_words(text: str, change: dict[str, Any]) -> dict[str, Any]:
    """The change with the words that it was taken from, and what stands around them."""
    also = [{**one, "words": source_words(text, one)} for one in change.get("also", ())]
    return {**change, "words": source_words(text, change), "also": also}


@router.post("/notes/{note_id}/undo")
def undo(request: Request, principal: Editing, note_id: str) -> Response:
    """Put back what stood in the record before."""
    if not is_id(note_id, "note"):
        raise NotFoundError("There is no such note.")
    try:
        with services(request).database.transaction() as uow:
            read_note(uow, note_id)
            currency = console_of(request).library.current(uow).currency
            undo_change(uow, principal.actor, note_id, currency)
    except ConflictError as error:
        return _one(request, principal, note_id, error)
    return go(f"/notes/{note_id}", said="note_undone")
