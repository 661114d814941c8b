"""A contact with a lead as plain data."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

REMOVABLE = timedelta(days=1)


class TouchKind(StrEnum):
    """How somebody was in touch."""

    CALL = "call"
    EMAIL = "email"
    MEETING = "meeting"
    MESSAGE = "message"
    OTHER = "other"


KIND_WORDS = {
    TouchKind.CALL: "Call",
    TouchKind.EMAIL: "E-mail",
    TouchKind.MEETING: "Meeting",
    TouchKind.MESSAGE: "Message",
    TouchKind.OTHER: "Other contact",
}


class Touch(NamedTuple):
    """A contact as it was logged; `person_id` None where a program did not say who it was."""

    id: str
    lead: str
    case_id: str
    kind: TouchKind
    at: datetime
    person_id: str | None
    note: str
    made_by: str
    made_at: datetime

    def removable(self, now: datetime) -> bool:
        """Whether it may still be taken back."""
        return now - self.made_at <= REMOVABLE
