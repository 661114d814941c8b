"""Links that carry their own authority: who they are for and what they may do, under a signature.

A token is `payload.signature`, both base64url without padding. The signature is HMAC-SHA256 over the purpose
of the link and the payload, so that a link for one thing is none for another. What the payload says can be
read by whoever has the link: put ids into it, never addresses or words.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping
from datetime import datetime

from fairlead.errors import InputError
from fairlead.kit import jsons

PURPOSES = frozenset({"preferences", "unsubscribe", "consent", "why"})
UNTIL = "until"
"""The part that says when a link ends, in seconds since 1970; a link without it does not end."""
MAX_TOKEN = 2_048
MAX_PARTS = 16


def make_link(secret: bytes, what: str, parts: Mapping[str, str]) -> str:
    """A token for `what`, one of PURPOSES, with these parts; equal parts give the same token.

    InputError for an unknown purpose, an empty secret, more than 16 parts, or a token over 2,048 characters.
    """
    _check(secret, what)
    if len(parts) > MAX_PARTS:
        message = f"a link holds at most {MAX_PARTS} parts, not {len(parts)}"
        raise InputError(message, code="link")
    payload = jsons.dumps(dict(sorted(parts.items()))).encode()
    token = f"{_text(payload)}.{_text(_signature(secret, what, payload))}"
    if len(token) > MAX_TOKEN:
        message = f"a link would have {len(token)} characters; at most {MAX_TOKEN}"
        raise InputError(message, code="link")
    return token


def read_link(secret: bytes, what: str, token: str, *, now: datetime | None = None) -> dict[str, str]:
    """The parts of a token that `make_link` made with this secret for `what`; `now` None: the machine's clock.

    InputError with the code `link` for every other text, and for a link whose time is over; the message does
    not say which of them it was.
    """
    _check(secret, what)
    body, dot, signature = token.partition(".")
    payload, given = _bytes(body), _bytes(signature)
    if len(token) > MAX_TOKEN or not dot or payload is None or given is None:
        raise _refused()
    if not hmac.compare_digest(_signature(secret, what, payload), given):
        raise _refused()
    parts: dict[str, str] = jsons.loads(payload)
    until = parts.get(UNTIL)
    if until is not None and (now.timestamp() if now else time.time()) >= float(until):
        raise _refused()
    return parts


def _check(secret: bytes, what: str) -> None:
    if not secret:
        raise InputError("links need a secret", code="link")
    if what not in PURPOSES:
        message = f"no link is for {what!r}; known are {', '.join(sorted(PURPOSES))}"
        raise InputError(message, code="link")


def _signature(secret: bytes, what: str, payload: bytes) -> bytes:
    return hmac.digest(secret, b"fairlead link %s\0%s" % (what.encode(), payload), hashlib.sha256)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes | None:
    """None unless this is exactly how `_text` writes something: no second spelling of a link is one."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if data and _text(data) == text else None


def _refused() -> InputError:
    return InputError("This link is not valid, or its time is over.", code="link")
