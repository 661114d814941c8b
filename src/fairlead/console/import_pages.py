"""Imports: files sent in and confirmed, what became of their rows, how good their data are, and all of it as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fairlead.api import receive_file, require, services, take_file
from fairlead.checkpoints import first_rulings
from fairlead.console.shell import Posted, console_of, desk_of, go, posted, render
from fairlead.errors import InputError, NotFoundError
from fairlead.kit.exports import csv_chunks
from fairlead.kit.ids import is_id
from fairlead.people import Permission, Principal
from fairlead.sales import (
    BUSY_IMPORTS,
    CANCEL_WITHIN,
    MAY_CANCEL,
    QUALITY_TABLES,
    ImportState,
    LeadField,
    accounted,
    cancel_import,
    count_import,
    guess_again,
    imports_page,
    leads_page,
    leads_quality,
    look_at_draft,
    quality_of,
    quality_table,
    read_import,
    rejects,
    start_draft,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.api import Sent
    from fairlead.console.shell import Desk
    from fairlead.kit.database import Database
    from fairlead.kit.unit_of_work import Reader

PAGE = 50
BATCH = 500
COUNTED_AT_ONCE = 5_000
"""Rows up to which an import is counted while the page is made; larger ones only when asked."""
OUTCOMES = {
    "auto": "decided automatically",
    "assist": "with a proposal, for a person",
    "human": "for a person alone",
    "blocked": "refused by policy",
    "needs_information": "needs information: a required fact is missing, or a cell cannot be used",
    "duplicate": "already there",
    "unreadable": "not readable",
    "failed": "in the exceptions queue",
    "pending": "on their way to their first checkpoint",
}
STATES = {
    ImportState.RECEIVING: "coming in",
    ImportState.DRAFT: "waits for you to confirm its columns",
    ImportState.WAITING: "waits for a worker",
    ImportState.READING: "is being read",
    ImportState.INTERRUPTED: "was interrupted; run the same file again to go on",
    ImportState.FINISHED: "finished",
    ImportState.REFUSED: "could not be read",
    ImportState.CANCELLING: "is being taken back",
    ImportState.CANCELLED: "taken back",
}
FIELD_PREFIX = "field."

router = APIRouter()
Reading = Annotated[Principal, Depends(require(Permission.CASES_READ))]
Starting = Annotated[Principal, Depends(require(Permission.CASES_START))]
Managing = Annotated[Principal, Depends(require(Permission.CASES_MANAGE))]
Form = Annotated[Posted, Depends(posted)]


@router.get("/imports")
def imports(request: Request, principal: Reading, before: Annotated[str, Query(max_length=64)] = "") -> Response:
    """Files that came in, newest first, and the form for another."""
    return _list_page(request, principal, before)


def _list_page(request: Request, principal: Principal, before: str = "", problem: InputError | None = None) -> Response:
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        rows = imports_page(reader, before or None, PAGE + 1)
    older = rows[PAGE - 1].id if len(rows) > PAGE else ""
    return render(
        request, "imports.html", desk, status=problem.status if problem else 200, rows=rows[:PAGE], older=older,
        playbooks=_lead_playbooks(desk), states=STATES, problem=problem,
        limit=services(request).settings.max_import_bytes,
    )  # fmt: skip


def _lead_playbooks(desk: Desk) -> list[str]:
    if desk.bundle is None:
        return []
    return sorted(name for name, one in desk.bundle.playbooks.items() if one.playbook.subject == "lead")


@router.post("/imports")
async def upload(request: Request, principal: Starting) -> Response:
    """Store a file as a draft; a file that cannot be read comes back with the reason."""
    svc, library = services(request), console_of(request).library

    def use(sent: Sent) -> str:
        return take_file(svc, library, principal.actor, sent, start=False)

    try:
        import_id = await receive_file(request, svc, use)
    except InputError as error:
        return await run_in_threadpool(_list_page, request, principal, "", error)
    return go(f"/imports/{import_id}")


@router.get("/imports/{import_id}")
def one_import(
    request: Request,
    principal: Reading,
    import_id: str,
    after: Annotated[int, Query(ge=-1, le=2**31 - 1)] = -1,
    rejected_after: Annotated[int, Query(ge=-1, le=2**31 - 1)] = -1,
    count: bool = False,  # noqa: FBT001, FBT002  a query parameter
) -> Response:
    """What became of the rows of one file; `count` counts a large one, too. A draft shows its columns."""
    svc = services(request)
    with svc.database.reading() as reader:
        desk = desk_of(request, reader, principal)
        row = _import(reader, import_id)
        if row.state == ImportState.DRAFT:
            return _draft(request, desk, row)
        counts: dict[str, int] = dict(row.counts)
        reasons: dict[str, int] = {}
        if not counts and (count or row.rows <= COUNTED_AT_ONCE):
            counts, reasons = count_import(reader, import_id)
        sums = accounted(reader, import_id, row.rows)
        leads = leads_page(reader, import_id, after, PAGE + 1)
        refused = rejects(reader, import_id, rejected_after, PAGE + 1)
        firsts = first_rulings(reader, [one.case_id for one in leads if one.case_id])
    young = svc.clock.now() - row.started_at <= CANCEL_WITHIN
    return render(
        request, "import.html", desk, row=row, counts=counts, reasons=reasons, outcomes=OUTCOMES, sums=sums,
        leads=leads[:PAGE], refused=refused[:PAGE], firsts=firsts, states=STATES, busy=row.state in BUSY_IMPORTS,
        may_cancel=young and row.state in MAY_CANCEL and desk.can("cases:manage"),
        more_leads=leads[PAGE - 1].row_no if len(leads) > PAGE else None,
        more_refused=refused[PAGE - 1].row_no if len(refused) > PAGE else None,
    )  # fmt: skip


def _draft(
    request: Request, desk: Desk, row: Any, said: dict[str, str] | None = None, country: str | None = None,
    problem: InputError | None = None,
) -> Response:  # fmt: skip
    """The page on which a person confirms what the columns mean; `said` and `country` are what was just chosen."""
    try:
        look = look_at_draft(row, desk.currency, said, country)
    except InputError as error:
        problem = problem or error
        look = look_at_draft(row, desk.currency)
    return render(
        request, "import_draft.html", desk, status=problem.status if problem else 200, row=row, look=look,
        country=row.country if country is None else country, problem=problem,
        shown=[str(guess.field) for guess in look.mapping.guesses],
    )  # fmt: skip


def _said(form: Posted) -> dict[str, str]:
    return {field: form.text(FIELD_PREFIX + field) for field in LeadField if FIELD_PREFIX + field in form}


@router.post("/imports/{import_id}/columns")
def confirm(request: Request, principal: Starting, import_id: str, form: Form) -> Response:
    """`wanted`: look (show the rows under the chosen columns), start, or guess (forget what was said before)."""
    svc = services(request)
    said, country = _said(form), form.text("country").upper()
    try:
        if form.text("wanted") == "guess":
            with svc.database.transaction() as uow:
                guess_again(uow, principal.actor, _import(uow, import_id).id)
            return go(f"/imports/{import_id}", said="guessed")
        if form.text("wanted") == "start":
            with svc.database.transaction() as uow:
                bundle = console_of(request).library.current(uow)
                start_draft(uow, principal.actor, bundle, _import(uow, import_id).id, said, country)
            return go(f"/imports/{import_id}", said="importing")
        problem = None
    except InputError as error:
        problem = error
    with svc.database.reading() as reader:
        desk = desk_of(request, reader, principal)
        row = _import(reader, import_id)
    if row.state != ImportState.DRAFT:
        return go(f"/imports/{import_id}")
    return _draft(request, desk, row, said, country, problem)


@router.post("/imports/{import_id}/cancel")
def cancel(request: Request, principal: Managing, import_id: str) -> Response:
    """Take an import back, or drop a draft."""
    with services(request).database.transaction() as uow:
        state = cancel_import(uow, principal.actor, _import(uow, import_id).id)
    return go(f"/imports/{import_id}", said="taken_back" if state is ImportState.CANCELLING else "dropped")


@router.get("/imports/{import_id}/quality")
def quality(
    request: Request, principal: Reading, import_id: str, after: Annotated[int, Query(ge=-1, le=2**31 - 1)] = -1
) -> Response:
    """How full, how varied and how wrong each column is, and each lead's part in it."""
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        row = _import(reader, import_id)
        found = quality_of(reader, import_id)
        leads = leads_quality(reader, import_id, after, PAGE + 1)
    return render(
        request, "import_quality.html", desk, row=row, sums=found["accounted"], quality=found["quality"],
        leads=leads[:PAGE], more=leads[PAGE - 1]["row"] if len(leads) > PAGE else None, states=STATES,
    )  # fmt: skip


