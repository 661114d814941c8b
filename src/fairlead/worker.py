"""The running parts of one process: engine, outbox, timers, sealing. A composition root."""

from __future__ import annotations

import hashlib
import hmac
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from fairlead import reviews
from fairlead.actions import Connector, OutboxSource
from fairlead.audit import Signer, Trail, seal_all
from fairlead.checkpoints import SETTLEMENT, forget_requests
from fairlead.connectors import connectors_for
from fairlead.connectors.webhook import WebhookConnector
from fairlead.errors import UnavailableError
from fairlead.jobs import Dispatcher, JobRunner, LocalRunner, Pace, StopSignal, WorkLane
from fairlead.kit import events
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.clock import Clock, SystemClock
from fairlead.kit.database import Database
from fairlead.kit.lanes import Lane
from fairlead.people import Webhook, webhook_of
from fairlead.playbooks import (
    BundleLibrary,
    CaseSource,
    Engine,
    EngineSettings,
    EventSource,
    StepRegistry,
    TimerSource,
)
from fairlead.sales import FILE_CHECKS, STEPS, Search, search_if_asked, with_models
from fairlead.sales.importing.jobs import JOB as IMPORT_JOB, SWEEP_S as IMPORT_SWEEP_S, ImportWork
from fairlead.settings import Settings, provide_secrets
from fairlead.understanding import ModelLibrary, models_key

SEAL_S = 5.0
SWEEP_S = 5.0
SWEPT_AT_ONCE = 200
SWEEPS_A_TICK = 50
FORGET_S = 3600.0
DUPLICATES_S = 20.0
KEPT_REQUESTS = timedelta(days=30)
DUPLICATES = Actor(ActorKind.SYSTEM, "duplicates")
FORGOTTEN_AT_ONCE = 500


@dataclass(slots=True)
class Runtime:
    """What one process of Fairlead consists of; made by `open_runtime`."""

    settings: Settings
    database: Database
    signer: Signer
    library: BundleLibrary
    engine: Engine
    runner: JobRunner
    dispatcher: Dispatcher
    seed: bytes
    imports: ImportWork

    def start(self) -> None:
        """Begin to work in background threads."""
        self.runner.start()
        self.dispatcher.start()

    def stop(self, timeout_s: float = 10.0) -> bool:
        """Finish what is under way and stop; False when something was still running after `timeout_s`."""
        self.imports.stopping.set()
        ended = self.dispatcher.stop(timeout_s)
        ended = self.runner.stop(timeout_s) and ended
        self.seal()
        return ended

    def seal(self) -> None:
        """Seal the audit record as it is now and publish its head."""
        seal_all(self.database, self.signer, self.settings.audit_heads_file)


def derive(secret: str, purpose: str) -> bytes:
    """A key for one purpose from the installation's secret; knowing one tells nothing of another."""
    return hmac.digest(secret.encode(), f"fairlead {purpose}".encode(), hashlib.sha256)


def executor_id() -> str:
    """A name for this process's entry in the job journal; unique among those alive."""
    return f"{socket.gethostname()}-{os.getpid()}"


def _durable_runner(settings: Settings) -> JobRunner:
    from fairlead.jobs import DbosRunner  # noqa: PLC0415  loading DBOS takes most of a second

    return DbosRunner(settings.database_url, executor_id())


