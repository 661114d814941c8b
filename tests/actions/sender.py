"""A worker that delivers what is due into a file and may be killed at a fault point: `… URL FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from fairlead.actions import OutboxSource
from fairlead.audit import Trail
from fairlead.connectors import FileConnector
from fairlead.kit.database import Database
from fairlead.kit.ids import new_id


class Mail(FileConnector):
    """A file that stands for customers."""

    name = "mail"
    reaches_customer = True


def main() -> None:
    """Until nothing is due."""
    database = Database(sys.argv[1], trail=Trail())
    source = OutboxSource(database, {"mail": Mail(Path(sys.argv[2]))})
    while source.lease(20, 600.0, token := new_id("lease")):
        source.run(token)


if __name__ == "__main__":
    main()
