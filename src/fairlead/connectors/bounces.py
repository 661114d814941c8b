"""Reports that mail servers send: about deliveries (RFC 3464) and about complaints (RFC 5965). Pure."""

from __future__ import annotations

import email
import re
from collections.abc import Iterable, Mapping, Sequence
from email.message import Message
from typing import NamedTuple

from fairlead.connectors.smtp_answers import is_dead, status_in

MAX_FIELDS_BYTES = 65_536
MAX_RECIPIENTS = 50
_UNREADABLE = re.compile(r"[^\x20-\x7e\xa0-\uffff]+")
_ADDRESS = re.compile(r"[^\s<>;,\"]{1,64}@[^\s<>;,\"]{1,255}")


class BounceReport(NamedTuple):
    """What a report says: `strength` hard, soft, or "" for one that says nothing against the address."""

    strength: str
    code: str
    words: str


class Complaint(NamedTuple):
    """Whom a complaint names, "" for nobody, and to which envelope sender the message said to bounce."""

    recipient: str
    envelope: str


def report_in(parts: Sequence[Message]) -> BounceReport | None:
    """The worst that a report's recipients met; None where there is no `message/delivery-status`.

    Hard is a failure whose enhanced status says that the mailbox does not exist or is closed; every other failure is
    soft: a full mailbox, a policy, a virus. Delays and deliveries are neither.
    """
    part = next((one for one in parts if one.get_content_type() == "message/delivery-status"), None)
    if part is None:
        return None
    found = [_one(fields) for fields in _groups(part)[1 : MAX_RECIPIENTS + 1]]
    order = {"hard": 0, "soft": 1, "": 2}
    return min(found, key=lambda one: order[one.strength], default=BounceReport("", "", ""))


def complaint_in(parts: Sequence[Message]) -> Complaint | None:
    """What a feedback report names; None where there is none, or where it says that this was no spam."""
    part = next((one for one in parts if one.get_content_type() == "message/feedback-report"), None)
    if part is None:
        return None
    fields: dict[str, str] = {}
    for group in _groups(part):
        fields = {**dict(group), **fields}
    if fields.get("feedback-type", "abuse").strip().lower() == "not-spam":
        return None
    named = _ADDRESS.findall(fields.get("original-rcpt-to", ""))
    return Complaint(named[0] if named else "", fields.get("original-mail-from", ""))


def _one(fields: Mapping[str, str]) -> BounceReport:
    action = fields.get("action", "").split("(")[0].strip().lower()
    words = _UNREADABLE.sub(" ", fields.get("diagnostic-code", "")).strip()[:500]
    status = status_in(fields.get("status", "")) or status_in(words)
    if action != "failed" and not (not action and status.startswith("5")):
        return BounceReport("", status, words)
    return BounceReport("hard" if is_dead(status) else "soft", status, words)


def _groups(part: Message) -> list[dict[str, str]]:
    """The fields of a report, one mapping for each block; names in small letters, the first of a name counts."""
    inner = part.get_payload()
    if isinstance(inner, list):
        return [_fields(one.items()) for one in inner if isinstance(one, Message)]
    raw = part.get_payload(decode=True)
    blocks = re.split(rb"\r?\n[ \t]*\r?\n", raw[:MAX_FIELDS_BYTES]) if isinstance(raw, bytes) else []
    return [_fields(email.message_from_bytes(block).items()) for block in blocks if block.strip()]


def _fields(items: Iterable[tuple[str, object]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in items:
        found.setdefault(name.lower(), " ".join(str(value)[:2_000].split()))
    return found
