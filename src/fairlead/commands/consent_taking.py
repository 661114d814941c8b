"""A file of consents into the ledger: first looked at as a whole, then taken a few rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from fairlead.commands.common import words
from fairlead.commands.consent_report import Report
from fairlead.commands.consent_sources import ConsentFile, Refusals
from fairlead.customers import FoundLine, SaidBefore, foresee_consents, take_consents
from fairlead.kit.actors import Actor
from fairlead.kit.database import Database
from fairlead.kit.faults import fault_point
from fairlead.kit.lanes import Lane
from fairlead.kit.pace import BatchPace
from fairlead.kit.unit_of_work import AuditEntry

LOOKED_AT_ONCE = 500

Tell = Callable[[str, int, int], None]
"""Called with what is being done, how far it is, and of how much."""


def import_file(
    database: Database, actor: Actor, file: ConsentFile, pace: BatchPace, refusals: Refusals, *,
    dry_run: bool = False, skip_bad: bool = False, tell: Tell = lambda _what, _done, _of: None,
) -> Report:  # fmt: skip
    """Look at every row, then take them, each some in a transaction of their own; nothing is written in a dry run.

    One refused row refuses the whole file, unless `skip_bad`. What changes between the look and the writing, such as
    a customer who is erased meanwhile, refuses its row alone.
    """
    foreseen = _look(database, file, refusals, tell)
    if dry_run or (foreseen.refused_rows and not skip_bad):
        return foreseen
    report = Report(written=True)
    try:
        _take(database, actor, file, pace, refusals, report, lambda: tell("taking", report.rows, foreseen.rows))
    except BaseException:
        if report.rows:
            words.print(f"{report.rows:,} rows were gone through; run it again, and what was taken is known")
        raise
    if report.recorded or report.overruled:
        with database.transaction() as uow:
            totals = {name: getattr(report, name) for name in
                      ("rows", "recorded", "overruled", "repeated", "refused_rows", "new_customers")}  # fmt: skip
            uow.record(AuditEntry("consents.imported", file.source, totals, actor=actor))
    return report


def _look(database: Database, file: ConsentFile, refusals: Refusals, tell: Tell) -> Report:
    now, size = database.clock.now(), file.path.stat().st_size
    report = Report()
    with SaidBefore() as before, file.rows(now) as (rows, bytes_read):
        refusals.begin(rows.header)
        for some in _some(rows, lambda: LOOKED_AT_ONCE):
            with database.reading() as reader:
                taken = foresee_consents(reader, some, before, now=now, create=file.create)
            report.add(len(some), taken)
            refusals.add(taken.refused)
            tell("looking", bytes_read(), size)
    return report


def _take(
    database: Database, actor: Actor, file: ConsentFile, pace: BatchPace, refusals: Refusals, report: Report,
    tell: Callable[[], None],
) -> None:  # fmt: skip
    with file.rows(database.clock.now()) as (rows, _):
        refusals.begin(rows.header)
        for some in _some(rows, pace.size):
            with database.transaction(Lane.BULK) as uow:
                began = pace.start()
                taken = take_consents(uow, actor, some, source=file.source, create=file.create)
            pace.note(len(some), began)
            fault_point("consents.taken")
            report.add(len(some), taken)
            refusals.add(taken.refused)
            tell()


def _some(rows: Iterable[FoundLine], size: Callable[[], int]) -> Iterator[list[FoundLine]]:
    left = iter(rows)
    while some := list(islice(left, size())):
        yield some