@router.get("/imports/{import_id}/quality-{table}.csv")
def quality_csv(request: Request, principal: Reading, import_id: str, table: str) -> Response:
    """One table of the report: columns, leads or problems."""
    del principal
    database = services(request).database
    with database.reading() as reader:
        _import(reader, import_id)
    if table not in QUALITY_TABLES:
        raise NotFoundError("There is no such table.")
    return _csv(f"{import_id}-{table}.csv", *quality_table(database.reading, import_id, table))


def _import(reader: Reader, import_id: str) -> Any:
    if not is_id(import_id, "imp"):
        raise NotFoundError("There is no such import.")
    return read_import(reader, import_id)


@router.get("/imports/{import_id}/rejected.csv")
def rejected_csv(request: Request, principal: Reading, import_id: str) -> Response:
    """Rows that became no lead, with the reasons."""
    del principal
    database = services(request).database
    with database.reading() as reader:
        _import(reader, import_id)
    header = ("row", "kind", "reason", "words")
    return _csv(f"{import_id}-rejected.csv", header, _rejected(database, import_id))


def _rejected(database: Database, import_id: str) -> Iterator[tuple[object, ...]]:
    after = -1
    while True:
        with database.reading() as reader:
            page = rejects(reader, import_id, after, BATCH)
        yield from ((one.row_no, one.kind, one.code, one.words) for one in page)
        if len(page) < BATCH:
            return
        after = page[-1].row_no


