"""Unsubscribing by one click (RFC 8058) and confirming a double opt-in, behind signed links; nobody signs in.

Mail providers post `List-Unsubscribe=One-Click` to the very address that a message names in its headers: without
cookies, without a question, as often as they like. Opening that address only shows a button.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from fairlead.api import render_page, services
from fairlead.console.offers import words_of
from fairlead.console.public import SAFE, Guest, gone, guest_of, language_of, note_page, opened, secret_of
from fairlead.console.shell import Posted, posted
from fairlead.customers import ALL, asked_by_link, confirm_consent, leave
from fairlead.errors import ConflictError, InputError
from fairlead.kit.links import make_link

if TYPE_CHECKING:
    from collections.abc import Mapping

UNSUBSCRIBE = "unsubscribe"
ONE_CLICK = ("List-Unsubscribe", "One-Click")

router = APIRouter()
Form = Annotated[Posted, Depends(posted)]


class About(NamedTuple):
    """Which messages a link is about, in the words of the page; `by` names the channel, "" for every one."""

    named: str
    by: str


@router.api_route("/u/{token}", methods=SAFE)
def unsubscribe_page(request: Request, token: str) -> Response:
    """What would be unsubscribed, and a button."""
    parts = opened(request, UNSUBSCRIBE, token)
    if isinstance(parts, Response):
        return parts
    with services(request).database.reading() as reader:
        guest = guest_of(request, reader, parts)
        if isinstance(guest, Response):
            return guest
        about = _about(guest, guest.parts)
    return render_page(
        request, "unsubscribe.html", language=guest.language, words=guest.words, token=token, named=about.named,
        by=about.by, more=_more(request, guest),
    )  # fmt: skip


@router.post("/u/{token}")
def unsubscribe(request: Request, token: str, form: Form) -> Response:
    """Withdraw what the link names; the body must be the one of RFC 8058 and nothing else, 400 otherwise."""
    if form.pairs != [ONE_CLICK]:
        return note_page(request, language_of(request), "wrong", "wrong_words", status=400)
    parts = opened(request, UNSUBSCRIBE, token)
    if isinstance(parts, Response):
        return parts
    svc = services(request)
    with svc.database.transaction() as uow:
        guest = guest_of(request, uow, parts)
        if isinstance(guest, Response):
            return guest
        uow.after_commit(svc.wake)
        key = (guest.parts.get("purpose") or ALL, guest.parts.get("channel") or ALL)
        proof = {"header": "=".join(ONE_CLICK)}
        leave(uow, guest.customer_id, key, mechanism="one_click", source="one-click link", proof=proof)
    return note_page(request, guest.language, "left", "left_words", more=_more(request, guest))


@router.api_route("/c/{token}", methods=SAFE)
def confirm_page(request: Request, token: str) -> Response:
    """What would be turned on, and a button."""
    asked = _asked(request, token)
    if isinstance(asked, Response):
        return asked
    guest, about = asked
    return render_page(
        request, "confirm.html", language=guest.language, words=guest.words, token=token, named=about.named,
        by=about.by,
    )  # fmt: skip


@router.post("/c/{token}")
def confirm(request: Request, token: str) -> Response:
    """Turn on what was asked for; twice changes nothing."""
    asked = _asked(request, token)
    if isinstance(asked, Response):
        return asked
    guest, svc = asked[0], services(request)
    try:
        with svc.database.transaction() as uow:
            uow.after_commit(svc.wake)
            confirm_consent(uow, secret_of(request), token)
    except ConflictError:  # withdrawn since, or erased this moment
        return note_page(request, guest.language, "confirm", "since", more=_more(request, guest))
    return note_page(request, guest.language, "confirmed", "confirmed_words", more=_more(request, guest))


def _asked(request: Request, token: str) -> tuple[Guest, About] | Response:
    parts = opened(request, "consent", token)
    if isinstance(parts, Response):
        return parts
    svc = services(request)
    with svc.database.reading() as reader:
        try:
            record, (purpose, channel) = asked_by_link(reader, secret_of(request), token, svc.clock.now())
        except InputError:
            return gone(request)
        guest = guest_of(request, reader, parts, record)
        if isinstance(guest, Response):
            return guest
        return guest, _about(guest, {"purpose": purpose, "channel": channel})


def _about(guest: Guest, parts: Mapping[str, str]) -> About:
    purpose, channel = parts.get("purpose") or ALL, parts.get("channel") or ALL
    words = guest.words
    by = "" if channel == ALL else words.get(channel) or words["channel"].format(channel=channel)
    if purpose == ALL:
        return About(words["leave_all"], by)
    known = guest.rules.purposes.get(purpose)
    return About(words_of(known) if known else purpose.replace("_", " ").replace("-", " "), by)


def _more(request: Request, guest: Guest) -> str:
    """The way to the preference page of the same customer."""
    parts = {"customer": guest.customer_id}
    return "/p/" + make_link(secret_of(request), "preferences", parts)
