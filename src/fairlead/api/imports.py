"""Imports of leads over HTTP: files sent in, what came of each, how good their data are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import library_of, require, services
from fairlead.api.shapes import Before, PathId, Shown
from fairlead.api.uploading import Sent, receive_file, take_file
from fairlead.errors import ConflictError
from fairlead.kit.exports import csv_chunks
from fairlead.people import Permission, Principal
from fairlead.sales import (
    ImportState,
    cancel_import,
    count_import,
    imports_page,
    leads_quality,
    look_at_draft,
    quality_of,
    quality_table,
    read_import,
    rejects,
    start_draft,
)

if TYPE_CHECKING:
    from fairlead.api.http import Services

MAX_PAGE = 200
MAX_REJECTS = 1_000
_COLUMNS = ("row", "kind", "code", "words")

router = APIRouter(prefix="/v1/imports", tags=["imports"], responses=ERROR_RESPONSES)
Reading = Annotated[Principal, Depends(require(Permission.CASES_READ))]
Starting = Annotated[Principal, Depends(require(Permission.CASES_START))]
Managing = Annotated[Principal, Depends(require(Permission.CASES_MANAGE))]
_FILE = {"type": "string", "format": "binary", "description": "The file."}
_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": _FILE,
        "playbook": {"type": "string"},
        "map": {"type": "array", "items": {"type": "string"}},
        "country": {"type": "string"},
        "start": {"type": "boolean"},
        "forget_mapping": {"type": "boolean"},
    },
}
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": {"schema": _FORM}, "application/octet-stream": {"schema": _FILE}},
    }
}


class ImportItem(Shown):
    """One run of a file through a playbook."""

    id: str
    name: str = Field(description="The file's name.")
    digest: str = Field(description="SHA-256 of the file.")
    playbook: str
    state: str = Field(
        description="receiving, draft, waiting, reading, interrupted, finished, refused, cancelling or cancelled"
    )
    rows: int = Field(description="Taken in so far.")
    bytes: int = Field(description="Size of the file, 0 where that is not known.")
    bytes_read: int
    problem: dict[str, str] | None = Field(description="code and words of a file that was refused while it was read.")
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
        "unreadable, failed; and pending while some are on their way. null unless asked for."
    )
    reasons: dict[str, int] | None = Field(description="How often each rule was a reason; null as `counts`.")


class StartBody(BaseModel):
    """What a person says about a draft's columns before it is read."""

    model_config = ConfigDict(extra="forbid")

    map: dict[str, str] = Field(
        default_factory=dict, max_length=64, description="Field → column; an empty column leaves the field without one."
    )
    country: str = Field("", max_length=2, description="Of phone numbers without country code.")


class ImportPreview(Shown):
    """A draft's first rows as they would be understood."""

    id: str
    notes: list[str]
    columns: list[str]
    mapping: dict[str, Any]
    rows: list[dict[str, Any]] = Field(description="At most 20: fields, attributes and problems, or why unreadable.")


class Quality(Shown):
    """How good a file's data are. `quality` is null until every row was read."""

    id: str
    name: str
    state: str
    accounted: dict[str, Any] = Field(description="rows = leads + duplicate + unreadable; `sum` and `complete` say so.")
    quality: dict[str, Any] | None = Field(
        description="Per column and for all readable rows together; "
        "`leads.unusable_cells` are rows with a cell that cannot be used."
    )


class LeadQuality(Shown):
    """One lead's completeness and problems."""

    row: int
    lead: str
    case: str | None
    name: str
    completeness_percent: int = Field(description="Share of the fields that the file has columns for.")
    missing: list[str]
    needs_information: bool = Field(description="As the import counts it; false before the first ruling.")
    problems: list[dict[str, Any]]


class LeadQualityPage(Shown):
    """Leads in the file's order; `next` is the `after` of the page behind, null at the end."""

    items: list[LeadQuality]
    next: int | None


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


