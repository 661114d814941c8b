"""The preference centre: what a customer gets and how often, behind a signed link; nobody signs in.

Nothing changes by opening a page, since mail scanners open every link. What is posted is committed before the answer
is sent, and no message confirms it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from fairlead.api import render_page, services
from fairlead.console.offers import always_of, offers_of
from fairlead.console.preference_view import (
    Known,
    Offer,
    Typed,
    is_locked,
    is_on,
    key_of,
    pace_of,
    pause_end,
    pause_span,
    shown_channels,
    view_of,
)
from fairlead.console.preference_words import day_words
from fairlead.console.public import SAFE, Guest, company_of, guest_of, opened, zone_of
from fairlead.console.shell import Posted, go, posted
from fairlead.customers import (
    ALL,
    CHANNELS_OF,
    SHARING,
    Choices,
    Preference,
    TurnedOn,
    asks_privacy,
    choose,
    consents_of,
    leave,
    preferences_of,
    profile,
    standing_for,
    suppressions_of,
)

if TYPE_CHECKING:
    from datetime import datetime

    from fairlead.kit.unit_of_work import Reader

PREFERENCES = "preferences"
_SAID = frozenset({"saved", "same", "stopped", "changed"})

router = APIRouter()
Form = Annotated[Posted, Depends(posted)]


@router.api_route("/p/{token}", methods=SAFE)
def preference_page(request: Request, token: str, said: str = "") -> Response:
    """What the customer gets now, when that was said, and everything to change it."""
    parts = opened(request, PREFERENCES, token)
    if isinstance(parts, Response):
        return parts
    with services(request).database.reading() as reader:
        guest = guest_of(request, reader, parts)
        if isinstance(guest, Response):
            return guest
        return _page(request, reader, guest, token, said=said if said in _SAID else "")


@router.post("/p/{token}")
def save_preferences(request: Request, token: str, form: Form) -> Response:
    """Stop everything, or what was changed on the page; turning off is done even where something else is wrong."""
    parts = opened(request, PREFERENCES, token)
    if isinstance(parts, Response):
        return parts
    svc = services(request)
    with svc.database.transaction() as uow:
        guest = guest_of(request, uow, parts)
        if isinstance(guest, Response):
            return guest
        uow.after_commit(svc.wake)
        if form.text("do") == "stop":
            proof = {"page": PREFERENCES}
            # First, since afterwards everything is withdrawn already and the browser's word would add nothing.
            choose(uow, guest.customer_id, Choices(keeps_private=_private(request)), source=_source(token))
            leave(uow, guest.customer_id, (ALL, ALL), mechanism="preference_page", source=_source(token), proof=proof)
            return go(f"/p/{token}", said="stopped")
        choices, problem, stale = _read(request, uow, guest, form)
        changed = choose(uow, guest.customer_id, choices, source=_source(token))
        if problem:
            typed = Typed(_ticked(form), {name[5:]: form[name] for name in form if name.startswith("week.")},
                          form.text("pause")[:40])  # fmt: skip
            return _page(request, uow, guest, token, problem=problem, typed=typed)
    return go(f"/p/{token}", said="changed" if stale else "saved" if changed else "same")


def known_of(request: Request, reader: Reader, guest: Guest) -> Known:
    """Everything about the customer that their page shows."""
    now = services(request).clock.now()
    one = guest.customer_id
    identities = profile(reader, one, now).identities
    reaches = [(channel, each.value) for each in identities for channel in CHANNELS_OF.get(each.kind, ())]
    return Known(
        identities=identities, standings=consents_of(reader, [one], now)[one],
        preferences=_wishes(reader, one, now), suppressed=suppressions_of(reader, reaches),
        zone=zone_of(reader, guest, now), now=now,
        reached=guest.parts.get("channel", ""),
    )  # fmt: skip


def _wishes(reader: Reader, customer_id: str, now: datetime) -> dict[tuple[str, str], Preference]:
    return preferences_of(reader, [customer_id], now)[customer_id]


def _page(
    request: Request,
    reader: Reader,
    guest: Guest,
    token: str,
    *,
    said: str = "",
    problem: str = "",
    typed: Typed | None = None,
) -> Response:
    words = guest.words
    known = known_of(request, reader, guest)
    view = view_of(offers_of(guest.rules), always_of(guest.rules), known, guest.language, typed)
    private = standing_for(known.standings, SHARING, ALL)
    asked = words["gpc"] if _private(request) else ""
    if private is not None and known.standings.get((SHARING, ALL)) is private:
        asked = words["gpc_kept"].format(day=day_words(private.at.date(), guest.language))
    return render_page(
        request, "preferences.html", status=422 if problem else 200, language=guest.language, words=words, view=view,
        heading=words["title"].format(company=company_of(request, guest.bundle)), token=token,
        said=words[said] if said else "", problem=problem, problem_day=problem, gpc=asked,
    )  # fmt: skip


def _read(request: Request, reader: Reader, guest: Guest, form: Posted) -> tuple[Choices, str, bool]:
    """What was changed, what is wrong with the day typed ("" if nothing), and whether a switch had moved meanwhile."""
    known = known_of(request, reader, guest)
    off, on, paces, stale = [], [], {}, False
    for offer in offers_of(guest.rules):
        for channel in shown_channels(offer, known):
            key, now_on = (offer.purpose, channel), is_on(offer, standing_for(known.standings, offer.purpose, channel))
            was, ticked = form.text(f"was.{key_of(*key)}"), f"on.{key_of(*key)}" in form
            if was == "on" and not ticked:
                off.append(key)
            elif was == "off" and ticked and not now_on and not is_locked(offer, channel, known):
                on.append(_turned_on(guest, offer, channel, known))
            stale |= was == "on" and ticked and not now_on
            if f"week.{key_of(*key)}" in form:
                try:
                    paces[key] = pace_of(form.text(f"week.{key_of(*key)}"))
                except ValueError:  # the page offers no such choice
                    continue
    problem, until = "", None
    try:
        until = pause_end(form.text("pause"), known)
    except ValueError:
        first, last = (day_words(day, guest.language) for day in pause_span(known))
        problem = guest.words["bad_day"].format(first=first, last=last)
    pauses = "pause" in form and not problem
    return Choices(tuple(off), tuple(on), paces, pauses, until, _private(request)), problem, stale


def _turned_on(guest: Guest, offer: Offer, channel: str, known: Known) -> TurnedOn:
    """A yes to a purpose that asks for a confirmed one is confirmed by the link itself: it came to that address."""
    label = guest.words.get(channel) or guest.words["channel"].format(channel=channel)
    return TurnedOn(
        offer.purpose, channel, "double_opt_in" if offer.double else "preference_page", f"{offer.words}. {label}.",
        guest.language, known.now + offer.expires if offer.expires else None,
    )  # fmt: skip


def _ticked(form: Posted) -> frozenset[str]:
    return frozenset(name[3:] for name in form if name.startswith("on."))


def _private(request: Request) -> bool:
    """Global Privacy Control."""
    return asks_privacy(request.headers.get("sec-gpc"))


def _source(token: str) -> str:
    """Names the link without being one."""
    return f"preference page, link {hashlib.sha256(token.encode()).hexdigest()[:12]}"
