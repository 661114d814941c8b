"""Every refusal in one shape: `{"error": {"code", "message", "fields"}}`, or a page for a browser.

What went wrong inside is told to the log only; the answer then names the request, so that both can be
matched.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from fairlead.errors import FairleadError, FaultError, TooManyRequestsError, UnavailableError
from fairlead.kit.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from fastapi import FastAPI
    from starlette.requests import Request

    Handler = Callable[[Request, Exception], Awaitable[Response]]
    ErrorPage = Callable[[Request, int, dict[str, Any]], str]
    """Makes the HTML of an error page from the request, the status and the JSON shape's `error` object."""

API_PREFIX = "/v1/"
REQUEST_ID = "fairlead.request_id"
MOST_FIELDS = 50
UNAVAILABLE_RETRY_S = 5
_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "media_type",
}

_SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address does not take this method.",
}
"""In the place of the framework's bare phrases."""

log = get_logger(__name__)


class ErrorDetail(BaseModel):
    """Why a request was refused; `code` is stable and meant for programs, `message` for people."""

    code: str
    message: str
    fields: dict[str, Any] | None = Field(None, description="The offending values by name, where there are any.")


class ErrorAnswer(BaseModel):
    """The body of every answer with a status from 400."""

    error: ErrorDetail


ERROR_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorAnswer} for status in (400, 401, 403, 404, 409, 413, 422, 429, 500, 503)
}
"""For `APIRouter(responses=…)`, so that the OpenAPI description shows the one shape."""


def register(app: FastAPI) -> None:
    """Answer every known kind of error; unknown ones are the request log's to catch."""
    # Each handler gets only its own kind, which the framework's types cannot say.
    app.add_exception_handler(FairleadError, cast("Handler", _known))
    app.add_exception_handler(RequestValidationError, cast("Handler", _invalid))
    app.add_exception_handler(HTTPException, cast("Handler", _http))


def error_response(
    request: Request, status: int, error: dict[str, Any], headers: Mapping[str, str] | None = None
) -> Response:
    """The answer to a refused request: a page for browsers outside `/v1/`, JSON for everybody else."""
    if _wants_page(request):
        page: ErrorPage = request.app.state.render_error
        return HTMLResponse(page(request, status, error), status, headers=headers)
    return JSONResponse({"error": error}, status, headers=headers)


def internal_error(request: Request) -> Response:
    """The answer when nothing is known about the cause; never runs the page hook, which may be the cause."""
    error = {"code": "internal", "message": "Internal error", "fields": {"request_id": _request_id(request)}}
    if _wants_page(request):
        page = (
            "<!doctype html><html lang=en><title>Internal error</title><h1>Internal error</h1>"
            f"<p>The log says more under {_request_id(request)}.</p></html>"
        )
        return HTMLResponse(page, 500)
    return JSONResponse({"error": error}, 500)


def _wants_page(request: Request) -> bool:
    accept = request.headers.get("accept", "")
    return "text/html" in accept and not request.url.path.startswith(API_PREFIX)


def _request_id(request: Request) -> str:
    return str(request.scope.get(REQUEST_ID, ""))


async def _known(request: Request, error: FairleadError) -> Response:
    body, headers = error.as_dict(), {}
    if isinstance(error, FaultError):
        log.error("request_failed", code=error.reason, detail=error.message, exc_info=error)
        unavailable = isinstance(error, UnavailableError)
        message = "This is not available right now. Try again in a moment." if unavailable else "Internal error"
        body = {"code": error.reason, "message": message, "fields": {"request_id": _request_id(request)}}
        if unavailable:
            headers["Retry-After"] = str(UNAVAILABLE_RETRY_S)
    elif isinstance(error, TooManyRequestsError):
        headers["Retry-After"] = str(int(error.fields.get("retry_after_s", 60)))
    elif error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return error_response(request, error.status, body, headers)


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    fields: dict[str, str] = {}
    for one in error.errors()[:MOST_FIELDS]:
        fields.setdefault(".".join(str(part)[:64] for part in one["loc"]), one["msg"])
    message = "The request cannot be used: " + "; ".join(f"{name}: {why}" for name, why in list(fields.items())[:3])
    return error_response(request, 422, {"code": "input", "message": message, "fields": fields})


async def _http(request: Request, error: HTTPException) -> Response:
    code = _CODES.get(error.status_code, "http")
    if error.status_code < HTTPStatus.BAD_REQUEST:
        return Response(status_code=error.status_code, headers=error.headers)
    known = error.status_code in _SENTENCES and error.detail == HTTPStatus(error.status_code).phrase
    message = _SENTENCES[error.status_code] if known else error.detail
    return error_response(request, error.status_code, {"code": code, "message": message}, error.headers)