@router.get("/imports/{import_id}/rows.csv")
def rows_csv(request: Request, principal: Reading, import_id: str) -> Response:
    """Rows that became leads, with their case and the path at their first checkpoint."""
    del principal
    database = services(request).database
    with database.reading() as reader:
        _import(reader, import_id)
    header = ("row", "name", "company", "email", "outcome", "case", "problems")
    return _csv(f"{import_id}.csv", header, _rows(database, import_id))


def _rows(database: Database, import_id: str) -> Iterator[tuple[object, ...]]:
    after = -1
    while True:
        with database.reading() as reader:
            page = leads_page(reader, import_id, after, BATCH)
            firsts = first_rulings(reader, [one.case_id for one in page if one.case_id])
        for one in page:
            first = firsts.get(one.case_id)
            problems = "; ".join(f"{p['field']}: {p['words']}" for p in one.problems)
            path = first.path if first else "not ruled on yet"
            known = (one.fields.get(name) for name in ("name", "company", "email"))
            yield (one.row_no, *known, path, one.case_id, problems)
        if len(page) < BATCH:
            return
        after = page[-1].row_no


def _csv(name: str, header: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> Response:
    chunks = csv_chunks(header, rows, bom=True)
    disposition = f'attachment; filename="{name}"'
    return StreamingResponse(chunks, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition})
