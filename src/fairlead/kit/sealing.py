"""Words that are stored on the way to somebody else and that nobody may read there, such as a one-time code."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fairlead.errors import FaultError, InputError

MAX_SEALED = 4_096
_NONCE = 12


def seal(secret: bytes, bound_to: str, text: str) -> str:
    """The text under AES-256-GCM, url-safe; only `unseal` with the same secret and `bound_to` gives it back.

    Bind it to what it is for, such as an idempotency key, so that it is worth nothing in another place.
    FaultError for an empty secret.
    """
    nonce = os.urandom(_NONCE)
    sealed = AESGCM(_key(secret)).encrypt(nonce, text.encode(), bound_to.encode())
    return base64.urlsafe_b64encode(nonce + sealed).decode()


def unseal(secret: bytes, bound_to: str, sealed: str) -> str:
    """What `seal` was given; InputError with the code `sealed` for every other text."""
    try:
        data = base64.b64decode(sealed[:MAX_SEALED], altchars=b"-_", validate=True)
        return AESGCM(_key(secret)).decrypt(data[:_NONCE], data[_NONCE:], bound_to.encode()).decode()
    except (binascii.Error, ValueError, InvalidTag):
        raise InputError("A sealed field cannot be opened here.", code="sealed") from None


def _key(secret: bytes) -> bytes:
    if not secret:
        raise FaultError("sealing needs the secret key; see settings.provide_secrets")
    return hmac.digest(secret, b"fairlead sealed fields", hashlib.sha256)
