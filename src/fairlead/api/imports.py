"""Imports of leads over HTTP: what came of each file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import require, services
from fairlead.api.shapes import Before, PathId, Shown
from fairlead.kit.exports import csv_chunks
from fairlead.people import Permission, Principal
from fairlead.sales import count_import, imports_page, read_import, rejects

if TYPE_CHECKING:
    from fairlead.api.http import Services

MAX_PAGE = 200
MAX_REJECTS = 1_000
_COLUMNS = ("row", "kind", "code", "words")

router = APIRouter(prefix="/v1/imports", tags=["imports"], responses=ERROR_RESPONSES)
Reading = Annotated[Principal, Depends(require(Permission.CASES_READ))]


class ImportItem(Shown):
    """One run of a file through a playbook."""

    id: str
    name: str = Field(description="The file's name.")
    digest: str = Field(description="SHA-256 of the file.")
    playbook: str
    state: str = Field(description="reading or finished")
    rows: int = Field(description="0 until it is finished.")
    started_by: str
    started_at: datetime
    finished_at: datetime | None


class ImportPage(Shown):
    """Imports, newest first; `next` continues behind the last, null at the end."""

    items: list[ImportItem]
    next: str | None


class ImportDetail(ImportItem):
    """An import with what its columns were taken for and what became of its rows."""

    mapping: dict[str, Any]
    counts: dict[str, int] | None = Field(
        description="Every row in exactly one: auto, assist, human, blocked, needs_information, duplicate, "
        "unreadable, failed (or not at a checkpoint yet). null unless asked for."
    )
    reasons: dict[str, int] | None = Field(description="How often each rule was a reason; null as `counts`.")


class Reject(Shown):
    """A row that became no lead."""

    row: int
    kind: str = Field(description="unreadable or duplicate")
    code: str
    words: str


class RejectPage(Shown):
    """Rows in the file's order; `next` is the `after` of the page behind, null at the end."""

    items: list[Reject]
    next: int | None


@router.get("")
def list_imports(
    request: Request,
    _: Reading,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> ImportPage:
    """Every file that was read, newest first."""
    with services(request).database.reading() as reader:
        rows = imports_page(reader, before, limit + 1)
    items = [ImportItem.model_validate(row) for row in rows[:limit]]
    return ImportPage(items=items, next=items[-1].id if len(rows) > limit else None)


@router.get("/{import_id}")
def show_import(
    request: Request,
    _: Reading,
    import_id: PathId,
    counts: Annotated[bool, Query(description="Also count; takes a second per 100,000 rows or so.")] = False,  # noqa: FBT002 - a query parameter
) -> ImportDetail:
    """One import; with `counts`, what became of its rows as of now."""
    with services(request).database.reading() as reader:
        row = read_import(reader, import_id)
        numbers, reasons = count_import(reader, import_id) if counts else (None, None)
    head = ImportItem.model_validate(row).model_dump()
    return ImportDetail(**head, mapping=row.mapping, counts=numbers, reasons=reasons)


@router.get("/{import_id}/rejects", response_model=RejectPage)
def list_rejects(
    request: Request,
    _: Reading,
    import_id: PathId,
    after: Annotated[int, Query(ge=0, le=2**31 - 1, description="The `next` of the page before.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_REJECTS)] = 100,
    format: Annotated[Literal["json", "csv"], Query(description="csv streams all of them.")] = "json",  # noqa: A002
) -> Response | RejectPage:
    """Rows that became no lead, each with the reason, in the file's order."""
    svc = services(request)
    with svc.database.reading() as reader:
        read_import(reader, import_id)
        rows = rejects(reader, import_id, after, limit + 1) if format == "json" else []
    if format == "csv":
        headers = {"Content-Disposition": "attachment; filename=rejects.csv"}
        chunks = csv_chunks(_COLUMNS, _all_rejects(svc, import_id, after))
        return StreamingResponse(chunks, media_type="text/csv; charset=utf-8", headers=headers)
    items = [Reject(row=row.row_no, kind=row.kind, code=row.code, words=row.words) for row in rows[:limit]]
    return RejectPage(items=items, next=items[-1].row if len(rows) > limit else None)


def _all_rejects(svc: Services, import_id: str, after: int) -> Iterator[tuple[Any, ...]]:
    """A page at a time, so that a slow reader holds no connection."""
    while True:
        with svc.database.reading() as reader:
            page = rejects(reader, import_id, after, MAX_REJECTS)
        yield from ((row.row_no, row.kind, row.code, row.words) for row in page)
        if len(page) < MAX_REJECTS:
            return
        after = page[-1].row_no
