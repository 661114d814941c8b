"""All SQL of bundles, deployments and cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Row, Select, and_, func, insert, or_, select, update

from fairlead.errors import NotFoundError
from fairlead.kit import jsons
from fairlead.kit.clock import from_micros, to_micros
from fairlead.kit.ids import new_id
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.playbooks import tables as t
from fairlead.playbooks.model import CaseState

CASE_COLUMNS = (
    "id", "playbook", "bundle", "stage", "state", "lane", "subject_kind", "subject_id", "customer_id",
    "serial_key", "parent_id", "facts", "due_at", "mark_at", "attempt", "hops", "leases", "version",
    "created_at", "changed_at",
)  # fmt: skip
_CHUNK_COLUMNS = (
    t.case.c.id, t.case.c.playbook, t.case.c.bundle, t.case.c.stage, t.case.c.customer_id, t.case.c.serial_key,
    t.case.c.parent_id, t.case.c.subject_kind, t.case.c.subject_id, t.case.c.facts, t.case.c.signal,
    t.case.c.automatic, t.case.c.attempt, t.case.c.hops, t.case.c.leases, t.case.c.lane, t.case.c.mark_at,
)  # fmt: skip
_MOVE_SET = (
    "stage = ?, state = ?, facts = ?, due_at = ?, wait_type = ?, wait_key = ?, mark_at = ?, attempt = ?, hops = ?, "
    'automatic = ?, problem = ?, "end" = ?, changed_at = ?, ended_at = ?, signal = NULL, resume = NULL, leases = 0, '
    "version = version + 1, lease_token = NULL, lease_until = NULL"
)
_STILL_LEASED = "SELECT id FROM playbook_case WHERE id = ANY(?) AND lease_token = ? AND state = 'ready'"
_PAGE = 500
_EVENTS = 0x0FA3  # advisory lock, see lock_events
NEVER = datetime(9000, 1, 1, tzinfo=UTC)
"""The `due_at` of a wait that no timer ends."""


def bundle_files(reader: Reader, digest: str) -> Mapping[str, str]:
    """The files of a stored bundle; NotFoundError when there is none of this digest."""
    files = reader.execute(select(t.bundle.c.files).where(t.bundle.c.digest == digest)).scalar()
    if files is None:
        message = f"there is no bundle {digest}"
        raise NotFoundError(message)
    return dict(files)


def current_bundle(reader: Reader) -> str | None:
    """The digest of the newest deployment, None before the first."""
    rows = reader.fetch(_CURRENT)
    return str(rows[0][0]) if rows else None


_CURRENT = "SELECT bundle FROM deployment ORDER BY at DESC, id DESC LIMIT 1"
_DEPLOYMENTS = "SELECT bundle, at FROM deployment ORDER BY at, id"


def replaced_at(reader: Reader, digests: Sequence[str]) -> dict[str, datetime]:
    """When another bundle was deployed after each of these for the last time; the current one is left out."""
    rows = reader.fetch(_DEPLOYMENTS)
    found = {bundle: from_micros(after[1]) for (bundle, _), after in pairwise(rows)}
    return {digest: found[digest] for digest in digests if digest in found}


def insert_deployment(uow: UnitOfWork, digest: str, files: Mapping[str, str], by: str) -> str:
    """Store the bundle unless it is there, and make it the current one."""
    if reader_has_bundle(uow, digest) is False:
        uow.execute(insert(t.bundle).values(digest=digest, files=dict(files), created_at=uow.now))
    deployment_id = new_id("dep")
    uow.execute(insert(t.deployment).values(id=deployment_id, bundle=digest, deployed_by=by, at=uow.now))
    return deployment_id


def reader_has_bundle(reader: Reader, digest: str) -> bool:
    """Whether a bundle of this digest is stored."""
    return reader.execute(select(t.bundle.c.digest).where(t.bundle.c.digest == digest)).first() is not None


def live_bundles(reader: Reader) -> list[tuple[str, str, int, str]]:
    """(bundle, playbook, open cases, one case's id) of every bundle that an open case is pinned to."""
    c = t.case.c
    query = select(c.bundle, c.playbook, func.count(), func.min(c.id)).where(c.ended_at.is_(None))
    rows = reader.execute(query.group_by(c.bundle, c.playbook).order_by(c.bundle))
    return [tuple(row) for row in rows]


def insert_cases(uow: UnitOfWork, rows: Sequence[tuple[Any, ...]]) -> None:
    """New cases as plain values in the order of CASE_COLUMNS."""
    uow.insert_many(t.case, CASE_COLUMNS, rows)


def lease(uow: UnitOfWork, lane: str, limit: int, now: datetime, until: datetime, token: str) -> int:
    """Mark up to `limit` ready cases of a lane, longest due first; how many were marked."""
    c = t.case.c
    free = or_(c.lease_until.is_(None), c.lease_until < now)
    ready = and_(c.ended_at.is_(None), c.state == CaseState.READY.value, c.lane == lane, c.due_at <= now, free)
    wanted: Select[Any] = select(c.id).where(ready).order_by(c.due_at).limit(limit)
    if uow.dialect == "postgresql":
        wanted = wanted.with_for_update(skip_locked=True)
    return uow.bookkeep(t.case, c.id.in_(wanted), {"lease_token": token, "lease_until": until, "leases": c.leases + 1})


def extend(uow: UnitOfWork, token: str, until: datetime) -> int:
    """Keep what is leased under `token` until later; how many cases still were."""
    return uow.bookkeep(t.case, t.case.c.lease_token == token, {"lease_until": until})


def leased(reader: Reader, token: str) -> list[Row[Any]]:
    """The cases that carry this token, with what the engine needs of them."""
    query = select(*_CHUNK_COLUMNS).where(t.case.c.lease_token == token, t.case.c.state == CaseState.READY.value)
    return list(reader.execute(query.order_by(t.case.c.due_at, t.case.c.id)))


def still_leased(uow: UnitOfWork, ids: Sequence[str], token: str) -> set[str]:
    """Which of `ids` still carry the token; locked until the transaction ends."""
    lock = " FOR UPDATE" if uow.dialect == "postgresql" else ""
    return {row[0] for row in uow.fetch(_STILL_LEASED + lock, list(ids), token)}


def move_cases(uow: UnitOfWork, rows: Sequence[tuple[Any, ...]]) -> int:
    """Write where leased cases went: the values of `_MOVE_SET` in order, then the id."""
    return uow.update_many(t.case, _MOVE_SET, "id = ?", rows)


def release(uow: UnitOfWork, token: str) -> int:
    """Let go of what is still leased under `token`, so that the next sweep finds it at once."""
    return uow.bookkeep(t.case, t.case.c.lease_token == token, {"lease_token": None, "lease_until": None})


def let_go(uow: UnitOfWork, ids: Sequence[str], token: str) -> int:
    """`release` for some of the cases under a token, which are none the worse for having been leased."""
    mine = and_(t.case.c.id.in_(ids), t.case.c.lease_token == token)
    return uow.bookkeep(t.case, mine, {"lease_token": None, "lease_until": None, "leases": 0})


def next_ready(reader: Reader, lane: str) -> datetime | None:
    """The earliest moment at which a ready case of the lane is due; None when there is none."""
    c = t.case.c
    ready = and_(c.ended_at.is_(None), c.state == CaseState.READY.value, c.lane == lane)
    return reader.execute(select(c.due_at).where(ready).order_by(c.due_at).limit(1)).scalar()


def ready_count(reader: Reader, lane: str, at_most: int) -> int:
    """How many ready cases a lane has, counted up to `at_most`."""
    c = t.case.c
    ready = select(c.id).where(c.ended_at.is_(None), c.state == CaseState.READY.value, c.lane == lane)
    return int(reader.execute(select(func.count()).select_from(ready.limit(at_most).subquery())).scalar() or 0)


def due_timers(reader: Reader, now: datetime, limit: int) -> list[Row[Any]]:
    """Waiting cases whose time has come; on Postgres locked, and those locked by others left out."""
    c = t.case.c
    query = select(c.id, c.stage, c.wait_type, c.wait_key, c.customer_id).where(
        c.ended_at.is_(None), c.state == CaseState.WAITING.value, c.due_at <= now
    )
    query = query.order_by(c.due_at).limit(limit)
    return list(reader.execute(query.with_for_update(skip_locked=True) if reader.dialect == "postgresql" else query))


def next_timer(reader: Reader) -> datetime | None:
    """When the next waiting case's timer runs out; None when none waits for a time."""
    c = t.case.c
    query = select(c.due_at).where(c.ended_at.is_(None), c.state == CaseState.WAITING.value, c.due_at < NEVER)
    return reader.execute(query.order_by(c.due_at).limit(1)).scalar()


def waiting_for(reader: Reader, keys: Sequence[str]) -> list[Row[Any]]:
    """Open cases that wait for something under any of these keys; on Postgres locked."""
    c = t.case.c
    query = (
        select(c.id, c.stage, c.state, c.wait_type, c.wait_key, c.mark_at)
        .where(
            c.ended_at.is_(None),
            c.wait_key.in_(keys),
            c.state.in_([CaseState.WAITING.value, CaseState.PAUSED.value]),
        )
        .order_by(c.id)
    )
    return list(reader.execute(query.with_for_update() if reader.dialect == "postgresql" else query))


def lock_events(uow: UnitOfWork, *, alone: bool) -> None:
    """Keep event delivery (`alone`) and cases that begin to wait from passing each other unseen, until the end.

    Take it before any case is locked. SQLite has one writer, which is the same.
    """
    if uow.dialect == "postgresql":
        lock = func.pg_advisory_xact_lock if alone else func.pg_advisory_xact_lock_shared
        uow.execute(select(lock(_EVENTS)))


def open_cases_of(reader: Reader, customer_id: str) -> list[Row[Any]]:
    """The customer's open cases, with what an interrupt needs."""
    c = t.case.c
    query = select(c.id, c.playbook, c.bundle, c.stage, c.state, c.created_at, c.wait_type).where(
        c.ended_at.is_(None), c.customer_id == customer_id
    )
    return list(reader.execute(query.order_by(c.id)))


def wake(uow: UnitOfWork, rows: Sequence[tuple[str, Mapping[str, Any]]], lane: str) -> int:
    """Make waiting cases ready with the signal that ended their wait; a paused case keeps it for later."""
    now = to_micros(uow.now)
    rows = list(dict(reversed(rows)).items())  # the first signal of a case is the one that counts
    changed = uow.update_many(
        t.case,
        "state = 'ready', signal = ?, due_at = ?, changed_at = ?, lane = ?, wait_type = NULL, wait_key = NULL, "
        "version = version + 1",
        "id = ? AND state = 'waiting'",
        [(jsons.dumps(signal), now, now, lane, case_id) for case_id, signal in rows],
    )
    paused = [(jsons.dumps(signal), now, case_id) for case_id, signal in rows]
    return changed + uow.update_many(
        t.case, "signal = ?, changed_at = ?, wait_type = NULL, wait_key = NULL, version = version + 1",
        "id = ? AND state = 'paused' AND wait_key IS NOT NULL", paused,
    )  # fmt: skip


def read_case(reader: Reader, case_id: str, *, lock: bool = False) -> Row[Any]:
    """The whole case, with `lock` kept from others until the end; NotFoundError when there is none."""
    query = select(t.case).where(t.case.c.id == case_id)
    row = reader.execute(query.with_for_update() if lock and reader.dialect == "postgresql" else query).first()
    if row is None:
        message = f"there is no case {case_id}"
        raise NotFoundError(message, case=case_id)
    return row


def read_cases(reader: Reader, case_ids: Iterable[str]) -> dict[str, Row[Any]]:
    """The whole cases by id; unknown ids are absent."""
    wanted = sorted(set(case_ids))
    rows = reader.execute(select(t.case).where(among(reader, t.case.c.id, wanted))) if wanted else ()
    return {row.id: row for row in rows}


def change_case(uow: UnitOfWork, case_id: str, version: int, values: Mapping[str, Any]) -> bool:
    """Compare-and-set by version; a lease that somebody holds is void afterwards. False when it had changed."""
    c = t.case.c
    change = update(t.case).where(c.id == case_id, c.version == version, c.ended_at.is_(None))
    change = change.values(**values, version=version + 1, lease_token=None, lease_until=None, changed_at=uow.now)
    return uow.execute(change).rowcount == 1


def open_children(reader: Reader, parent_id: str) -> int:
    """How many of a case's children have not ended."""
    c = t.case.c
    return int(reader.execute(select(func.count()).where(c.parent_id == parent_id, c.ended_at.is_(None))).scalar() or 0)


def cases_page(
    reader: Reader, *, state: str | None, playbook: str | None, before: str | None, limit: int
) -> list[Row[Any]]:
    """Cases by falling id, filtered; `before` is the last id of the page above."""
    c = t.case.c
    query = select(c.id, c.playbook, c.stage, c.state, c.subject_id, c.customer_id, c.problem, c.end, c.created_at,
                   c.changed_at, c.facts)  # fmt: skip
    if state:
        query = query.where(c.state == state)
        query = query.where(c.ended_at.is_(None)) if state != CaseState.ENDED.value else query
    query = query.where(c.playbook == playbook) if playbook else query
    query = query.where(c.id < before) if before else query
    return list(reader.execute(query.order_by(c.id.desc()).limit(limit)))


def counts_by_stage(reader: Reader, playbook: str) -> list[Row[Any]]:
    """(stage, state, how many) of a playbook's open cases."""
    c = t.case.c
    query = select(c.stage, c.state, func.count().label("count")).where(c.ended_at.is_(None), c.playbook == playbook)
    return list(reader.execute(query.group_by(c.stage, c.state).order_by(c.stage, c.state)))


def stored_results(reader: Reader, keys: Sequence[tuple[str, str, int, str]]) -> dict[tuple[str, str, int, str], Any]:
    """Results of io steps that are there already, by (case, stage, attempt, input digest)."""
    r = t.step_result.c
    found: dict[tuple[str, str, int, str], Any] = {}
    ids = sorted({key[0] for key in keys})
    for start in range(0, len(ids), _PAGE):
        for row in reader.execute(select(t.step_result).where(r.case_id.in_(ids[start : start + _PAGE]))):
            found[row.case_id, row.stage, row.attempt, row.input_digest] = row.result
    return {key: found[key] for key in keys if key in found}


def store_results(uow: UnitOfWork, rows: Sequence[tuple[str, str, int, str, str]]) -> None:
    """Keep results as they arrive: (case, stage, attempt, input digest, JSON text); a second one is dropped."""
    known = stored_results(uow, [row[:4] for row in rows])
    now = to_micros(uow.now)
    fresh = [(*row, now) for row in rows if row[:4] not in known]
    uow.insert_many(t.step_result, ("case_id", "stage", "attempt", "input_digest", "result", "at"), fresh)


def states_of(reader: Reader, case_ids: Sequence[str]) -> dict[str, str]:
    """The state of each of at most 500 cases."""
    query = select(t.case.c.id, t.case.c.state).where(t.case.c.id.in_(case_ids))
    return {row.id: row.state for row in reader.execute(query)}


def playbooks_of(reader: Reader, case_ids: Sequence[str]) -> dict[str, str]:
    """The playbook of each of these cases."""
    c = t.case.c
    found: dict[str, str] = {}
    for start in range(0, len(case_ids), _PAGE):
        page = case_ids[start : start + _PAGE]
        found.update((row.id, row.playbook) for row in reader.execute(select(c.id, c.playbook).where(c.id.in_(page))))
    return found
