"""Messages that come in, opened with bounds and sorted: bounces, complaints, machines' answers, people's replies. Pure.

What a message says about itself is believed only as far as it can do no harm: whom a bounce or a complaint is about is
looked up by the id that our own message carried.
"""

from __future__ import annotations

import binascii
import email
import email.policy
import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.errors import HeaderParseError, MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from enum import StrEnum

from fairlead.connectors.bounces import BounceReport, complaint_in, report_in
from fairlead.connectors.mail_stamps import ids_in
from fairlead.errors import InputError, TooLargeError
from fairlead.kit.markup import without_markup

MAX_BYTES = 26_214_400
MAX_HEAD_BYTES = 262_144
MAX_LINES, MAX_MARKS, MAX_PARTS, MAX_NESTED = 500_000, 5_000, 200, 20
MAX_NAMED_NESTED = 40
"""So often `multipart/` may be written in a message, even where it is text."""
MAX_TEXT_CHARS = 20_000
MAX_HEADER_CHARS = 2_000
_DAEMON = re.compile(r"(?:mailer-daemon|postmaster|mail-daemon|no-?reply-bounce)@", re.IGNORECASE)
_OFF = re.compile(r"\s*unsubscribe\s+(?P<token>[A-Za-z0-9_.-]{20,2048})\s*\Z", re.IGNORECASE)
_TO = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to")
_BY_MACHINES = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "list-id", "feedback-id")
_PRECEDENCE = frozenset({"auto_reply", "bulk", "junk", "list"})


class MailKind(StrEnum):
    """What a message that came in is."""

    BOUNCE = "bounce"
    """One of ours could not be delivered."""
    NOTICE = "notice"
    """A report that says nothing against the address: delayed, delivered, read."""
    COMPLAINT = "complaint"
    """Somebody called one of ours spam."""
    AUTOMATIC = "automatic"
    """An absence note, a mailing list: written by a program."""
    LOOP = "loop"
    """A report about a report, or without a sender: nothing is ever done about it, least of all an answer."""
    UNSUBSCRIBE = "unsubscribe"
    """Sent by a mail program to the address of a List-Unsubscribe header."""
    REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message, sorted.

    `answers` are ids of messages of ours that it is about. `sender` is the author's address, "" unknown. `token` is
    that of an unsubscription. `text` is what a person wrote, with sender and subject above it; "" for other kinds.
    """

    kind: MailKind
    digest: str
    sender: str
    subject: str
    answers: tuple[str, ...] = ()
    report: BounceReport | None = None
    named: str = ""
    """Whom a complaint without an id of ours names."""
    token: str = ""
    text: str = ""


def read_mail(raw: bytes) -> Incoming:
    """A message as RFC 5322 has it.

    TooLargeError: over 25 MiB, half a million lines, 200 parts, or nested deeper than 20 levels. InputError
    (`bad_message`) for what has no headers.
    """
    message = open_mail(raw)
    digest = hashlib.sha256(raw).hexdigest()
    senders = [one for _, one in getaddresses([_header(message, "From")]) if "@" in one]
    sender = senders[0][:320] if senders else ""
    subject = _shown(_header(message, "Subject"))
    own = tuple(ids_in((), (_header(message, name) for name in _TO)))
    if (special := _of_report(message, digest, sender, subject, own)) is not None:
        return special
    answers = tuple(dict.fromkeys([*own, *ids_in(_header(message, "In-Reply-To", "References").split())]))
    if _without_sender(message) or _DAEMON.search(sender):
        # A bounce in no standard form is told by where it came to, and is not a verdict on the address.
        if own:
            return Incoming(MailKind.BOUNCE, digest, sender, subject, own, BounceReport("soft", "", subject))
        return Incoming(MailKind.LOOP, digest, sender, subject, answers)
    if (off := _OFF.match(subject)) is not None:
        return Incoming(MailKind.UNSUBSCRIBE, digest, sender, subject, answers, token=off["token"])
    if _by_machine(message):
        return Incoming(MailKind.AUTOMATIC, digest, sender, subject, answers)
    head = f"From: {_shown(_header(message, 'From'))}\nSubject: {subject}\n\n"
    text = (head + _words(message))[:MAX_TEXT_CHARS].replace("\0", "")
    return Incoming(MailKind.REPLY, digest, sender, subject, answers, text=text)


def _of_report(message: Message, digest: str, sender: str, subject: str, own: tuple[str, ...]) -> Incoming | None:
    """A report of RFC 6522: about a delivery, a complaint, or something else; None for what is none."""
    if message.get_content_type() != "multipart/report":
        return None
    kind = str(message.get_param("report-type") or "").lower()
    parts = list(parts_of(message))
    about = next((one for one in parts if one.get_content_type() in {"message/rfc822", "text/rfc822-headers"}), None)
    original = about and _original(about)
    answers = tuple(dict.fromkeys([*own, *(ids_in([_header(original, "Message-ID")]) if original else ())]))
    if original is not None and (original.get_content_type() == "multipart/report" or _without_sender(original)):
        return Incoming(MailKind.LOOP, digest, sender, subject)
    if kind == "feedback-report" and (complaint := complaint_in(parts)) is not None:
        answers = tuple(dict.fromkeys([*answers, *ids_in((), [complaint.envelope])]))
        return Incoming(MailKind.COMPLAINT, digest, sender, subject, answers, named=complaint.recipient)
    if kind == "delivery-status" and (report := report_in(parts)) is not None:
        found = MailKind.BOUNCE if report.strength else MailKind.NOTICE
        return Incoming(found, digest, sender, subject, answers, report)
    return Incoming(MailKind.NOTICE, digest, sender, subject, answers)


def open_mail(raw: bytes) -> Message:
    """The message's tree; what would make reading it dear is refused before it is read. See `read_mail`."""
    if len(raw) > MAX_BYTES:
        message = f"The message has {len(raw):,} bytes; at most {MAX_BYTES:,} are read."
        raise TooLargeError(message, limit=MAX_BYTES, unit="bytes")
    lowered = raw.lower()
    nested = max(lowered.count(b"multipart/"), lowered.count(b"message/rfc822"))
    for count, limit, unit in (
        (raw.count(b"\n"), MAX_LINES, "lines"),
        (raw.count(b"\n--"), MAX_MARKS, "parts"),
        (nested, MAX_NAMED_NESTED, "levels"),
    ):
        if count > limit:
            raise TooLargeError(f"The message has more than {limit:,} {unit}.", limit=limit, unit=unit)
    head = re.split(rb"\r?\n\r?\n", raw[: MAX_HEAD_BYTES + 4], maxsplit=1)
    if len(head) == 1 and len(raw) > MAX_HEAD_BYTES:
        message = f"The message's headers have more than {MAX_HEAD_BYTES:,} bytes."
        raise TooLargeError(message, limit=MAX_HEAD_BYTES, unit="bytes")
    if not re.match(rb"\s*(?:From |[!-9;-~]{1,100}[ \t]*:)", head[0]):
        raise InputError("This is no mail: it does not begin with headers.", code="bad_message")
    try:
        parsed = email.message_from_bytes(raw.lstrip(), policy=email.policy.compat32)
    except (MessageError, ValueError, RecursionError):
        raise InputError("This is no mail that can be read.", code="bad_message") from None
    for count, _ in enumerate(parts_of(parsed)):
        if count >= MAX_PARTS:
            raise TooLargeError(f"The message has more than {MAX_PARTS} parts.", limit=MAX_PARTS, unit="parts")
    return parsed