@router.post("", status_code=202, openapi_extra=_UPLOAD)
async def upload_import(request: Request, who: Starting) -> ImportDetail:
    """Take a file in: as `file` of a form, or as the body with `?name=`. A worker reads it.

    Fields of the form or the query: `playbook`, `map` (repeated `field=column`), `country`, `forget_mapping`, and
    `start`; with `start=false` it stays a draft until somebody has looked at its columns.
    """
    svc, library = services(request), library_of(request)

    def use(sent: Sent) -> str:
        return take_file(svc, library, who.actor, sent, start=sent.yes("start", default=True))

    return _detail(svc, await receive_file(request, svc, use))


def _detail(svc: Services, import_id: str) -> ImportDetail:
    with svc.database.reading() as reader:
        row = read_import(reader, import_id)
    return ImportDetail(**_head(row), mapping=row.mapping, counts=None, reasons=None)


def _head(row: Any) -> dict[str, Any]:
    return ImportItem.model_validate(row).model_dump()


@router.get("/{import_id}/preview")
def preview_import(request: Request, _: Reading, import_id: PathId) -> ImportPreview:
    """The first rows of a draft as its mapping understands them; 409 when it is no draft."""
    svc = services(request)
    with svc.database.reading() as reader:
        row = read_import(reader, import_id)
        currency = library_of(request).current(reader).currency
    if row.state != ImportState.DRAFT or row.sketch is None:
        raise ConflictError("Only a draft has a preview.", code="not_a_draft", state=row.state)
    look = look_at_draft(row, currency)
    return ImportPreview(
        id=row.id, notes=list(look.notes), columns=list(look.columns), mapping=row.mapping, rows=look.rows
    )


@router.post("/{import_id}/start", status_code=202)
def start_import(request: Request, who: Starting, import_id: PathId, body: StartBody) -> ImportDetail:
    """Begin with a draft; what was said about its columns is remembered for the next such file."""
    svc = services(request)
    with svc.database.transaction() as uow:
        bundle = library_of(request).current(uow)
        start_draft(uow, who.actor, bundle, import_id, body.map, body.country.upper())
    return _detail(svc, import_id)


@router.post("/{import_id}/cancel", status_code=202)
def undo_import(request: Request, who: Managing, import_id: PathId) -> ImportDetail:
    """Take an import back within 24 hours: reading ends, its open cases are cancelled, its leads stay, marked."""
    svc = services(request)
    with svc.database.transaction() as uow:
        cancel_import(uow, who.actor, import_id)
    return _detail(svc, import_id)


@router.get("/{import_id}/quality", response_model=Quality)
def show_quality(
    request: Request,
    _: Reading,
    import_id: PathId,
    format: Annotated[Literal["json", "csv"], Query(description="csv streams one table of it.")] = "json",  # noqa: A002
    table: Annotated[Literal["columns", "leads", "problems"], Query(description="Which, for csv.")] = "columns",
) -> Response | Quality:
    """How full, how varied and how wrong each column is, and how complete the leads are."""
    svc = services(request)
    with svc.database.reading() as reader:
        found = quality_of(reader, import_id)
    if format == "csv":
        header, rows = quality_table(svc.database.reading, import_id, table)
        headers = {"Content-Disposition": f"attachment; filename={import_id}-{table}.csv"}
        chunks = csv_chunks(header, rows, bom=True)
        return StreamingResponse(chunks, media_type="text/csv; charset=utf-8", headers=headers)
    return Quality(id=found.pop("import"), **found)


@router.get("/{import_id}/quality/leads")
def list_lead_quality(
    request: Request,
    _: Reading,
    import_id: PathId,
    after: Annotated[int, Query(ge=-1, le=2**31 - 1, description="The `next` of the page before.")] = -1,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> LeadQualityPage:
    """Each lead's completeness, what it lacks, and its problems with row, field and reason."""
    with services(request).database.reading() as reader:
        rows = leads_quality(reader, import_id, after, limit + 1)
    items = [LeadQuality(**row) for row in rows[:limit]]
    return LeadQualityPage(items=items, next=items[-1].row if len(rows) > limit else None)


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
    return ImportDetail(**_head(row), mapping=row.mapping, counts=numbers, reasons=reasons)


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
