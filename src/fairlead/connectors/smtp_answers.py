"""What a mail server's answer means for a message: accepted, refused for good, or to be tried again. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from fairlead.connectors.ports import Receipt, ReceiptState

MAX_WORDS = 500
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_DEAD = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
"""RFC 3463: no such mailbox, no such system, no such syntax, moved away, null MX, mailbox disabled."""
_UNREADABLE = re.compile(r"[^\x20-\x7e\xa0-\uffff]+")
AT_RECIPIENT = "to the recipient"


class Answer(NamedTuple):
    """A reply: its code, its words on one line, and to what it was the answer."""

    code: int
    words: str
    asked: str

    def __str__(self) -> str:
        """As people read it."""
        return f"{self.code} {self.words} ({self.asked})"


def answer_of(reply: tuple[int, bytes], asked: str) -> Answer:
    """An answer with its words cut to size, without what nobody can read."""
    code, words = reply
    return Answer(code, _UNREADABLE.sub(" ", words.decode("utf-8", "replace")).strip()[:MAX_WORDS], asked)


def receipt_of(answer: Answer) -> Receipt:
    """2xx sent; 5xx refused; 4xx, and what is no answer of SMTP, failed for now."""
    if 200 <= answer.code < 300:  # noqa: PLR2004  SMTP's classes of replies
        return Receipt(ReceiptState.SENT, str(answer))
    if 500 <= answer.code < 600:  # noqa: PLR2004
        return Receipt(ReceiptState.REFUSED, str(answer))
    return Receipt(ReceiptState.FAILED, str(answer))


def status_in(words: str) -> str:
    """The first enhanced status code in the words, `5.1.1`; "" without one."""
    found = _STATUS.search(words)
    return found[0] if found else ""


def is_dead(status: str) -> bool:
    """Whether this enhanced status says that the mailbox does not exist or is closed for good."""
    return status in _DEAD


def is_dead_mailbox(words: str) -> bool:
    """Whether a refusal was about the recipient and says that there is no such mailbox."""
    return f"({AT_RECIPIENT})" in words and is_dead(status_in(words))
