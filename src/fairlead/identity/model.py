"""Identity checks as pure data: codes, tries, how much a check is worth and when it stops to count."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fairlead.customers import Checked

DIGITS = 6
CODE_FOR = timedelta(minutes=10)
"""How long a code can be used."""
CHECK_FOR = timedelta(minutes=30)
"""How long a check counts after the code was named."""
MAX_TRIES = 5
PER_HOUR = 3
"""Codes to one address within an hour, whoever asks."""
PER_DAY = 12
"""Codes for one customer within a day, to whatever address."""
NEW_FOR = timedelta(days=7)
"""So long an address counts as new, unless the customer came with it."""
CAME_WITH = timedelta(days=1)
CHANNELS = ("email",)
_SPACES = re.compile(r"[\s\-.]+")


class CodeState(StrEnum):
    """Where a code stands; every state but `open` is final."""

    OPEN = "open"
    USED = "used"
    SPENT = "spent"
    """Tried too often."""
    REPLACED = "replaced"


class Outcome(StrEnum):
    """What came of naming a code."""

    CONFIRMED = "confirmed"
    WRONG = "wrong"
    """Not this code, or not this customer's; also where no code was ever sent."""
    OVER = "over"
    """No code is open: used, replaced, expired, tried too often, or never asked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The answer to whoever asks for a code: the same whether or not the address is the customer's."""

    channel: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a try; `tries_left` is None unless it was wrong, `checked` None unless it was right."""

    outcome: Outcome
    tries_left: int | None = None
    checked: Checked | None = None


def plain_code(text: str) -> str:
    """A code as it was typed, without blanks and dashes and in ASCII digits where it is written in others."""
    return _SPACES.sub("", unicodedata.normalize("NFKC", text[:64]))


def code_digest(secret: bytes, code_id: str, code: str) -> str:
    """What is stored of a code; the same digits have another digest in each code."""
    return hmac.digest(secret, f"fairlead identity code\0{code_id}\0{code}".encode(), hashlib.sha256).hex()


def address_digest(secret: bytes, channel: str, address: str) -> str:
    """What is stored of an address; `address` is normalised."""
    return hmac.digest(secret, f"fairlead identity address\0{channel}\0{address}".encode(), hashlib.sha256).hex()


def is_known(now: datetime, customer_since: datetime, added_at: datetime, brought_at: datetime | None) -> bool:
    """Whether an address was the customer's long enough to say that whoever reads it is the customer.

    True where it is seven days old, or came within a day of the customer's own record. One that came with a merged
    record (`brought_at`) is as old as that merge: records are merged on likeness, too. That somebody verified it
    adds nothing, or a second code would vouch for the first.
    """
    if brought_at is not None:
        return now - max(added_at, brought_at) >= NEW_FOR
    return now - added_at >= NEW_FOR or added_at - customer_since <= CAME_WITH
