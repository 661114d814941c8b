"""Several worker processes, kills, signals, and a Postgres that goes away."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy as sa

from fairlead.jobs import WAKE_CHANNEL, DbosRunner, Dispatcher, LocalRunner, Pace, StopSignal
from fairlead.testing.postgres import EmbeddedPostgres
from tests.jobs.toy import QUICK, ToySource, engine_for, fill, rows, until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Spawn = Callable[[str, str, str], subprocess.Popen[str]]


def line(process: subprocess.Popen[str]) -> str:
    """The next line that a worker prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def all_ended(url: str) -> bool:
    """Whether no row is left to do."""
    return all(ended for ended, _, _ in rows(url))


def test_two_workers_share_the_work(empty_postgres: str, spawn: Spawn) -> None:
    """Two processes on one Postgres take chunks side by side and every row ends exactly once."""
    fill(empty_postgres, 400)
    workers = [spawn(empty_postgres, name, "work") for name in ("left", "right")]
    for worker in workers:
        assert line(worker) == "up"

    until(lambda: all_ended(empty_postgres))

    assert {(1, 1)} == {(ended, attempts) for ended, attempts, _ in rows(empty_postgres)}
    assert {who for _, _, who in rows(empty_postgres)} <= {"left", "right"}


def test_a_killed_worker_is_replaced(job_url: str, spawn: Spawn) -> None:
    """After kill -9 in the middle of a chunk another worker leases the rows again and ends each once."""
    fill(job_url, 12)
    doomed = spawn(job_url, "doomed", "hang")
    until(lambda: line(doomed) == "leased")
    doomed.send_signal(signal.SIGKILL)
    doomed.wait()

    heir = spawn(job_url, "heir", "work")
    assert line(heir) == "up"
    until(lambda: all_ended(job_url))

    assert {(1, "heir")} == {(ended, who) for ended, _, who in rows(job_url)}
    assert 2 == max(attempts for _, attempts, _ in rows(job_url))


def test_recovery_with_the_same_name_is_harmless(job_url: str, spawn: Spawn) -> None:
    """DBOS runs the dead worker's job again under the same executor id; the rows still end once."""
    fill(job_url, 12)
    doomed = spawn(job_url, "same", "hang")
    until(lambda: line(doomed) == "leased")
    doomed.send_signal(signal.SIGKILL)
    doomed.wait()

    heir = spawn(job_url, "same", "work")
    assert line(heir) == "up"
    until(lambda: all_ended(job_url))
    heir.send_signal(signal.SIGTERM)

    assert 0 == heir.wait(30)
    assert {1} == {ended for ended, _, _ in rows(job_url)}


def test_sigterm_ends_a_worker_cleanly(job_url: str, spawn: Spawn) -> None:
    """An idle worker told to stop ends by itself with status 0."""
    fill(job_url, 1)
    worker = spawn(job_url, "one", "work")
    assert line(worker) == "up"
    until(lambda: all_ended(job_url))

    worker.send_signal(signal.SIGTERM)

    assert 0 == worker.wait(30)


def test_notify_wakes_other_processes(empty_postgres: str) -> None:
    """A NOTIFY inside a transaction of anybody starts the work, however rare the sweeps are."""
    fill(empty_postgres, 1)
    runner = LocalRunner()
    rare = Pace(sweep_s=3600.0)
    dispatcher = Dispatcher([ToySource(empty_postgres)], runner, pace=rare, listen_url=empty_postgres)
    runner.start()
    dispatcher.start()
    until(lambda: all_ended(empty_postgres))
    engine = engine_for(empty_postgres)
    listening = sa.text("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'")
    with engine.connect() as db:
        until(lambda: bool(db.execute(listening).scalar()))

    with engine.begin() as db:
        db.execute(sa.text("INSERT INTO toy (id, source) VALUES ('new', 'toy')"))
        db.execute(sa.text(f"NOTIFY {WAKE_CHANNEL}"))

    until(lambda: all_ended(empty_postgres))
    engine.dispose()
    assert dispatcher.stop(5.0)
    assert runner.stop(5.0)


def test_postgres_goes_and_comes_back(own_server: EmbeddedPostgres) -> None:
    """Postgres is killed under load and started again: nothing crashes, every row ends once."""
    url = own_server.create_database("jobs")
    fill(url, 300)
    runner = DbosRunner(url, "one")
    dispatcher = Dispatcher([ToySource(url)], runner, pace=QUICK, listen_url=url)
    runner.start()
    dispatcher.start()
    until(lambda: any(ended for ended, _, _ in rows(url)))

    own_server.kill()
    dispatcher.wake()
    own_server.start()

    until(lambda: all_ended(url), 60)
    assert {1} == {ended for ended, _, _ in rows(url)}
    with psycopg.connect(own_server.url("jobs").replace("+psycopg", "")) as connection:
        until(lambda: _listeners(connection) == 1)
    assert dispatcher.stop(5.0)
    assert runner.stop(10.0)


def _listeners(connection: psycopg.Connection[tuple[int]]) -> int:
    row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'").fetchone()
    connection.rollback()
    return row[0] if row else 0


def test_stop_while_postgres_is_away(own_server: EmbeddedPostgres, spawn: Spawn) -> None:
    """A worker told to stop during an outage ends, with status 0, instead of waiting for Postgres."""
    url = own_server.create_database("jobs")
    fill(url, 3)
    worker = spawn(url, "one", "work")
    assert line(worker) == "up"
    until(lambda: all_ended(url))
    own_server.kill()

    worker.send_signal(signal.SIGTERM)

    assert 0 == worker.wait(60)


def test_a_signal_asks_for_the_stop() -> None:
    """SIGTERM wakes whoever waits, and the process's own handlers are back afterwards."""
    before = signal.getsignal(signal.SIGTERM)

    with StopSignal().on_signals() as stop:
        assert not stop.requested
        os.kill(os.getpid(), signal.SIGTERM)

        assert stop.wait(30)

    assert before is signal.getsignal(signal.SIGTERM)
