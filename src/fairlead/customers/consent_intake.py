"""Rows of a file of consents, some at a time: what would come of them, or taking them into the ledger.

What becomes of a row depends on the rows before it and never on how many are taken at once, so that a dry run, an
import, and one that was killed and run again account for the same rows in the same way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from fairlead.customers import consent_store, lineage
from fairlead.customers.consent_files import ConsentLine, FoundLine, RefusedLine
from fairlead.customers.consent_foresight import SaidBefore
from fairlead.customers.consent_holders import Row, first_names, known_of, locked, make_customers, placed, refused_line
from fairlead.customers.consent_telling import Fresh, tell, write
from fairlead.customers.consents import Notices, Said, covers, standings_of
from fairlead.kit.actors import Actor
from fairlead.kit.ids import new_ids
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

MAX_OF_ONE = 1_000
"""Words of one customer that an import adds up to; reading them all is what the writer is held for."""
_NO_NOTICES = Notices({}, {})


@dataclass(frozen=True, slots=True)
class TakenConsents:
    """What came of some rows, or in a dry run would come.

    `recorded` are rows that counted when they were taken, `overruled` were kept, too, but something newer had been
    said; `repeated` stood in the ledger already.
    """

    recorded: int
    overruled: int
    repeated: int
    new_customers: int
    refused: tuple[RefusedLine, ...]


class _Weighed(NamedTuple):
    fresh: list[tuple[Row, bool]]
    """New rows, each with whether it counts."""
    repeated: int
    refused: list[RefusedLine]


def foresee_consents(
    reader: Reader, found: Sequence[FoundLine], before: SaidBefore, *, now: datetime, create: bool
) -> TakenConsents:
    """What `take_consents` would do with the next rows of a file, of which `before` keeps what came earlier."""
    usable, refused = _with_notices(reader, found)
    known = known_of(reader, [line for line, _ in usable])
    unknown = [line for line, _ in usable if create and line.identities and not known.of(line)]
    earlier = before.named({one for line in unknown for one in line.identities})
    names = dict(zip((line.line for line in unknown), first_names(unknown, earlier), strict=True))
    rows, nobody = placed(usable, known, {line: ":".join(name) for line, name in names.items()})
    said = before.of({row.who for row in rows})
    weighed = _weigh(reader, rows, said, now)
    before.add((row.who, _said(row)) for row, _ in weighed.fresh)
    made = {names[row.line.line] for row, _ in weighed.fresh if row.line.line in names} - earlier
    return _taken(weighed, refused + nobody, len(made))


def take_consents(
    uow: UnitOfWork, actor: Actor, found: Sequence[FoundLine], *, source: str, create: bool
) -> TakenConsents:
    """Write the next rows of a file into the ledger; `source` names the file in the record.

    A customer nobody knows is a refused row, unless `create` makes them. Rows are dated when they were said: they
    never overrule what was said later. A row that stands in the ledger adds nothing and keeps the proof it has.
    """
    usable, refused = _with_notices(uow, found)
    consent_store.take_turn(uow)
    known = known_of(uow, [line for line, _ in usable])
    unknown = [line for line, _ in usable if create and line.identities and not known.of(line)]
    count, made = make_customers(uow, unknown)
    rows, nobody = placed(usable, known, made)
    rows, gone = locked(uow, rows)
    weighed = _weigh(uow, rows, {}, uow.now)
    if weighed.fresh:
        ids = new_ids("cns", len(weighed.fresh))
        fresh = [
            Fresh(one, row.who, row.line, row.notice, counts)
            for one, (row, counts) in zip(ids, weighed.fresh, strict=True)
        ]
        write(uow, actor, fresh)
        tell(uow, fresh)
    taken = _taken(weighed, refused + nobody + gone, count)
    if weighed.fresh:
        first, last = found[0].line, found[-1].line
        counts = {"first_line": first, "last_line": last, "recorded": taken.recorded, "overruled": taken.overruled,
                  "repeated": taken.repeated, "refused": len(taken.refused)}  # fmt: skip
        uow.record(AuditEntry("consents.rows_taken", source, counts, actor=actor))
    return taken


def _taken(weighed: _Weighed, refused: list[RefusedLine], new_customers: int) -> TakenConsents:
    recorded = sum(counts for _, counts in weighed.fresh)
    bad = sorted([*refused, *weighed.refused], key=lambda one: one.line)
    return TakenConsents(recorded, len(weighed.fresh) - recorded, weighed.repeated, new_customers, tuple(bad))


def _with_notices(
    reader: Reader, found: Sequence[FoundLine]
) -> tuple[list[tuple[ConsentLine, str | None]], list[RefusedLine]]:
    """The rows that can be used, with the ids of their notices, and the others."""
    refused = [one for one in found if isinstance(one, RefusedLine)]
    lines = [one for one in found if isinstance(one, ConsentLine)]
    notices = {}
    for named in {line.notice for line in lines if line.notice}:
        known = consent_store.newest_notice(reader, *named)
        notices[named] = known.id if known else None
    usable = []
    for line in lines:
        notice = notices[line.notice] if line.notice else None
        if line.notice and notice is None:
            refused.append(refused_line(line, "notice", "The notice it names was never published."))
        else:
            usable.append((line, notice))
    return usable, refused


def _weigh(reader: Reader, rows: Sequence[Row], before: Mapping[str, Sequence[Said]], now: datetime) -> _Weighed:
    """Each row beside the ledger, what was said `before` in the file, and the rows above it."""
    kin = lineage.kin_of(reader, {row.who for row in rows})
    ledger = consent_store.said_of(reader, list(kin.stands_for)) if kin.stands_for else []
    said: dict[str, list[Said]] = defaultdict(list, consent_store.by_survivor(ledger, kin.stands_for))
    for who, theirs in before.items():
        said[who].extend(theirs)
    marks = {
        (who, one.purpose, one.channel, one.state, one.at) for who, theirs in said.items() for one in theirs
    }  # fmt: skip
    weighed = _Weighed([], 0, [])
    repeated = 0
    for row in rows:
        line, theirs = row.line, said[row.who]
        mark = (row.who, line.purpose, line.channel, line.state, line.said_at)
        if mark in marks:
            repeated += 1
        elif len(theirs) >= MAX_OF_ONE:
            words = f"This customer has {MAX_OF_ONE:,} words in the ledger already; an import adds no more."
            weighed.refused.append(refused_line(line, "too_many", words))
        else:
            marks.add(mark)
            theirs.append(_said(row))
            key = (line.purpose, line.channel)
            mine = [one for one in theirs if covers((one.purpose, one.channel), key)]
            last = standings_of(row.who, mine, kin.edges.get(row.who, []), now, _NO_NOTICES).get(key)
            weighed.fresh.append((row, last is not None and last.consent_id == theirs[-1].id))
    return weighed._replace(repeated=repeated)


def _said(row: Row) -> Said:
    """The row as the ledger will say it; "~" sorts behind every id, as the ids of rows still to be written do."""
    line = row.line
    return Said(
        line.said_at, f"~{line.line:012}", row.who, line.purpose, line.channel, line.state, "", "", line.expires_at,
        None,
    )  # fmt: skip
