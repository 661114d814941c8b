"""A worker killed in the middle of a chunk of calls: what was stored is never asked for again."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.faults.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

STEP = """
import http.client

@step("look-up@1", kind="io")
def look_up(case):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
    try:
        connection.request("GET", "/" + case.case_id)
        return {"looked_up": connection.getresponse().read().decode()}
    finally:
        connection.close()
"""
STAGE = """start: look-up
stages:
  look-up:
    step: look-up@1
    max_batch: 2
    concurrency: 3
    next: score
"""


class CountingServer(ThreadingHTTPServer):
    """Counts calls by path."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: Counter[str] = Counter()
        self.lock = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    server: CountingServer

    def do_GET(self) -> None:
        """Count, and answer something of this case alone."""
        with self.server.lock:
            self.server.calls[self.path[1:]] += 1
        body = f"answer for {self.path[1:]}".encode()
        try:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            return  # the caller was killed

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def counting() -> Iterator[CountingServer]:
    """A server on a free port of the loopback."""
    server = CountingServer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def look_up_first(world: World, port: int) -> None:
    """Let every lead be looked up over HTTP before it is scored."""
    file = world.folder / "playbooks" / "lead-qualification.yaml"
    whole = file.read_text(encoding="utf-8")
    assert "start: score\nstages:\n" in whole
    file.write_text(whole.replace("start: score\nstages:\n", STAGE), encoding="utf-8")
    (world.folder / "steps").mkdir()
    (world.folder / "steps" / "look_up.py").write_text(STEP.replace("PORT", str(port)), encoding="utf-8")


def stored(world: World) -> set[str]:
    """Cases whose call is stored."""
    with world.database() as database, database.raw() as connection:
        return {row[0] for row in connection.execute(text("SELECT case_id FROM step_result"))}


def killed_among_calls(world: World, faults: list[str], rows: int) -> None:
    """Kill at each of `faults`, run to the end, and compare what was asked with what was stored."""
    with counting() as server:
        look_up_first(world, server.server_port)
        file = world.leads(rows)
        known: dict[str, int] = {}
        for fault in faults:
            doomed = world.run(file, fault=fault)
            assert doomed.wait() in {-signal.SIGKILL, 0}, doomed.said()  # 0: it came by less often
            known |= {case_id: server.calls[case_id] for case_id in stored(world) if case_id not in known}
            world.let_leases_run_out()
        assert known, "nothing was stored before a kill"
        heir = world.run(file)
        assert heir.wait() == 0, heir.said()
        world.work_until_rest()

        assert {case_id: server.calls[case_id] for case_id in known} == known
        assert set(server.calls) == stored(world)
        assert len(server.calls) == rows
        # Three batches of two may have been under way at each kill; their answers came too late to be stored.
        assert sum(server.calls.values()) <= rows + 6 * len(faults)
        assert world.count("SELECT count(*) FROM playbook_case WHERE stage = 'look-up'") == 0
        world.check()


def test_no_stored_call_is_repeated(sqlite_world: World) -> None:
    """Killed right after results were stored, and right before the cases that have them were moved."""
    killed_among_calls(sqlite_world, ["io.stored:kill:2", "chunk.before_move:kill:2"], rows=24)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("visit", [1, 4, 7])
def test_no_stored_call_is_repeated_anywhere(world: World, visit: int) -> None:
    """On both databases, at several moments of the same chunk."""
    killed_among_calls(world, [f"{point}:kill:{visit}" for point in ("io.stored", "chunk.committed")], rows=60)
