"""Alerts as pure data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from fairlead.errors import InputError

PLAYBOOK = "alerts"
"""The playbook that decides and writes; the example workspace ships one."""
SUBJECT = "alert"
MAX_TITLE, MAX_TEXT, MAX_FIELDS, MAX_FIELD = 200, 4_000, 20, 1_000
RESERVED = frozenset({"alert", "kind", "title", "text", "customers", "send", "confidence", "name", "company"})
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,39}")


class AlertKind(StrEnum):
    """What sort of thing it is about."""

    DELAY = "delay"
    RENEWAL = "renewal"
    INCIDENT = "incident"


class AlertState(StrEnum):
    """Whether it still goes to anybody."""

    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class AlertDraft:
    """What customers are told; `id` is the caller's, and means the same alert for ever.

    `fields` are further words for the message's template. InputError for what cannot be stored or shown.
    """

    id: str
    kind: AlertKind
    title: str
    text: str
    fields: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what is too long, blank, or named like a fact of the playbook."""
        if not _ID.fullmatch(self.id):
            raise InputError("An alert's id has 1 to 100 letters, digits or . _ : -", code="alert", field="id")
        for name, text, most in (("title", self.title, MAX_TITLE), ("text", self.text, MAX_TEXT)):
            if not text.strip() or len(text) > most or "\0" in text:
                raise InputError(f"The {name} of an alert has 1 to {most} characters.", code="alert", field=name)
        if len(self.fields) > MAX_FIELDS:
            raise InputError(f"An alert has at most {MAX_FIELDS} fields.", code="alert", field="fields")
        for name, value in self.fields.items():
            if not _FIELD.fullmatch(name) or name in RESERVED or len(value) > MAX_FIELD or "\0" in value:
                message = (
                    f"{name[:40]!r} cannot be a field of an alert: a lower-case name, at most {MAX_FIELD} characters"
                )
                raise InputError(message, code="alert", field="fields")

    @property
    def content(self) -> dict[str, Any]:
        """What makes it this alert and no other."""
        return {"kind": self.kind.value, "title": self.title, "text": self.text, "fields": dict(self.fields)}


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it stands; `customers` counts those it was raised for."""

    id: str
    kind: AlertKind
    title: str
    text: str
    fields: Mapping[str, str]
    state: AlertState
    at: datetime
    resolved_at: datetime | None
    customers: int


@dataclass(frozen=True, slots=True)
class Raised:
    """What became of the customers that were named: cases opened, how many it had reached before, who nobody is."""

    cases: tuple[str, ...]
    known: int
    unknown: tuple[str, ...]
