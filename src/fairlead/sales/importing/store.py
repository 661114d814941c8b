"""All SQL of uploads, leases, remembered mappings and imports that are taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, delete, func, insert, or_, select, update

from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.sales import tables as t
from fairlead.sales.importing.model import ImportState

_S = ImportState


def insert_chunk(uow: UnitOfWork, import_id: str, seq: int, data: bytes) -> None:
    """One piece of an upload, from 0."""
    uow.execute(insert(t.lead_upload).values(import_id=import_id, seq=seq, data=data))


def read_chunk(reader: Reader, import_id: str, seq: int) -> bytes | None:
    """The piece, None behind the last."""
    u = t.lead_upload.c
    found = reader.execute(select(u.data).where(u.import_id == import_id, u.seq == seq)).scalar()
    return None if found is None else bytes(found)


def drop_chunks(uow: UnitOfWork, import_id: str) -> None:
    """The file is not needed any more."""
    uow.execute(delete(t.lead_upload).where(t.lead_upload.c.import_id == import_id))


def change_state(uow: UnitOfWork, import_id: str, before: Sequence[ImportState], values: Mapping[str, Any]) -> bool:
    """Change an import that stands in one of these states; False when it stands elsewhere by now."""
    i = t.lead_import.c
    query = update(t.lead_import).where(i.id == import_id, i.state.in_([one.value for one in before]))
    return uow.execute(query.values(**values)).rowcount == 1


def lease(uow: UnitOfWork, import_id: str, token: str, until: datetime, states: Sequence[ImportState]) -> bool:
    """Take an import that nobody works on; False when somebody does, or there is nothing to do."""
    i = t.lead_import.c
    free = or_(i.lease_until.is_(None), i.lease_until <= uow.now, i.lease_token == token)
    where = and_(i.id == import_id, i.state.in_([one.value for one in states]), free)
    return uow.bookkeep(t.lead_import, where, {"lease_token": token, "lease_until": until}) == 1


def renew(uow: UnitOfWork, import_id: str, token: str, until: datetime, state: ImportState, bytes_read: int) -> bool:
    """A sign of life; False when the import is somebody else's by now, or was cancelled."""
    i = t.lead_import.c
    where = and_(i.id == import_id, i.lease_token == token, i.state == state.value)
    return uow.bookkeep(t.lead_import, where, {"lease_until": until, "bytes_read": bytes_read}) == 1


def release(uow: UnitOfWork, import_id: str, token: str) -> None:
    """Let somebody else go on at once."""
    i = t.lead_import.c
    where = and_(i.id == import_id, i.lease_token == token)
    uow.bookkeep(t.lead_import, where, {"lease_token": None, "lease_until": None})


def due(reader: Reader, now: datetime, limit: int) -> list[str]:
    """Imports that a worker can go on with: stored files to be read, and those being taken back; oldest first."""
    i = t.lead_import.c
    readable = and_(i.state.in_([_S.WAITING.value, _S.READING.value]), i.origin == "upload")
    query = select(i.id).where(or_(readable, i.state == _S.CANCELLING.value))
    query = query.where(or_(i.lease_until.is_(None), i.lease_until <= now))
    return list(reader.execute(query.order_by(i.id).limit(limit)).scalars())


def left_behind(reader: Reader, now: datetime, drafts_before: datetime, received_before: datetime) -> list[Row[Any]]:
    """(id, state) of imports that nobody will go on with by himself: dead runs, old drafts, uploads cut short."""
    i = t.lead_import.c
    dead = and_(i.state == _S.READING.value, i.origin == "run", i.lease_until <= now)
    old = and_(i.state == _S.DRAFT.value, i.started_at <= drafts_before)
    cut = and_(i.state == _S.RECEIVING.value, i.started_at <= received_before)
    return list(reader.execute(select(i.id, i.state).where(or_(dead, old, cut)).limit(100)))


def unfinished_runs(reader: Reader, digest: str, playbook: str) -> list[Row[Any]]:
    """Imports of exactly this file from the command line that did not come to an end; newest first."""
    i = t.lead_import.c
    states = [_S.READING.value, _S.INTERRUPTED.value]
    query = select(t.lead_import).where(i.digest == digest, i.playbook == playbook, i.state.in_(states))
    return list(reader.execute(query.where(i.origin == "run").order_by(i.id.desc())))


def read_mapping(reader: Reader, key: str) -> Row[Any] | None:
    """What was said about files with these columns."""
    return reader.execute(select(t.lead_mapping).where(t.lead_mapping.c.key == key)).first()


def write_mapping(uow: UnitOfWork, key: str, values: Mapping[str, Any]) -> None:
    """Remember; what was said before is replaced."""
    drop_mapping(uow, key)
    uow.execute(insert(t.lead_mapping).values(key=key, **values))


def drop_mapping(uow: UnitOfWork, key: str) -> bool:
    """Forget; False when nothing was remembered."""
    return uow.execute(delete(t.lead_mapping).where(t.lead_mapping.c.key == key)).rowcount > 0


def kept_leads(reader: Reader, import_id: str, after: int, limit: int) -> list[Row[Any]]:
    """(id, row_no, case_id, fingerprint) of leads that were not taken back, in the file's order."""
    c = t.lead.c
    query = select(c.id, c.row_no, c.case_id, c.fingerprint, c.customer_id)
    query = query.where(c.import_id == import_id, c.row_no > after, c.cancelled_at.is_(None))
    return list(reader.execute(query.order_by(c.row_no).limit(limit)))


def mark_cancelled(uow: UnitOfWork, leads: Sequence[tuple[str, str]], now_micros: int) -> None:
    """Mark leads as taken back, and free their fingerprints, so that the same rows can come in again."""
    rows = [(now_micros, f"{fingerprint}~{lead_id}", lead_id) for lead_id, fingerprint in leads]
    uow.update_many(t.lead, "cancelled_at = ?, fingerprint = ?", "id = ?", rows)


def cancelled_count(reader: Reader, import_id: str) -> int:
    """How many leads of an import were taken back."""
    c = t.lead.c
    query = select(func.count()).where(c.import_id == import_id, c.cancelled_at.is_not(None))
    return int(reader.execute(query).scalar_one())
