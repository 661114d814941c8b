"""Layers before any route: foreign hosts and cross-site requests are refused, every answer gets its headers.

All are pure ASGI, so that streams pass through them untouched.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request

from fairlead.api.errors import error_response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from fairlead.settings import Settings

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: browsers would then send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
FRAMED_BY = "fairlead.framed_by"
"""Scope key under which a route leaves the origins whose pages may show its answer in a frame."""
_HSTS = "max-age=31536000"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_WILDCARDS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  named to be left out
_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::[0-9]{1,5})?")
_PRESSED_FROM_ANYWHERE = re.compile(r"/u/[^/]+")
"""One-click unsubscription: the link is the whole authority, cookies are not looked at, and mail pages press it."""
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


class SecurityHeaders:
    """Puts the strict policy on every answer, errors too; a route may set its own Cache-Control."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        """`https` also tells browsers never to come back in the clear."""
        self._app = app
        self._headers = {**_HEADERS, "Strict-Transport-Security": _HSTS} if https else _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve with the headers put on."""

        async def covered(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                _let_in(headers, scope.get(FRAMED_BY, ()))
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, covered if scope["type"] == "http" else send)


def _let_in(headers: MutableHeaders, origins: Sequence[str]) -> None:
    if origins:
        allowed = "frame-ancestors 'self' " + " ".join(origins)
        headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", allowed)
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        del headers["X-Frame-Options"]  # it knows no origins, and browsers follow the policy above


class KnownHost:
    """Refuses requests for another host name, against DNS rebinding and poisoned links.

    Known are the loopback names, the host of the public address and the one listened on. Probes and figures
    are exempt, because who collects them comes by address.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Reads `public_url` and `host`."""
        self._app = app
        own = settings.host.lower()
        listened = {f"[{own}]" if ":" in own else own} if own not in _WILDCARDS else set()
        self._known = _LOOPBACK | listened | {_host_of(urlsplit(settings.public_url).netloc.lower())}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, or 400 for a missing, repeated or foreign Host header."""
        if scope["type"] == "http" and scope["path"] not in _PROBES:
            request = Request(scope)
            hosts = request.headers.getlist("host")
            if len(hosts) != 1 or _host_of(hosts[0].lower()) not in self._known:
                error = {"code": "unknown_host", "message": "This server does not answer for that host name."}
                await error_response(request, 400, error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class SameSite:
    """Refuses unsafe requests that another site made a browser send.

    A request with an Authorization header is exempt: no site can add one, and the cookie is not looked at
    then. So is one-click unsubscription. Else `Sec-Fetch-Site` decides; without it `Origin` must name this
    host; without both there must be no cookie, as with programs.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """The public address counts as this host, for proxies that rename it."""
        self._app = app
        self._public = urlsplit(settings.public_url).netloc.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, or 403."""
        if scope["type"] == "http" and scope["method"] not in _SAFE_METHODS:
            request = Request(scope)
            if not self._own(request):
                error = {
                    "code": "cross_site",
                    "message": "Another site made your browser send this.",
                }
                await error_response(request, 403, error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _own(self, request: Request) -> bool:
        headers = request.headers
        if "authorization" in headers or _PRESSED_FROM_ANYWHERE.fullmatch(request.scope["path"]):
            return True
        if (site := headers.get("sec-fetch-site")) is not None:
            return site in {"same-origin", "none"}
        if (origin := headers.get("origin")) is not None:
            scheme, _, netloc = origin.lower().partition("://")
            return scheme in {"http", "https"} and netloc in {headers.get("host", "").lower(), self._public}
        return "cookie" not in headers


def _host_of(netloc: str) -> str | None:
    match = _HOST.fullmatch(netloc)
    return match[1] if match else None
