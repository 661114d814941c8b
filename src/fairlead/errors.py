"""Every error that Fairlead raises on purpose.

    FairleadError
    ├── InputError            422  the caller sent something that cannot be used
    │   ├── SourceError       422  a file of the workspace is wrong, with the place and a cure
    │   └── TooLargeError     413  a bound on size, count or depth was passed
    ├── NotSignedInError      401
    ├── ForbiddenError        403  known, but may not
    ├── NotFoundError         404
    ├── ConflictError         409  somebody else was first, or the thing changed
    ├── GoneError             410  it was there, its time is over
    ├── TooManyRequestsError  429
    └── FaultError            500  our fault, or the machine's
        ├── UnauditedWriteError    a domain write was about to commit without an audit entry
        └── UnavailableError  503  the database or another service cannot be reached now

`code` is stable and meant for programs; the message is meant for people and may change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file something stands; line and column count from 1, 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """`file:line:column`, without the parts that are 0."""
        return ":".join([self.file, *(str(n) for n in (self.line, self.column) if n)])


class FairleadError(Exception):
    """Base of the tree; `fields` name the offending values and go into logs and API answers."""

    code: ClassVar[str] = "fairlead"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, code: str | None = None, **fields: Any) -> None:
        """Keep the message for people and the fields for programs; `code` narrows the class's own."""
        super().__init__(message)
        self.message = message
        self.fields = fields
        self.reason = code or self.code

    def as_dict(self) -> dict[str, Any]:
        """The one JSON shape of an error: `code`, `message`, and `fields` where there are any."""
        body: dict[str, Any] = {"code": self.reason, "message": self.message}
        if self.fields:
            body["fields"] = {name: _plain(value) for name, value in self.fields.items()}
        return body


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return str(value)


class InputError(FairleadError):
    """What the caller sent cannot be used; nothing was stored."""

    code = "input"
    status = 422


class SourceError(InputError):
    """A workspace file is wrong: says what, where, and what was probably meant."""

    code = "source"

    def __init__(
        self,
        message: str,
        place: Place,
        *,
        suggestion: str | None = None,
        code: str | None = None,
        **fields: Any,
    ) -> None:
        """`suggestion` is a full replacement for the wrong word, or a sentence that says how to mend it."""
        hint = f" {suggestion}" if suggestion else ""
        super().__init__(f"{place}: {message}{hint}", code=code, place=str(place), **fields)
        self.bare = message
        self.place = place
        self.suggestion = suggestion


class TooLargeError(InputError):
    """A bound on size, count, depth or time was passed; `limit` and `unit` say which."""

    code = "too_large"
    status = 413


class NotSignedInError(FairleadError):
    """Nobody is signed in, or the session or key is unknown, expired or revoked."""

    code = "not_signed_in"
    status = 401


class ForbiddenError(FairleadError):
    """The actor is known but lacks the permission, role or limit that `fields` name."""

    code = "forbidden"
    status = 403


class NotFoundError(FairleadError):
    """No such record, or none that this actor may know of."""

    code = "not_found"
    status = 404


class ConflictError(FairleadError):
    """Somebody or something else was first, or the record changed since it was read."""

    code = "conflict"
    status = 409


class GoneError(FairleadError):
    """It existed and its time is over; asking again will not bring it back."""

    code = "gone"
    status = 410


class TooManyRequestsError(FairleadError):
    """A rate limit was passed; `retry_after_s` says when to come back."""

    code = "too_many_requests"
    status = 429


class FaultError(FairleadError):
    """Our fault or the machine's; the caller did nothing wrong."""

    code = "fault"
    status = 500


class UnauditedWriteError(FaultError):
    """A transaction wrote domain rows and recorded no audit entry, so it was rolled back."""

    code = "unaudited_write"


class UnavailableError(FaultError):
    """The database, disk or another service cannot be used right now; try again later."""

    code = "unavailable"
    status = 503
