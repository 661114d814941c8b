"""What is declared about keeping data, and what would come of it: pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

FILE = "retention.yaml"
LEGAL_HOLD = "legal_hold"
COMPLAINT = "complaint_open"
STAYS = {
    "legal_hold": "a flag holds the customer's data",
    "open_complaint": "the customer has an open complaint",
    "open_case": "the customer has a case that has not ended",
    "unsent_message": "a message to the customer is on its way",
    "open_review": "somebody has to decide about the customer",
    "waiting_request": "the customer's request, or this very proposal, waits for a decision",
    "objection_only": "the record is there so that nobody writes to its address",
    "rejected_before": "somebody decided not long ago to keep the customer",
}
"""Why a row that is old enough stays, the strongest reason first."""


@dataclass(frozen=True, slots=True)
class Silence:
    """When a customer counts as inactive: `after` so long without anything, erasing them is proposed to a person.

    At most `at_once` proposals wait at a time; one that was rejected is not made again before `again` is over.
    """

    after: timedelta
    at_once: int = 20
    again: timedelta = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """How long each declared class is kept; what is not declared is kept until somebody erases it.

    `qualified`: ends of cases after which a lead counts as qualified. `hold_flags`: flags of a customer that keep
    everything of theirs. `inactive` None: nobody is proposed for erasure.
    """

    keep: Mapping[str, timedelta] = field(default_factory=dict)
    qualified: frozenset[str] = frozenset()
    hold_flags: frozenset[str] = frozenset({LEGAL_HOLD})
    inactive: Silence | None = None
    is_default: bool = False


DEFAULT = RetentionRules(keep={"mail_journal": timedelta(days=365)}, is_default=True)
"""Without a file. The mail journal ends after a year also where the file does not name it."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long a class is kept in fact: never shorter than `least`, which says why in `because`."""

    period: timedelta
    least: timedelta
    because: str

    @property
    def counted(self) -> timedelta:
        """After so long a row may go."""
        return max(self.period, self.least)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a class would lose: rows that may go, and by reason those that are old enough and stay."""

    name: str
    keeping: Keeping
    going: int
    staying: Mapping[str, int]
