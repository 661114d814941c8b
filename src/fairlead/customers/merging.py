"""Merging two records of one customer, and taking it back.

Nothing is moved: the merged record's rows stay its own, and whoever asks for it at the door of this room is
answered by its survivor. Taking a merge back therefore restores exactly what was there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fairlead.customers import consent_store, lineage, propagating, store
from fairlead.customers.consenting import OPTED_OUT, append
from fairlead.customers.consents import Key, Notices, Standing, standing_for, standings_of
from fairlead.customers.joining import Edge, lent
from fairlead.customers.ledger import consents_of
from fairlead.customers.lineage import COLUMNS
from fairlead.customers.model import ConsentRecord, ConsentState, TimelineNote, check_text, fold
from fairlead.customers.reading import facts_of
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.kit.events import Event, publish
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from fairlead.kit.actors import Actor

MERGED = "customer_merged"
"""Type of the event that a merge publishes, under the id of the record that was merged into another."""
UNMERGED = "customer_unmerged"
MAX_FAMILY = 50
"""Records that can stand for one customer; beyond it something else is wrong."""


@dataclass(frozen=True, slots=True)
class Merge:
    """One merge as it is remembered.

    `brought` holds under `kept` and `other` what each record had at that moment: columns, identities, flags,
    consents, suppressed channels, and how long its timeline was; empty once the customer was erased.
    `since` says what an undoing left with the survivor; None while the merge stands.
    """

    id: str
    kept_id: str
    other_id: str
    reason: str
    actor: str
    at: datetime
    brought: Mapping[str, Any]
    undone_at: datetime | None = None
    undone_by: str | None = None
    since: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Unmerged:
    """What taking a merge back did.

    `survivor_id` keeps what came since: `kept_since` counts such rows by kind, `changed_columns` names columns
    that somebody changed meanwhile and that were left. `carried` lists consents (purpose, channel) withdrawn
    since the merge, which now stand withdrawn for both.
    """

    merge_id: str
    survivor_id: str
    other_id: str
    kept_since: Mapping[str, int]
    changed_columns: tuple[str, ...] = ()
    carried: tuple[tuple[str, str], ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """As it is stored and shown."""
        return {
            "kept_since": dict(self.kept_since),
            "changed_columns": list(self.changed_columns),
            "carried": [list(pair) for pair in self.carried],
        }


def merge(uow: UnitOfWork, actor: Actor, keep: str, other: str, *, reason: str) -> str:
    """Let `keep` stand for `other`, too, and for whoever was merged into that; the id of the merge.

    A `keep` that was merged itself means its survivor. InputError for one and the same record; ConflictError
    when `other` was merged already, both stand for one customer already, either was erased, or more than 50
    records would become one.
    """
    check_text("reason", reason, needed=True)
    if keep == other:
        raise InputError("A customer cannot be merged with itself.", code="same_customer", customer=keep)
    kept_id = lineage.survivors_of(uow, [keep]).get(keep, keep)
    rows = lineage.lock(uow, [kept_id, other])
    kept_row, other_row = _mergeable(rows, kept_id, other)
    family = [other, *lineage.members_of(uow, [other]).get(other, ())]
    size = len(family) + 1 + len(lineage.members_of(uow, [kept_id]).get(kept_id, ()))
    if size > MAX_FAMILY:
        message = f"{size} records would become one customer; at most {MAX_FAMILY} can"
        raise ConflictError(message, code="too_many_merged", customer=kept_id)
    merge_id = new_id("mrg")
    brought = _brought(uow, kept_row, other_row)
    base, _ = _base(uow, kept_row)
    before = consents_of(uow, [kept_id], uow.now)[kept_id]
    values = {"id": merge_id, "kept_id": kept_id, "other_id": other, "reason": reason, "actor": str(actor)}
    lineage.insert_merge(uow, {**values, "brought": brought, "at": uow.now})
    lineage.point(uow, family, kept_id)
    _settle_columns(uow, kept_id, base)
    store.insert_timeline(uow, [
        TimelineNote(kept_id, "customer.merged", f"Another record was merged into this one: {reason}", merge_id),
        TimelineNote(other, "customer.merged", f"This record was merged into another one: {reason}", merge_id),
    ])  # fmt: skip
    payload = {"merge": merge_id, "kept": kept_id, "other": other, "reason": reason}
    _record(uow, actor, "customer.merged", kept_id, payload | {"had": brought["kept"]})
    _record(uow, actor, "customer.merged", other, payload | {"had": brought["other"]})
    publish(uow, Event(MERGED, other, {"merge": merge_id, "kept": kept_id}))
    _tell_stricter(uow, kept_id, merge_id, before)
    return merge_id


def _tell_stricter(uow: UnitOfWork, kept_id: str, merge_id: str, before: Mapping[Key, Standing]) -> None:
    """What the merged record had withdrawn now counts for the survivor: downstreams and waiting cases are told."""
    no = ConsentState.WITHDRAWN.value
    for key, standing in consents_of(uow, [kept_id], uow.now)[kept_id].items():
        known = standing_for(before, *key)
        if standing.state == no and (known is None or known.state != no):
            payload = {"purpose": key[0], "channel": key[1], "consent": standing.consent_id}
            publish(uow, Event(OPTED_OUT, kept_id, payload, id=f"{OPTED_OUT}/{merge_id}/{'/'.join(key)}"))
            propagating.queue(uow, kept_id, standing.consent_id, key)


def _mergeable(rows: Mapping[str, Any], kept_id: str, other: str) -> tuple[Any, Any]:
    for one in (kept_id, other):
        if one not in rows:
            message = f"there is no customer {one}"
            raise NotFoundError(message, customer=one)
        if rows[one].erased_at is not None:
            message = f"customer {one} was erased; nothing can be merged with it"
            raise ConflictError(message, code="customer_erased", customer=one)
    if kept_id == other or rows[other].merged_into is not None:
        into = rows[other].merged_into or kept_id
        message = f"customer {other} and customer {into} are one already"
        raise ConflictError(message, code="already_merged", customer=other, survivor=into)
    if rows[kept_id].merged_into is not None:
        message = f"customer {kept_id} was merged into another one this very moment; try again"
        raise ConflictError(message, code="already_merged", customer=kept_id, survivor=rows[kept_id].merged_into)
    return rows[kept_id], rows[other]


def unmerge(uow: UnitOfWork, actor: Actor, merge_id: str) -> Unmerged:
    """Take a merge back: the other record stands for itself again, with exactly what it had.

    What came since stays with the survivor, but for consents withdrawn since, which then count for both: a
    person who said no must not be asked again because two records were told apart. NotFoundError for an
    unknown merge, ConflictError when it was undone before or the customer was erased.
    """
    row = lineage.read_merge(uow, merge_id)
    if row is None:
        message = f"there is no merge {merge_id}"
        raise NotFoundError(message, merge=merge_id)
    path = _path_up(uow, row.kept_id)
    survivor = path[-1]
    rows = lineage.lock(uow, [*path, row.other_id])
    _check_standing(lineage.read_merge(uow, merge_id), rows[row.other_id], rows[survivor])
    bases = {one: _base(uow, rows[one]) for one in path}
    done = Unmerged(
        merge_id,
        survivor,
        row.other_id,
        lineage.rows_since(uow, survivor, row.at),
        tuple(bases[survivor][1]),
        tuple(_withdrawn_since(uow, survivor, row, uow.now)),
    )
    subtree = _below(uow, survivor, row.other_id)
    lineage.close_merge(uow, merge_id, str(actor), done.as_dict())
    lineage.point(uow, [row.other_id], None)
    lineage.point(uow, subtree, row.other_id)
    for one, (base, _) in bases.items():
        _settle_columns(uow, one, base)
    _carry(uow, actor, row.other_id, merge_id, done.carried)
    _say_unmerged(uow, actor, done)
    return done


def _check_standing(row: Any, other: Any, survivor: Any) -> None:
    if row.undone_at is not None:
        message = f"merge {row.id} was undone already"
        raise ConflictError(message, code="already_unmerged", merge=row.id)
    if other.merged_into != survivor.id or survivor.merged_into is not None:
        message = f"the records of merge {row.id} are being merged or told apart this very moment; try again"
        raise ConflictError(message, code="merge_busy", merge=row.id)
    if survivor.erased_at is not None:
        message = f"customer {survivor.id} was erased; there is nothing left to tell apart"
        raise ConflictError(message, code="customer_erased", customer=survivor.id)


def _path_up(reader: Reader, kept_id: str) -> list[str]:
    """From a record over whatever it was merged into up to the survivor."""
    family = lineage.families_of(reader, [kept_id])[kept_id]
    above = {edge.other_id: edge.kept_id for edge in lineage.standing_merges(reader, family)}
    path = [kept_id]
    while path[-1] in above and len(path) <= MAX_FAMILY:
        path.append(above[path[-1]])
    return path


def _say_unmerged(uow: UnitOfWork, actor: Actor, done: Unmerged) -> None:
    words = "The merge with another record was taken back."
    sides = (done.survivor_id, done.other_id)
    store.insert_timeline(uow, [TimelineNote(one, "customer.unmerged", words, done.merge_id) for one in sides])
    for one in sides:
        payload = {"merge": done.merge_id, "survivor": done.survivor_id, "other": done.other_id, **done.as_dict()}
        _record(uow, actor, "customer.unmerged", one, payload)
    publish(uow, Event(UNMERGED, done.other_id, {"merge": done.merge_id, "kept": done.survivor_id}))


def _base(reader: Reader, row: Any) -> tuple[dict[str, Any], list[str]]:
    """A survivor's own columns, and which of them somebody changed while records were merged into it."""
    now = {name: getattr(row, name) for name in COLUMNS}
    if row.merge_base is None:
        return now, []
    expected = lent(row.merge_base, _lenders(reader, row.id))
    changed = [name for name in COLUMNS if now[name] != expected[name]]
    return {**row.merge_base, **{name: now[name] for name in changed}}, changed


