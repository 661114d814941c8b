"""Internet messages (`.eml`): headers and the words of the body as plain text, whatever is nested in them."""

from __future__ import annotations

import binascii
import email
import email.policy
import re
from contextlib import suppress
from email.errors import HeaderParseError, MessageError
from email.header import decode_header, make_header
from email.message import Message

from fairlead.errors import InputError, TooLargeError
from fairlead.kit.markup import without_markup

MAX_MESSAGE_BYTES = 1_048_576
MAX_NESTED = 20
MAX_PARTS = 100
_FIRST_LINE = re.compile(
    rb"\A\s*(?:[A-Za-z][A-Za-z0-9-]{1,60}:[ \t]?[^\r\n]{0,2000}\r?\n(?:[ \t][^\r\n]{0,2000}\r?\n)*)"
)
_TELLING = re.compile(rb"^(?:mime-version|content-type|message-id|received|return-path):", re.IGNORECASE | re.MULTILINE)
_HEAD_BYTES = 65_536
_SHOWN = ("From", "To", "Date", "Subject")


def is_message(given: str | bytes) -> bool:
    """Whether it begins with headers that only mail programs write (`Message-ID`, `MIME-Version`, …)."""
    raw = given[:_HEAD_BYTES].encode("utf-8", "replace") if isinstance(given, str) else given[:_HEAD_BYTES]
    if not _FIRST_LINE.match(raw):
        return False
    head = re.split(rb"\r?\n\r?\n", raw.lstrip(), maxsplit=1)[0]
    return bool(_TELLING.search(head))


def text_of_message(given: str | bytes) -> str:
    """Sender, recipient, date and subject as lines, then the body; HTML bodies without their markup.

    Attachments are not looked at. TooLargeError above 1 MiB, 20 levels or 100 parts; InputError (`empty_note`)
    when no part holds text.
    """
    raw = given.encode("utf-8", "surrogateescape") if isinstance(given, str) else given
    if len(raw) > MAX_MESSAGE_BYTES:
        message = f"The message has {len(raw):,} bytes; at most {MAX_MESSAGE_BYTES:,} are read. Paste its text alone."
        raise TooLargeError(message, limit=MAX_MESSAGE_BYTES, unit="bytes")
    lowered = raw.lower()
    # The parser goes down one call deeper for each, so the bound comes before it.
    if lowered.count(b"multipart/") > MAX_NESTED or lowered.count(b"message/rfc822") > MAX_NESTED:
        message = f"The message is nested deeper than {MAX_NESTED} levels. Paste its text alone."
        raise TooLargeError(message, limit=MAX_NESTED, unit="levels")
    try:
        parsed = email.message_from_bytes(raw, policy=email.policy.compat32)
    except (MessageError, ValueError, RecursionError):
        raise InputError("This is no message that can be read. Paste its text alone.", code="bad_message") from None
    head = [f"{name}: {_one_line(value)}" for name in _SHOWN if (value := parsed.get(name))]
    return "\n".join([*head, "", _body(parsed)])


def _one_line(value: object) -> str:
    """A header as people read it. Line breaks go, so a header cannot smuggle in another."""
    text = str(value)
    with suppress(LookupError, ValueError, HeaderParseError, binascii.Error):  # then it is shown as it came
        text = str(make_header(decode_header(text)))
    return " ".join(text.split())[:1_000]


def _body(parsed: Message) -> str:
    plain, markup = "", ""
    for count, part in enumerate(parsed.walk()):
        if count >= MAX_PARTS:
            message = f"The message has more than {MAX_PARTS} parts. Paste its text alone."
            raise TooLargeError(message, limit=MAX_PARTS, unit="parts")
        if part.is_multipart() or part.get_filename() or part.get_content_disposition() == "attachment":
            continue
        kind = part.get_content_type()
        if kind == "text/plain" and not plain:
            plain = _text(part)
        elif kind == "text/html" and not markup:
            markup = _text(part)
    if plain.strip():
        return plain
    if markup:
        return without_markup(markup)
    raise InputError("No part of the message holds text. Paste the words themselves.", code="empty_note")


def _text(part: Message) -> str:
    raw = part.get_payload(decode=True)
    body = raw if isinstance(raw, bytes) else b""
    try:
        return body.decode(part.get_content_charset() or "utf-8")
    except (LookupError, UnicodeDecodeError):
        return body.decode("cp1252", errors="replace")
