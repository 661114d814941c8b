"""What may stand in a log line."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies as st

from fairlead.kit.logs import configure_logs, get_logger
from fairlead.kit.redaction import REDACTED, redacted

if TYPE_CHECKING:
    import io

KEY = "fl_" + "0" * 24 + "_" + "a" * 64


@pytest.mark.parametrize(
    "name",
    ["token", "secret", "password", "authorization", "cookie", "Set-Cookie", "csrf_TOKEN", "webhook_secret"],
)
def test_values_under_secret_names_are_hidden(log: io.StringIO, name: str) -> None:
    """Wherever the name stands, at the top or nested, its value never reaches the stream."""
    get_logger("x").info("hello", **{name: "hunter2", "headers": [{name: ["hunter2"]}], "fine": 7})
    assert "hunter2" not in log.getvalue()
    assert json.loads(log.getvalue())["fine"] == 7


@pytest.mark.parametrize(
    "text", [KEY, f"GET /sign-in/{'a' * 43} HTTP/1.1", "postgresql://me:hunter2@host/db", "whsec_" + "a" * 44]
)
def test_secrets_inside_text_are_hidden(log: io.StringIO, text: str) -> None:
    """Keys, links and passwords in messages, tracebacks and the lines of other libraries are cut out."""
    get_logger("x").info(text, value=text, nested={"a": [text]})
    logging.getLogger("library").warning("it said %s", text)
    try:
        int(text)
    except ValueError:
        get_logger("x").exception("failed")
    assert len(log.getvalue().splitlines()) == 3
    assert not [secret for secret in ("a" * 43, "hunter2") if secret in log.getvalue()]
    assert REDACTED in log.getvalue()


def test_strangers_cannot_forge_lines(log: io.StringIO) -> None:
    """Line breaks and terminal codes in values are written out, in the text form too."""
    configure_logs(stream=log)
    get_logger("x").info("a\nb", name="x\r\n2026-01-01 error fake", colour="\x1b[31m", other="\u2028")
    logging.getLogger("library").error("said %s", "x\nfake")
    assert len(log.getvalue().splitlines()) == 2
    assert "\x1b" not in log.getvalue()


def test_tracebacks_cannot_forge_lines_either(log: io.StringIO) -> None:
    """Each line of a traceback is indented, so a message cannot pass for an event."""
    configure_logs(stream=log)
    get_logger("x").error("failed", exc_info=ValueError("x\n2026-01-01T00:00:00Z error   fake"))
    first, *rest = log.getvalue().splitlines()
    assert "failed" in first
    assert len(rest) == 2
    assert all(line.startswith("    ") for line in rest)


def test_levels_and_chatty_libraries(log: io.StringIO) -> None:
    """Below the level nothing is written; HTTP clients, which log whole addresses, warn only."""
    configure_logs(level="info", as_json=True, stream=log)
    get_logger("x").debug("quiet")
    logging.getLogger("httpx2").info("GET /?password=hunter2")
    assert not log.getvalue()
    get_logger("x").warning("loud")
    assert json.loads(log.getvalue())["level"] == "warning"


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(VALUES)
def test_redacting_is_total_and_stable(value: Any) -> None:
    """Any value can be logged, and doing it twice changes nothing more."""
    once = redacted(value)
    assert repr(redacted(once)) == repr(once)


def test_log_values_are_bounded() -> None:
    """Deep, long and wide values are cut, cyclic ones do not hang."""
    cyclic: list[Any] = []
    cyclic.append(cyclic)
    assert "…" in repr(redacted(cyclic))
    assert len(redacted("x" * 1_000_000)) < 11_000
    assert len(redacted(list(range(100_000)))) == 100
