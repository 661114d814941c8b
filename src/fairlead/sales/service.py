"""Importing leads: each readable row that is new becomes a lead, its customer and a case, all at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.errors import InputError
from fairlead.kit.actors import Actor
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.playbooks import Bundle
from fairlead.sales import import_store
from fairlead.sales.importing import store as importing
from fairlead.sales.importing.model import ImportState
from fairlead.sales.lead_files import LeadFile
from fairlead.sales.mappings import remember
from fairlead.sales.matching import ask_search


def begin_import(uow: UnitOfWork, actor: Actor, bundle: Bundle, file: LeadFile, playbook: str) -> str:
    """Start an import; InputError when the playbook is not deployed or is not about leads.

    A mapping that somebody had a say in is remembered for the next file with these columns.
    """
    refuse_playbook(bundle, playbook)
    import_id = new_id("imp")
    values = {
        "id": import_id, "name": file.name, "digest": file.digest, "playbook": playbook,
        "mapping": file.mapping.as_dict(), "state": ImportState.READING.value, "rows": 0, "counts": {},
        "started_by": str(actor), "started_at": uow.now, "bytes": file.reader.total_bytes, "country": file.country,
    }  # fmt: skip
    import_store.insert_import(uow, values)
    payload = {name: values[name] for name in ("name", "digest", "playbook", "mapping")}
    uow.record(AuditEntry("lead_import.started", import_id, payload, actor=actor))
    if file.confirmed and file.key:
        remember(uow, actor, file.key, file.mapping, import_id)
    return import_id


def refuse_playbook(bundle: Bundle, playbook: str) -> None:
    """InputError for a playbook that is not deployed or is not about leads."""
    compiled = bundle.playbooks.get(playbook)
    if compiled is None:
        message = f"there is no playbook {playbook!r:.80}. {did_you_mean(playbook, bundle.playbooks) or ''}".rstrip()
        raise InputError(message, code="no_playbook")
    if compiled.playbook.subject != "lead":
        message = f"playbook {playbook!r} is about a {compiled.playbook.subject}, not about leads"
        raise InputError(message, code="wrong_subject")


def finish_import(
    uow: UnitOfWork, actor: Actor, import_id: str, rows: int, quality: Mapping[str, Any] | None = None
) -> None:
    """Say that every row of the file was taken in; `quality` is the profile's report."""
    values = {"state": ImportState.FINISHED.value, "rows": rows, "finished_at": uow.now, "sketch": None}
    import_store.update_import(uow, import_id, {**values, "quality": quality})
    importing.drop_chunks(uow, import_id)
    uow.record(AuditEntry("lead_import.finished", import_id, {"rows": rows}, actor=actor))
    ask_search(uow, import_id)
