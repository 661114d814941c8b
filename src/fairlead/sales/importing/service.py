"""Uploads from their arrival to their start, and imports that are gone on with or taken back."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairlead.errors import ConflictError
from fairlead.kit.actors import Actor
from fairlead.kit.clock import to_micros
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.playbooks import Bundle, BundleLibrary, CaseVerb, states_of, steer
from fairlead.sales import store as sales_store
from fairlead.sales.importing import store
from fairlead.sales.importing.model import CANCEL_WITHIN, MAY_CANCEL, ImportState
from fairlead.sales.importing.sketch import shape_of, sketch_of
from fairlead.sales.intake import Checker, ColumnMapping, FileShape, LeadField, as_known, columns_key, guess_mapping
from fairlead.sales.service import LeadFile, begin_import, forget_mapping, refuse_playbook, remember

MAX_NAME_CHARS = 200
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f<>:\"|?*]+")


@dataclass(frozen=True, slots=True)
class Upload:
    """What is known of an uploaded file before anything of it is stored."""

    name: str
    digest: str
    size: int
    playbook: str
    shape: FileShape
    mapping: ColumnMapping
    country: str
    confirmed: bool
    """Whoever sent it said what its columns mean."""


def file_name(given: str) -> str:
    """The last part of a name that a browser or program gave, without what no file name should hold."""
    last = given.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return " ".join(_NOT_IN_NAMES.sub(" ", last).split())[-MAX_NAME_CHARS:] or "upload"


def receive(uow: UnitOfWork, actor: Actor, bundle: Bundle, upload: Upload) -> str:
    """Note that a file comes in; its pieces follow. InputError for a playbook that cannot take leads."""
    refuse_playbook(bundle, upload.playbook)
    import_id = new_id("imp")
    sales_store.insert_import(uow, {
        "id": import_id, "name": upload.name, "digest": upload.digest, "playbook": upload.playbook,
        "mapping": upload.mapping.as_dict(), "state": ImportState.RECEIVING.value, "rows": 0, "counts": {},
        "started_by": str(actor), "started_at": uow.now, "origin": "upload", "bytes": upload.size,
        "country": upload.country, "said": settled(upload.mapping), "sketch": sketch_of(upload.shape),
    })  # fmt: skip
    payload = {"name": upload.name, "digest": upload.digest, "bytes": upload.size, "playbook": upload.playbook}
    uow.record(AuditEntry("lead_import.uploaded", import_id, payload, actor=actor))
    return import_id


def received(uow: UnitOfWork, actor: Actor, import_id: str, upload: Upload, *, start: bool) -> None:
    """All pieces are stored: let it wait for a worker, or for a person who confirms its columns."""
    state = ImportState.WAITING if start else ImportState.DRAFT
    if not store.change_state(uow, import_id, [ImportState.RECEIVING], {"state": state.value}):
        raise ConflictError("The upload was given up meanwhile; send it again.", code="upload_lost")
    uow.record(AuditEntry("lead_import.received", import_id, {"state": state.value}, actor=actor))
    if start and upload.confirmed and upload.shape.has_header:
        remember(uow, actor, columns_key(upload.shape.header), as_known(upload.mapping), import_id)


def settled(mapping: ColumnMapping) -> dict[str, str]:
    """The mapping as field → column for every field, so that nothing is guessed again."""
    return {str(field): "" for field in LeadField} | as_known(mapping)


def start_draft(
    uow: UnitOfWork, actor: Actor, bundle: Bundle, import_id: str, said: Mapping[str, str], country: str
) -> None:
    """Begin with a draft under the mapping that a person confirmed, and remember it.

    `said` is field → column, `""` for none, on top of what the draft has. InputError for what it does not have,
    ConflictError when it is no draft any more.
    """
    row = sales_store.read_import(uow, import_id)
    if row.state != ImportState.DRAFT or row.sketch is None:
        message = f"The import is {row.state}; only one that waits for confirmation can be started."
        raise ConflictError(message, code="not_a_draft", state=row.state)
    refuse_playbook(bundle, row.playbook)
    shape = shape_of(row.sketch)
    mapping = guess_mapping(shape, {**row.said, **said})
    Checker(mapping, currency=bundle.currency, default_country=country)
    values = {
        "state": ImportState.WAITING.value, "said": settled(mapping), "mapping": mapping.as_dict(), "country": country,
    }  # fmt: skip
    if not store.change_state(uow, import_id, [ImportState.DRAFT], values):
        raise ConflictError("Somebody else has just started or dropped this import.", code="not_a_draft")
    payload = {"mapping": as_known(mapping), "country": country}
    uow.record(AuditEntry("lead_import.confirmed", import_id, payload, actor=actor))
    if shape.has_header:
        remember(uow, actor, columns_key(shape.header), as_known(mapping), import_id)


def guess_again(uow: UnitOfWork, actor: Actor, import_id: str) -> None:
    """Forget what was said about files with a draft's columns, and guess; ConflictError when it is no draft."""
    row = sales_store.read_import(uow, import_id)
    if row.state != ImportState.DRAFT or row.sketch is None:
        raise ConflictError("Only a draft can be guessed again.", code="not_a_draft", state=row.state)
    shape = shape_of(row.sketch)
    mapping = guess_mapping(shape)
    forget_mapping(uow, actor, columns_key(shape.header))
    values = {"said": settled(mapping), "mapping": mapping.as_dict()}
    store.change_state(uow, import_id, [ImportState.DRAFT], values)
    uow.record(AuditEntry("lead_import.guessed_again", import_id, as_known(mapping), actor=actor))


