"""JSON as it is stored and digested."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pydantic_core

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def dumps(value: Any) -> str:
    """Compact JSON text; NaN and infinities become null, datetimes RFC 3339.

    ValueError for what JSON cannot hold: unknown types, cycles, lone surrogates.
    """
    return pydantic_core.to_json(value, inf_nan_mode="null").decode()


def loads(text: str | bytes) -> Any:
    """The value of JSON text; ValueError says where it is malformed or nested too deep."""
    return pydantic_core.from_json(text, allow_inf_nan=False)


def canonical(value: Any) -> bytes:
    """One byte string per value: keys sorted, no spaces, UTF-8; ValueError for NaN and infinities."""
    return _CANONICAL.encode(value).encode("utf-8", "surrogatepass")


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON, 64 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()
