"""Mappings of columns that somebody confirmed: used again for the next file with such columns."""

from __future__ import annotations

from fairlead.kit.actors import Actor
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.sales.importing import store as importing
from fairlead.sales.importing.model import Remembered
from fairlead.sales.intake import ColumnMapping, as_known


def remember(uow: UnitOfWork, actor: Actor, key: str, mapping: ColumnMapping, import_id: str) -> None:
    """Use this mapping for the next files whose columns have this key."""
    known = as_known(mapping)
    values = {"mapping": known, "import_id": import_id, "said_by": str(actor), "said_at": uow.now}
    importing.write_mapping(uow, key, values)
    uow.record(AuditEntry("lead_mapping.remembered", import_id, {"key": key, "mapping": known}, actor=actor))


def remembered(reader: Reader, key: str) -> Remembered | None:
    """What was confirmed for files with these columns, None when nothing was."""
    row = importing.read_mapping(reader, key) if key else None
    return None if row is None else Remembered(row.mapping, row.import_id, row.said_at)


def forget_mapping(uow: UnitOfWork, actor: Actor, key: str) -> bool:
    """Guess again for files with these columns; False when nothing was remembered."""
    row = importing.read_mapping(uow, key) if key else None
    if row is None:
        return False
    importing.drop_mapping(uow, key)
    uow.record(AuditEntry("lead_mapping.forgotten", row.import_id, {"key": key}, actor=actor))
    return True
