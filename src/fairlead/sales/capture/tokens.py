"""Signed marks of when a form was shown: a post without a fresh one of ours was not made by a reader. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import struct
from datetime import datetime, timedelta
from enum import StrEnum

LEAST, MOST = timedelta(seconds=2), timedelta(hours=24)
_NONCE, _MAC = 12, 20
_STAMP = struct.Struct(">Q")
_BYTES = _STAMP.size + _NONCE + _MAC
_CHARS = 4 * ((_BYTES + 2) // 3)


class TokenState(StrEnum):
    """What is wrong with a token, if anything; whether it was used before is the store's to know."""

    GOOD = "good"
    FORGED = "forged"
    TOO_FAST = "too_fast"
    EXPIRED = "expired"


def issue_token(key: bytes, form: str, now: datetime) -> str:
    """A token for one showing of this form."""
    body = _STAMP.pack(int(now.timestamp() * 1_000)) + secrets.token_bytes(_NONCE)
    return base64.urlsafe_b64encode(body + _mac(key, form, body)).decode()


def check_token(key: bytes, form: str, token: str, now: datetime) -> TokenState:
    """Whether we signed it for this form, between 2 seconds and 24 hours ago."""
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True) if len(token) == _CHARS else b""
    except (UnicodeEncodeError, binascii.Error, ValueError):
        return TokenState.FORGED
    # Bits that base64 leaves unused would let one token be spelt, and so used, sixteen times.
    canonical = base64.urlsafe_b64encode(raw).decode() == token
    if len(raw) != _BYTES or not canonical or not hmac.compare_digest(raw[-_MAC:], _mac(key, form, raw[:-_MAC])):
        return TokenState.FORGED
    age = timedelta(milliseconds=int(now.timestamp() * 1_000) - _STAMP.unpack_from(raw)[0])
    if age < LEAST:
        return TokenState.TOO_FAST
    return TokenState.EXPIRED if age > MOST else TokenState.GOOD


def token_digest(token: str) -> str:
    """What is kept of a used token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _mac(key: bytes, form: str, body: bytes) -> bytes:
    return hmac.digest(key, form.encode() + b"\0" + body, "sha256")[:_MAC]
