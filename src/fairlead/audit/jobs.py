"""Sealing as a job: whoever runs it takes its turn at the one lock."""

from __future__ import annotations

from pathlib import Path

from fairlead.audit.heads import publish_heads
from fairlead.audit.model import SealRow
from fairlead.audit.sealing import seal_entries
from fairlead.audit.signing import Signer
from fairlead.kit.database import Database
from fairlead.kit.faults import fault_point
from fairlead.kit.lanes import Lane


def seal_all(database: Database, signer: Signer, heads_file: Path | None) -> SealRow | None:
    """Seal everything there is and publish the heads; the newest new seal, None when nothing was new."""
    newest = None
    while True:
        with database.transaction(Lane.BULK) as uow:
            seal = seal_entries(uow, signer)
        fault_point("audit.sealed")
        if seal is None:
            break
        newest = seal
    if heads_file is not None:
        with database.reading() as reader:
            publish_heads(reader, signer, heads_file)
    return newest
