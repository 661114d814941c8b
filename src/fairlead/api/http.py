"""What a route may ask of its request: the services, who it speaks for, and what that one may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from starlette.requests import Request

from fairlead.api.limits import address_of, limits_of
from fairlead.errors import NotSignedInError
from fairlead.people import (
    Permission,
    Principal,
    Session,
    resolve_api_key,
    resolve_session,
    touch_session,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.kit.clock import Clock
    from fairlead.kit.database import Database
    from fairlead.playbooks import BundleLibrary
    from fairlead.settings import Settings

_PRINCIPAL = "fairlead.principal"


def _nobody_to_wake() -> None:
    """Where no engine runs in this process, its sweep finds the work."""


@dataclass(frozen=True)
class Services:
    """What every route needs; one per application, put into `app.state.services` by `install`.

    `wake` tells the engine, after a commit, that there may be something to do.
    """

    database: Database
    settings: Settings
    clock: Clock
    wake: Callable[[], None] = _nobody_to_wake


def services(request: Request) -> Services:
    """The services of the application that serves this request; a dependency, and callable by itself."""
    found: Services = request.app.state.services
    return found


def library_of(request: Request) -> BundleLibrary:
    """The deployed workspaces, as `routes.include_all` was given them."""
    found: BundleLibrary = request.app.state.library
    return found


def session_cookie(settings: Settings) -> str:
    """The session cookie's name; behind https the browser is told that no other host may set it."""
    return "__Host-fairlead" if is_https(settings) else "fairlead_session"


def is_https(settings: Settings) -> bool:
    """Whether people reach the desk encrypted, so that cookies must never travel in the clear."""
    return settings.public_url.startswith("https://")


def idle_limit(settings: Settings) -> timedelta:
    """How long a session may go unused."""
    return timedelta(hours=settings.session_hours)


def session(request: Request) -> Session | None:
    """The live session of the cookie, None without one; looks at nothing else and writes nothing."""
    svc = services(request)
    token = request.cookies.get(session_cookie(svc.settings))
    if not token:
        return None
    with svc.database.reading() as reader:
        return resolve_session(reader, token, svc.clock.now(), idle=idle_limit(svc.settings))


def principal(request: Request) -> Principal:
    """Whom the request speaks for: `Authorization: Bearer fl_…`, else the session cookie.

    An Authorization header that does not hold is never made up for by a cookie. NotSignedInError when there
    is neither, TooManyRequestsError past the limits of a key. Asked again in one request it remembers.
    """
    known: Principal | None = request.scope.get(_PRINCIPAL)
    if known is None:
        known = _by_key(request) if "authorization" in request.headers else _by_cookie(request)
        request.scope[_PRINCIPAL] = known
    return known


def require(permission: Permission) -> Callable[[Request], Principal]:
    """A dependency that gives the principal when it holds `permission`, else ForbiddenError naming it."""

    def allowed(request: Request) -> Principal:
        found = principal(request)
        found.require(permission)
        return found

    return allowed


def _by_cookie(request: Request) -> Principal:
    svc = services(request)
    found = session(request)
    if found is None:
        raise NotSignedInError("Sign in first.")
    if found.touch_due(svc.clock.now()):
        with svc.database.transaction() as uow:
            touch_session(uow, found)
    return found.person.principal()


def _by_key(request: Request) -> Principal:
    svc = services(request)
    limits = limits_of(request)
    scheme, _, text = request.headers["authorization"].partition(" ")
    text = text.strip()
    now = svc.clock.now()
    # By address and key id: who guesses at one key does not lock out its neighbours behind the same address.
    suspect = f"{address_of(request)}|{text[:27]}"
    limits.wrong_keys.check(suspect, now)
    found = None
    if scheme.lower() == "bearer" and text.isascii():
        with svc.database.reading() as reader:
            found = resolve_api_key(reader, text)
    if found is None:
        limits.wrong_keys.count(suspect, now)
        raise NotSignedInError("This API key is unknown, revoked or malformed.", code="key_not_valid")
    limits.keys.take(found.id, now)
    return found
