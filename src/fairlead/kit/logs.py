"""Logs: one line per event on standard error, as text for people or as JSON, never with a secret in it.

What is redacted: every value under a key that names a secret, wherever it is nested, and API keys, sign-in
links and database passwords inside any text, tracebacks included. Control characters are escaped, so that
what strangers send cannot fake a line or move a terminal's cursor.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, Any, TextIO

import structlog

from fairlead.kit.redaction import redact

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_CHATTY = ("httpx", "httpx2", "httpcore", "httpcore2", "uvicorn.access")
"""They write whole addresses, queries and tokens included, at level info."""
_PLAIN = re.compile(r"[^\s\"'=]+")


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module; `name` is its `__name__`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def configure_logs(*, level: str = "info", as_json: bool = False, stream: TextIO | None = None) -> None:
    """Send everything, the libraries' own logs too, to `stream` (None: standard error).

    Calling it again replaces what was set up before.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redact,
    ]
    render = structlog.processors.JSONRenderer() if as_json else _render_text
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _render_text(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    moment, level = event.pop("timestamp", ""), event.pop("level", "")
    name, trace = event.pop("logger", ""), event.pop("exception", None)
    head = f"{moment} {level:<7} {event.pop('event', '')}"
    pairs = [f"{key}={_shown(value)}" for key, value in event.items()]
    line = "  ".join([head, *pairs, *([f"[{name}]"] if name else [])])
    # Indented, so that no line of a traceback can be taken for an event of its own.
    return line if trace is None else line + "\n    " + str(trace).replace("\n", "\n    ")


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if not isinstance(value, str) or _PLAIN.fullmatch(text) else repr(text)
