"""A message as the bytes that go over the wire: text and HTML, threading, unsubscribing; nothing can be smuggled in."""

from __future__ import annotations

import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime

from fairlead.connectors.mail_addresses import MailAddress
from fairlead.errors import InputError, TooLargeError

MAX_SUBJECT, MAX_NAME, MAX_LINK = 300, 200, 900
MAX_BODY_CHARS = 500_000
MAX_MAIL_BYTES = 2_000_000
MAX_REFERENCES = 10
MESSAGE_ID = re.compile(r"<[^\s<>@\x00-\x1f\x7f-\uffff]{1,200}@[^\s<>@\x00-\x1f\x7f-\uffff]{1,200}>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029\ud800-\udfff]")
_NOT_IN_BODY = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LINK = re.compile(r"(?:https?://|mailto:)[!-;=?-~]+")
_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_LINE, _ENCODED_LINE, _PLAIN_LINE = 78, 72, 200
"""Characters of a line of headers, of encoded words, and of a body that goes as it is (the most is 998)."""


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """How a recipient gets off a list: a page that takes RFC 8058's one-click POST, and an address; "" for none.

    RFC 8058 wants https; a plain http address is written all the same, for trials on one machine.
    """

    https: str
    mailto: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message before it is written out.

    `text` or `html` may be "", not both. `automatic` is RFC 3834's word: `auto-generated`, `auto-replied`, or ""
    where a person wrote it. Message-IDs have their angle brackets.
    """

    message_id: str
    sender: MailAddress
    to: MailAddress
    subject: str
    text: str
    at: datetime
    html: str = ""
    sender_name: str = ""
    to_name: str = ""
    reply_to: MailAddress | None = None
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    automatic: str = ""
    unsubscribe: Unsubscribe | None = None


def build_mail(letter: Letter) -> bytes:
    """The message with CRLF line ends, seven bits wide, without a signature; the same letter gives the same bytes.

    InputError (`mail_text`) for control characters in a header, an empty or overlong subject, an empty message;
    TooLargeError when it would have more than 2,000,000 bytes. References that are no message ids are left out.
    """
    if not MESSAGE_ID.fullmatch(letter.message_id):
        raise InputError(f"{letter.message_id!r:.80} is no message id.", code="mail_text", field="message_id")
    lines = [
        _folded("From", _named(letter.sender_name, letter.sender)),
        _folded("To", _named(letter.to_name, letter.to)),
        _folded("Reply-To", str(letter.reply_to)) if letter.reply_to else "",
        _folded("Subject", _encoded(_checked("subject", letter.subject, MAX_SUBJECT))),
        f"Date: {format_datetime(letter.at)}",
        f"Message-ID: {letter.message_id}",
        *_thread(letter),
        f"Auto-Submitted: {letter.automatic}" if letter.automatic else "",
        *(_unsubscribe(letter.unsubscribe) if letter.unsubscribe else ()),
        "MIME-Version: 1.0",
    ]
    head = "".join(f"{line}\r\n" for line in lines if line).encode("ascii")
    raw = head + _content(letter)
    if len(raw) > MAX_MAIL_BYTES:
        message = f"The message would have {len(raw):,} bytes; at most {MAX_MAIL_BYTES:,} are sent."
        raise TooLargeError(message, limit=MAX_MAIL_BYTES, unit="bytes")
    return raw


def _content(letter: Letter) -> bytes:
    """From the headers that say what the message holds to its end."""
    for name, text in (("text", letter.text), ("html", letter.html)):
        if len(text) > MAX_BODY_CHARS:
            words = f"The {name} of the message has more than {MAX_BODY_CHARS:,} characters."
            raise TooLargeError(words, limit=MAX_BODY_CHARS, unit="characters")
    parts = [_part(kind, text) for kind, text in (("plain", letter.text), ("html", letter.html)) if text.strip()]
    if not parts:
        raise InputError("The message is empty.", code="mail_text", field="text")
    if len(parts) == 1:
        return parts[0]
    # Nothing random; it depends on what it parts, so neither text can hold it.
    mark = "=_" + hashlib.sha256(letter.message_id.encode() + b"".join(parts)).hexdigest()[:32]
    return b"".join([
        f'Content-Type: multipart/alternative; boundary="{mark}"\r\n\r\n'.encode(),
        *(f"--{mark}\r\n".encode() + part + b"\r\n" for part in parts), f"--{mark}--\r\n".encode(),
    ])  # fmt: skip


def _part(kind: str, text: str) -> bytes:
    """One text with its headers: as it is where it is short ASCII lines, else quoted-printable."""
    text = re.sub(r"\r\n?|\n", "\r\n", _NOT_IN_BODY.sub("", text)).rstrip("\r\n") + "\r\n"
    plain = text.isascii() and max(map(len, text.split("\r\n"))) <= _PLAIN_LINE
    charset, how = ("us-ascii", "7bit") if plain else ("utf-8", "quoted-printable")
    head = f'Content-Type: text/{kind}; charset="{charset}"\r\nContent-Transfer-Encoding: {how}\r\n\r\n'
    return head.encode() + (text.encode() if plain else binascii.b2a_qp(text.encode(), istext=True))


def _thread(letter: Letter) -> list[str]:
    lines = []
    if MESSAGE_ID.fullmatch(letter.in_reply_to):
        lines.append(f"In-Reply-To: {letter.in_reply_to}")
    known = [one for one in dict.fromkeys((*letter.references, letter.in_reply_to)) if MESSAGE_ID.fullmatch(one)]
    if known:
        # The first names the thread for many programs, so the middle is what is left out.
        lines.append(_folded("References", " ".join(known[:1] + known[1:][-(MAX_REFERENCES - 1) :])))
    return lines


def _unsubscribe(ways: Unsubscribe) -> list[str]:
    links = [link for link in (ways.https, ways.mailto) if link]
    for link in links:
        if len(link) > MAX_LINK or not _LINK.fullmatch(link):
            raise InputError("An unsubscribe link is no web or mailto address.", code="mail_text", field="unsubscribe")
    lines = [_folded("List-Unsubscribe", ", ".join(f"<{link}>" for link in links))] if links else []
    if ways.https:
        lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    return lines


def _named(name: str, address: MailAddress) -> str:
    if not name.strip():
        return str(address)
    name = _checked("name", name, MAX_NAME)
    if not name.isascii() or "=?" in name:
        return f"{_encoded(name)} <{address}>"
    return f"{name if _PHRASE.fullmatch(name) else quoted(name)} <{address}>"


def quoted(text: str) -> str:
    """A quoted string of RFC 5322."""
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def _encoded(text: str) -> str:
    """As it is where it is plain ASCII, else encoded words of RFC 2047 between blanks."""
    if text.isascii() and "=?" not in text:
        return text
    return " ".join(Header(text, "utf-8", maxlinelen=_ENCODED_LINE, header_name="Subject").encode().split())


def _folded(name: str, value: str) -> str:
    """A header folded between words; a word that is longer than a line stays whole."""
    lines = [f"{name}:"]
    for word in value.split(" "):
        if len(lines[-1]) + len(word) >= _LINE and lines[-1] != f"{name}:":
            lines.append("")
        lines[-1] += " " + word
    return "\r\n".join(lines)


def _checked(what: str, text: str, limit: int) -> str:
    if _CONTROL.search(text):
        message = f"The {what} has a line break or another character that a header cannot hold."
        raise InputError(message, code="mail_text", field=what)
    text = " ".join(text.split())
    if not text or len(text) > limit:
        raise InputError(f"The {what} has {len(text)} characters; it needs 1 to {limit}.", code="mail_text", field=what)
    return text