@contextmanager
def open_runtime(
    settings: Settings,
    *,
    durable: bool = True,
    clock: Clock | None = None,
    connectors: dict[str, Connector] | None = None,
) -> Iterator[Runtime]:
    """Wire everything up, not started; the database must carry the present schema.

    `durable`: chunks are journalled by DBOS, for servers and workers; a one-shot command runs them in plain
    threads, since the lease finds whatever it leaves behind. `connectors` None: those of `settings`.
    """
    settings = provide_secrets(settings)
    assert settings.secret_key is not None  # noqa: S101  provide_secrets made or demanded it
    assert settings.audit_key_file is not None  # noqa: S101
    signer = Signer.load(settings.audit_key_file, create=False)
    seed = derive(settings.secret_key.get_secret_value(), "lottery")
    database = Database(settings.database_url, clock=clock or SystemClock(), trail=Trail())
    used = connectors if connectors is not None else connectors_for(settings.data_dir)
    models = ModelLibrary(database, models_key(settings.secret_key.get_secret_value()))
    library = BundleLibrary(StepRegistry(with_models(STEPS, models), FILE_CHECKS), frozenset(used))
    webhooks = WebhookConnector(
        lambda key_id: _webhook_of(database, key_id),
        database.clock.now,
        timeout_s=settings.webhook_timeout_s,
        private_hosts=settings.webhook_private_hosts,
    )
    used = {WebhookConnector.name: webhooks, **used}
    engine_settings = EngineSettings(seed, settings.bulk_transaction_ms, settings.lease_s)
    engine = Engine(database, library, engine_settings)
    runner: JobRunner = _durable_runner(settings) if durable else LocalRunner()
    sources = [CaseSource(engine, lane) for lane in WorkLane]
    outbox = OutboxSource(database, used, now=None if clock is None else clock.now)
    dispatcher = Dispatcher(
        [*sources, EventSource(engine), TimerSource(engine), outbox],
        runner,
        pace=Pace(chunk=settings.chunk_size, lease_s=settings.lease_s, sweep_s=settings.sweep_interval_ms / 1000),
        clock=database.clock,
        listen_url=settings.database_url,
    )
    engine.wake = dispatcher.wake
    imports = ImportWork(database, library, settings, dispatcher.wake)
    runtime = Runtime(settings, database, signer, library, engine, runner, dispatcher, seed, imports)
    if durable:  # a one-shot command ends before somebody else's file would be read
        runner.register(IMPORT_JOB, imports.run)
        runner.every("imports", IMPORT_SWEEP_S, _quietly(lambda: imports.sweep(runner.submit)))
    runner.every("seal", SEAL_S, _quietly(runtime.seal))
    runner.every("reviews", SWEEP_S, _quietly(lambda: sweep_reviews(runtime)))
    runner.every("duplicates", DUPLICATES_S, _quietly(lambda: _tick_duplicates(runtime)))
    runner.every("forget", FORGET_S, _quietly(lambda: _forget(runtime)))
    try:
        yield runtime
    finally:
        database.close()


def _webhook_of(database: Database, key_id: str) -> Webhook | None:
    with database.reading() as reader:
        return webhook_of(reader, key_id)


def sweep_reviews(runtime: Runtime) -> None:
    """Deal with reviews whose clock, claim or snooze has run out."""
    for _ in range(SWEEPS_A_TICK):
        with runtime.database.transaction(Lane.BULK) as uow:
            changed = reviews.sweep(uow, SWEPT_AT_ONCE, settlement=SETTLEMENT)
        if changed < SWEPT_AT_ONCE:
            break
    runtime.dispatcher.wake()


def search_duplicates(runtime: Runtime) -> Search | None:
    """Look for duplicates if an import or a person asked for it; None when nobody did."""
    found = search_if_asked(runtime.database, runtime.library, DUPLICATES)
    if found is not None and found.opened:
        runtime.dispatcher.wake()
    return found


def _tick_duplicates(runtime: Runtime) -> None:
    search_duplicates(runtime)


def _forget(runtime: Runtime) -> None:
    """Drop the idempotency keys, of decisions and of cases, whose 30 days are over."""
    before = runtime.database.clock.now() - KEPT_REQUESTS
    with runtime.database.transaction(Lane.BULK) as uow:
        forget_requests(uow, before, 10_000)
    while True:
        # Looked up outside of the transaction, since that is the long part.
        with runtime.database.reading() as reader:
            old = events.older(reader, events.REQUESTED, before, FORGOTTEN_AT_ONCE)
        if old:
            with runtime.database.transaction(Lane.BULK) as uow:
                events.drop(uow, events.REQUESTED, old, before)
        if len(old) < FORGOTTEN_AT_ONCE:
            return


def _quietly(call: Callable[[], None]) -> Callable[[], None]:
    """A tick while the database is away: the next one makes up for it."""

    def tick() -> None:
        try:
            call()
        except UnavailableError:
            return

    return tick


def work(settings: Settings) -> None:
    """Run a worker until it is told to stop by SIGTERM or SIGINT."""
    with StopSignal().on_signals() as stop, open_runtime(settings) as runtime:
        runtime.start()
        stop.wait()
        runtime.stop()
