"""Uploads from their arrival until they wait for a worker, or for a person who confirms their columns."""

from __future__ import annotations

import re

from fairlead.errors import ConflictError
from fairlead.kit.actors import Actor
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.playbooks import Bundle
from fairlead.sales import import_store
from fairlead.sales.importing import store
from fairlead.sales.importing.model import (
    ImportState,
)
from fairlead.sales.importing.sketch import sketch_of
from fairlead.sales.intake import (
    ColumnMapping,
    LeadField,
    as_known,
    columns_key,
)
from fairlead.sales.mappings import remember
from fairlead.sales.service import refuse_playbook
from fairlead.sales.uploads.model import Upload

MAX_NAME_CHARS = 200
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f<>:\"|?*]+")


def file_name(given: str) -> str:
    """The last part of a name that a browser or program gave, without what no file name should hold."""
    last = given.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return " ".join(_NOT_IN_NAMES.sub(" ", last).split())[-MAX_NAME_CHARS:] or "upload"


def receive(uow: UnitOfWork, actor: Actor, bundle: Bundle, upload: Upload) -> str:
    """Note that a file comes in; its pieces follow. InputError for a playbook that cannot take leads."""
    refuse_playbook(bundle, upload.playbook)
    import_id = new_id("imp")
    import_store.insert_import(uow, {
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
        remember(uow, actor, columns_key(upload.shape.header), upload.mapping, import_id)


def settled(mapping: ColumnMapping) -> dict[str, str]:
    """The mapping as field → column for every field, so that nothing is guessed again."""
    return {str(field): "" for field in LeadField} | as_known(mapping)
