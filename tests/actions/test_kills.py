"""kill -9 of a worker around the gate: nothing is sent twice, no place is lost, no opt-out is passed over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import text

from fairlead.audit import Trail
from fairlead.kit.clock import SystemClock
from fairlead.kit.database import Database
from tests.actions.sending import Outbox

ROOT = Path(__file__).resolve().parents[2]
MESSAGES = 4
RULES = """\
purposes:
  sales: {class: promotional, mechanism: opt_out}
caps:
  - {name: one, most: 1, per: 30d}
"""


def work(url: str, folder: Path, fault: str = "") -> int:
    """A worker of its own; its status."""
    env = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "FAIRLEAD_FAULT": fault}
    command = [sys.executable, "-m", "tests.actions.sender", url, str(folder)]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr[-2_000:]
    return done.returncode


def let_leases_run_out(database: Database) -> None:
    """As if ten minutes had gone by."""
    with database.raw() as connection:
        held = "UPDATE outbox SET lease_until = 1, ready_at = 1 WHERE lease_token IS NOT NULL"
        connection.execute(text(held))


def delivered(folder: Path) -> Counter[str]:
    """How often each key went out."""
    file = folder / "deliveries.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return Counter(json.loads(line)["key"] for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize("point", ["action.allowed", "action.delivered", "action.recorded"])
def test_killed_around_the_gate(database_url: str, tmp_path: Path, point: str) -> None:
    """At the second message: after its place was taken, after it went out, after that was written down.

    Each customer then gets exactly one message though two are queued and the cap is one, but for the one who opted out
    while the dead worker held the message: that customer gets no further one.
    """
    database = Database(database_url, clock=SystemClock(), trail=Trail())
    outbox = Outbox.__new__(Outbox)  # on the machine's own clock
    outbox.database = database
    outbox.rules(RULES)
    people = [outbox.customer(f"p{n}@a.example") for n in range(MESSAGES)]
    ids = [outbox.queue(f"first/{n}", one) for n, one in enumerate(people)]
    count = 2 if point != "action.recorded" else 1
    assert work(database_url, tmp_path, f"{point}:kill:{count}") == -signal.SIGKILL
    went = delivered(tmp_path)
    outbox.opt_out(people[-1])
    last_before = went["first/3"]
    let_leases_run_out(database)
    more = [outbox.queue(f"second/{n}", one) for n, one in enumerate(people)]
    assert work(database_url, tmp_path) == 0
    let_leases_run_out(database)
    assert work(database_url, tmp_path) == 0
    went = delivered(tmp_path)
    assert max(went.values()) == 1
    assert [went[f"first/{n}"] + went[f"second/{n}"] for n in range(MESSAGES)] == [1, 1, 1, last_before]
    places = outbox.places()
    assert {places[f"first/{n}"] for n in range(MESSAGES - 1)} == {"accepted"}
    states = {outbox.action(one).state.value for one in ids[:-1]}
    assert states == {"sent"}
    assert outbox.action(ids[-1]).state.value in ({"sent"} if last_before else {"refused"})
    assert {outbox.action(one).state.value for one in more} <= {"held", "refused"}
    database.close()
