"""How a message of ours is recognised when something comes back: an id that nobody can guess, in two places."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable

_MESSAGE_ID = re.compile(r"<?fl([a-z2-7]{32})@[^\s<>@]{1,255}>?")
_TAGGED = re.compile(r"[^\s<>@+]{1,64}\+fl([a-z2-7]{32})@[^\s<>@]{1,255}", re.IGNORECASE)


def mail_id(secret: bytes, key: str) -> str:
    """The id of the message of an idempotency key: the same for each repetition, and nobody else can make it."""
    digest = hmac.digest(secret, b"fairlead mail\0" + key.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return "fl" + base64.b32encode(digest[:20]).decode().lower()


def message_id_of(mail: str, domain: str) -> str:
    """The Message-ID that carries this id."""
    return f"<{mail}@{domain}>"


def ids_in(message_ids: Iterable[str], addresses: Iterable[str] = ()) -> list[str]:
    """The ids that Message-IDs and tagged addresses carry, without repetition; others are left out."""
    found = [match[1] for one in message_ids if (match := _MESSAGE_ID.fullmatch(one.strip())) is not None]
    found += [match[1].lower() for one in addresses for match in _TAGGED.finditer(one)]
    return [f"fl{one}" for one in dict.fromkeys(found)]