def parts_of(message: Message) -> Iterator[Message]:
    """The message and all parts in it, in order, by a stack of our own; TooLargeError below 20 levels."""
    pending = [(message, 0)]
    while pending:
        part, depth = pending.pop()
        if depth > MAX_NESTED:
            words = f"The message is nested deeper than {MAX_NESTED} levels."
            raise TooLargeError(words, limit=MAX_NESTED, unit="levels")
        yield part
        inner = part.get_payload()
        if isinstance(inner, list):
            pending += [(one, depth + 1) for one in reversed(inner) if isinstance(one, Message)]


def _original(part: Message) -> Message | None:
    """The message that a report returns, whole or its headers alone."""
    inner = part.get_payload()
    if isinstance(inner, list):
        return inner[0] if inner and isinstance(inner[0], Message) else None
    raw = part.get_payload(decode=True)
    return email.message_from_bytes(raw[:MAX_HEAD_BYTES]) if isinstance(raw, bytes) else None


def _header(message: Message, *names: str) -> str:
    """The values of these headers, each cut to size, on one line."""
    found = [str(value)[:MAX_HEADER_CHARS] for name in names for value in message.get_all(name, [])[:20]]
    return " ".join(" ".join(found).split())


def _shown(text: str) -> str:
    with suppress(LookupError, ValueError, HeaderParseError, binascii.Error):  # then it is shown as it came
        text = str(make_header(decode_header(text)))
    return "".join(one for one in " ".join(text.split())[:1_000] if one.isprintable())


def _without_sender(message: Message) -> bool:
    return any(str(value).strip() == "<>" for value in message.get_all("Return-Path", []))


def _by_machine(message: Message) -> bool:
    submitted = _header(message, "Auto-Submitted").split(";")[0].strip().lower()
    if submitted and submitted != "no":
        return True
    if any(message.get(name) is not None for name in _BY_MACHINES):
        return True
    return _header(message, "Precedence").lower() in _PRECEDENCE


def _words(message: Message) -> str:
    """The first text part, else the first HTML part without its markup; attachments are left alone."""
    markup = ""
    for part in parts_of(message):
        if part.is_multipart() or part.get_filename() or part.get_content_disposition() == "attachment":
            continue
        kind = part.get_content_type()
        if kind == "text/plain" and (text := _decoded(part)).strip():
            return text
        if kind == "text/html" and not markup:
            markup = _decoded(part)
    return without_markup(markup)


def _decoded(part: Message) -> str:
    raw = part.get_payload(decode=True)
    data = raw[: 8 * MAX_TEXT_CHARS] if isinstance(raw, bytes) else b""
    try:
        return data.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return data.decode("cp1252", "replace")
