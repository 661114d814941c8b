"""Trained scores where scoring finds them: loaded safely, and kept while they are in use."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from fairlead.kit.database import Database
from fairlead.kit.unit_of_work import Reader
from fairlead.understanding import store
from fairlead.understanding.registry import parse_producer, unknown_model
from fairlead.understanding.sealing import require_sealed

if TYPE_CHECKING:
    from fairlead.understanding.predicting import LeadModel

_KEPT = 8


class Models(Protocol):
    """Where the scoring step finds models."""

    def current(self, name: str) -> LeadModel | None:
        """The version in use, None when there is none; InputError when it must not be trusted."""
        ...


class NoModels:
    """For processes that only look at files: there are no models."""

    def current(self, name: str) -> LeadModel | None:
        """Always None."""
        del name
        return None


def load_model(reader: Reader, key: bytes, producer: str) -> LeadModel:
    """The model, after its seal was checked; NotFoundError, or InputError `model_tampered` or `model_other_version`."""
    from fairlead.understanding.documents import unpack  # noqa: PLC0415  loads numpy

    name, version = parse_producer(producer)
    row = store.read_model(reader, name, version)
    if row is None:
        raise unknown_model(reader, producer)
    require_sealed(key, producer, row.document, row.seal)
    return replace(unpack(row.document), label=producer)


class ModelLibrary:
    """Loads the version in use and keeps it while it stays the one; one per process, safe for threads."""

    def __init__(self, database: Database, key: bytes) -> None:
        """`key` proves that a stored document is the one that this installation stored."""
        self._database = database
        self._key = key
        self._kept: OrderedDict[tuple[str, str], LeadModel] = OrderedDict()
        self._lock = threading.Lock()

    def current(self, name: str) -> LeadModel | None:
        """The version in use as of this moment: one short query, and the document only when it is another one."""
        with self._database.reading() as reader:
            found = store.in_use(reader, name)
            if found is None:
                return None
            producer = f"{name}@{found[0]}"
            with self._lock:
                kept = self._kept.get((producer, found[1]))
            model = kept or load_model(reader, self._key, producer)
        with self._lock:
            self._kept[producer, found[1]] = model
            self._kept.move_to_end((producer, found[1]))
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return model
