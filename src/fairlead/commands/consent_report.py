"""What came of a file of consents, as figures, as JSON and as words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from fairlead.customers import RefusedLine, TakenConsents

SHOWN_REFUSED = 20
KEPT_REFUSED = 1_000


@dataclass(slots=True)
class Report:
    """What came, or would come, of a file: rows = recorded + overruled + repeated + refused_rows.

    `written` is False for a dry run, and when rows were refused and none may be skipped: the figures then say what
    would have come of the others. `refused` holds the first 1,000, `reasons` how many there are of each kind.
    """

    rows: int = 0
    recorded: int = 0
    overruled: int = 0
    repeated: int = 0
    refused_rows: int = 0
    new_customers: int = 0
    written: bool = False
    reasons: Counter[str] = field(default_factory=Counter)
    refused: list[RefusedLine] = field(default_factory=list)

    def add(self, rows: int, taken: TakenConsents) -> None:
        """Count some rows in."""
        self.rows += rows
        self.recorded += taken.recorded
        self.overruled += taken.overruled
        self.repeated += taken.repeated
        self.new_customers += taken.new_customers
        self.refused_rows += len(taken.refused)
        self.reasons.update(one.code for one in taken.refused)
        self.refused.extend(taken.refused[: KEPT_REFUSED - len(self.refused)])

    def as_dict(self) -> dict[str, Any]:
        """For JSON, without the cells of refused rows."""
        refused = [{"line": one.line, "code": one.code, "words": one.words} for one in self.refused]
        return {**asdict(self), "reasons": dict(self.reasons.most_common()), "refused": refused}


def told(report: Report, *, dry_run: bool) -> Iterator[str]:
    """The report for a person at a terminal."""
    yield (
        f"{report.rows:,} rows: {report.recorded:,} recorded, {report.overruled:,} overruled by newer words, "
        f"{report.repeated:,} there already, {report.refused_rows:,} refused"
    )
    if report.new_customers:
        yield f"{report.new_customers:,} customers whom nobody knew"
    for one in report.refused[:SHOWN_REFUSED]:
        yield f"  line {one.line}: {one.words}"
    if report.refused_rows > SHOWN_REFUSED:
        kinds = ", ".join(f"{code} {count:,}" for code, count in report.reasons.most_common())
        yield f"  and {report.refused_rows - SHOWN_REFUSED:,} more; in all: {kinds}; --refused FILE writes them down"
    if dry_run:
        yield "nothing was written"
    elif not report.written:
        yield "nothing was written: mend the rows, or take the others with --skip-bad"
