"""Real processes racing for the last place of a cap, some killed, customers opting out: no promise is broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from fairlead.audit import Trail
from fairlead.guardrails import expire_reservations, stale_reservations
from fairlead.kit.clock import SystemClock
from fairlead.kit.database import Database
from tests.guardrails.desk import Desk
from tests.guardrails.oracle import begun, violations
from tests.guardrails.racer import Plan

ROOT = Path(__file__).resolve().parents[2]
MOST = 3
RULES = f"""\
purposes:
  sales: {{class: promotional, mechanism: opt_out}}
caps:
  - {{name: race, most: {MOST}, per: 30d}}
"""


def prepared(url: str, customers: int) -> tuple[Database, list[str]]:
    """Customers with one place left each."""
    database = Database(url, clock=SystemClock(), trail=Trail())
    desk = Desk(database)
    desk.deploy(RULES)
    people = [desk.customer(f"p{n}@example.test") for n in range(customers)]
    for one in people:
        for n in range(MOST - 1):
            assert desk.ask(f"first-{one}-{n}", one).verdict == "allowed"
            desk.settle(f"first-{one}-{n}", "accepted")
    return database, people


def raced(plan: Plan, timeout: float) -> dict[str, int]:
    """Run the race in processes of their own."""
    Path(plan.folder).mkdir(exist_ok=True)
    env = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    command = [sys.executable, "-m", "tests.guardrails.racer", json.dumps(asdict(plan))]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    return dict(json.loads(done.stdout))


def settled(database: Database, world: Path) -> None:
    """What killed senders left: given back only where the delivery never began."""
    started = begun(world)
    while True:
        with database.transaction() as uow:
            stale = stale_reservations(uow, uow.now, 200)
            expire_reservations(uow, stale, {key for key in stale if key not in started})
        if len(stale) < 200:
            return


def test_few_senders_never_pass_the_cap(database_url: str, tmp_path: Path) -> None:
    """Four processes, one killed, for the last place of three customers, one of whom opts out meanwhile."""
    database, people = prepared(database_url, 3)
    plan = Plan(database_url, str(tmp_path / "race"), people, 4, 80, 1, people[:1], 4, seed=1)
    ended = raced(plan, 100)
    assert (ended["killed"], ended["failed"]) == (1, 0)
    world = tmp_path / "race" / "world.log"
    world.touch()
    settled(database, world)
    assert violations(database, world, MOST) == []
    database.close()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_senders_never_pass_the_cap(database_url: str, tmp_path: Path) -> None:
    """16 processes, 10,000 attempts on last places, 12 kill -9 in between, a storm of opt-outs: 0 violations."""
    database, people = prepared(database_url, 40)
    plan = Plan(database_url, str(tmp_path / "race"), people, 16, 10_000, 12, people[::2], 40, seed=7)
    ended = raced(plan, 800)
    assert ended["failed"] == 0
    assert ended["killed"] >= 8
    world = tmp_path / "race" / "world.log"
    settled(database, world)
    assert violations(database, world, MOST) == []
    sent = world.read_text().count("sent ")
    assert sent >= 20
    database.close()
