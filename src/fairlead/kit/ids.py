"""Identifiers: `prefix_` and 24 hex digits that sort by the time they were made."""

from __future__ import annotations

import os
import re
import threading
import time

_PATTERN = re.compile(r"[a-z]{2,12}_[0-9a-f]{24}")
_lock = threading.Lock()
_last_us = 0
_pool = b""
_position = 0


def _forget_parent() -> None:
    """A forked child must neither repeat its parent's random bytes nor inherit its lock."""
    global _lock, _pool, _position
    _lock, _pool, _position = threading.Lock(), b"", 0


os.register_at_fork(after_in_child=_forget_parent)


def new_ids(prefix: str, count: int) -> list[str]:
    """`count` fresh ids, ascending within this process; 40 random bits keep processes apart."""
    global _last_us, _pool, _position  # noqa: PLW0603  one generator per process is the point
    ids = []
    with _lock:
        now_us = time.time_ns() // 1000
        for _ in range(count):
            _last_us = now_us if now_us > _last_us else _last_us + 1
            if _position + 5 > len(_pool):
                _pool, _position = os.urandom(5 * 512), 0
            ids.append(f"{prefix}_{_last_us:014x}{_pool[_position : _position + 5].hex()}")
            _position += 5
    return ids


def new_id(prefix: str) -> str:
    """One fresh id, such as `case_06445f3a1b2c3d0123456789`."""
    return new_ids(prefix, 1)[0]


def is_id(text: str, prefix: str) -> bool:
    """Whether `text` has the form of an id with this prefix (it may still name nothing)."""
    return text.startswith(f"{prefix}_") and _PATTERN.fullmatch(text) is not None
