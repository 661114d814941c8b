"""The outermost of our layers: an id, one log line and figures per request, and the last net for errors."""

from __future__ import annotations

import re
import secrets
import time
from typing import TYPE_CHECKING, Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.requests import Request

from fairlead.api.errors import REQUEST_ID, internal_error
from fairlead.kit.logs import get_logger

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
NO_ROUTE = "(no route)"

log = get_logger("fairlead.access")


class Metrics:
    """The figures of one application; other parts add theirs to `registry`."""

    def __init__(self) -> None:
        """An own registry, so that several applications in one process do not meet."""
        self.registry = CollectorRegistry(auto_describe=True)
        self.requests = Counter(
            "fairlead_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "fairlead_http_seconds",
            "Seconds until the whole answer was sent.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self.registry,
        )


class RequestLog:
    """Pure ASGI. Logs the route's pattern, never the address asked for: that may hold a sign-in token."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """`metrics` gets one observation per request."""
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and say how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        given = request.headers.get("x-request-id", "")
        request_id = given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
        scope[REQUEST_ID] = request_id
        started, status = time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {
                    **message,
                    "headers": [*message["headers"], (b"x-request-id", request_id.encode())],
                }
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, watched)
            except Exception:  # the last net: whatever it is, the client gets an answer without details
                log.exception("request_crashed", method=request.method, route=_route(scope))
                if status:
                    raise  # too late for another answer; the server cuts the connection
                await internal_error(request)(scope, receive, watched)
            finally:
                self._report(scope, status, time.perf_counter() - started)

    def _report(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        route = _route(scope)
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.seconds.labels(method, route).observe(seconds)
        extra: dict[str, Any] = {}
        if who := scope.get("fairlead.principal"):
            extra["actor"] = str(who.actor)
        write = log.debug if route in _QUIET else log.info
        write("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1), **extra)


def _route(scope: Scope) -> str:
    """The pattern that matched; a mounted application counts under its prefix."""
    path = getattr(scope.get("route"), "path", None)
    if path is not None:
        return str(path)
    root: str = scope.get("root_path", "")
    return f"{root}/…" if root and scope.get("endpoint") is not None else NO_ROUTE
