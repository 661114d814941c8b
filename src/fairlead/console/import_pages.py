"""Imports: which files came in, what became of their rows, and both as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fairlead.api import require, services
from fairlead.checkpoints import first_rulings
from fairlead.console.shell import desk_of, render
from fairlead.errors import NotFoundError
from fairlead.kit.exports import csv_chunks
from fairlead.kit.ids import is_id
from fairlead.people import Permission, Principal
from fairlead.sales import count_import, imports_page, leads_page, read_import, rejects

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    "needs_information": "information missing",
    "duplicate": "already there",
    "unreadable": "not readable",
    "failed": "in the exceptions queue",
}

router = APIRouter()
Reading = Annotated[Principal, Depends(require(Permission.CASES_READ))]


@router.get("/imports")
def imports(request: Request, principal: Reading, before: Annotated[str, Query(max_length=64)] = "") -> Response:
    """Files that came in, newest first."""
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        rows = imports_page(reader, before or None, PAGE + 1)
    older = rows[PAGE - 1].id if len(rows) > PAGE else ""
    return render(request, "imports.html", desk, rows=rows[:PAGE], older=older)


@router.get("/imports/{import_id}")
def one_import(
    request: Request,
    principal: Reading,
    import_id: str,
    after: Annotated[int, Query(ge=-1, le=2**31 - 1)] = -1,
    rejected_after: Annotated[int, Query(ge=-1, le=2**31 - 1)] = -1,
    count: bool = False,  # noqa: FBT001, FBT002  a query parameter
) -> Response:
    """What became of the rows of one file; `count` counts a large one, too."""
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        row = _import(reader, import_id)
        counts: dict[str, int] = dict(row.counts)
        reasons: dict[str, int] = {}
        if not counts and (count or row.rows <= COUNTED_AT_ONCE):
            counts, reasons = count_import(reader, import_id)
        leads = leads_page(reader, import_id, after, PAGE + 1)
        refused = rejects(reader, import_id, rejected_after, PAGE + 1)
        firsts = first_rulings(reader, [one.case_id for one in leads if one.case_id])
    return render(
        request, "import.html", desk, row=row, counts=counts, reasons=reasons, outcomes=OUTCOMES,
        leads=leads[:PAGE], refused=refused[:PAGE], firsts=firsts,
        more_leads=leads[PAGE - 1].row_no if len(leads) > PAGE else None,
        more_refused=refused[PAGE - 1].row_no if len(refused) > PAGE else None,
    )  # fmt: skip


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
