"""A company in a folder and a database, with real processes that work on it and get killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from fairlead.audit import Signer, Trail, read_heads, seal_all
from fairlead.checkpoints import Grant, Level, set_grant
from fairlead.commands.common import operator
from fairlead.commands.workspaces import deploy_here, make_workspace
from fairlead.kit.clock import from_micros
from fairlead.kit.database import Database
from fairlead.schema import create_schema
from fairlead.settings import load_settings
from fairlead.testing.company import write_leads
from fairlead.testing.oracle import check_world
from fairlead.worker import open_runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOK = "lead-qualification"
QUICK = {
    "FAIRLEAD_LEASE_S": "5",
    "FAIRLEAD_SWEEP_INTERVAL_MS": "50",
    "FAIRLEAD_CHUNK_SIZE": "20",
    "FAIRLEAD_EMBEDDED": "1",
}


class Zygote:
    """Forks `fairlead` commands without importing anything again."""

    def __init__(self) -> None:
        """The one slow start."""
        path = os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": path}
        command = [sys.executable, "-m", "tests.faults.zygote"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=ROOT)
        self._lock = threading.Lock()

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """One request, one answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            return dict(json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """Let it end."""
        self._process.communicate(timeout=30)


@dataclass
class Command:
    """A `fairlead` command that runs as a process of its own."""

    zygote: Zygote
    pid: int
    stdout: Path
    stderr: Path
    status: int | None = None

    def poll(self) -> int | None:
        """Its exit status, minus the signal that killed it, None while it runs."""
        if self.status is None:
            self.status = self.zygote.ask({"poll": self.pid})["status"]
        return self.status

    def wait(self, seconds: float = 60.0) -> int:
        """Its exit status; whoever has not ended by then is killed and fails the test."""
        deadline = time.monotonic() + seconds
        while self.poll() is None:
            if time.monotonic() > deadline:
                self.send(signal.SIGKILL)
                raise AssertionError(f"did not end in {seconds:g} s:\n{self.said()}")
            time.sleep(0.005)
        assert self.status is not None
        return self.status

    def send(self, what: signal.Signals) -> None:
        """A signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, what)

    def kill(self) -> None:
        """As kill -9 does; returns when it is gone."""
        self.send(signal.SIGKILL)
        self.wait()

    def said(self) -> str:
        """Everything it wrote so far, answers first."""
        return self.stdout.read_text(encoding="utf-8") + self.stderr.read_text(encoding="utf-8")

    def answer(self) -> dict[str, Any]:
        """The JSON that it printed."""
        return dict(json.loads(self.stdout.read_text(encoding="utf-8")))


@dataclass
class World:
    """A workspace folder `co`, its database, and the commands that were started on it."""

    folder: Path
    zygote: Zygote
    url: str = ""
    environment: dict[str, str] = field(default_factory=lambda: dict(QUICK))
    started: list[Command] = field(default_factory=list)
    file_limit: int | None = None
    """Bytes that a file of its commands may have."""
    scratch: Path | None = None
    """Where files of leads and what commands say are kept; None = beside the folder."""

    @property
    def data(self) -> Path:
        """Keys, heads and deliveries."""
        return self.folder / ".fairlead"

    @property
    def beside(self) -> Path:
        """See `scratch`."""
        return self.scratch or self.folder.parent

    def start(self, *args: str, fault: str = "", **environment: str) -> Command:
        """`fairlead ARGS --workspace co`; `fault` is where it is to die, see kit/faults."""
        number = len(self.started)
        out, err = self.beside / f"{number}.out", self.beside / f"{number}.err"
        settings = {**self.environment, **environment, "FAIRLEAD_FAULT": fault}
        settings["FAIRLEAD_DATABASE_URL"] = self.url
        request = {"args": [*args, "--workspace", str(self.folder)], "env": settings}
        request |= {"stdout": str(out), "stderr": str(err), "file_limit": self.file_limit}
        reply = self.zygote.ask(request)
        self.started.append(Command(self.zygote, reply["pid"], out, err))
        return self.started[-1]

    def run(self, file: Path, fault: str = "", playbook: str = PLAYBOOK) -> Command:
        """`fairlead run PLAYBOOK --input FILE --json`, started."""
        return self.start("run", playbook, "--input", str(file), "--json", fault=fault)

    def leads(self, count: int, start: int = 0) -> Path:
        """A file of made-up leads; `start` numbers the first, so that files do not overlap."""
        path = self.beside / f"leads-{start}-{count}.csv"
        write_leads(path, count, start=start)
        return path

    @contextmanager
    def database(self) -> Iterator[Database]:
        """The database, opened by the test."""
        database = Database(self.url or f"sqlite:///{self.data / 'fairlead.db'}", trail=Trail())
        try:
            yield database
        finally:
            database.close()

    def count(self, sql: str) -> int:
        """The one number that a query gives."""
        with self.database() as database, database.raw() as connection:
            return int(connection.execute(text(sql)).scalar_one())

    def let_leases_run_out(self) -> None:
        """As if a minute had gone by: whatever dead processes held may be taken now. All must be dead."""
        assert all(command.poll() is not None for command in self.started)
        with self.database() as database, database.raw() as connection:
            connection.execute(text("UPDATE playbook_case SET lease_until = 1 WHERE lease_token IS NOT NULL"))
            held = "UPDATE outbox SET lease_until = 1, ready_at = 1 WHERE lease_token IS NOT NULL"
            connection.execute(text(held))

    def work_until_rest(self, seconds: float = 60.0) -> None:
        """Let a worker finish everything that is due, then tell it to stop; it must end well.

        Nothing is started when nothing is due: such a worker might be told to stop before it listens.
        """
        self.let_leases_run_out()
        if self.at_rest():
            return
        worker = self.start("worker")
        until(lambda: worker.poll() is not None or self.at_rest(), seconds, worker.said)
        worker.send(signal.SIGTERM)
        assert worker.wait() == 0, worker.said()

    def at_rest(self) -> bool:
        """Whether nothing is left to do now."""
        now = time.time_ns() // 1000 + 1_000_000  # what was made while we asked is due, too
        return not self.count(
            f"SELECT (SELECT count(*) FROM playbook_case WHERE state = 'ready' AND due_at <= {now})"
            f" + (SELECT count(*) FROM outbox) + (SELECT count(*) FROM event"
            f" WHERE handled_at IS NULL AND due_at <= {now})"
        )

    def check(self, *, resting: bool = True) -> None:
        """Seal, then let the oracle judge everything."""
        signer = Signer.load(self.data / "audit_key.pem", create=False)
        with self.database() as database:
            seal_all(database, signer, self.data / "audit-heads.jsonl")
            check_world(
                database,
                public_key=signer.public_key,
                heads=read_heads(self.data / "audit-heads.jsonl"),
                deliveries=self.data / "deliveries.jsonl",
                resting=resting,
            )

    def end(self) -> None:
        """Kill whatever still runs."""
        for command in self.started:
            command.kill()


def found(folder: Path, url: str = "") -> None:
    """Make a company whose machine may act alone on small deals, and propose on medium ones."""
    make_workspace(folder, "Fault test")
    settings = load_settings(workspace=folder, database_url=url or None, embedded=True)
    create_schema(settings.database_url)
    with open_runtime(settings, durable=False) as runtime:
        deploy_here(runtime)
        with runtime.database.transaction() as uow:
            version = runtime.library.current(uow).policies["lead-assignment"].version
            until = from_micros(4_000_000_000_000_000)
            for segment, level, threshold in (("small", Level.AUTO, 0.3), ("medium", Level.ASSIST, None)):
                grant = Grant("", "lead-assignment", segment, "lead-rules@1", level, version, until, threshold)
                set_grant(uow, operator(), "admin", grant, {"note": "for the test"})
        runtime.seal()


def until(condition: Callable[[], bool], seconds: float = 60.0, story: Callable[[], str] = lambda: "") -> None:
    """Wait for `condition`; how long it took is no part of any promise."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it never came true\n{story()}"
        time.sleep(0.02)
