"""Files read in the background, and cases cancelled when an import is taken back: work of any worker.

The database is the only authority. A worker leases an import and gives a sign of life with each batch; when it dies,
the next sweep of any worker leases the import again and goes on behind the last batch that was stored.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from fairlead.errors import ConflictError, FairleadError, InputError
from fairlead.jobs import Payload
from fairlead.kit.actors import SYSTEM, Actor
from fairlead.kit.database import Database
from fairlead.kit.faults import fault_point
from fairlead.kit.lanes import Lane
from fairlead.kit.pace import BatchPace
from fairlead.playbooks import Bundle, BundleLibrary, ready_count
from fairlead.sales import import_store
from fairlead.sales.file_rows import batches, checked_rows
from fairlead.sales.import_batches import import_batch
from fairlead.sales.importing import cancelling, service, store
from fairlead.sales.importing.model import CANCELLED_AT_ONCE, DRAFT_KEPT, RECEIVED_WITHIN, ImportState
from fairlead.sales.importing.spool import spool_folder
from fairlead.sales.intake import Profile
from fairlead.sales.lead_files import LeadFile, open_lead_file
from fairlead.sales.service import finish_import, refuse_playbook
from fairlead.settings import Settings

log = logging.getLogger("fairlead.sales")

JOB = "lead-import"
SWEEP_S = 1.0
SWEPT_AT_ONCE = 10
SKIPPED_AT_ONCE = 5_000
RENEW_S = 5.0


class Taken(NamedTuple):
    """What came of reading: `rows` of the whole file, `fresh` leads made now; `ended` False when told to stop."""

    rows: int
    fresh: int
    ended: bool


@dataclass(slots=True)
class Hold:
    """The lease on one import."""

    database: Database
    import_id: str
    token: str
    lease_s: float
    state: ImportState = ImportState.READING
    _renewed: float = 0.0

    def keep(self, bytes_read: int) -> None:
        """A sign of life in a transaction of its own, every few seconds at most; see `renew`."""
        if time.monotonic() - self._renewed > RENEW_S:
            with self.database.transaction(Lane.BULK) as uow:
                self.renew(uow, bytes_read)

    def renew(self, uow: Any, bytes_read: int) -> None:
        """A sign of life with whatever else is stored; ConflictError when the import was taken over or cancelled."""
        until = uow.now + timedelta(seconds=self.lease_s)
        if not store.renew(uow, self.import_id, self.token, until, self.state, bytes_read):
            message = f"import {self.import_id} was cancelled, or somebody else goes on with it"
            raise ConflictError(message, code="import_lost")
        self._renewed = time.monotonic()


@dataclass(frozen=True, slots=True)
class Engine:
    """What reading an import needs of its process."""

    database: Database
    bulk_ms: int
    high_water: int
    wake: Callable[[], None]
    stopping: threading.Event


def take_rows(
    engine: Engine,
    bundle: Bundle,
    file: LeadFile,
    hold: Hold,
    actor: Actor,
    playbook: str,
    *,
    done: int = 0,
    progress: Callable[[int], None] = lambda _bytes: None,
) -> Taken:
    """Every row of the file into the database, from row `done` on; the ones before are only looked at again."""
    database = engine.database
    pace = BatchPace(engine.bulk_ms, exclusive=database.is_sqlite)
    profile = Profile(file.mapping)
    checked = checked_rows(file, progress, profile)
    rows = fresh = 0
    while rows < done and (more := sum(1 for _ in islice(checked, min(SKIPPED_AT_ONCE, done - rows)))):
        rows += more
        hold.keep(file.reader.bytes_read)
    for batch in batches(checked, pace.size):
        if engine.stopping.is_set():
            return Taken(rows, fresh, ended=False)
        with database.transaction(Lane.BULK) as uow:
            began = pace.start()
            hold.renew(uow, file.reader.bytes_read)
            fresh += import_batch(uow, actor, bundle, hold.import_id, playbook, batch, bundle.currency)
        pace.note(len(batch), began)
        fault_point("import.batch")
        rows += len(batch)
        engine.wake()
        _hold_back(engine, hold, file)
    with database.transaction() as uow:
        hold.renew(uow, file.reader.total_bytes)
        finish_import(uow, actor, hold.import_id, rows, profile.report())
        store.release(uow, hold.import_id, hold.token)
    return Taken(rows, fresh, ended=True)


def _hold_back(engine: Engine, hold: Hold, file: LeadFile) -> None:
    """An import over the high-water mark slows its own reader, never live work."""
    while not engine.stopping.is_set():
        with engine.database.reading() as reader:
            if ready_count(reader, "import", engine.high_water) < engine.high_water:
                return
        hold.keep(file.reader.bytes_read)
        engine.stopping.wait(0.05)


class ImportWork:
    """The imports of one process: found by `sweep`, done by `run`."""

    def __init__(
        self, database: Database, library: BundleLibrary, settings: Settings, wake: Callable[[], None]
    ) -> None:
        """`wake` tells the engine that there are new cases."""
        self.stopping = threading.Event()
        self._database = database
        self._library = library
        self._settings = settings
        self._engine = Engine(database, settings.bulk_transaction_ms, settings.import_high_water, wake, self.stopping)
        self._lock = threading.Lock()
        self._submitted: set[str] = set()

    def sweep(self, submit: Callable[[str, Payload], None]) -> None:
        """Hand over what can be gone on with, and end what nobody will go on with."""
        now = self._database.clock.now()
        with self._database.reading() as reader:
            ready = store.due(reader, now, SWEPT_AT_ONCE)
            left = store.left_behind(reader, now, now - DRAFT_KEPT, now - RECEIVED_WITHIN)
        for row in left:
            with self._database.transaction() as uow:
                service.give_up(uow, SYSTEM, row.id, row.state)
        for import_id in ready:
            with self._lock:
                known = import_id in self._submitted
                self._submitted.add(import_id)
            if not known:
                submit(JOB, {"import": import_id})

    def run(self, payload: Payload) -> None:
        """Go on with one import; nothing, without an error, when there is nothing to do or somebody else does it."""
        import_id = str(payload["import"])
        try:
            self._run(import_id)
        finally:
            with self._lock:
                self._submitted.discard(import_id)

    def _run(self, import_id: str) -> None:
        token = service.lease_token()
        until = self._database.clock.now() + timedelta(seconds=self._settings.lease_s)
        states = (ImportState.WAITING, ImportState.READING, ImportState.CANCELLING)
        with self._database.transaction(Lane.BULK) as uow:
            if not store.lease(uow, import_id, token, until, states):
                return
        with self._database.reading() as reader:
            row = import_store.read_import(reader, import_id)
        try:
            if row.state == ImportState.CANCELLING:
                self._take_back(row, token)
            else:
                self._read(row, token)
        except InputError as error:
            with self._database.transaction() as uow:
                service.refuse_import(uow, SYSTEM, import_id, error.reason, error.message)
        except ConflictError as error:
            log.info("import %s: %s", import_id, error.message)
        # Whatever else goes wrong is tried again, but not before the lease has run out.
        with self._database.transaction(Lane.BULK) as uow:
            store.release(uow, import_id, token)

    def _read(self, row: Any, token: str) -> None:
        actor = Actor.parse(row.started_by)
        hold = Hold(self._database, row.id, token, self._settings.lease_s)
        with self._database.transaction() as uow:
            service.begin_reading(uow, actor, row.id)
        with self._database.reading() as reader:
            bundle = self._library.current(reader)
        refuse_playbook(bundle, row.playbook)
        with self._copied(row.id, hold) as path:
            file = open_lead_file(path, row.said, bundle.currency, name=row.name, country=row.country)
            if file.digest != row.digest:
                raise InputError("The stored file is not what was uploaded. Upload it again.", code="damaged_file")
            with file.reader:
                take_rows(self._engine, bundle, file, hold, actor, row.playbook, done=row.rows)

    @contextmanager
    def _copied(self, import_id: str, hold: Hold) -> Iterator[Path]:
        """The upload as a file of this machine, for as long as the block lasts."""
        with spool_folder(self._settings.data_dir) as folder:
            path = folder / "upload"
            with path.open("wb") as file:
                seq = 0
                while True:
                    with self._database.reading() as reader:
                        data = store.read_chunk(reader, import_id, seq)
                    if data is None:
                        break
                    file.write(data)
                    hold.keep(0)
                    seq += 1
            yield path

    def _take_back(self, row: Any, token: str) -> None:
        actor = Actor.parse(row.cancelled_by)
        hold = Hold(self._database, row.id, token, self._settings.lease_s, ImportState.CANCELLING)
        after = -1
        while not self.stopping.is_set():
            with self._database.reading() as reader:
                page = store.kept_leads(reader, row.id, after, CANCELLED_AT_ONCE)
            if not page:
                break
            with self._database.transaction(Lane.BULK) as uow:
                hold.renew(uow, row.bytes_read)
                cancelling.take_back(uow, self._library, actor, row.id, page)
            after = page[-1].row_no
        else:
            return
        with self._database.transaction() as uow:
            cancelling.end_cancel(uow, actor, row.id)


def abandon(database: Database, hold: Hold) -> None:
    """Let somebody else go on at once; for a process that ends in order."""
    try:
        with database.transaction(Lane.BULK) as uow:
            store.release(uow, hold.import_id, hold.token)
    except FairleadError:  # the lease runs out by itself
        log.warning("the lease on import %s could not be given back", hold.import_id)
