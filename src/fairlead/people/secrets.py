"""Tokens and keys: how they are made, what is kept of them, how they are compared.

All hold 256 random bits, so a plain SHA-256 is enough: there is nothing to guess, and no dictionary helps.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from typing import NamedTuple

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_KEY = re.compile(r"fl_([0-9a-f]{24})_([0-9a-f]{64})")
_NO_HASH = hashlib.sha256(b"no such key").hexdigest()


class KeyParts(NamedTuple):
    """A presented API key, taken apart."""

    key_id: str
    secret: str


def new_token() -> str:
    """A token for a link or a session, 43 characters that need no escaping in an address."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """What is stored of a token or secret: SHA-256 in hex."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_token(text: str) -> bool:
    """Whether `text` has a token's form; anything else is not worth a look into the database."""
    return _TOKEN.fullmatch(text) is not None


def new_key_secret() -> str:
    """The secret half of an API key, hexadecimal so that a double click selects it all."""
    return secrets.token_hex(32)


def key_text(key_id: str, secret: str) -> str:
    """`fl_<id>_<secret>`, the form in which a program shows its key."""
    return f"fl_{key_id.removeprefix('key_')}_{secret}"


def parse_key(text: str) -> KeyParts | None:
    """The id and secret of `key_text`; None for any other form."""
    match = _KEY.fullmatch(text)
    return KeyParts(f"key_{match[1]}", match[2]) if match else None


def matches(secret: str, stored_hash: str | None) -> bool:
    """Compare in constant time; None (no such key) costs the same and is never a match."""
    same = hmac.compare_digest(hash_of(secret), stored_hash or _NO_HASH)
    return same and stored_hash is not None


def new_webhook_secret() -> str:
    """A signing secret in the form that Standard Webhooks libraries read: `whsec_` and base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
