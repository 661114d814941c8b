"""What every runner promises, and what DBOS adds."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fairlead.errors import (
    ConflictError,
    InputError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from fairlead.jobs import DbosRunner, JobRunner, LocalRunner, Payload
from fairlead.testing.jobs import InlineRunner
from tests.jobs.toy import ROOT, until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["local", "dbos-sqlite", "dbos-postgres", "inline"])
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JobRunner]:
    """Each kind of runner, not started."""
    made: JobRunner
    if request.param == "local":
        made = LocalRunner()
    elif request.param == "inline":
        made = InlineRunner()
    elif request.param == "dbos-sqlite":
        made = DbosRunner(f"sqlite:///{tmp_path / 'fairlead.db'}", "one")
    else:
        made = DbosRunner(request.getfixturevalue("empty_postgres"), "one")
    yield made
    assert made.stop(5.0)


def test_jobs_run_with_their_payload(runner: JobRunner) -> None:
    """Every submitted job runs once with what was handed over, and the runner is idle afterwards."""
    seen: list[Payload] = []
    runner.register("note", seen.append, concurrency=2)
    runner.start()

    for number in range(10):
        runner.submit("note", {"number": number})
    until(runner.idle)

    assert list(range(10)) == sorted(payload["number"] for payload in seen)
    assert 0 == runner.pending("note")


def test_a_key_is_run_once(runner: JobRunner) -> None:
    """A second job with the same name and key is dropped while the first waits or runs."""
    seen: list[Payload] = []
    go = threading.Event()

    def work(payload: Payload) -> None:
        go.wait(0 if isinstance(runner, InlineRunner) else 30)
        seen.append(payload)

    runner.register("nightly", work)
    runner.start()

    runner.submit("nightly", {"n": 1}, key="2026-11-02")
    runner.submit("nightly", {"n": 2}, key="2026-11-02")
    runner.submit("nightly", {"n": 3}, key="2026-11-03")
    go.set()
    until(runner.idle)

    assert [1, 3] == [payload["n"] for payload in seen]


@pytest.mark.parametrize(
    ("payload", "error"),
    [({"x": object()}, InputError), ({"x": b"raw"}, InputError), ({"x": "a" * 70_000}, TooLargeError)],
)
def test_bad_payloads_are_refused(runner: JobRunner, payload: dict[str, object], error: type[Exception]) -> None:
    """What is no small plain JSON is refused at once, naming the cure, and nothing is kept."""
    runner.register("note", lambda _: None)
    runner.start()

    with pytest.raises(error):
        runner.submit("note", payload)

    assert runner.idle()


def test_an_unknown_name_is_refused(runner: JobRunner) -> None:
    """A job that nobody registered is an error of the caller, not a silent loss."""
    runner.start()

    with pytest.raises(NotFoundError) as caught:
        runner.submit("nobody", {})

    assert {"name": "nobody"} == caught.value.fields


def test_a_name_is_registered_once(runner: JobRunner) -> None:
    """Two functions under one name are refused, so none of them is shadowed."""
    runner.register("note", lambda _: None)

    with pytest.raises(ConflictError):
        runner.register("note", lambda _: None)


@pytest.mark.parametrize("runner", ["local", "dbos-sqlite", "dbos-postgres"], indirect=True)
def test_a_failing_job_hurts_nobody(runner: JobRunner, caplog: pytest.LogCaptureFixture) -> None:
    """An exception is logged, is not tried again, and the next job runs."""
    calls: list[Payload] = []

    def work(payload: Payload) -> None:
        calls.append(payload)
        if payload["n"] == 1:
            raise ZeroDivisionError

    runner.register("note", work)
    runner.start()
    with caplog.at_level(logging.ERROR, "fairlead.jobs"):
        runner.submit("note", {"n": 1})
        runner.submit("note", {"n": 2})
        until(runner.idle)

    assert [1, 2] == [payload["n"] for payload in calls]
    assert ["job note failed"] == [record.message for record in caplog.records]


@pytest.mark.parametrize("runner", ["local", "dbos-sqlite", "dbos-postgres"], indirect=True)
def test_concurrency_is_a_bound(runner: JobRunner) -> None:
    """Never more than `concurrency` jobs of a name run at once, and that many do."""
    lock = threading.Lock()
    both = threading.Barrier(2, timeout=30)
    running: list[int] = [0]
    most: list[int] = [0]

    def work(_: Payload) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        both.wait()
        with lock:
            running[0] -= 1

    runner.register("pair", work, concurrency=2)
    runner.start()
    for _ in range(6):
        runner.submit("pair", {})
    until(runner.idle)

    assert 2 == most[0]


@pytest.mark.parametrize("runner", ["local", "dbos-sqlite", "dbos-postgres"], indirect=True)
def test_ticks_repeat_and_survive_errors(runner: JobRunner) -> None:
    """A tick comes again and again in this process, also after it failed."""
    beats: list[int] = []

    def beat() -> None:
        beats.append(1)
        raise ZeroDivisionError

    runner.every("heart", 0.01, beat)
    runner.start()

    until(lambda: len(beats) > 2)


@pytest.mark.parametrize("runner", ["local", "dbos-sqlite", "dbos-postgres"], indirect=True)
def test_a_stopped_runner_takes_nothing(runner: JobRunner) -> None:
    """Before the start and after the stop a submit is refused, so the caller knows that the sweep must."""
    runner.register("note", lambda _: None)
    with pytest.raises(UnavailableError):
        runner.submit("note", {})
    runner.start()
    assert runner.stop(5.0)

    with pytest.raises(UnavailableError):
        runner.submit("note", {})


@pytest.mark.parametrize("runner", ["local", "dbos-sqlite"], indirect=True)
def test_a_stuck_job_does_not_hold_the_stop(runner: JobRunner) -> None:
    """Stop gives up on a job that will not end, and says so."""
    begun, free = threading.Event(), threading.Event()

    def work(_: Payload) -> None:
        begun.set()
        free.wait()

    runner.register("stuck", work)
    runner.start()
    runner.submit("stuck", {})
    assert begun.wait(30)

    ended = runner.stop(0.05)
    free.set()

    assert not ended


def test_inline_ticks_and_losses() -> None:
    """The fake runs ticks on demand and can lose a hand-over like a crash."""
    runner = InlineRunner()
    beats: list[str] = []
    runner.every("a", 60, lambda: beats.append("a"))
    runner.every("b", 60, lambda: beats.append("b"))
    runner.register("note", lambda _: beats.append("job"))

    runner.tick()
    runner.tick("b")
    runner.lose = True
    runner.submit("note", {})

    assert ["a", "b", "b"] == beats
    assert [] == runner.ran


def test_a_key_outlives_the_process(job_url: str) -> None:
    """DBOS remembers a key: the same job is not run again by a later runner."""
    seen: list[Payload] = []
    for _ in range(2):
        runner = DbosRunner(job_url, "one")
        runner.register("nightly", seen.append)
        runner.start()
        runner.submit("nightly", {}, key="2026-11-02")
        until(runner.idle)
        assert runner.stop(5.0)

    assert 1 == len(seen)


def test_a_rate_goes_through_the_shared_queue(job_url: str) -> None:
    """A job with a rate is queued in the database and runs there with its payload."""
    seen: list[Payload] = []
    runner = DbosRunner(job_url, "one")
    runner.register("slow", seen.append, rate_per_s=50)
    runner.start()
    for number in range(3):
        runner.submit("slow", {"n": number})

    until(lambda: len(seen) == 3)

    assert runner.stop(5.0)
    assert [0, 1, 2] == sorted(payload["n"] for payload in seen)


def test_the_journal_does_not_grow(job_url: str, tmp_path: Path) -> None:
    """Rows of finished jobs go, keys stay."""
    runner = DbosRunner(job_url, "one", keep_s=-60)
    runner.register("note", lambda _: None)
    runner.start()
    for number in range(20):
        runner.submit("note", {"n": number})
    runner.submit("note", {}, key="kept")
    until(runner.idle)

    runner.forget_finished()

    assert runner.stop(5.0)
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'jobs.sqlite'}" if job_url.startswith("sqlite") else job_url)
    table = "workflow_status" if job_url.startswith("sqlite") else "fairlead_jobs.workflow_status"
    with engine.connect() as db:
        left = db.execute(sa.text(f"SELECT workflow_uuid FROM {table}")).scalars().all()
    engine.dispose()
    assert ["key:note:kept"] == left


def test_no_error_text_reaches_the_journal(tmp_path: Path) -> None:
    """An exception may carry customer data; the journal keeps one word instead."""

    def work(_: Payload) -> None:
        message = "anna@example.com"
        raise ValueError(message)

    runner = DbosRunner(f"sqlite:///{tmp_path / 'fairlead.db'}", "one")
    runner.register("note", work)
    runner.start()
    runner.submit("note", {})
    until(runner.idle)
    assert runner.stop(5.0)

    with sqlite3.connect(tmp_path / "jobs.sqlite") as db:
        dump = "\n".join(db.iterdump())
    db.close()
    assert "failed" in dump
    assert "anna@example.com" not in dump


def test_one_journal_per_process(tmp_path: Path) -> None:
    """DBOS is one per process; a second runner says so instead of taking the first one's place."""
    first = DbosRunner(f"sqlite:///{tmp_path / 'a.db'}", "one")
    second = DbosRunner(f"sqlite:///{tmp_path / 'b.db'}", "two")
    first.start()

    with pytest.raises(ConflictError):
        second.start()

    assert first.stop(5.0)
    second.start()
    assert second.stop(5.0)


def test_no_place_for_the_journal(tmp_path: Path) -> None:
    """SQLite in memory and a missing folder are refused clearly, and the process can still start another."""
    with pytest.raises(InputError):
        DbosRunner("sqlite://", "one")
    with pytest.raises(UnavailableError):
        DbosRunner(f"sqlite:///{tmp_path / 'nowhere' / 'fairlead.db'}", "one").start()

    runner = DbosRunner(f"sqlite:///{tmp_path / 'fairlead.db'}", "one")
    runner.start()
    assert runner.stop(5.0)


def test_nothing_listens_and_nothing_is_printed(tmp_path: Path) -> None:
    """A running journal opens no port and writes nothing to the terminal."""
    program = (
        "import psutil, sys\n"
        "from fairlead.jobs import DbosRunner\n"
        f"runner = DbosRunner('sqlite:///{tmp_path / 'fairlead.db'}', 'one')\n"
        "runner.register('note', lambda payload: None)\n"
        "runner.start(); runner.submit('note', {})\n"
        "while not runner.idle(): pass\n"
        "assert not psutil.Process().net_connections(), psutil.Process().net_connections()\n"
        "assert runner.stop(5.0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
