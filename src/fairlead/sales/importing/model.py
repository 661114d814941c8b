"""What an import can be, how it is kept alive, and what a remembered mapping is: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

CANCEL_WITHIN = timedelta(hours=24)
"""How long after its start an import counts as just made, so that taking it back is not rewriting history."""
DRAFT_KEPT = timedelta(hours=24)
RECEIVED_WITHIN = timedelta(hours=1)
CHUNK_BYTES = 262_144
CANCELLED_AT_ONCE = 50


class ImportState(StrEnum):
    """Where an import stands."""

    RECEIVING = "receiving"
    """Its file is being stored."""
    DRAFT = "draft"
    """A person has to confirm what its columns mean."""
    WAITING = "waiting"
    """For a worker."""
    READING = "reading"
    INTERRUPTED = "interrupted"
    """Its process ended in the middle, and only who has the file can go on."""
    FINISHED = "finished"
    REFUSED = "refused"
    """Its file could not be read after all; `problem` says why."""
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


MAY_CANCEL = frozenset(
    {ImportState.DRAFT, ImportState.WAITING, ImportState.READING, ImportState.INTERRUPTED, ImportState.FINISHED}
)
BUSY = frozenset({ImportState.RECEIVING, ImportState.WAITING, ImportState.READING, ImportState.CANCELLING})


@dataclass(frozen=True, slots=True)
class Remembered:
    """A mapping that a person confirmed for files with certain columns."""

    mapping: Mapping[str, str]
    """Field → column."""
    import_id: str
    said_at: datetime

    @property
    def words(self) -> str:
        """`import imp_… of 3 Nov 2026`."""
        return f"import {self.import_id} of {self.said_at.day} {self.said_at:%b %Y}"
