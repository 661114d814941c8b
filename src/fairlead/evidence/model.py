"""Outcomes and labels as plain data, and what is refused as an outcome."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fairlead.errors import InputError
from fairlead.kit import jsons

MAX_VALUE_BYTES = 4_096
MAX_KEY_CHARS = 200
MAX_AHEAD = timedelta(minutes=5)
"""How far a caller's clock may be ahead of ours."""
_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class OutcomeReport:
    """What somebody says came of a decision; `value` is any JSON but null, at most 4 KiB."""

    ruling_id: str
    name: str
    value: Any
    happened_at: datetime
    key: str

    def check(self, now: datetime) -> None:
        """InputError for a name, value, key or time that cannot be kept."""
        if not _NAME.fullmatch(self.name):
            message = "An outcome's name has small letters, digits, '_', '.' and '-', and begins with a letter."
            raise InputError(message, code="outcome_name", name=self.name[:64])
        if not 0 < len(self.key) <= MAX_KEY_CHARS:
            raise InputError(f"A key has 1 to {MAX_KEY_CHARS} characters.", code="outcome_key")
        if self.value is None or len(jsons.dumps(self.value).encode()) > MAX_VALUE_BYTES:
            message = f"An outcome's value is any JSON but null, of at most {MAX_VALUE_BYTES} bytes."
            raise InputError(message, code="outcome_value")
        if self.happened_at.tzinfo is None or self.happened_at > now + MAX_AHEAD:
            message = "happened_at is a time with its zone that does not lie ahead."
            raise InputError(message, code="outcome_time", happened_at=self.happened_at)


@dataclass(frozen=True, slots=True)
class Outcome:
    """An outcome as it is kept; `source` is who said it, `kind:id`."""

    id: str
    ruling_id: str
    name: str
    value: Any
    source: str
    key: str
    happened_at: datetime
    recorded_at: datetime

    def same_as(self, report: OutcomeReport) -> bool:
        """Whether the report says the same again; true and 1 are not the same."""
        mine, other = (self.ruling_id, self.name, self.happened_at), (report.ruling_id, report.name, report.happened_at)
        said = jsons.loads(jsons.dumps(report.value))  # as it would have been stored
        return mine == other and jsons.canonical(self.value) == jsons.canonical(said)


@dataclass(frozen=True, slots=True)
class Label:
    """One blind answer; immutable, one per review.

    `source` says how it came: auto (after the machine had decided), assist (before the proposal was shown) or
    human (the answer was the decision). `answer` None: the person could not tell. `agrees` is None then, and where
    a person must compare (`agree: graded`). `lottery_p` is the probability with which the decision was drawn.
    `agree_version` is the version of the policy that compared; None when none could be had.
    """

    id: str
    ruling_id: str
    review_id: str
    checkpoint: str
    segment: str
    producer: str
    path: str
    source: str
    answer: Any
    agrees: bool | None
    lottery_p: float
    agree_version: str | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LabelCount:
    """How the blind answers stand for one producer in one segment; plain counts, no estimate.

    `overdue` are drawn decisions whose review ran over its time and still has no blind answer; `not_judged` were
    answered but are compared by a person (`agree: graded`). What is drawn and neither answered nor overdue still
    waits, or its review was closed without an answer.
    """

    checkpoint: str
    segment: str
    producer: str
    drawn: int
    answered: int
    overdue: int
    agree: int
    disagree: int
    cannot_tell: int
    not_judged: int


def outcome_of(one: Label) -> str:
    """agree, disagree, cannot_tell or not_judged."""
    if one.answer is None:
        return "cannot_tell"
    return "not_judged" if one.agrees is None else "agree" if one.agrees else "disagree"
