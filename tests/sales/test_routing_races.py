"""Many workers: the totals of one, nobody above capacity, every case once, whatever is killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from fairlead.people import Terms
from fairlead.sales.routing import tables as t
from tests.sales.routing_world import Office, asks

ROOT = Path(__file__).resolve().parents[2]
LEADS = 120


def set_up(url: str) -> Office:
    """Two teams that share a person; one has room for less than what comes."""
    office = Office(url)
    office.team("dach", {"Ada": Terms(weight=2), "Bo": Terms(), "Cy": Terms(weight=0.5)})
    office.team("nordics", {"Ada": Terms(open_capacity=10), "Di": Terms(open_capacity=20)})
    return office


def by_team(office: Office) -> dict[tuple[str, str], int]:
    """Current assignments by (team, name); every case is there once."""
    with office.database.reading() as reader:
        rows = list(reader.execute(select(t.assignment).where(t.assignment.c.superseded_at.is_(None))))
    assert len({row.case_id for row in rows}) == len(rows)
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row.team, (row.explanation["person"] or {}).get("name", ""))
        found[key] = found.get(key, 0) + 1
    return found


EXPECTED = {
    ("dach", "Ada"): 46, ("dach", "Bo"): 23, ("dach", "Cy"): 11,
    ("nordics", "Ada"): 10, ("nordics", "Di"): 20, ("nordics", ""): 10,
}  # fmt: skip
"""What one worker makes of 120 leads, two of three for dach: shares of 4 : 2 : 1, the rest by the ids."""


def test_one_worker_gives_what_is_expected(sqlite_url: str) -> None:
    """The yardstick of the tests below."""
    office = set_up(sqlite_url)
    office.give([asks(1, "dach" if n % 3 else "nordics", start=n)[0] for n in range(LEADS)])
    assert by_team(office) == EXPECTED
    office.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_many_workers_give_the_totals_of_one(database_url: str, seed: int) -> None:
    """Eight threads take shuffled chunks of odd sizes, some of them twice; the totals are exactly those of one."""
    office, rng = set_up(database_url), random.Random(seed)
    numbers = list(range(LEADS))
    rng.shuffle(numbers)
    chunks = []
    while numbers:
        size = rng.randint(1, 17)
        chunks.append([asks(1, "dach" if n % 3 else "nordics", start=n)[0] for n in numbers[:size]])
        numbers = numbers[size:]
    chunks += rng.sample(chunks, 2)
    problems: list[BaseException] = []

    def play() -> None:
        try:
            while chunks:
                office.give(chunks.pop())
        except IndexError:
            return
        except BaseException as error:  # noqa: BLE001  raised again below
            problems.append(error)

    threads = [threading.Thread(target=play) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not problems, problems
    assert by_team(office) == EXPECTED
    with office.database.reading() as reader:
        books = list(reader.execute(select(t.pool_credit)))
    assert {sum(row.credit for row in books if row.team_id == team) for team in {row.team_id for row in books}} == {0}
    office.close()


def process(url: str, numbers: list[int], fault: str = "") -> subprocess.Popen[bytes]:
    """A process that gives these leads out by sevens."""
    env = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "FAIRLEAD_FAULT": fault}
    command = [sys.executable, "-m", "tests.sales.routing_world", url, json.dumps(numbers), "7"]
    return subprocess.Popen(command, env=env, cwd=ROOT)


@pytest.mark.slow
def test_killed_in_the_middle_nothing_is_lost_or_given_twice(database_url: str) -> None:
    """Kill -9 with a chunk written and not committed; two heirs at once take up everything from the start."""
    office = set_up(database_url)
    doomed = process(database_url, list(range(LEADS)), "assignment.written:kill:4")
    assert doomed.wait(60) == -signal.SIGKILL
    assert sum(by_team(office).values()) == 21
    heirs = [process(database_url, list(range(LEADS))), process(database_url, list(range(LEADS))[::-1])]
    assert [one.wait(60) for one in heirs] == [0, 0]
    assert by_team(office) == EXPECTED
    office.close()
