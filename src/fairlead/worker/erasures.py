"""What erasures leave to be done outside of their transaction, and doing them again after a backup brought people back.

The list of erasures is kept outside of the database, so that it outlives a restored one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select, update

from fairlead.connectors import FileConnector
from fairlead.errors import InputError
from fairlead.kit import jsons
from fairlead.kit.actors import SYSTEM, Actor
from fairlead.kit.clock import iso
from fairlead.kit.columns import metadata
from fairlead.kit.database import Database
from fairlead.kit.lanes import Lane
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.rights import erase, tables as t

LIST_NAME = "erasures.jsonl"
MAX_LINE = 100_000
WHY = "erased before; a backup had brought the customer back"
_AT_ONCE = 500
UNSENT = "unsent"
_SWEEPS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a list of erasures came to: customers on it, those erased again, those unknown here or erased already."""

    listed: int
    again: tuple[str, ...]
    unknown: int
    erased: int


def list_of(heads: Path) -> Path:
    """The list stands beside the audit heads, which are kept away from the database for the same reason."""
    return heads.with_name(LIST_NAME)


def note_erasure(path: Path, erasure: str, customer_ids: Sequence[str], at: datetime) -> None:
    """One more line, on the disk when this returns; the same erasure twice does no harm. OSError where it cannot be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = jsons.dumps({"erasure": erasure, "at": iso(at), "customers": list(customer_ids)}) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def replay(
    database: Database, actor: Actor, path: Path, *, really: bool, told: Callable[[str], None] = lambda _: None
) -> Replayed:
    """Erase again who is on the list and stands here with a name; each in a transaction of their own.

    `really` False only counts. `told` hears each id that was erased. InputError for a list that cannot be read; a last
    line that was cut short is passed over.
    """
    listed = list(dict.fromkeys(_listed(path)))
    back, erased = [], 0
    for start in range(0, len(listed), _AT_ONCE):
        some = listed[start : start + _AT_ONCE]
        c = metadata.tables["customer"].c
        with database.reading() as reader:
            rows = {row.id: row.erased_at for row in reader.execute(
                select(c.id, c.erased_at).where(among(reader, c.id, some))).all()}  # fmt: skip
        back += [one for one in some if one in rows and rows[one] is None]
        erased += sum(at is not None for at in rows.values())
    if not really:
        return Replayed(len(listed), tuple(back), len(listed) - len(back) - erased, erased)
    done: set[str] = set()
    for one in back:
        if one in done:  # merged with one that came before
            continue
        with database.transaction() as uow:
            done |= set(erase(uow, actor, one, reason=WHY).customer_ids)
        told(one)
    return Replayed(len(listed), tuple(back), len(listed) - len(back) - erased, erased)


def _listed(path: Path) -> Iterator[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a list of erasures.", code="erasures", file=str(path)) from error
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            told = jsons.loads(line[:MAX_LINE])
            found = [str(one) for one in told["customers"]]
        except (ValueError, TypeError, KeyError) as error:
            if number == len(lines):
                return
            message = f"{path}:{number} is no line of a list of erasures."
            raise InputError(message, code="erasures", file=str(path), line=number) from error
        yield from found


def clean_files(database: Database, folder: Path, erasures: Path) -> int:
    """Do what erasures left to be done in `folder`, the data folder; how many erasures were finished.

    Each is noted in the list `erasures` first, and SQLite's log, in which rows stand as they were, is emptied last.
    Doing it again is harmless, so a process that dies in between loses nothing. OSError when a file cannot be
    changed: the sweep stays open and is tried again, as it is while somebody reads what the log holds.
    """
    c = t.file_sweep.c
    with database.reading() as reader:
        rows = reader.execute(
            select(t.file_sweep).where(c.done_at.is_(None)).order_by(c.asked_at).limit(_SWEEPS_AT_ONCE)
        ).all()
    lines = {}
    for row in rows:
        note_erasure(erasures, row.id, row.customer_ids, row.asked_at)
        for name in row.files:
            with suppress(FileNotFoundError):
                (folder / UNSENT / Path(name).name).unlink()
        gone = frozenset(row.customer_ids)
        lines[row.id] = sum(FileConnector(one).forget(gone) for one in (folder, folder / UNSENT))
    if not rows or not database.empty_log():
        return 0
    with database.transaction(Lane.BULK) as uow:
        for row in rows:
            uow.execute(update(t.file_sweep).where(c.id == row.id).values(files=[], customer_ids=[], done_at=uow.now))
            payload = {"mails": len(row.files), "lines": lines[row.id]}
            uow.record(AuditEntry("rights.files_cleaned", row.id, payload, actor=SYSTEM))
    return len(rows)
