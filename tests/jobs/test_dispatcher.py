"""Lease and sweep in one process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fairlead.errors import ConflictError, UnavailableError
from fairlead.jobs import DbosRunner, Dispatcher, LocalRunner, Pace, Payload, WorkLane
from fairlead.testing.jobs import InlineRunner
from tests.jobs.toy import QUICK, ToySource, engine_for, fill, rows, until

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

RARE = Pace(chunk=5, lease_s=60.0, sweep_s=3600.0)


class ListSource:
    """Chunks counted in memory; `log` takes the names in the order of leasing."""

    def __init__(self, name: str, lane: WorkLane, chunks: int, log: list[str]) -> None:
        """`chunks` leases succeed."""
        self.name = name
        self.lane = lane
        self.left = chunks
        self.log = log
        self.held = threading.Event()
        self.held.set()

    def lease(self, limit: int, lease_s: float, token: str) -> int:
        """One chunk less."""
        if not self.left:
            return 0
        self.left -= 1
        self.log.append(self.name)
        return limit

    def run(self, token: str) -> None:
        """Wait until released."""
        self.held.wait()

    def next_due(self) -> datetime | None:
        """Never."""
        return None


def test_everything_ends_once(job_url: str) -> None:
    """All ready rows are processed in chunks, each once, through DBOS on either database."""
    fill(job_url, 23)
    runner = DbosRunner(job_url, "one")
    source = ToySource(job_url)
    dispatcher = Dispatcher([source], runner, pace=QUICK)
    runner.start()
    dispatcher.start()

    until(lambda: all(ended for ended, _, _ in rows(job_url)))

    assert dispatcher.stop(5.0)
    assert runner.stop(5.0)
    assert [(1, 1, "me")] * 23 == rows(job_url)
    assert 5 == len(source.tokens)


def test_drain_ends_when_nothing_is_left(job_url: str) -> None:
    """A one-shot command drains the work in its own thread and comes back."""
    fill(job_url, 23)
    runner = LocalRunner()
    dispatcher = Dispatcher([ToySource(job_url)], runner, pace=QUICK)
    runner.start()

    assert dispatcher.drain(30.0)

    assert runner.stop(5.0)
    assert [(1, 1, "me")] * 23 == rows(job_url)


def test_a_lost_hand_over_is_found(job_url: str) -> None:
    """When the job vanishes between commit and runner, the sweep leases its rows again."""
    fill(job_url, 3)
    runner = InlineRunner()
    source = ToySource(job_url)
    dispatcher = Dispatcher([source], runner, pace=QUICK)
    runner.lose = True
    assert dispatcher.drain(30.0)
    assert [(0, 1, None)] * 3 == rows(job_url)
    runner.lose = False

    until(lambda: dispatcher.drain(1.0) and all(ended for ended, _, _ in rows(job_url)))

    assert [(1, 2, "me")] * 3 == rows(job_url)


def test_a_refused_hand_over_is_found(job_url: str) -> None:
    """When submit raises, the dispatcher lives on and the rows are processed after their lease."""

    class Refusing(LocalRunner):
        refusals = 2

        def submit(self, name: str, payload: Payload, *, key: str | None = None) -> None:
            if self.refusals:
                self.refusals -= 1
                message = "no"
                raise UnavailableError(message)
            super().submit(name, payload, key=key)

    fill(job_url, 3)
    runner = Refusing()
    dispatcher = Dispatcher([ToySource(job_url)], runner, pace=QUICK)
    runner.start()
    dispatcher.start()

    until(lambda: all(ended for ended, _, _ in rows(job_url)))

    assert dispatcher.stop(5.0)
    assert runner.stop(5.0)
    assert 0 == runner.refusals


def test_a_late_worker_changes_nothing(job_url: str) -> None:
    """A worker that outlives its lease finds its token gone; the row ends once, by the other."""
    fill(job_url, 1)
    late_may_go, late_leased = threading.Event(), threading.Event()

    def linger(_: str) -> None:
        late_leased.set()
        late_may_go.wait()

    late_runner, prompt_runner = LocalRunner(), LocalRunner()
    late = Dispatcher([ToySource(job_url, "late", before=linger)], late_runner, pace=QUICK)
    prompt = Dispatcher([ToySource(job_url, "prompt")], prompt_runner, pace=QUICK)
    late_runner.start()
    late.start()
    assert late_leased.wait(30)
    assert late.stop(5.0)
    prompt_runner.start()
    prompt.start()
    until(lambda: rows(job_url)[0][0] == 1)
    late_may_go.set()
    until(late_runner.idle)

    assert prompt.stop(5.0)
    assert prompt_runner.stop(5.0)
    assert late_runner.stop(5.0)
    assert [(1, 2, "prompt")] == rows(job_url)


def test_wake_is_enough(job_url: str) -> None:
    """New work starts when somebody wakes the dispatcher, however rare its sweeps are."""
    fill(job_url, 1)
    runner = LocalRunner()
    dispatcher = Dispatcher([ToySource(job_url)], runner, pace=RARE)
    runner.start()
    dispatcher.start()
    until(lambda: rows(job_url)[0][0] == 1)
    engine = engine_for(job_url)
    with engine.begin() as db:
        db.execute(sa.text("INSERT INTO toy (id, source) VALUES ('new', 'toy')"))
    engine.dispose()

    dispatcher.wake()

    until(lambda: all(ended for ended, _, _ in rows(job_url)))
    assert dispatcher.stop(5.0)
    assert runner.stop(5.0)


def test_lanes_share() -> None:
    """With everything busy, interactive work leads, and one chunk in four is an import."""
    log: list[str] = []
    sources = [ListSource(lane.value, lane, 40, log) for lane in WorkLane]
    dispatcher = Dispatcher(sources, InlineRunner(), pace=Pace(share=4))

    assert dispatcher.drain(30.0)

    while_all_busy = log[: 4 * 20]
    assert (40, 20, 20) == tuple(while_all_busy.count(lane.value) for lane in WorkLane)
    assert 120 == len(log)


def test_neighbours_in_a_lane_take_turns() -> None:
    """A source with much to do does not starve the other sources of its lane."""
    log: list[str] = []
    sources = [ListSource(name, WorkLane.INTERACTIVE, 3, log) for name in "ab"]

    assert Dispatcher(sources, InlineRunner()).drain(30.0)

    assert list("ababab") == log


def test_imports_leave_a_place_free() -> None:
    """While imports hold all that they may, an interactive chunk still starts."""
    log: list[str] = []
    bulk = ListSource("bulk", WorkLane.IMPORT, 5, log)
    live = ListSource("live", WorkLane.INTERACTIVE, 0, log)
    bulk.held.clear()
    runner = LocalRunner()
    dispatcher = Dispatcher([bulk, live], runner, pace=Pace(slots=2, reserved=1, sweep_s=3600.0))
    runner.start()
    dispatcher.start()
    until(lambda: log == ["bulk"])
    live.left = 1

    dispatcher.wake()

    until(lambda: log == ["bulk", "live"])
    bulk.held.set()
    until(lambda: log == ["bulk", "live", *["bulk"] * 4])
    assert dispatcher.stop(5.0)
    assert runner.stop(5.0)


def test_a_broken_source_is_survived(caplog: pytest.LogCaptureFixture) -> None:
    """A source that raises is logged and asked again; work goes on when it is well."""
    log: list[str] = []

    class Moody(ListSource):
        moods = 2

        def lease(self, limit: int, lease_s: float, token: str) -> int:
            if self.moods:
                self.moods -= 1
                message = "the database is away"
                raise UnavailableError(message)
            return super().lease(limit, lease_s, token)

    runner = LocalRunner()
    dispatcher = Dispatcher([Moody("moody", WorkLane.TIMERS, 1, log)], runner, pace=QUICK)
    runner.start()
    dispatcher.start()

    until(lambda: log == ["moody"])

    assert dispatcher.stop(5.0)
    assert runner.stop(5.0)
    assert 2 == sum("looking for work failed" in record.message for record in caplog.records)


def test_two_sources_of_one_name_are_refused() -> None:
    """A job names its source, so two of one name could run each other's tokens."""
    sources = [ListSource("same", lane, 1, []) for lane in (WorkLane.TIMERS, WorkLane.IMPORT)]

    with pytest.raises(ConflictError):
        Dispatcher(sources, InlineRunner())


def test_a_locked_sqlite_file_is_survived(tmp_path: Path) -> None:
    """Another process holds SQLite's write lock for a while; the work is done afterwards."""
    url = f"sqlite:///{tmp_path / 'fairlead.db'}"
    fill(url, 3)
    source = ToySource(url)
    source._engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args={"timeout": 0.01})
    runner = LocalRunner()
    dispatcher = Dispatcher([source], runner, pace=QUICK)
    engine = engine_for(url)
    refused = threading.Event()

    @sa.event.listens_for(source._engine, "handle_error")
    def note(_: object) -> None:
        refused.set()

    with engine.connect() as db:
        db.execute(sa.text("BEGIN IMMEDIATE"))
        runner.start()
        dispatcher.start()
        assert refused.wait(30)
        db.rollback()
    engine.dispose()

    until(lambda: all(ended for ended, _, _ in rows(url)))
    assert dispatcher.stop(5.0)
    assert runner.stop(5.0)
