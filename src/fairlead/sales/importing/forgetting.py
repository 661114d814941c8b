"""A person erased from files that came in: refused rows, first rows, and whole files that nobody has read yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, func, or_, select, type_coerce, update

from fairlead.kit.actors import Actor
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.sales import tables as t
from fairlead.sales.importing import store
from fairlead.sales.importing.model import ImportState
from fairlead.sales.importing.service import give_up

LEAST_CHARS = 5
"""Shorter words stand in too many rows of other people."""
ERASED = "emptied when its customer was erased"
DROPPED = "The file was dropped before it was read: it names a customer who was erased. Send it without them."
_UNREAD = (ImportState.RECEIVING, ImportState.DRAFT, ImportState.WAITING, ImportState.READING)
_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp1252")


def forget_in_files(uow: UnitOfWork, actor: Actor, words: Sequence[str]) -> int:
    """Take rows away in which one of `words` stands, a person's addresses and full names; how many files were dropped.

    A stored file cannot lose one row: one that names the person is dropped, with `problem` saying so. Upper and lower
    case count as one; a number or name that is written in another way is not found.
    """
    wanted = sorted({word for one in words if len(word := one.strip()) >= LEAST_CHARS})
    if not wanted:
        return 0
    r, i = t.lead_reject.c, t.lead_import.c
    rows = uow.execute(update(t.lead_reject).where(_named(r.words, wanted)).values(words=ERASED)).rowcount
    uow.execute(update(t.lead_import).where(_named(i.name, wanted)).values(name="erased"))
    dropped = [one for one in _unread(uow) if _stands_in(uow, one.id, wanted)]
    for one in dropped:
        give_up(uow, actor, one.id, one.state)
        values = {"problem": {"code": "names_erased", "words": DROPPED}, "said": None, "sketch": None}
        uow.execute(update(t.lead_import).where(i.id == one.id).values(**values))
    for column in (i.sketch, i.problem):
        said = _named(type_coerce(column, Text), wanted)
        uow.execute(update(t.lead_import).where(column.is_not(None), said).values({column.name: None}))
    if rows or dropped:
        payload = {"rejects": rows, "files": [one.id for one in dropped]}
        uow.record(AuditEntry("lead_import.forgot", "imports", payload, actor=actor))
    return len(dropped)


def _named(column: ColumnElement[Any], words: Sequence[str]) -> ColumnElement[bool]:
    found = [func.lower(column).contains(word.lower(), autoescape=True) for word in words]
    return or_(*found, *(column.contains(word, autoescape=True) for word in words if not word.isascii()))


def _unread(reader: Reader) -> list[Any]:
    stored = select(t.lead_upload.c.import_id)
    i = t.lead_import.c
    query = select(i.id, i.state).where(i.id.in_(stored), i.state.in_([one.value for one in _UNREAD]))
    return list(reader.execute(query.order_by(i.id)))


def _stands_in(reader: Reader, import_id: str, words: Sequence[str]) -> bool:
    marks = {mark for word in words for mark in _as_bytes(word)}
    longest, tail, seq = max(len(mark) for mark in marks), b"", 0
    while (piece := store.read_chunk(reader, import_id, seq)) is not None:
        text = tail + piece.lower()
        if any(mark in text for mark in marks):
            return True
        tail, seq = text[-longest:], seq + 1
    return False


def _as_bytes(word: str) -> Iterator[bytes]:
    """As it may stand in a file, with the Latin letters small, as `bytes.lower` makes them."""
    for encoding in _ENCODINGS:
        try:
            yield word.encode(encoding).lower()
        except UnicodeEncodeError:
            continue
