"""What a search for duplicates did, or would have done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from fairlead.sales.matching.model import Record
from fairlead.sales.matching.service import Candidate

SearchProgress = Callable[[str, int, int], None]
"""(what is being done, how many are done, of how many; 0 when that is not known)."""


@dataclass(slots=True)
class Search:
    """What a search did, or with `dry_run` would have done."""

    dry_run: bool = False
    customers: int = 0
    fresh: int = 0
    """New or changed since they were looked at last."""
    left: int = 0
    """New or changed ones for the next search: this one had its fill."""
    compared: int = 0
    sure: int = 0
    unsure: int = 0
    same_company: int = 0
    """Pairs of different people of one company, or of a person and their company: never merged."""
    known: int = 0
    """Found before: open, or settled and neither has changed."""
    implied: int = 0
    """Pairs that follow from others; looked at again once those are settled."""
    waiting: int = 0
    """Pairs beyond the bound on cases; the next search opens them."""
    opened: list[str] = field(default_factory=list)
    blocks_passed_over: int = 0
    largest_blocks: dict[str, int] = field(default_factory=dict)
    cut_short: int = 0
    seconds: float = 0.0
    pairs: list[dict[str, Any]] = field(default_factory=list)
    """The surest of what is opened, at most 200."""

    def as_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return asdict(self)


def shown(one: Candidate) -> dict[str, Any]:
    """A pair as `--json` prints it."""
    return {
        "left": one.left.id, "right": one.right.id, "relation": one.match.relation.value, "score": one.match.score,
        "band": one.match.band.value, "reasons": [reason.as_dict() for reason in one.match.reasons],
        "flags": list(one.match.flags), "names": [_name(one.left), _name(one.right)],
    }  # fmt: skip


def _name(record: Record) -> str:
    return " · ".join(part for part in (record.name, record.company) if part) or record.id
