"""The pages of one customer behind signed links, for programs that write to customers by themselves."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request

from fairlead.api.customers import Editing
from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import services
from fairlead.api.shapes import PathId, Shown
from fairlead.customers import profile
from fairlead.errors import ConflictError, FaultError, InputError
from fairlead.guardrails import PurposeClass, current_rules
from fairlead.kit.links import make_link

router = APIRouter(prefix="/v1", tags=["customers"], responses=ERROR_RESPONSES)
Word = Annotated[str, Query(min_length=1, max_length=64)]


class WayOut(Shown):
    """How the customer gets off the purpose; a GET of the page shows it, a POST takes them off at once (RFC 8058)."""

    unsubscribe_url: str
    headers: dict[str, str] = Field(description="Put both into the mail as they are, and sign them with the rest.")


class LinksShown(Shown):
    """Whoever has such a link may do what it says: send it to this customer alone."""

    preferences_url: str
    way_out: WayOut | None = Field(description="null for a transactional purpose, which nobody can be taken off.")


@router.get("/customers/{customer_id}/links")
def show_links(request: Request, _: Editing, customer_id: PathId, purpose: Word, channel: Word = "email") -> LinksShown:
    """The links for a message of `purpose`; nothing is written down, and asking again gives links that do the same."""
    svc = services(request)
    with svc.database.reading() as reader:
        known = profile(reader, customer_id, svc.clock.now())
        found = current_rules(reader).purposes.get(purpose)
    if known.erased_at is not None:
        raise ConflictError("The customer was erased.", code="customer_erased", customer=customer_id)
    if found is None:
        message = f"The contact rules know no purpose {purpose!r:.80}."
        raise InputError(message, field="purpose")
    if found.channels and channel not in found.channels:
        message = f"The purpose {purpose} is not for the channel {channel!r:.80}."
        raise InputError(message, field="channel")
    if svc.settings.secret_key is None:
        raise FaultError("links need the secret key; see settings.provide_secrets")
    secret, desk = svc.settings.secret_key.get_secret_value().encode(), svc.settings.public_url
    parts = {"customer": known.id, "channel": channel}
    way_out = None
    if found.cls is not PurposeClass.TRANSACTIONAL:
        url = f"{desk}/u/{make_link(secret, 'unsubscribe', parts | {'purpose': purpose})}"
        headers = {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        way_out = WayOut(unsubscribe_url=url, headers=headers)
    return LinksShown(preferences_url=f"{desk}/p/{make_link(secret, 'preferences', parts)}", way_out=way_out)