def cancel_import(uow: UnitOfWork, actor: Actor, import_id: str) -> ImportState:
    """Take an import back: it reads no further, and a worker cancels those of its cases that are open.

    Its leads stay, marked. ConflictError for one that is over, or that began more than 24 hours ago.
    """
    row = sales_store.read_import(uow, import_id)
    if row.state not in MAY_CANCEL:
        message = f"The import is {row.state}; there is nothing to take back."
        raise ConflictError(message, code="not_cancellable", state=row.state)
    if uow.now - row.started_at > CANCEL_WITHIN:
        hours = int(CANCEL_WITHIN.total_seconds() // 3600)
        message = f"The import began more than {hours} hours ago; cancel its cases one by one."
        raise ConflictError(message, code="too_late", hours=hours)
    nothing_yet = row.state in (ImportState.DRAFT, ImportState.WAITING)
    state = ImportState.CANCELLED if nothing_yet else ImportState.CANCELLING
    values = {"state": state.value, "cancelled_by": str(actor), "cancelled_at": uow.now, "sketch": None}
    values |= {"finished_at": uow.now} if nothing_yet else {}
    if not store.change_state(uow, import_id, [ImportState(row.state)], values):
        raise ConflictError("The import moved on at this very moment; look again.", code="not_cancellable")
    store.drop_chunks(uow, import_id)
    if row.lease_token:
        store.release(uow, import_id, row.lease_token)
    uow.record(AuditEntry("lead_import.cancelled", import_id, {"was": row.state, "rows": row.rows}, actor=actor))
    return state


def take_back(uow: UnitOfWork, library: BundleLibrary, actor: Actor, import_id: str, leads: Sequence[Any]) -> int:
    """Cancel the cases of these leads that are still open and mark the leads; how many there were."""
    states = states_of(uow, [lead.case_id for lead in leads])
    open_ones = [lead for lead in leads if states.get(lead.case_id, "ended") != "ended"]
    for lead in sorted(open_ones, key=lambda one: one.case_id):
        steer(uow, library, actor, lead.case_id, CaseVerb.CANCEL, reason=f"import {import_id} was taken back")
    if open_ones:
        store.mark_cancelled(uow, [(lead.id, lead.fingerprint) for lead in open_ones], to_micros(uow.now))
        payload = {"leads": [lead.id for lead in open_ones]}
        uow.record(AuditEntry("lead_import.leads_taken_back", import_id, payload, actor=actor))
    return len(open_ones)


def end_cancel(uow: UnitOfWork, actor: Actor, import_id: str) -> None:
    """Every case that was open is cancelled."""
    values = {"state": ImportState.CANCELLED.value, "finished_at": uow.now}
    store.change_state(uow, import_id, [ImportState.CANCELLING], values)
    count = store.cancelled_count(uow, import_id)
    uow.record(AuditEntry("lead_import.taken_back", import_id, {"leads": count}, actor=actor))


def begin_reading(uow: UnitOfWork, actor: Actor, import_id: str) -> None:
    """A worker begins with an upload, or goes on with one behind a worker that died."""
    row = sales_store.read_import(uow, import_id)
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
