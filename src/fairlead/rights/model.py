"""A customer's rights: which there are, how long we have, and what a request may say."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from fairlead.errors import ConflictError, InputError

MAX_TEXT = 500
PLAYBOOK, CHECKPOINT, SUBJECT = "customer-rights", "rights-request", "rights_request"
RESTRICTED = "restricted"
"""The flag under which the gate lets no program write to a customer."""
EXTENDED_MONTHS = 3
"""What the law gives in all, when the customer was told within the first why it takes longer."""
_YEAR = 12
RECTIFIABLE = ("name", "company", "country", "email", "phone")


class Right(StrEnum):
    """What a customer may ask for."""

    EXPORT = "export"
    RECTIFY = "rectify"
    RESTRICT = "restrict"
    UNRESTRICT = "unrestrict"
    ERASE = "erase"


class RequestState(StrEnum):
    """`asked` until somebody decides; `done` and `refused` are final, `gone` was overtaken by an erasure."""

    ASKED = "asked"
    DONE = "done"
    REFUSED = "refused"
    GONE = "gone"


class Origin(StrEnum):
    """Who wants it: the customer, or the retention rules, which propose to erase who has not been heard of."""

    CUSTOMER = "customer"
    RETENTION = "retention"


def due_of(asked_at: datetime, months: int = 1) -> datetime:
    """So many months later by the calendar (GDPR Art. 12(3)): the same day, or the last of a shorter month."""
    years, month = divmod(asked_at.month - 1 + months, _YEAR)
    year, month = asked_at.year + years, month + 1
    return asked_at.replace(year=year, month=month, day=min(asked_at.day, calendar.monthrange(year, month)[1]))


def check_extension(state: str, due_at: datetime | None, extension: Any, now: datetime) -> None:
    """Whether a request may get more time: once, before its month is over, and only what a customer asked for."""
    if state != RequestState.ASKED.value:
        raise ConflictError("It is decided already.", code="request_decided", state=state)
    if due_at is None:
        raise ConflictError("No customer asked for this, so nothing is due by law.", code="nothing_due")
    if extension is not None:
        raise ConflictError("It was extended before; the law allows it once.", code="already_extended")
    if now > due_at:
        raise ConflictError("The month is over; the customer had to be told within it.", code="extension_too_late")


def checked_changes(right: Right, changes: Mapping[str, Any]) -> dict[str, str]:
    """What is to be rectified, field to new text; "" takes a value away. InputError for anything else."""
    if right is not Right.RECTIFY:
        if changes:
            raise InputError("Only a rectification changes fields.", field="changes")
        return {}
    if not changes:
        raise InputError(f"Say what is to be changed: {', '.join(RECTIFIABLE)}.", field="changes")
    for name, value in changes.items():
        if name not in RECTIFIABLE:
            known = ", ".join(RECTIFIABLE)
            raise InputError(f"{str(name)[:64]!r} cannot be rectified; known are {known}.", field="changes")
        if not isinstance(value, str) or len(value) > MAX_TEXT or "\0" in value:
            raise InputError(f"{name} must be a text of at most {MAX_TEXT} characters.", field="changes")
    if not changes.get("email", "x").strip() or not changes.get("phone", "x").strip():
        raise InputError("An address is replaced by another, not by nothing.", field="changes")
    return {name: value.strip() for name, value in changes.items()}


def checked_text(field: str, text: str) -> str:
    """What somebody wrote, stripped; InputError when it is blank or too long."""
    stripped = text.strip()
    if not stripped or len(stripped) > MAX_TEXT or "\0" in stripped:
        raise InputError(f"{field} must have 1 to {MAX_TEXT} characters.", field=field)
    return stripped
