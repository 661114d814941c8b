"""Files sent in: looked at, and stored in pieces that any worker can read."""

from __future__ import annotations

from pathlib import Path

from fairlead.errors import InputError
from fairlead.kit.actors import Actor
from fairlead.kit.database import Database
from fairlead.kit.faults import fault_point
from fairlead.kit.lanes import Lane
from fairlead.playbooks import Bundle
from fairlead.sales.importing import store
from fairlead.sales.importing.model import (
    CHUNK_BYTES,
    Remembered,
)
from fairlead.sales.intake import Checker, columns_key, file_digest, inspect, parse_overrides
from fairlead.sales.lead_files import map_columns
from fairlead.sales.mappings import forget_mapping, remembered
from fairlead.sales.uploads import model, service
from fairlead.sales.uploads.model import Sending


def store_upload(
    database: Database, actor: Actor, bundle: Bundle, path: Path, upload: model.Upload, *, start: bool
) -> str:
    """Put an uploaded file into the database in pieces; the import's id. Half of it is given up by the sweep."""
    with database.transaction() as uow:
        import_id = service.receive(uow, actor, bundle, upload)
    with path.open("rb") as file:
        seq = 0
        while data := file.read(CHUNK_BYTES):
            with database.transaction(Lane.BULK) as uow:
                store.insert_chunk(uow, import_id, seq, data)
            seq += 1
    fault_point("upload.stored")
    with database.transaction() as uow:
        service.received(uow, actor, import_id, upload, start=start)
    return import_id


def take_upload(database: Database, bundle: Bundle, actor: Actor, path: Path, sending: Sending) -> str:
    """Look at a file that was sent in and store it; the import's id.

    InputError for what cannot be read as a table of leads, with the sender's name for the file; nothing is kept then.
    """
    try:
        shape = inspect(path)
    except InputError as error:  # it names our copy, which nobody knows
        fields = {**error.fields, **({"file": sending.name} if "file" in error.fields else {})}
        message = error.message.replace(path.name, sending.name, 1)
        raise type(error)(message, code=error.reason, **fields) from None
    said = parse_overrides(sending.maps)
    if sending.forget and shape.has_header:
        with database.transaction() as uow:
            forget_mapping(uow, actor, columns_key(shape.header))

    def recall(key: str) -> Remembered | None:
        with database.reading() as reader:
            return remembered(reader, key)

    mapping = map_columns(shape, said, recall)
    Checker(mapping, currency=bundle.currency, default_country=sending.country)
    upload = model.Upload(
        sending.name, file_digest(path), path.stat().st_size, sending.playbook, shape, mapping, sending.country,
        bool(said),
    )  # fmt: skip
    return store_upload(database, actor, bundle, path, upload, start=sending.start)
