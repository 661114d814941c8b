"""Cleaning files of the data folder after an erasure: unsent mail, and lines that the file connector wrote."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sqlalchemy import select, update

from fairlead.connectors import FileConnector
from fairlead.kit.actors import SYSTEM
from fairlead.kit.database import Database
from fairlead.kit.lanes import Lane
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.rights import tables as t

UNSENT = "unsent"
_AT_ONCE = 50


def clean_files(database: Database, folder: Path) -> int:
    """Do what erasures left to be done in `folder`, the data folder; how many erasures were finished.

    Doing it again is harmless, so a process that dies between the files and the note of it loses nothing. OSError
    when a file cannot be changed: the sweep stays open and is tried again.
    """
    c = t.file_sweep.c
    with database.reading() as reader:
        rows = reader.execute(
            select(t.file_sweep).where(c.done_at.is_(None)).order_by(c.asked_at).limit(_AT_ONCE)
        ).all()
    for row in rows:
        for name in row.files:
            with suppress(FileNotFoundError):
                (folder / UNSENT / Path(name).name).unlink()
        gone = frozenset(row.customer_ids)
        lines = sum(FileConnector(one).forget(gone) for one in (folder, folder / UNSENT))
        with database.transaction(Lane.BULK) as uow:
            uow.execute(update(t.file_sweep).where(c.id == row.id).values(files=[], done_at=uow.now))
            payload = {"mails": len(row.files), "lines": lines}
            uow.record(AuditEntry("rights.files_cleaned", row.id, payload, actor=SYSTEM))
    return len(rows)
