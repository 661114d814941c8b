"""Seeds of draws: random once, kept in the database, so that they outlive the installation's secret key."""

from __future__ import annotations

import secrets

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.experiments.inserting import insert_new
from fairlead.experiments.tables import seed as table
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

CONTACT = "contact"
_BYTES = 32
_FIND = "SELECT seed FROM experiment_seed WHERE name = ?"


def seed_of(reader: Reader, name: str = CONTACT) -> bytes | None:
    """The seed of this name, None when none was made yet."""
    rows = reader.fetch(_FIND, name)
    return bytes.fromhex(rows[0][0]) if rows else None


def ensure_seed(uow: UnitOfWork, name: str = CONTACT) -> bytes:
    """The seed of this name; it is made where there is none, and whoever comes second gets the first one's."""
    found = seed_of(uow, name)
    if found is not None:
        return found
    dialect = postgresql if uow.dialect == "postgresql" else sqlite
    values = {"name": name, "seed": secrets.token_bytes(_BYTES).hex(), "at": uow.now}
    statement = dialect.insert(table).values(**values).on_conflict_do_nothing().returning(table.c.name)
    if insert_new(uow, statement):
        uow.record(AuditEntry("experiment.seed_made", name))
    kept = uow.execute(select(table.c.seed).where(table.c.name == name)).scalar_one()
    return bytes.fromhex(kept)
