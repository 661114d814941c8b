"""Taking a file of consents in: all of its rows in one transaction, or none; every row is accounted for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from fairlead.customers import consent_store, lineage, propagating, store, tables as t
from fairlead.customers.consent_files import ConsentLine, RefusedLine, read_consents
from fairlead.customers.consenting import OPTED_IN, OPTED_OUT
from fairlead.customers.consents import Notices, Said, standings_of
from fairlead.customers.model import ConsentState, CustomerDraft, Identity
from fairlead.customers.service import resolve_many
from fairlead.kit import jsons
from fairlead.kit.actors import Actor
from fairlead.kit.clock import to_micros
from fairlead.kit.events import Event, publish_many
from fairlead.kit.ids import new_ids
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

_New = tuple[str, ConsentLine, str | None]
"""(customer, "" for one who is still to be made; the row; its notice's id)"""
_COLUMNS = ("id", "customer_id", "purpose", "channel", "state", "mechanism", "proof", "source", "actor", "notice_id",
            "expires_at", "at", "recorded_at")  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConsentImport:
    """What came, or in a dry run would come, of a file: rows = recorded + overruled + repeated + refused.

    `recorded` are rows that count now; `overruled` were kept, too, but something newer had been said; `repeated` stood
    in the ledger already. `written` is False for a dry run, and when rows were refused and none may be skipped: the
    figures then say what would have come of the others.
    """

    rows: int
    recorded: int
    overruled: int
    repeated: int
    new_customers: int
    written: bool
    refused: tuple[RefusedLine, ...] = field(default=())


def check_consents(reader: Reader, text: str, *, now: datetime, source: str, create: bool = False) -> ConsentImport:
    """What `import_consents` would do with this file, without writing anything; the dry run."""
    plan = _plan(reader, text, now, source, create=create)
    counting = _counting(reader, plan.new, now)
    made = len({line.identities for holder, line, _ in plan.new if not holder})
    return replace(
        plan.report, recorded=len(counting), overruled=len(plan.new) - len(counting), new_customers=made
    )  # fmt: skip


def import_consents(
    uow: UnitOfWork, actor: Actor, text: str, *, source: str, create: bool = False, skip_bad: bool = False
) -> ConsentImport:
    """Write the rows of a CSV into the ledger; see `consent_files` for its columns.

    One refused row refuses the whole file, unless `skip_bad`. A customer nobody knows is a refused row, unless
    `create` makes them. Rows are dated when they were said: they never overrule what was said later. Taking the same
    file twice changes nothing.
    """
    plan = _plan(uow, text, uow.now, source, create=create)
    if plan.report.refused and not skip_bad:
        return check_consents(uow, text, now=uow.now, source=source, create=create)
    if not plan.new:
        return replace(plan.report, written=True)
    made, rows = _with_customers(uow, plan.new)
    lineage.lock(uow, {holder for holder, _, _ in rows})
    counting = _counting(uow, rows, uow.now)
    survivors = lineage.survivors_of(uow, {holder for holder, _, _ in rows})
    ids = new_ids("cns", len(rows))
    written = [(one, survivors[holder], line, notice) for one, (holder, line, notice) in zip(ids, rows, strict=True)]
    _write(uow, actor, written)
    _tell(uow, [(one, who, line) for at, (one, who, line, _) in enumerate(written) if at in counting])
    recorded = len(counting)
    summary = {"source": source, "rows": plan.report.rows, "recorded": recorded, "refused": len(plan.report.refused)}
    uow.record(AuditEntry("consents.imported", source, summary, actor=actor))
    return replace(
        plan.report, recorded=recorded, overruled=len(ids) - recorded, new_customers=made, written=True
    )  # fmt: skip


def _write(uow: UnitOfWork, actor: Actor, rows: Sequence[tuple[str, str, ConsentLine, str | None]]) -> None:
    now = to_micros(uow.now)
    uow.insert_many(t.consent, _COLUMNS, [
        (one, who, line.purpose, line.channel, line.state, line.mechanism, jsons.dumps(line.proof), line.source,
         str(actor), notice, to_micros(line.expires_at) if line.expires_at else None, to_micros(line.said_at), now)
        for one, who, line, notice in rows
    ])  # fmt: skip
    for one, who, line, notice in rows:
        payload = {
            "consent": one, "purpose": line.purpose, "channel": line.channel, "state": line.state,
            "mechanism": line.mechanism, "proof": line.proof, "source": line.source, "notice_id": notice,
            "said_at": line.said_at.isoformat(), "line": line.line,
            "expires_at": line.expires_at.isoformat() if line.expires_at else None,
        }  # fmt: skip
        uow.record(AuditEntry("customer.consent_recorded", who, payload, customer_id=who, actor=actor))


def _counting(reader: Reader, new: Sequence[_New], now: datetime) -> set[int]:
    """Which of the rows would be the last word about their purpose and channel, by their place in `new`."""
    kin = lineage.kin_of(reader, {holder for holder, _, _ in new if holder})
    said = consent_store.said_of(reader, list(kin.stands_for)) if kin.stands_for else []
    rows: dict[str, list[Said]] = defaultdict(list, consent_store.by_survivor(said, kin.stands_for))
    for at, (holder, line, _) in enumerate(new):
        who = kin.survivors.get(holder, "") or str(line.identities)
        # "~" sorts behind every id, as the ids of rows still to be written do.
        rows[who].append(
            Said(line.said_at, f"~{at:08}", who, line.purpose, line.channel, line.state, "", "", None, None)
        )
    found = set()
    for who, theirs in rows.items():
        for key, standing in standings_of(who, theirs, kin.edges.get(who, []), now, Notices({}, {})).items():
            _, mark, place = standing.consent_id.partition("~")
            if mark and (new[int(place)][1].purpose, new[int(place)][1].channel) == key:
                found.add(int(place))
    return found


@dataclass(slots=True)
class _Plan:
    """Rows to be written as (customer or "", line, notice id), and the report without what only writing tells."""

    new: list[_New]
    report: ConsentImport


def _plan(reader: Reader, text: str, now: datetime, source: str, *, create: bool) -> _Plan:
    found = list(read_consents(text, now, source))
    refused = [one for one in found if isinstance(one, RefusedLine)]
    lines = [one for one in found if isinstance(one, ConsentLine)]
    holders = _holders(reader, lines)
    said = consent_store.said_of(reader, sorted({one for family in holders.families.values() for one in family}))
    there = {(holders.survivor[one.customer_id], one.purpose, one.channel, one.state, one.at) for one in said}
    notices: dict[tuple[str, str, int | None], str | None] = {}
    new, repeated = [], 0
    for line in lines:
        holder = holders.of(line)
        trouble = _trouble(line, holder, holders, create=create)
        if line.notice is not None and line.notice not in notices:
            name, language, version = line.notice
            known = consent_store.newest_notice(reader, name, language, version)
            notices[line.notice] = known.id if known else None
        if trouble is None and line.notice is not None and notices[line.notice] is None:
            trouble = RefusedLine(line.line, "notice", "The notice it names was never published.")
        if trouble is not None:
            refused.append(trouble)
            continue
        mark = (holder or str(line.identities), line.purpose, line.channel, line.state, line.said_at)
        if mark in there:
            repeated += 1
            continue
        there.add(mark)
        new.append((holder, line, notices[line.notice] if line.notice else None))
    refused.sort(key=lambda one: one.line)
    report = ConsentImport(len(found), 0, 0, repeated, 0, written=False, refused=tuple(refused))
    return _Plan(new, report)


@dataclass(slots=True)
class _Holders:
    by_identity: dict[Identity, str]
    survivor: dict[str, str]
    families: dict[str, tuple[str, ...]]
    erased: set[str]

    def of(self, line: ConsentLine) -> str:
        if line.customer_id:
            return self.survivor.get(line.customer_id, "")
        return next((self.by_identity[one] for one in line.identities if one in self.by_identity), "")


def _holders(reader: Reader, lines: Sequence[ConsentLine]) -> _Holders:
    by_identity = store.holders_of(reader, {one for line in lines for one in line.identities})
    asked = {line.customer_id for line in lines if line.customer_id} | set(by_identity.values())
    kin = lineage.kin_of(reader, asked)
    families = lineage.families_of(reader, sorted(set(kin.survivors.values())))
    rows = store.customers(reader, list(families))
    erased = {one for one, row in rows.items() if row.erased_at is not None}
    return _Holders(by_identity, {**kin.stands_for, **kin.survivors}, families, erased)


def _trouble(line: ConsentLine, holder: str, holders: _Holders, *, create: bool) -> RefusedLine | None:
    if not holder and (line.customer_id or not create):
        return RefusedLine(line.line, "unknown_customer", "Nobody is known by that.")
    if holder in holders.erased:
        return RefusedLine(line.line, "customer_erased", "This customer was erased.")
    return None


def _with_customers(uow: UnitOfWork, new: Sequence[_New]) -> tuple[int, list[_New]]:
    """How many customers were made, and the rows with those of whom nobody knew before."""
    unknown = {line.identities: line.source for holder, line, _ in reversed(new) if not holder}
    drafts = [CustomerDraft(identities=spellings[:1], source=source) for spellings, source in unknown.items()]
    resolved = resolve_many(uow, drafts)
    made = dict(zip(unknown, (one.id for one in resolved), strict=True))
    rows = [(holder or made[line.identities], line, notice) for holder, line, notice in new]
    return sum(one.is_new for one in resolved), rows


def _tell(uow: UnitOfWork, rows: Sequence[tuple[str, str, ConsentLine]]) -> None:
    """Waiting cases and downstreams learn what counts now."""
    kinds = {ConsentState.GIVEN.value: OPTED_IN, ConsentState.WITHDRAWN.value: OPTED_OUT}
    families = lineage.families_of(uow, sorted({who for _, who, _ in rows}))
    events = []
    for one, who, line in rows:
        propagating.queue(uow, who, one, (line.purpose, line.channel))
        payload = {"purpose": line.purpose, "channel": line.channel, "consent": one}
        events += [Event(kinds[line.state], each, payload) for each in families[who]]
    publish_many(uow, events)
