"""Duplicates as plain data: records to compare, what speaks for and against, and how sure that makes one."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

PRODUCER = "duplicate-rules@1"
PLAYBOOK = "customer-duplicates"
CHECKPOINT = "customer-merge"
SUBJECT = "customer_pair"
DIGITS = 4
"""Places behind the point of a weight, so that weights add up to the score exactly as they are shown."""


class Relation(StrEnum):
    """What two records are to each other; only the first two are duplicates."""

    SAME_PERSON = "same_person"
    SAME_ACCOUNT = "same_account"  # one company, twice, without a person named
    SAME_COMPANY = "same_company"  # different people of one company, or a person and their company
    DIFFERENT = "different"


class Band(StrEnum):
    """How sure the rules are that two records are one."""

    SURE = "sure"
    UNSURE = "unsure"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores from which a pair counts as `sure`, and from which a person is asked; 0 < unsure ≤ sure ≤ 1."""

    sure: float = 0.85
    unsure: float = 0.6

    def band(self, score: float) -> Band:
        """Where a score lies."""
        if score >= self.sure:
            return Band.SURE
        return Band.UNSURE if score >= self.unsure else Band.DIFFERENT


class Reason(NamedTuple):
    """One thing that speaks for (above 0) or against the two being one; the weights add up to the score."""

    code: str
    words: str
    weight: float

    def as_dict(self) -> dict[str, Any]:
        """As a case carries it."""
        return {"code": self.code, "words": self.words, "add": self.weight}


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a customer that could tell whether it is somebody we know already.

    `country` is ISO 3166 alpha-2, `phones` E.164, `emails` normalised; anything may be empty.
    """

    id: str
    name: str = ""
    company: str = ""
    country: str = ""
    city: str = ""
    postal_code: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    owner: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Everything but the id that is known, for a case and its digest."""
        fields = {
            "name": self.name, "company": self.company, "country": self.country, "city": self.city,
            "postal_code": self.postal_code, "emails": list(self.emails), "phones": list(self.phones),
            "owner": self.owner,
        }  # fmt: skip
        return {name: value for name, value in fields.items() if value}


@dataclass(frozen=True, slots=True)
class Match:
    """The comparison of two records; the order in which they were given makes no difference to it."""

    relation: Relation
    score: float
    """0 to 1: how much speaks for the two being one record."""
    band: Band
    reasons: tuple[Reason, ...]
    flags: tuple[str, ...] = ()
    """`mixed_script`: a name has letters of several alphabets and is never sure."""


class Pair(NamedTuple):
    """Two records by position, the lower first."""

    left: int
    right: int


@dataclass(slots=True)
class Blocks:
    """Which records share a key, and what was left out for being too common."""

    pairs: list[Pair] = field(default_factory=list)
    too_large: dict[str, int] = field(default_factory=dict)
    """Key → records, for the largest blocks that were passed over; at most 20 are named."""
    passed_over: int = 0
    """How many blocks were too large."""
    cut_short: int = 0
    """Records that share keys with more others than are compared with one."""
