"""Signing in and out with a browser, and asking who one is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fairlead.api import http
from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.limits import address_of, limits_of
from fairlead.api.pages import render_page
from fairlead.errors import NotFoundError, NotSignedInError
from fairlead.people import (
    SESSION_LIFETIME,
    SIGN_IN,
    SIGN_IN_HELP,
    Principal,
    consume_sign_in_link,
    is_token,
    sign_out,
)

if TYPE_CHECKING:
    from fairlead.people import OpenedSession

router = APIRouter(responses=ERROR_RESPONSES)


class WhoAmI(BaseModel):
    """The signed-in person or the program behind the key, and how far it may go."""

    kind: str = Field(description="person or api_key")
    id: str
    name: str
    roles: list[str]
    permissions: list[str]
    checkpoints: list[str] = Field(description="Where decisions may be asked for; * stands for everywhere.")


@router.get("/sign-in", include_in_schema=False)
def how_to_sign_in(request: Request) -> Response:
    """Tell how to get a link; who is signed in already is taken to the desk."""
    if http.session(request) is not None:
        return RedirectResponse("/", 303)
    return render_page(request, SIGN_IN_HELP)


@router.get("/sign-in/{token}", include_in_schema=False)
def offer_sign_in(request: Request, token: str) -> Response:
    """A page with a button. Looks nothing up and consumes nothing: mail scanners open every link they see."""
    if not is_token(token):
        raise NotFoundError("This is no sign-in link. Was it copied as a whole?")
    return render_page(request, SIGN_IN, token=token)


@router.post("/sign-in/{token}", include_in_schema=False)
def use_sign_in_link(request: Request, token: str) -> Response:
    """Consume the link, open a session and go to the desk; a session this browser had before ends."""
    svc, limits, client = http.services(request), limits_of(request), address_of(request)
    limits.sign_in.check(client, svc.clock.now())
    earlier = http.session(request)
    try:
        with svc.database.transaction() as uow:
            opened = consume_sign_in_link(uow, token)
            if earlier is not None:
                sign_out(uow, earlier)
    except NotSignedInError:
        limits.sign_in.count(client, svc.clock.now())
        raise
    response = RedirectResponse("/", 303)
    _set_cookie(request, response, opened)
    return response


@router.post("/sign-out", include_in_schema=False)
def end_session(request: Request) -> Response:
    """End this browser's session; without one there is nothing to do."""
    svc = http.services(request)
    open_session = http.session(request)
    if open_session is not None:
        with svc.database.transaction() as uow:
            sign_out(uow, open_session)
    response = RedirectResponse("/sign-in", 303)
    secure = http.is_https(svc.settings)
    name = http.session_cookie(svc.settings)
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")
    return response


@router.get("/v1/me")
def who_am_i(principal: Annotated[Principal, Depends(http.principal)]) -> WhoAmI:
    """Whom this request speaks for, and what that one may do."""
    return WhoAmI(
        kind=principal.kind.value,
        id=principal.id,
        name=principal.name,
        roles=sorted(principal.roles),
        permissions=sorted(principal.permissions),
        checkpoints=sorted(principal.checkpoints),
    )


def _set_cookie(request: Request, response: Response, opened: OpenedSession) -> None:
    settings = http.services(request).settings
    response.set_cookie(
        http.session_cookie(settings),
        opened.token,
        max_age=int(SESSION_LIFETIME.total_seconds()),
        path="/",
        secure=http.is_https(settings),
        httponly=True,
        samesite="lax",
    )
