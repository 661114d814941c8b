"""Trained scores carried from one installation to another."""

from __future__ import annotations

from fairlead.errors import TooLargeError
from fairlead.kit.actors import Actor
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.understanding import store
from fairlead.understanding.registry import Registered, parse_producer, register, unknown_model
from fairlead.understanding.sealing import MAX_FILE, digest_of, from_file, require_sealed, to_file


def export_model(reader: Reader, key: bytes, producer: str) -> tuple[str, str]:
    """(file contents, digest) of a stored version."""
    name, version = parse_producer(producer)
    row = store.read_model(reader, name, version)
    if row is None:
        raise unknown_model(reader, producer)
    require_sealed(key, producer, row.document, row.seal)
    return to_file(producer, row.document, row.seal), digest_of(row.document)


def import_model(uow: UnitOfWork, actor: Actor, key: bytes, contents: bytes, digest: str | None) -> Registered:
    """Store an exported model as the next version of its name; see `sealing.from_file` for what is refused."""
    from fairlead.understanding.documents import unpack  # noqa: PLC0415  loads numpy

    if len(contents) > MAX_FILE:
        message = f"a model file has at most {MAX_FILE:,} bytes"
        raise TooLargeError(message, limit=MAX_FILE, unit="bytes")
    label, packed = from_file(contents, key, digest)
    model = unpack(packed)
    return register(uow, actor, key, model, origin="imported", note=f"exported as {label[:100]}")
