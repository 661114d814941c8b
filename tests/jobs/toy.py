"""A tiny source of work with a table of its own, and the program of a worker process around it.

`python -m tests.jobs.toy URL EXECUTOR MODE` prints `up`, works until SIGTERM, and in mode `hang` prints
`leased` and never ends the first chunk it gets.
"""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fairlead.jobs import DbosRunner, Dispatcher, Pace, StopSignal, WorkLane

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
QUICK = Pace(chunk=5, lease_s=1.0, sweep_s=0.1)


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for `condition`; how long it took is no part of any promise."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        pause.wait(0.02)


def engine_for(url: str) -> sa.Engine:
    """Waits for SQLite's lock; keeps no connection open."""
    options = {"timeout": 30} if url.startswith("sqlite") else {}
    return sa.create_engine(url, poolclass=sa.NullPool, connect_args=options)


def fill(url: str, count: int, source: str = "toy") -> None:
    """Make the table if need be and add `count` ready rows."""
    engine = engine_for(url)
    with engine.begin() as db:
        db.execute(
            sa.text(
                "CREATE TABLE IF NOT EXISTS toy (id TEXT PRIMARY KEY, source TEXT, token TEXT, until FLOAT,"
                " attempts INTEGER DEFAULT 0, ended INTEGER DEFAULT 0, by_whom TEXT)"
            )
        )
        rows = [{"id": f"{source}-{number}", "source": source} for number in range(count)]
        db.execute(sa.text("INSERT INTO toy (id, source) VALUES (:id, :source)"), rows)
    engine.dispose()


def rows(url: str) -> list[tuple[int, int, str | None]]:
    """(times ended, attempts, by whom) of each row."""
    engine = engine_for(url)
    with engine.begin() as db:
        found = db.execute(sa.text("SELECT ended, attempts, by_whom FROM toy ORDER BY id")).all()
    engine.dispose()
    return [(row[0], row[1], row[2]) for row in found]


class ToySource:
    """Leases rows of `toy`; a row ends once, by whoever still holds it then."""

    def __init__(
        self,
        url: str,
        who: str = "me",
        *,
        name: str = "toy",
        lane: WorkLane = WorkLane.INTERACTIVE,
        before: Callable[[str], None] | None = None,
    ) -> None:
        """`before` is called with the token before the rows of a chunk are written."""
        self.name = name
        self.lane = lane
        self.who = who
        self.tokens: list[str] = []
        self._before = before
        self._engine = engine_for(url)

    def lease(self, limit: int, lease_s: float, token: str) -> int:
        """Ready or run-out rows, marked."""
        skip = "FOR UPDATE SKIP LOCKED" if self._engine.dialect.name == "postgresql" else ""
        statement = sa.text(
            "UPDATE toy SET token = :token, until = :until, attempts = attempts + 1 WHERE id IN (SELECT id"
            " FROM toy WHERE source = :source AND ended = 0 AND (until IS NULL OR until < :now) ORDER BY id"
            f" LIMIT :limit {skip})"
        )
        now = time.time()
        values = {"token": token, "until": now + lease_s, "now": now, "limit": limit, "source": self.name}
        with self._engine.begin() as db:
            count = db.execute(statement, values).rowcount
        if count:
            self.tokens.append(token)
        return count

    def run(self, token: str) -> None:
        """End every row that still carries the token."""
        if self._before is not None:
            self._before(token)
        with self._engine.begin() as db:
            db.execute(
                sa.text("UPDATE toy SET ended = ended + 1, by_whom = :who, token = NULL WHERE token = :token"),
                {"who": self.who, "token": token},
            )

    def next_due(self) -> datetime | None:
        """Now, while a row is neither ended nor leased."""
        statement = sa.text("SELECT min(coalesce(until, 0)) FROM toy WHERE ended = 0")
        with self._engine.begin() as db:
            due = db.execute(statement).scalar()
        return None if due is None else datetime.fromtimestamp(due, UTC)


def main(url: str, executor_id: str, mode: str) -> None:
    """Work until SIGTERM."""
    printing = threading.Lock()

    def hang(_: str) -> None:
        with printing:  # two chunks may come at once, and their lines must not mix
            print("leased", flush=True)  # noqa: T201  the test waits for it
        threading.Event().wait()

    runner = DbosRunner(url, executor_id)
    source = ToySource(url, executor_id, before=hang if mode == "hang" else None)
    dispatcher = Dispatcher([source], runner, pace=QUICK, listen_url=url)
    with StopSignal().on_signals() as stop:
        runner.start()
        dispatcher.start()
        with printing:
            print("up", flush=True)  # noqa: T201  as above
        stop.wait()
        dispatcher.stop()
        runner.stop(2.0)


if __name__ == "__main__":
    main(*sys.argv[1:])
