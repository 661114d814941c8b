"""Every table of the product; importing this module registers them all. A composition root."""

from __future__ import annotations

from fairlead.actions import tables as _actions
from fairlead.audit import tables as _audit
from fairlead.checkpoints import tables as _checkpoints
from fairlead.customers import tables as _customers
from fairlead.evidence import tables as _evidence
from fairlead.kit import events as _events
from fairlead.kit.columns import metadata
from fairlead.kit.database import Database
from fairlead.people import tables as _people
from fairlead.playbooks import tables as _playbooks
from fairlead.reviews import tables as _reviews
from fairlead.sales import tables as _sales

FEATURES = (_actions, _audit, _checkpoints, _customers, _events, _evidence, _people, _playbooks, _reviews, _sales)

__all__ = ["FEATURES", "create_schema", "metadata"]


def create_schema(url: str) -> None:
    """Bring the database at `url` to the present schema."""
    database = Database(url)
    try:
        with database.raw() as connection:
            metadata.create_all(connection)
    finally:
        database.close()
