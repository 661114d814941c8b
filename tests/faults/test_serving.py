"""A server killed while requests are in flight: what it answered is there once, what it did not can be asked again."""

from __future__ import annotations

import http.client
import json
import random
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from fairlead.kit.actors import SYSTEM
from fairlead.people import create_api_key
from tests.faults.world import Command, World, until

if TYPE_CHECKING:
    from collections.abc import Callable

CALLERS = 6
SCOPES = ("decisions:ask", "decisions:read", "cases:start", "cases:read")
TEAMS = ("dach", "nordics", "americas")


@dataclass
class Load:
    """Callers that ask without pause, each thing under a key of its own, until a 2xx comes for it.

    `answered` holds the id of every 2xx by key, in the order of the answers; a key stands there once for each
    time it was asked again after it had been answered.
    """

    token: str
    port: int = 0
    answered: dict[str, list[str]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    broken: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, caller: int) -> None:
        """One caller's life; every tenth request is sent twice, as after an answer that got lost."""
        for number in range(1_000_000):
            if self.ended.is_set():
                return
            path, body = self.request(caller, number)
            for _ in range(2 if number % 10 == 0 else 1):
                while not self.ended.is_set() and not self.ask(path, body):
                    time.sleep(0.05)

    def request(self, caller: int, number: int) -> tuple[str, dict[str, Any]]:
        """Two decisions for each case."""
        key = f"{caller}-{number}"
        if number % 3:
            answer = {"team": TEAMS[number % 3], "grade": "B"}
            more = {"score": 0.9, "value": 40 * (number % 9), "title": f"Lead {key}", "wait": 0}
            return "/v1/decisions", {
                "checkpoint": "lead-assignment", "proposal": {"answer": answer}, "producer": "bot@1",
                "idempotency_key": key, **more,
            }  # fmt: skip
        customer = {"email": f"c{key}@example.com", "name": f"Caller {caller}"}
        facts = {"name": f"Lead {key}", "country": "DE", "value": 900.0, "reachable_at": f"c{key}@example.com"}
        return "/v1/cases", {
            "playbook": "lead-qualification", "idempotency_key": key, "customer": customer, "facts": facts,
        }  # fmt: skip

    def ask(self, path: str, body: dict[str, Any]) -> bool:
        """One attempt; False when the server was not there, or went away before its answer was whole."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            said = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            with self._lock:
                self.broken += 1
            return False
        finally:
            connection.close()
        with self._lock:
            if answer.status // 100 == 2:
                self.answered.setdefault(f"{path} {body['idempotency_key']}", []).append(said["id"])
            elif answer.status not in {429, 503}:
                self.refused.append(f"{answer.status} {said}")
                return True
        return answer.status // 100 == 2

    def of(self, path: str) -> dict[str, str]:
        """The id of each thing that was answered for this path, by key."""
        return {key.split()[1]: ids[0] for key, ids in self.answered.items() if key.startswith(f"{path} ")}


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def serve(world: World, load: Load) -> Command:
    """A server that listens, as it says itself."""
    load.port = free_port()
    server = world.start("serve", "--port", str(load.port))
    until(lambda: server.stdout.exists() and server.stderr.exists())  # the child opens them
    until(lambda: "The desk is at" in server.said() or server.poll() is not None, 60, server.said)
    assert server.poll() is None, server.said()
    return server


def rows(world: World, sql: str) -> list[tuple[Any, ...]]:
    """What a query gives."""
    with world.database() as database, database.raw() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def loaded(world: World, kills: int, between: Callable[[random.Random], int]) -> Load:
    """Kill a server under load again and again, `between` gives after how many further answers; then let it rest."""
    rng = random.Random(11)
    with world.database() as database, database.transaction() as uow:
        made = create_api_key(
            uow, SYSTEM, name="load", scopes=SCOPES, checkpoints=["*"], max_value_minor=None, flags=[]
        )
    load = Load(made.text)
    server = serve(world, load)
    callers = [threading.Thread(target=load.call, args=(one,), daemon=True) for one in range(CALLERS)]
    for caller in callers:
        caller.start()
    try:
        for _ in range(kills):
            goal = len(load.answered) + between(rng)
            until(lambda goal=goal: len(load.answered) >= goal, 90, server.said)  # type: ignore[misc]
            server.kill()
            server = serve(world, load)
        goal = len(load.answered) + 30
        until(lambda: len(load.answered) >= goal, 90, server.said)
    finally:
        load.ended.set()
        for caller in callers:
            caller.join(60)
        server.kill()
    return load


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_server_killed_under_load(world: World) -> None:
    """After each kill -9 every request that was answered 2xx has its rows exactly once; the record verifies."""
    load = loaded(world, kills=3, between=lambda rng: rng.randint(20, 60))
    assert load.refused == []
    assert load.broken, "no request was under way when the server was killed"
    repeated = [ids for ids in load.answered.values() if len(ids) > 1]
    assert repeated
    assert all(len(set(ids)) == 1 for ids in repeated), "the same key gave two things"

    decisions, cases = load.of("/v1/decisions"), load.of("/v1/cases")
    assert len(decisions) > 40
    assert len(cases) > 20
    mine = rows(world, "SELECT id, decision_key, path FROM ruling WHERE decision_key LIKE 'key\\_%' ESCAPE '\\'")
    assert set(decisions.values()) <= {row[0] for row in mine}
    assert len({row[1] for row in mine}) == len(mine)
    asked = dict(rows(world, "SELECT ruling_id, count(*) FROM decision_request GROUP BY ruling_id"))
    assert {asked.get(one) for one in decisions.values()} == {1}
    settled = {row[0] for row in rows(world, "SELECT ruling_id FROM decision")}
    reviews = dict(rows(world, "SELECT ruling_id, count(*) FROM review GROUP BY ruling_id"))
    for ruling, _, path in mine:  # each is decided or waits for a person, once
        assert (ruling in settled) == (path in {"auto", "blocked"}), ruling
        assert path == "auto" or reviews.get(ruling, 0) == (path != "blocked"), ruling

    opened = rows(world, "SELECT subject, count(*) FROM audit_entry WHERE verb = 'case.opened' GROUP BY subject")
    times = dict(opened)
    assert {times.get(one) for one in cases.values()} == {1}
    stored = {row[0] for row in rows(world, "SELECT id FROM playbook_case")}
    assert set(cases.values()) <= stored
    # Whoever was not answered has one request in doubt at most: the one that was under way at the end.
    assert len(stored) <= len(cases) + CALLERS
    world.work_until_rest(120)
    world.check()
