"""A customer's rights: which there are, how long we have, and what a request may say."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from fairlead.errors import InputError

MAX_TEXT = 500
PLAYBOOK, CHECKPOINT, SUBJECT = "customer-rights", "rights-request", "rights_request"
RESTRICTED = "restricted"
"""The flag under which the gate lets no program write to a customer."""
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


def due_of(asked_at: datetime) -> datetime:
    """One month later by the calendar (GDPR Art. 12(3)): the same day, or the last of a shorter month."""
    year, month = (asked_at.year + 1, 1) if asked_at.month == 12 else (asked_at.year, asked_at.month + 1)  # noqa: PLR2004
    return asked_at.replace(year=year, month=month, day=min(asked_at.day, calendar.monthrange(year, month)[1]))


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
