"""The layer that reads request bodies: whole, bounded in size, time and depth, without NUL characters."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NoReturn

from starlette.requests import Request

from fairlead.api.errors import error_response
from fairlead.errors import InputError, TooLargeError
from fairlead.kit import jsons

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_DEPTH = 64
READ_S = 60.0
_LENGTH_DIGITS = 15  # more than any limit; int() must not meet 5,000 of them
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
UPLOADS = frozenset({("POST", "/v1/imports"), ("POST", "/imports"), ("POST", "/v1/mail")})
"""Routes that read a file as it comes, and bound it themselves by their own limit."""
UPLOAD_S = 3_600.0
_FORM_ROOM = 65_536  # what a form adds to its file
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class BodyGuard:
    """Pure ASGI. Reads the body before the route does, so that no route has to defend itself.

    Refused are: more than `limit` bytes, announced or not (413); a body that takes more than a minute (408);
    JSON that is malformed, holds NaN or lone surrogates, or is nested deeper than 64 (400); NUL characters in
    address, JSON or form (400), which Postgres cannot store. The routes of UPLOADS get their body as it comes,
    bounded in size, in the time between two pieces and as a whole.
    """

    def __init__(self, app: ASGIApp, limit: int, uploads: int = 0) -> None:
        """`limit` in bytes; so much memory a request may take here. `uploads`: the largest file of an upload."""
        self._app = app
        self._limit = limit
        self._uploads = uploads + _FORM_ROOM

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve with the body already read, or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        body: bytes | None = None
        try:
            _refuse_nul_address(scope)
            if (scope["method"], scope["path"]) in UPLOADS:
                _announced(request, self._uploads)
                receive = _metered(receive, self._uploads)
            elif scope["method"] not in _BODILESS:
                body = await self._read(request, receive)
                if body is None:
                    return  # the client left
                _check(request.headers.get("content-type", ""), body)
        except InputError as error:
            status = error.status if isinstance(error, TooLargeError) else 400
            await _refuse(request, status, error.as_dict())(scope, receive, send)
            return
        except TimeoutError:
            error_body = {"code": "too_slow", "message": f"The body did not arrive within {READ_S:.0f} s."}
            await _refuse(request, 408, error_body)(scope, receive, send)
            return
        await self._app(scope, receive if body is None else _replay(body, receive), send)

    async def _read(self, request: Request, receive: Receive) -> bytes | None:
        _announced(request, self._limit)
        body = bytearray()
        async with asyncio.timeout(READ_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                body += message.get("body", b"")
                if len(body) > self._limit:
                    _too_large(self._limit)
                if not message.get("more_body", False):
                    return bytes(body)


def _announced(request: Request, limit: int) -> None:
    announced = request.headers.get("content-length", "0")
    if not (announced.isascii() and announced.isdigit()):
        raise InputError("The Content-Length is no number.", code="content_length")
    if len(announced) > _LENGTH_DIGITS or int(announced) > limit:
        _too_large(limit)


def _too_large(limit: int) -> NoReturn:
    message = f"A request may hold at most {limit} bytes."
    raise TooLargeError(message, limit=limit, unit="bytes")


def _metered(receive: Receive, limit: int) -> Receive:
    """Pieces as they come; TooLargeError past the limit, InputError `too_slow` when they come too slowly."""
    size, ends = 0, asyncio.get_running_loop().time() + UPLOAD_S

    async def piece() -> Message:
        nonlocal size
        left = ends - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(max(0.0, min(READ_S, left))):
                message = await receive()
        except TimeoutError:
            raise InputError("The file does not arrive fast enough; send it again.", code="too_slow") from None
        size += len(message.get("body", b""))
        if size > limit:
            _too_large(limit)
        return message

    return piece


def _refuse(request: Request, status: int, error: dict[str, Any]) -> Any:
    # What is still on its way would be taken for the next request.
    return error_response(request, status, error, {"Connection": "close"})


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return pending.pop() if pending else await receive()

    return again


def _refuse_nul_address(scope: Scope) -> None:
    if "\0" in scope["path"] or b"%00" in scope["query_string"] or b"\0" in scope["query_string"]:
        raise InputError("The address holds a NUL character.", code="nul")


def _check(content_type: str, body: bytes) -> None:
    kind = content_type.partition(";")[0].strip().lower()
    if kind in _FORMS:
        if b"\0" in body or (kind == _FORMS[0] and b"%00" in body):
            raise InputError("The form holds a NUL character.", code="nul")
    elif body and (kind == "application/json" or kind.endswith("+json")):
        _check_json(body)


def _check_json(body: bytes) -> None:
    try:
        value = jsons.loads(body)
    except ValueError as error:
        raise InputError(f"This is not valid JSON: {error}.", code="json") from None
    # Only then is a walk through all of it worth its time.
    nested = body.count(b"{") + body.count(b"[") > MAX_DEPTH
    if nested or b"\\u0000" in body:
        _walk(value)


def _walk(value: Any) -> None:
    layer, depth = [value], 0
    while layer:
        if depth > MAX_DEPTH:
            message = f"The JSON is nested deeper than {MAX_DEPTH} levels."
            raise InputError(message, code="too_deep", limit=MAX_DEPTH)
        below: list[Any] = []
        for item in layer:
            if isinstance(item, dict):
                below += item.keys()
                below += item.values()
            elif isinstance(item, list):
                below += item
            elif isinstance(item, str) and "\0" in item:
                raise InputError("The JSON holds a NUL character.", code="nul")
        layer, depth = below, depth + 1
