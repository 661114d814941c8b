"""Reading the ledger of consents: what counts now, and everything that was ever said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairlead.customers import consent_store, lineage
from fairlead.customers.consents import Key, Notice, Notices, Said, Standing, standings_of
from fairlead.kit.unit_of_work import Reader

MAX_ROWS = 500


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """One line of the ledger as it was written; `record_id` is the record it is about, before any merge.

    `at` is when it was said, `recorded_at` when it was written down. `proof` is {} once the customer was erased.
    """

    id: str
    record_id: str
    purpose: str
    channel: str
    state: str
    mechanism: str
    source: str
    actor: str
    proof: dict[str, Any]
    notice: Notice | None
    outdated: bool
    expires_at: datetime | None
    at: datetime
    recorded_at: datetime


def consents_of(reader: Reader, customer_ids: Sequence[str], now: datetime) -> dict[str, dict[Key, Standing]]:
    """What counts at `now`, by the ids asked for and by (purpose, channel); unknown ids are absent.

    A merged record is answered by its survivor. Look a pair up with `standing_for`, which knows what `*` means.
    """
    kin = lineage.kin_of(reader, customer_ids)
    found = standings_by_survivor(reader, kin, now)
    return {one: found[survivor] for one, survivor in kin.survivors.items()}


def standings_by_survivor(reader: Reader, kin: lineage.Kin, now: datetime) -> dict[str, dict[Key, Standing]]:
    """The same for families that are known already, by who stands for them."""
    said = consent_store.said_of(reader, list(kin.stands_for)) if kin.stands_for else []
    notices = consent_store.notices_for(reader, said)
    mine = consent_store.by_survivor(said, kin.stands_for)
    return {
        survivor: standings_of(survivor, mine.get(survivor, ()), kin.edges.get(survivor, []), now, notices)
        for survivor in set(kin.survivors.values())
    }


def consent_history(
    reader: Reader, customer_id: str, limit: int = 50, *, before: tuple[datetime, str] | None = None
) -> list[ConsentRow]:
    """The newest lines of all records of this customer by when they were written down, at most 500.

    `before` is (recorded_at, id) of the last line already seen.
    """
    family = lineage.families_of(reader, [customer_id])[customer_id]
    rows = consent_store.rows_of(reader, family, max(0, min(limit, MAX_ROWS)), before)
    notices = consent_store.notices_for(reader, [_said(row) for row in rows])
    return [_row(row, notices) for row in rows]


def whole_history(reader: Reader, customer_id: str) -> Iterator[ConsentRow]:
    """Every line, newest first, read page by page; for exports."""
    before: tuple[datetime, str] | None = None
    while rows := consent_history(reader, customer_id, MAX_ROWS, before=before):
        yield from rows
        before = (rows[-1].recorded_at, rows[-1].id)


def _said(row: Any) -> Said:
    return Said(
        row.at, row.id, row.customer_id, row.purpose, row.channel, row.state, row.mechanism, row.source,
        row.expires_at, row.notice_id,
    )  # fmt: skip


def _row(row: Any, notices: Notices) -> ConsentRow:
    notice = notices.by_id.get(row.notice_id) if row.notice_id else None
    outdated = notice is not None and notices.newest.get((notice.name, notice.language)) != notice.digest
    return ConsentRow(
        row.id, row.customer_id, row.purpose, row.channel, row.state, row.mechanism, row.source, row.actor,
        row.proof, notice, outdated, row.expires_at, row.at, row.recorded_at,
    )  # fmt: skip
