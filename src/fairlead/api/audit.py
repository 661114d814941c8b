"""The audit record over HTTP: verify it, and read what it says of somebody or something."""

from __future__ import annotations

import threading
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.requests import Request

from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import require, services
from fairlead.api.shapes import Limit, Shown
from fairlead.api.telling import Happened, happened
from fairlead.audit import Signer, StoredRecord, history, read_heads, verify
from fairlead.errors import TooManyRequestsError, UnavailableError
from fairlead.people import Permission, Principal

RETRY_S = 30
router = APIRouter(prefix="/v1/audit", tags=["audit"], responses=ERROR_RESPONSES)
Reading = Annotated[Principal, Depends(require(Permission.AUDIT_READ))]
_verifying = threading.Lock()


class ProblemFound(Shown):
    """One thing that is wrong; `row` is an entry's id, `seal` a seal's number, 0 where it is about none."""

    what: str
    row: int
    seal: int


class VerificationShown(Shown):
    """What was checked and found."""

    untampered: bool
    statement: str = Field(description="One sentence that says what is proven and what is not.")
    rows: int = Field(description="Sealed rows.")
    seals: int
    unsealed: int
    erased: int = Field(description="Payloads that an erasure took.")
    heads_compared: int = Field(description="Published heads found in the chain; 0: a removed tail stays hidden.")
    head: str
    sealed_at: str
    problem_count: int
    first_bad_row: int | None
    problems: list[ProblemFound] = Field(description="The first hundred, by row.")


class EntryPage(Shown):
    """Entries, oldest first within the page; pages go from the newest to older ones by `before`."""

    items: list[Happened]
    next: int | None = Field(description="The `before` of the page with older entries; null at the end.")


@router.get("/verification")
def verify_record(request: Request, _: Reading) -> VerificationShown:
    """Check the whole record in the database against its seals and the published heads; one at a time."""
    svc = services(request)
    if svc.settings.audit_key_file is None:
        raise UnavailableError("no audit signing key is configured")
    if not _verifying.acquire(blocking=False):
        raise TooManyRequestsError("A verification is running; ask again when it is done.", retry_after_s=RETRY_S)
    try:
        public_key = Signer.load(svc.settings.audit_key_file, create=False).public_key
        heads = read_heads(svc.settings.audit_heads_file)
        with svc.database.reading() as reader:
            found = verify(StoredRecord(reader), public_key, heads)
    finally:
        _verifying.release()
    shown = {name: getattr(found, name, None) for name in VerificationShown.model_fields}
    return VerificationShown.model_validate(
        shown | {"untampered": not found.problem_count, "statement": found.statement()}
    )


@router.get("/entries")
def list_entries(
    request: Request,
    _: Reading,
    subject: Annotated[str, Query(min_length=1, max_length=200, description="The id of what it happened to.")],
    before: Annotated[int | None, Query(ge=1, le=2**53, description="The `next` of the page before.")] = None,
    limit: Limit = 50,
) -> EntryPage:
    """What the record says of one case, review, customer, grant or other id."""
    with services(request).database.reading() as reader:
        rows = history(reader, [subject], limit + 1, before=before)
    items = [happened(row) for row in rows[-limit:]]
    return EntryPage(items=items, next=items[0].id if len(rows) > limit else None)