def _lenders(reader: Reader, kept_id: str) -> list[dict[str, Any]]:
    edges = [one for one in lineage.standing_merges(reader, [kept_id]) if one.kept_id == kept_id]
    rows = store.customers(reader, [edge.other_id for edge in edges])
    return [{name: getattr(rows[edge.other_id], name) for name in COLUMNS} for edge in edges]


def _settle_columns(uow: UnitOfWork, kept_id: str, base: Mapping[str, Any]) -> None:
    """Write what the customer is now: its own columns and what the records merged into it lend."""
    lenders = _lenders(uow, kept_id)
    values = lent(base, lenders)
    values |= {"name_folded": fold(values["name"]), "company_folded": fold(values["company"])}
    lineage.write_columns(uow, kept_id, {**values, "merge_base": dict(base) if lenders else None})


def _below(reader: Reader, survivor: str, other: str) -> list[str]:
    """Who was merged into `other` before it was merged itself."""
    members = {survivor, *lineage.members_of(reader, [survivor]).get(survivor, ())}
    edges = lineage.standing_merges(reader, members)
    found: list[str] = [other]
    for one in found:
        found += [edge.other_id for edge in edges if edge.kept_id == one]
    return found[1:]


def _withdrawn_since(reader: Reader, survivor: str, row: Any, now: datetime) -> list[tuple[str, str]]:
    """What was withdrawn while the other record was merged and still is, unless that had withdrawn it itself."""
    family = {row.other_id, *_below(reader, survivor, row.other_id)}
    edges = [
        Edge(edge.at, edge.other_id, edge.kept_id)
        for edge in lineage.standing_merges(reader, family)
        if edge.other_id != row.other_id
    ]
    said = consent_store.said_of(reader, [survivor, *sorted(family)])
    own = [one for one in said if one.customer_id in family]
    before = standings_of(row.other_id, own, edges, now, Notices({}, {}))
    since = [one for one in said if one.customer_id == survivor and one.at > row.at]
    no = ConsentState.WITHDRAWN.value
    newest = {(one.purpose, one.channel): one for one in since}
    carried = []
    for key, word in newest.items():
        standing = standing_for(before, *key)
        if word.state == no and (standing is None or standing.state != no):
            carried.append(key)
    return sorted(carried)


