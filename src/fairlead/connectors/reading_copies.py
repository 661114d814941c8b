"""A kept copy of a mail as people read it: its headers and its plain text."""

from __future__ import annotations

from email import message_from_string, policy
from typing import NamedTuple

MAX_SHOWN = 60_000
_HEADERS = (
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "List-Unsubscribe",
    "List-Unsubscribe-Post", "Auto-Submitted",
)  # fmt: skip


class Letter(NamedTuple):
    """`headers` in the order in which people look for them, those that are there; `signed`: with DKIM."""

    headers: tuple[tuple[str, str], ...]
    text: str
    signed: bool


def read_copy(content: str) -> Letter | None:
    """What a mail says; None for a copy that is no mail. Long ones are cut."""
    message = message_from_string(content.replace("\r\n", "\n"), policy=policy.default)
    if "Message-ID" not in message:
        return None
    headers = tuple((name, str(message[name])[:2_000]) for name in _HEADERS if name in message)
    part = message.get_body(("plain", "html"))
    text = part.get_content() if part is not None else ""
    return Letter(headers, str(text)[:MAX_SHOWN], "DKIM-Signature" in message)
