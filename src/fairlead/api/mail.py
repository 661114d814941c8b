"""Mail that came in, handed over by a mail server."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import Services, require, services
from fairlead.api.shapes import Shown
from fairlead.connectors import MAX_MAIL_BYTES, TakenMail, take_mail
from fairlead.errors import FaultError, InputError, TooLargeError, TooManyRequestsError
from fairlead.people import Permission, Principal

AT_ONCE = 4
router = APIRouter(prefix="/v1", tags=["mail"], responses=ERROR_RESPONSES)
Sending = Annotated[Principal, Depends(require(Permission.EVENTS_SEND))]
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"message/rfc822": {"schema": {"type": "string", "format": "binary", "description": "The mail."}}},
    }
}


class MailTaken(Shown):
    """What a message was, and what was done about it."""

    id: str
    kind: str = Field(description="bounce, notice, complaint, automatic, loop, unsubscribe or reply")
    customer_id: str | None = Field(description="Whose message it is, or whom it is about.")
    effect: str = Field(description="In words.")
    is_new: bool = Field(description="false: the same bytes were taken before, and nothing changed.")


class _Open:
    """How many messages are being read by this process; each may take 25 MiB."""

    count = 0


@router.post("/mail", status_code=202, openapi_extra=_BODY)
async def take_in_mail(request: Request, who: Sending) -> MailTaken:
    """Take in one message as it came over SMTP (RFC 5322), at most 25 MiB; nothing is ever answered to it."""
    if _Open.count >= AT_ONCE:
        raise TooManyRequestsError("Other messages are being taken in; try again in a moment.", retry_after_s=5)
    _Open.count += 1
    try:
        raw = await _whole(request)
        return MailTaken.model_validate(await run_in_threadpool(_take, services(request), who, raw))
    finally:
        _Open.count -= 1


async def _whole(request: Request) -> bytes:
    raw = bytearray()
    try:
        async for piece in request.stream():
            raw += piece
            if len(raw) > MAX_MAIL_BYTES:
                message = f"A message has at most {MAX_MAIL_BYTES:,} bytes."
                raise TooLargeError(message, limit=MAX_MAIL_BYTES, unit="bytes")
    except ClientDisconnect:
        raise InputError("The message did not arrive whole.", code="cut_off") from None
    return bytes(raw)


def _take(svc: Services, who: Principal, raw: bytes) -> TakenMail:
    if svc.settings.secret_key is None:
        raise FaultError("mail needs the secret key; see settings.provide_secrets")
    with svc.database.transaction() as uow:
        uow.after_commit(svc.wake)
        return take_mail(uow, who.actor, raw, svc.settings.secret_key.get_secret_value().encode())