def _carry(uow: UnitOfWork, actor: Actor, other: str, merge_id: str, carried: Sequence[tuple[str, str]]) -> None:
    for purpose, channel in carried:
        consent = ConsentRecord(
            purpose, channel, ConsentState.WITHDRAWN, "withdrawn_while_merged", merge_id, {"merge": merge_id}
        )
        append(uow, actor, other, consent)


def _brought(uow: UnitOfWork, *rows: Any) -> dict[str, Any]:
    ids = [row.id for row in rows]
    facts = facts_of(uow, ids, uow.now)
    lines = lineage.timeline_length(uow, ids)
    found = {}
    for side, row in zip(("kept", "other"), rows, strict=True):
        fact = facts[row.id]
        found[side] = {
            "columns": {name: getattr(row, name) for name in COLUMNS},
            "identities": [[one.kind, one.value] for one in store.identities_of(uow, [row.id])],
            "flags": fact["flags"],
            "consents": fact["consents"],
            "suppressed": fact["suppressed"],
            "timeline_lines": lines.get(row.id, 0),
        }
    return found


def survivor_of(reader: Reader, customer_id: str) -> str:
    """Who stands for this customer now, mostly it itself; an unknown id stands for itself."""
    return lineage.survivors_of(reader, [customer_id]).get(customer_id, customer_id)


def family_of(reader: Reader, customer_id: str) -> tuple[str, ...]:
    """Every id under which this customer is known, the survivor's first; at most 50."""
    return lineage.families_of(reader, [customer_id])[customer_id]


def merges_of(reader: Reader, customer_id: str) -> list[Merge]:
    """Every merge of this customer, undone ones too, newest first."""
    return [_merge(row) for row in lineage.merges_of(reader, family_of(reader, customer_id))]


def merges_page(reader: Reader, before: str | None, limit: int) -> list[Merge]:
    """All merges, newest first; `before` is the last id of the page above."""
    return [_merge(row) for row in lineage.merges_page(reader, before, limit)]


def read_merge(reader: Reader, merge_id: str) -> Merge:
    """The merge; NotFoundError when there is none."""
    row = lineage.read_merge(reader, merge_id)
    if row is None:
        message = f"there is no merge {merge_id}"
        raise NotFoundError(message, merge=merge_id)
    return _merge(row)


def _merge(row: Any) -> Merge:
    return Merge(row.id, row.kept_id, row.other_id, row.reason, row.actor, row.at, row.brought, row.undone_at,
                 row.undone_by, row.since)  # fmt: skip


def _record(uow: UnitOfWork, actor: Actor, verb: str, customer_id: str, payload: dict[str, Any]) -> None:
    uow.record(AuditEntry(verb, customer_id, payload, customer_id=customer_id, actor=actor))
