"""What a reply is: an answer of a machine, a wish to be left alone, a courtesy, or something for a person. Pure.

Rules in four languages (en, de, fr, es). They err towards a person: only what is plainly an automatic answer or a mere
courtesy goes on without one, and a wish to be left alone counts even where the rest of the message says more.
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from fairlead.errors import FairleadError
from fairlead.sales.capture import Letter, read_letter
from fairlead.sales.nurture.reply_words import AUTO, COURTESY, DECLINED, MEANINGFUL
from fairlead.understanding import OptOut, read_opt_out

MAX_QUOTE = 160
_SHORT_WORDS = 12
"""A courtesy has no more words than this."""


class ReplyKind(StrEnum):
    """What a reply asks for."""

    OPT_OUT = "opt_out"
    AUTO = "auto_reply"
    DECLINED = "declined"
    COURTESY = "courtesy"
    MEANINGFUL = "meaningful"
    UNCLEAR = "unclear"


class Reading(NamedTuple):
    """The kind, how it was told, in words, and the words of the reply that told it ("" when none did)."""

    kind: ReplyKind
    why: str
    quote: str


_MACHINE_HEADERS = re.compile(
    r"^(?:auto-submitted:\s*auto-(?:replied|generated)|x-auto(?:reply|respond)\w*:|precedence:\s*(?:auto_reply|bulk|junk))",
    re.IGNORECASE | re.MULTILINE,
)
_WORD = re.compile(r"\w+")
_TAKEN_OVER = re.compile(r"\s*(?:re|aw|sv|antw|fwd?|wg|tr|rv|i)\s*:", re.IGNORECASE)
_ANY_DAY = date(2000, 1, 1)  # no rule reads a date


def read_reply(text: str) -> Reading:
    """What the newest words of a reply ask for; quoted history and signature are left out.

    An empty or unreadable reply is unclear, which is for a person; so is one that is perhaps an opt-out.
    """
    if machine := _MACHINE_HEADERS.search(text[:4_000]):
        return Reading(ReplyKind.AUTO, "its header says that a program wrote it", machine[0][:MAX_QUOTE])
    try:
        letter = read_letter(text, _ANY_DAY)
    except FairleadError as error:
        return _wish(read_opt_out(text)) or Reading(ReplyKind.UNCLEAR, error.message, "")
    if wish := _wish(_opt_out(letter)):
        return wish
    body = "\n".join(line.text for line in letter.part("body")).strip()
    short = len(_WORD.findall(body)) <= _SHORT_WORDS
    # The first that is found counts; "no, thanks, but what would …" is for a person.
    for pattern, searched, kind, why in (
        (AUTO, f"{letter.subject}\n{body}", ReplyKind.AUTO, "it reads as an automatic answer"),
        (MEANINGFUL, DECLINED.sub(" ", body), ReplyKind.MEANINGFUL, "it asks or tells something for a person"),
        (DECLINED, body, ReplyKind.DECLINED, "it says no"),
        (COURTESY, body if short else "", ReplyKind.COURTESY, "it is a courtesy and asks nothing"),
    ):
        if found := pattern.search(searched):
            return Reading(kind, why, _around(found))
    return Reading(ReplyKind.UNCLEAR, "no rule tells what it asks for", body[:MAX_QUOTE])


def _opt_out(letter: Letter) -> OptOut | None:
    """The wish of a letter to be left alone.

    A subject that is not taken over from our own mail counts too. Of the rest all is given, since a wish below a
    "thank you" looks like a signature.
    """
    subject = "" if _TAKEN_OVER.match(letter.subject) else letter.subject
    said = "\n".join(line.text for line in letter.part("body", "signature", "quoted"))
    return (read_opt_out(subject) if subject else None) or read_opt_out(said)


def _wish(found: OptOut | None) -> Reading | None:
    if found is None:
        return None
    if found.certain:
        return Reading(ReplyKind.OPT_OUT, found.why, found.quote)
    return Reading(ReplyKind.UNCLEAR, f"perhaps an opt-out: {found.why}", found.quote)


def _around(found: re.Match[str]) -> str:
    """The line that told it, cut to size around the words themselves."""
    text = found.string
    start, end = text.rfind("\n", 0, found.start()) + 1, text.find("\n", found.end())
    line = text[start : end if end >= 0 else len(text)]
    first = max(0, found.start() - start - MAX_QUOTE // 2) if len(line) > MAX_QUOTE else 0
    return line[first : first + MAX_QUOTE].strip()
