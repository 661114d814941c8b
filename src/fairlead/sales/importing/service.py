"""Imports begun, gone on with behind a process that died, refused or given up."""

from __future__ import annotations

import os
import socket
from datetime import datetime

from fairlead.kit.actors import Actor
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.playbooks import Bundle
from fairlead.sales import import_store
from fairlead.sales.importing import store
from fairlead.sales.importing.model import ImportState
from fairlead.sales.intake import as_known
from fairlead.sales.lead_files import LeadFile
from fairlead.sales.service import begin_import


def begin_reading(uow: UnitOfWork, actor: Actor, import_id: str) -> None:
    """A worker begins with an upload, or goes on with one behind a worker that died."""
    row = import_store.read_import(uow, import_id)
    if row.state == ImportState.READING:
        uow.record(AuditEntry("lead_import.resumed", import_id, {"rows": row.rows}, actor=actor))
    elif store.change_state(uow, import_id, [ImportState.WAITING], {"state": ImportState.READING.value}):
        uow.record(AuditEntry("lead_import.started", import_id, {}, actor=actor))


def refuse_import(uow: UnitOfWork, actor: Actor, import_id: str, code: str, words: str) -> None:
    """The file cannot be read after all; what was taken in so far stays."""
    values = {
        "state": ImportState.REFUSED.value, "problem": {"code": code, "words": words[:1_000]}, "finished_at": uow.now,
    }  # fmt: skip
    if store.change_state(uow, import_id, [ImportState.WAITING, ImportState.READING], values):
        store.drop_chunks(uow, import_id)
        uow.record(AuditEntry("lead_import.refused", import_id, {"code": code, "words": words[:1_000]}, actor=actor))


def give_up(uow: UnitOfWork, actor: Actor, import_id: str, state: str) -> None:
    """What nobody will go on with by itself: a dead run is interrupted, an old draft or half an upload cancelled."""
    before = ImportState(state)
    after = ImportState.INTERRUPTED if before is ImportState.READING else ImportState.CANCELLED
    if store.change_state(uow, import_id, [before], {"state": after.value, "finished_at": uow.now, "sketch": None}):
        store.drop_chunks(uow, import_id)
        uow.record(AuditEntry("lead_import.given_up", import_id, {"was": state, "now": after.value}, actor=actor))


def begin_or_resume(
    uow: UnitOfWork, actor: Actor, bundle: Bundle, file: LeadFile, playbook: str, token: str, until: datetime
) -> tuple[str, int]:
    """An import of the command line's file, leased under `token`: (id, rows that an earlier run took in).

    A run of exactly this file that died is gone on with where its columns meant the same; where they did not, it
    stays interrupted and the file is begun anew.
    """
    wanted = as_known(file.mapping)
    for row in store.unfinished_runs(uow, file.digest, playbook):
        if row.lease_token and is_gone(row.lease_token):
            store.release(uow, row.id, row.lease_token)
        elif row.lease_until is not None and row.lease_until > uow.now:
            continue
        same = {one["field"]: one["column"] for one in row.mapping["mapped"]} == wanted and row.country == file.country
        states = (ImportState.READING, ImportState.INTERRUPTED)
        if not same:
            if row.state == ImportState.READING:
                give_up(uow, actor, row.id, row.state)
        elif store.lease(uow, row.id, token, until, states):
            store.change_state(uow, row.id, states, {"state": ImportState.READING.value, "finished_at": None})
            uow.record(AuditEntry("lead_import.resumed", row.id, {"rows": row.rows}, actor=actor))
            return row.id, row.rows
    import_id = begin_import(uow, actor, bundle, file, playbook)
    store.lease(uow, import_id, token, until, (ImportState.READING,))
    return import_id, 0


def lease_token() -> str:
    """A token that says which process of which machine holds it."""
    return f"{new_id('lease')}@{socket.gethostname()}:{os.getpid()}"


def is_gone(token: str) -> bool:
    """Whether the process that holds this token was one of this machine and is no more."""
    host, _, pid = token.partition("@")[2].rpartition(":")
    if host != socket.gethostname() or not pid.isdecimal() or int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False
