"""Fairlead's own path, in a process of its own: checked leads in memory → every case at rest.

`python -m bench.engine.product URL COUNT [SERVER_PID [RECORDING]]` prints one JSON object. A case rests
once it waits for a person or for the result of its action; deliveries are not made here. The same parts
as `fairlead run` uses: an import in the caller's thread, a dispatcher and its chunks beside it. With
RECORDING the rows written are kept there, for `raw`.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.engine.cost import cost_now
from bench.engine.leads import write_leads
from bench.engine.recording import record
from fairlead import sales
from fairlead.audit import Signer, Trail, seal_all
from fairlead.checkpoints import Grant, Level, set_grant
from fairlead.connectors import registry
from fairlead.jobs import Dispatcher, LocalRunner, Pace, WorkLane
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.database import Database
from fairlead.kit.lanes import Lane
from fairlead.kit.pace import BatchPace
from fairlead.playbooks import (
    Bundle,
    BundleLibrary,
    CaseSource,
    Engine,
    EngineSettings,
    StepRegistry,
    deploy,
    read_workspace,
    ready_count,
)
from fairlead.schema import create_schema
from fairlead.settings import Settings
from fairlead.worker import CHECKS, STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.kit.unit_of_work import UnitOfWork

EXAMPLE = Path(sales.__file__).parent / "example"
PLAYBOOK = "lead-qualification"
CHECKPOINT = "lead-assignment"
WARM = 200
"""Leads before those that are measured: a worker compiles its statements once in its life."""
ACTOR = Actor(ActorKind.SYSTEM, "bench")
LOOK_S = 0.05
"""Between two looks whether all rest: each costs the measured process a statement, and at 10 ms a tenth of its time."""


def prepare(database: Database, library: BundleLibrary) -> Bundle:
    """The example workspace deployed, small deals automatic by a grant, all others for people."""
    with database.transaction() as uow:
        bundle, _ = deploy(uow, library, ACTOR, read_workspace(EXAMPLE))
        grant_small_deals(uow, bundle)
    return bundle


def grant_small_deals(uow: UnitOfWork, bundle: Bundle) -> None:
    """Small deals are assigned without a person."""
    version = bundle.policies[CHECKPOINT].version
    expires = uow.now + timedelta(days=30)
    grant = Grant("", CHECKPOINT, "small", "lead-rules@1", Level.AUTO, version, expires, 0.0, 0.02)
    set_grant(uow, ACTOR, "manager", grant, {"note": "bench"})


def checked_leads(folder: Path, count: int, currency: str) -> tuple[sales.LeadFile, list[Any]]:
    """The leads as `fairlead run` has them after reading and checking its file."""
    path = folder / "leads.csv"
    write_leads(path, count)
    file = sales.open_lead_file(path, [], currency)
    return file, list(sales.checked_rows(file, lambda _: None))


@contextmanager
def running(database: Database, library: BundleLibrary) -> Iterator[Dispatcher]:
    """A dispatcher with the case lanes alone, paced as a process of ours is."""
    settings = Settings.model_fields
    bulk_ms, lease_s = settings["bulk_transaction_ms"].default, settings["lease_s"].default
    engine = Engine(database, library, EngineSettings(bytes(32), bulk_ms, lease_s))
    runner = LocalRunner()
    pace = Pace(chunk=settings["chunk_size"].default, lease_s=lease_s)
    sources = [CaseSource(engine, lane) for lane in WorkLane]
    dispatcher = Dispatcher(sources, runner, pace=pace, clock=database.clock)
    engine.wake = dispatcher.wake
    runner.start()
    dispatcher.start()
    try:
        yield dispatcher
    finally:
        dispatcher.stop(10.0)
        runner.stop(30.0)


def take_in(database: Database, bundle: Bundle, file: sales.LeadFile, leads: list[Any], wake: Any) -> None:
    """As `fairlead run` does it, without the file and the progress bar."""
    with database.transaction() as uow:
        import_id = sales.begin_import(uow, ACTOR, bundle, file, PLAYBOOK)
    pace = BatchPace(Settings.model_fields["bulk_transaction_ms"].default, exclusive=database.is_sqlite)
    position = 0
    while position < len(leads):
        batch = leads[position : position + pace.size()]
        with database.transaction(Lane.BULK) as uow:
            began = pace.start()
            sales.import_batch(uow, ACTOR, bundle, import_id, PLAYBOOK, batch, bundle.currency)
        pace.note(len(batch), began)
        position += len(batch)
        wake()
    rest(database)
    with database.transaction() as uow:
        sales.finish_import(uow, ACTOR, import_id, len(leads))


def rest(database: Database) -> None:
    """Wait until no imported case is ready any more."""
    while True:
        with database.reading() as reader:
            if not ready_count(reader, WorkLane.IMPORT.value, 1):
                return
        time.sleep(LOOK_S)


def measure(url: str, count: int, server_pid: int | None, recording: Path | None) -> dict[str, Any]:
    """Figures of one run on a fresh database."""
    create_schema(url)
    database = Database(url, trail=Trail())
    library = BundleLibrary(StepRegistry(STEPS, CHECKS), frozenset(registry))
    with tempfile.TemporaryDirectory() as folder:
        signer = Signer.load(Path(folder) / "audit.key", create=True)
        bundle = prepare(database, library)
        file, leads = checked_leads(Path(folder), WARM + count, bundle.currency)
        with running(database, library) as dispatcher:
            take_in(database, bundle, file, leads[:WARM], dispatcher.wake)
            seal_all(database, signer, None)
            gc.collect()
            gc.freeze()  # the leads in memory are the bench's, not the product's
            start = cost_now(server_pid)
            take_in(database, bundle, file, leads[WARM:], dispatcher.wake)
            rested = cost_now(server_pid)
        before_seal = cost_now(server_pid)
        seal_all(database, signer, None)
        seal = cost_now(server_pid) - before_seal
    found = (rested - start).per(count)
    found["seal_s"] = round(seal.wall, 3)
    found["with_seal_per_s"] = round(count / ((rested - start).wall + seal.wall), 1)
    found["seal_cpu_ms"] = round(seal.own / count * 1000, 4)
    rows = record(database, WARM + count, recording)
    database.close()
    return found | rows


def main() -> None:
    """See the module."""
    url, count, *rest = sys.argv[1:]
    server_pid = int(rest[0]) if rest else 0
    recording = Path(rest[1]) if len(rest) > 1 else None
    sys.stdout.write(json.dumps(measure(url, int(count), server_pid or None, recording)) + "\n")


if __name__ == "__main__":
    main()
