"""What the pages behind signed links share: whose link it is, in which language, and how often it may be used.

The link is the authority: there is no session, and whoever has it may do what it says, nothing else. Whatever is
wrong with a link, the answer is one and the same page.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fairlead.api import address_of, limits_of, render_page, services
from fairlead.console.preference_words import PREFERENCE_WORDS, speak
from fairlead.console.shell import console_of
from fairlead.customers import facts_of, zones_of
from fairlead.errors import FaultError, InputError, TooManyRequestsError
from fairlead.guardrails import current_rules
from fairlead.kit.links import read_link

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import HTMLResponse

    from fairlead.guardrails import ContactRules
    from fairlead.kit.unit_of_work import Reader
    from fairlead.playbooks import Bundle

SAFE = ["GET", "HEAD"]
"""Methods that only show; mail scanners use both, and neither changes anything."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Whose link was opened: the customer who stands for the id in it now; `parts` are the link's own."""

    customer_id: str
    parts: Mapping[str, str]
    language: str
    bundle: Bundle | None
    rules: ContactRules

    @property
    def words(self) -> Mapping[str, str]:
        """What pages say in their language."""
        return PREFERENCE_WORDS[self.language]


def secret_of(request: Request) -> bytes:
    """The key that signs links; the same that commands and messages make them with."""
    secret = services(request).settings.secret_key
    if secret is None:
        raise FaultError("links need the secret key; see settings.provide_secrets")
    return secret.get_secret_value().encode()


def opened(request: Request, what: str, token: str) -> dict[str, str] | HTMLResponse:
    """The parts of a link, or the page that says that it is none or that it is used too often."""
    limits, now, sender = limits_of(request), services(request).clock.now(), address_of(request)
    try:
        limits.wrong_links.check(sender, now)
        try:
            parts = read_link(secret_of(request), what, token, now=now)
        except InputError:
            limits.wrong_links.count(sender, now)
            return gone(request)
        # By link, not by address: a mail provider presses the links of all its users from a few addresses.
        limits.links.take(hashlib.sha256(token.encode()).hexdigest(), now)
    except TooManyRequestsError as error:
        return busy(request, error)
    return parts


def guest_of(request: Request, reader: Reader, parts: Mapping[str, str], customer_id: str = "") -> Guest | HTMLResponse:
    """Who a link is about, or the page that says that nobody is or that nothing is kept about them any more.

    `customer_id` "": the one that the link names.
    """
    wanted = customer_id or parts.get("customer", "")
    known = facts_of(reader, [wanted], services(request).clock.now()).get(wanted)
    if known is None:
        return gone(request)
    language = speak(known["language"], request.headers.get("accept-language", ""))
    if known["erased"]:
        return note_page(request, language, "erased", "erased_words")
    return Guest(known["id"], parts, language, bundle_of(request, reader), current_rules(reader))


def zone_of(reader: Reader, guest: Guest, now: datetime) -> str:
    """By whose clock a customer's page writes days: theirs as far as it is known, else the workspace's."""
    zones = zones_of(reader, [guest.customer_id], now)[guest.customer_id].zones
    return zones[0] if zones else guest.rules.time_zone


def bundle_of(request: Request, reader: Reader) -> Bundle | None:
    """What is deployed, None before the first deploy."""
    try:
        return console_of(request).library.current(reader)
    except InputError:
        return None


def company_of(request: Request, bundle: Bundle | None) -> str:
    """Who speaks on the page: the workspace's name, else the host."""
    return bundle.name if bundle else urlsplit(services(request).settings.public_url).hostname or ""


def language_of(request: Request) -> str:
    """The language of a page about nobody."""
    return speak(None, request.headers.get("accept-language", ""))


def gone(request: Request) -> HTMLResponse:
    """The page for whatever is wrong with a link: forged, cut off, made for something else, too old."""
    return note_page(request, language_of(request), "gone", "gone_words", status=404)


def busy(request: Request, error: TooManyRequestsError) -> HTMLResponse:
    """The page for too many requests, with when to come back."""
    seconds = int(error.fields["retry_after_s"])
    page = note_page(request, language_of(request), "busy", "busy_words", status=429, minutes=max(1, -(-seconds // 60)))
    page.headers["Retry-After"] = str(seconds)
    return page


def note_page(
    request: Request, language: str, heading: str, told: str, *, status: int = 200, more: str = "", **values: Any
) -> HTMLResponse:
    """A page of one heading and one paragraph, both keys of the words; `more` leads to the preference page."""
    words = PREFERENCE_WORDS[language]
    return render_page(
        request, "public_note.html", status=status, language=language, words=words,
        heading=words[heading].format(**values), told=words[told].format(**values), more=more,
    )  # fmt: skip
