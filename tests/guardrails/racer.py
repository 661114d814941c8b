"""Senders that race for places: `python -m tests.guardrails.racer PLAN` forks them and kills some of them.

A sender asks the gate, writes `begin KEY` and `sent KEY` into one log (the outside world), and says what became of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from fairlead import guardrails
from fairlead.audit import Trail
from fairlead.customers import withdraw_all
from fairlead.errors import UnavailableError
from fairlead.guardrails import Attempt
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.database import Database
from fairlead.kit.unit_of_work import UnitOfWork

T = TypeVar("T")
ACTOR = Actor(ActorKind.SYSTEM, "racer")


@dataclass(frozen=True)
class Plan:
    """Who races for what. `kills` workers die by kill -9, each with an heir that does all of its work anew."""

    url: str
    folder: str
    customers: list[str]
    workers: int
    attempts: int
    kills: int
    storm: list[str]
    shared: int
    seed: int

    def keys(self, worker: int) -> list[tuple[str, str]]:
        """(key, customer) in the order in which this worker asks; some keys are everybody's."""
        rng = random.Random(f"{self.seed}/{worker}")
        own = [(f"w{worker}-{n}", rng.choice(self.customers)) for n in range(self.attempts // self.workers)]
        both = [(f"s{n}", self.customers[n % len(self.customers)]) for n in range(self.shared)]
        every = own + both
        rng.shuffle(every)
        return every


class Sender:
    """One process of its own."""

    def __init__(self, plan: Plan, name: str) -> None:
        """Opens the database and the log of the outside world."""
        self.plan = plan
        self.database = Database(plan.url, trail=Trail())
        self.world = os.open(Path(plan.folder) / "world.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
        self.rng = random.Random(f"{plan.seed}/{name}")

    def ready(self, name: str) -> None:
        """Say so, and wait at the barrier."""
        with self.database.reading() as reader:
            guardrails.current_rules(reader)
        (Path(self.plan.folder) / f"ready-{name}").touch()
        while not (Path(self.plan.folder) / "go").exists():
            time.sleep(0.005)

    def send_all(self, worker: int) -> None:
        """Ask for each key, send what may go out, say what became of it; one in four was not sent after all."""
        for key, customer in self.plan.keys(worker):
            attempt = Attempt(key, customer, "email", "", "sales", "campaign")
            answer = self._patiently(lambda uow, a=attempt: guardrails.pass_gate(uow, a))
            if answer.verdict != "allowed":
                continue
            fate = (
                "accepted" if key.startswith("s") else self.rng.choice(["accepted", "not_sent", "unknown", "accepted"])
            )
            if fate != "not_sent":
                os.write(self.world, f"begin {key} {customer}\n".encode())
                os.write(self.world, f"sent {key} {customer}\n".encode())
            self._patiently(lambda uow, k=key, f=fate: guardrails.settle_contact(uow, k, f))

    def storm(self) -> None:
        """Opt customers out, one after the other, all over the race."""
        for customer in self.plan.storm:
            time.sleep(self.rng.uniform(0, 0.4))
            self._patiently(lambda uow, c=customer: withdraw_all(uow, ACTOR, c, source="storm", mechanism="link"))

    def _patiently(self, call: Callable[[UnitOfWork], T]) -> T:
        """Once more where the database was busy for too long: nothing was stored then, as with any courier."""
        for _ in range(20):
            with contextlib.suppress(UnavailableError), self.database.transaction() as uow:
                return call(uow)
        message = "the database stayed busy"
        raise UnavailableError(message)


def fork(plan: Plan, name: str, worker: int | None) -> int:
    """Start a sender, or with None the storm; its process id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        sender = Sender(plan, name)
        sender.ready(name)
        sender.storm() if worker is None else sender.send_all(worker)
        code = 0
    finally:
        sys.stdout.flush()
        os._exit(code)


def race(plan: Plan) -> dict[str, int]:
    """Fork all, release them together, kill, put heirs in place, and wait for the end."""
    rng = random.Random(plan.seed)
    folder = Path(plan.folder)
    running = {fork(plan, f"w{worker}", worker): worker for worker in range(plan.workers)}
    storm = fork(plan, "storm", None) if plan.storm else None
    names = [f"w{worker}" for worker in range(plan.workers)] + (["storm"] if storm else [])
    while not all((folder / f"ready-{name}").exists() for name in names):
        time.sleep(0.01)
    (folder / "go").touch()
    started, killed, shots = time.monotonic(), 0, 0
    failed = 0
    while running:
        if shots < plan.kills:
            time.sleep(rng.uniform(0.02, 0.3))
            shots += 1
            with contextlib.suppress(ProcessLookupError):  # one that has ended meanwhile is not reaped yet
                os.kill(rng.choice(list(running)), signal.SIGKILL)
        pid, status = os.waitpid(-1, 0 if shots >= plan.kills else os.WNOHANG)
        if pid in running:
            worker = running.pop(pid)
            if os.WIFSIGNALED(status):
                killed += 1
                running[fork(plan, f"w{worker}-heir{killed}", worker)] = worker
            else:
                failed += os.waitstatus_to_exitcode(status) != 0
        elif pid and pid == storm:
            failed += os.waitstatus_to_exitcode(status) != 0
            storm = None
    seconds = time.monotonic() - started
    if storm:
        failed += os.waitstatus_to_exitcode(os.waitpid(storm, 0)[1]) != 0
    return {"killed": killed, "failed": failed, "milliseconds": int(seconds * 1_000)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(race(Plan(**json.loads(sys.argv[1])))))
