"""`python -m bench.engine.grant URL`: small deals of a workspace become automatic, about half of the bench's
leads.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bench.engine.product import grant_small_deals
from fairlead.audit import Trail
from fairlead.connectors import registry
from fairlead.kit.database import Database
from fairlead.playbooks import BundleLibrary, StepRegistry
from fairlead.worker import CHECKS, STEPS

if TYPE_CHECKING:
    from fairlead.playbooks import Bundle


def deployed(database: Database) -> Bundle:
    """What the workspace deployed last."""
    library = BundleLibrary(StepRegistry(STEPS, CHECKS), frozenset(registry))
    with database.reading() as reader:
        return library.current(reader)


def main() -> None:
    """See the module."""
    database = Database(sys.argv[1], trail=Trail())
    bundle = deployed(database)
    with database.transaction() as uow:
        grant_small_deals(uow, bundle)
    database.close()
    sys.stdout.write("{}\n")


if __name__ == "__main__":
    main()
