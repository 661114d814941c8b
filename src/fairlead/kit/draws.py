"""Draws that a retry cannot change: a keyed hash of what is drawn for, not of when or how often."""

from __future__ import annotations

import hashlib
import hmac

_SCALE = 2.0**-53
_SHIFT = 64 - 53


def draw(seed: bytes, *names: str) -> float:
    """A number in [0, 1), uniform over the names, the same on every retry and machine.

    The top 53 bits of HMAC-SHA256(seed, length-prefixed names), so that no two lists of names run together.
    """
    parts = [name.encode("utf-8", "surrogatepass") for name in names]
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    digest = hmac.digest(seed, message, hashlib.sha256)
    return (int.from_bytes(digest[:8], "big") >> _SHIFT) * _SCALE
