"""Secrets kept out of what is logged: by the name of a field, and by their look inside a text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import MutableMapping

REDACTED = "***"
MAX_DEPTH = 8
MAX_ITEMS = 100
MAX_CHARS = 10_000
_SECRET_NAME = re.compile(r"token|secret|password|passwd|authorization|cookie|api_?key\Z", re.IGNORECASE)
_SECRET_TEXT = (
    (re.compile(r"fl_([0-9a-f]{24})_[0-9a-f]{8,}"), rf"fl_\1_{REDACTED}"),
    (re.compile(r"whsec_[A-Za-z0-9+/=_-]{8,}"), f"whsec_{REDACTED}"),
    (re.compile(r"/sign-in/[A-Za-z0-9_%-]+"), f"/sign-in/{REDACTED}"),
    (re.compile(r"(\w+://[^\s:/@]*):[^\s/@]+@"), rf"\1:{REDACTED}@"),
)
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor that takes the secrets out; keeps the event's own bookkeeping as it is."""
    for name in list(event):
        if not name.startswith("_"):
            event[name] = redacted(event[name], name=name)
    return event


def redacted(value: Any, *, name: str = "", depth: int = 0) -> Any:
    """The same value without secrets and bounded in size; `name` is the key it stands under."""
    if name and _SECRET_NAME.search(name) and not isinstance(value, (bool, int, float, type(None))):
        return REDACTED
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if depth >= MAX_DEPTH:
        return "…"
    if isinstance(value, dict):
        items = list(value.items())[:MAX_ITEMS]
        return {_text(key): redacted(item, name=str(key), depth=depth + 1) for key, item in items}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redacted(item, depth=depth + 1) for item in list(value)[:MAX_ITEMS]]
    return _text(value, keep_lines=name == "exception")


def _text(value: Any, *, keep_lines: bool = False) -> str:
    text = value if isinstance(value, str) else str(value)
    if len(text) > MAX_CHARS:
        # A traceback says what happened at its end.
        text = "…" + text[-MAX_CHARS:] if keep_lines else text[:MAX_CHARS] + "…"
    for pattern, replacement in _SECRET_TEXT:
        text = pattern.sub(replacement, text)
    lines = text.split("\n") if keep_lines else [text]
    return "\n".join(CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", line) for line in lines)
