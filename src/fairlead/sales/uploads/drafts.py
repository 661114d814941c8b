"""Drafts: uploads whose columns a person looks at before they are read."""

from __future__ import annotations

from collections.abc import Mapping

from fairlead.errors import ConflictError
from fairlead.kit.actors import Actor
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.playbooks import Bundle
from fairlead.sales import import_store
from fairlead.sales.importing import store
from fairlead.sales.importing.model import ImportState
from fairlead.sales.importing.sketch import shape_of
from fairlead.sales.intake import Checker, as_known, columns_key, guess_mapping
from fairlead.sales.mappings import forget_mapping, remember
from fairlead.sales.service import refuse_playbook
from fairlead.sales.uploads.service import settled


def start_draft(
    uow: UnitOfWork, actor: Actor, bundle: Bundle, import_id: str, said: Mapping[str, str], country: str
) -> None:
    """Begin with a draft under the mapping that a person confirmed, and remember it.

    `said` is field → column, `""` for none, on top of what the draft has. InputError for what it does not have,
    ConflictError when it is no draft any more.
    """
    row = import_store.read_import(uow, import_id)
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
        remember(uow, actor, columns_key(shape.header), mapping, import_id)


def guess_again(uow: UnitOfWork, actor: Actor, import_id: str) -> None:
    """Forget what was said about files with a draft's columns, and guess; ConflictError when it is no draft."""
    row = import_store.read_import(uow, import_id)
    if row.state != ImportState.DRAFT or row.sketch is None:
        raise ConflictError("Only a draft can be guessed again.", code="not_a_draft", state=row.state)
    shape = shape_of(row.sketch)
    mapping = guess_mapping(shape)
    forget_mapping(uow, actor, columns_key(shape.header))
    values = {"said": settled(mapping), "mapping": mapping.as_dict()}
    store.change_state(uow, import_id, [ImportState.DRAFT], values)
    uow.record(AuditEntry("lead_import.guessed_again", import_id, as_known(mapping), actor=actor))
