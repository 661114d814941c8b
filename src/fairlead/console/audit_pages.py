"""The audit record: its last seals, and checking it on demand."""

from __future__ import annotations

import threading
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from fairlead import audit
from fairlead.api import require, services
from fairlead.console.shell import desk_of, render
from fairlead.errors import ConflictError, InputError
from fairlead.people import Permission, Principal

SEALS = 20
CHECKED_AT_MOST = 200_000
"""Entries up to which the page checks the record; beyond, `fairlead audit verify` does it."""

router = APIRouter()
Reading = Annotated[Principal, Depends(require(Permission.AUDIT_READ))]
_one_at_a_time = threading.Lock()


@router.get("/audit")
def record(request: Request, principal: Reading) -> Response:
    """The newest seals."""
    return _page(request, principal)


@router.post("/audit/verify")
def check(request: Request, principal: Reading) -> Response:
    """Check every seal and entry now; one check at a time, ConflictError while another runs."""
    if not _one_at_a_time.acquire(blocking=False):
        raise ConflictError("Somebody else is having the record checked just now; try again in a moment.")
    try:
        return _page(request, principal, found=_verify(request))
    finally:
        _one_at_a_time.release()


def _verify(request: Request) -> audit.Verification:
    svc = services(request)
    if svc.settings.audit_key_file is None:
        raise InputError("This server has no audit key, so signatures cannot be checked.", code="audit_key_missing")
    with svc.database.reading() as reader:
        newest = audit.changes_since(reader, None, 1)
        if newest and newest[0][0] > CHECKED_AT_MOST:
            entries = f"{newest[0][0]:,} entries"
            message = f"The record is too long to be checked here ({entries}). Run: fairlead audit verify"
            raise InputError(message, code="audit_too_long")
        key = audit.Signer.load(svc.settings.audit_key_file, create=False).public_key
        return audit.verify(audit.StoredRecord(reader), key, audit.read_heads(svc.settings.audit_heads_file))


def _page(request: Request, principal: Principal, found: audit.Verification | None = None) -> Response:
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        seals = audit.recent_seals(reader, SEALS)
        newest = audit.changes_since(reader, None, 1)
    return render(
        request, "audit.html", desk, seals=seals, newest=newest[0][0] if newest else 0, found=found,
    )  # fmt: skip
