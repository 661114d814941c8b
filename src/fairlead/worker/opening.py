"""Wiring one process up from its settings, and running it as a worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fairlead.actions import Connector, OutboxSource, parse_rates
from fairlead.audit import Signer, Trail
from fairlead.customers import ConsentSource
from fairlead.jobs import Dispatcher, JobRunner, LocalRunner, Pace, StopSignal, WorkLane
from fairlead.kit.clock import Clock, SystemClock
from fairlead.kit.database import Database
from fairlead.playbooks import CaseSource, Engine, EngineSettings, EventSource, TimerSource
from fairlead.sales.importing.jobs import ImportWork
from fairlead.settings import Settings, provide_secrets
from fairlead.worker.chores import take_up
from fairlead.worker.downstreams import teller
from fairlead.worker.equipment import close_outlets, library_of, outlets_of
from fairlead.worker.runtime import Runtime, derive, durable_runner


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
    known, outlets = outlets_of(settings, database, connectors)
    library = library_of(settings.secret_key.get_secret_value(), database, known)
    engine_settings = EngineSettings(seed, settings.bulk_transaction_ms, settings.lease_s)
    engine = Engine(database, library, engine_settings)
    runner: JobRunner = durable_runner(settings) if durable else LocalRunner()
    sources = [CaseSource(engine, lane) for lane in WorkLane]
    rates = parse_rates(settings.delivery_rates)
    outbox = OutboxSource(database, outlets, rates=rates, now=None if clock is None else clock.now)
    consents = ConsentSource(database, teller(database, outlets), now=None if clock is None else clock.now)
    dispatcher = Dispatcher(
        [*sources, EventSource(engine), TimerSource(engine), outbox, consents],
        runner,
        pace=Pace(chunk=settings.chunk_size, lease_s=settings.lease_s, sweep_s=settings.sweep_interval_ms / 1000),
        clock=database.clock,
        listen_url=settings.database_url,
    )
    engine.wake = dispatcher.wake
    imports = ImportWork(database, library, settings, dispatcher.wake)
    runtime = Runtime(settings, database, signer, library, engine, runner, dispatcher, seed, imports)
    take_up(runtime, imports=durable)  # a one-shot command ends before somebody else's file would be read
    try:
        yield runtime
    finally:
        close_outlets(outlets)
        database.close()


def work(settings: Settings) -> None:
    """Run a worker until it is told to stop by SIGTERM or SIGINT."""
    with StopSignal().on_signals() as stop, open_runtime(settings) as runtime:
        runtime.start()
        stop.wait()
        runtime.stop()
