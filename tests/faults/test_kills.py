"""kill -9 of `fairlead run` and of workers: at every fault point, and at moments that a seed picks."""

from __future__ import annotations

import random
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.faults.world import World

if TYPE_CHECKING:
    from pathlib import Path

RUN_POINTS = ("import.batch", "chunk.leased", "chunk.before_move", "chunk.committed", "audit.sealed")
WORK_POINTS = ("action.leased", "action.delivered", "action.recorded", "events.handled", "audit.sealed")
ROWS = 30


def accounted(world: World, files: dict[Path, int]) -> None:
    """Run every file once more: each row is known, nothing is added, and every lead is there once."""
    leads = world.count("SELECT count(*) FROM lead")
    for file, rows in files.items():
        again = world.run(file)
        assert again.wait() == 0, again.said()
        answer = again.answer()
        assert answer["rows"] == rows
        assert answer["duplicate"] == rows
    assert world.count("SELECT count(*) FROM lead") == leads
    assert world.count("SELECT count(*) FROM playbook_case WHERE playbook = 'lead-qualification'") == leads
    assert world.count("SELECT count(DISTINCT fingerprint) FROM lead") == leads


def test_killed_at_every_point_and_run_again(sqlite_world: World) -> None:
    """One company, one kill -9 at each point of import and engine; the next run of the file completes it."""
    files = {}
    for number, point in enumerate(RUN_POINTS):
        file = sqlite_world.leads(ROWS, start=number * ROWS)
        files[file] = ROWS
        doomed = sqlite_world.run(file, fault=f"{point}:kill:1")
        assert doomed.wait() == -signal.SIGKILL, doomed.said()
        sqlite_world.check(resting=False)
        sqlite_world.let_leases_run_out()
        heir = sqlite_world.run(file)
        assert heir.wait() == 0, heir.said()
        ready = sqlite_world.count("SELECT count(*) FROM playbook_case WHERE hops < 2")
        assert ready == 0, "the run ended and left rows behind that the killed one had taken in"

    last = {file: ROWS}
    accounted(sqlite_world, last)
    assert sqlite_world.count("SELECT count(*) FROM lead") == ROWS * len(files)
    sqlite_world.work_until_rest()
    sqlite_world.check()


def die_at(world: World, point: str, file: Path) -> None:
    """Let a run of the file, or else the worker after it, be killed at a point of the outbox."""
    doomed = world.run(file, fault=f"{point}:kill:1")
    if doomed.wait() == 0:
        doomed = world.start("worker", fault=f"{point}:kill:1")
    assert doomed.wait() == -signal.SIGKILL, doomed.said()


def test_killed_around_deliveries(sqlite_world: World) -> None:
    """Killed after lease, delivery, record and event; each effect is there once all the same."""
    for number, point in enumerate(WORK_POINTS):
        die_at(sqlite_world, point, sqlite_world.leads(20, start=number * 20))
        sqlite_world.check(resting=False)
        sqlite_world.let_leases_run_out()

    sqlite_world.work_until_rest()
    sqlite_world.check()
    assert sqlite_world.count("SELECT count(*) FROM action WHERE state = 'sent'") > 5
    assert sqlite_world.count("SELECT count(*) FROM playbook_case WHERE stage = 'assigned'") > 5


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("visit", [1, 3])
@pytest.mark.parametrize("point", RUN_POINTS)
def test_killed_at_a_point(world: World, point: str, visit: int) -> None:
    """On both databases, at the first and at a later visit of the point."""
    file = world.leads(80)
    doomed = world.run(file, fault=f"{point}:kill:{visit}")
    assert doomed.wait() in {-signal.SIGKILL, 0}, doomed.said()  # 0: the point has fewer visits
    world.let_leases_run_out()

    world.work_until_rest()
    again = world.run(file)

    assert again.wait() == 0, again.said()
    world.work_until_rest()
    accounted(world, {file: 80})
    world.check()


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("point", WORK_POINTS)
def test_worker_killed_at_a_point(world: World, point: str) -> None:
    """On both databases, each time a worker comes by, until there is nothing left to do."""
    for number in range(2):
        die_at(world, point, world.leads(60, start=number * 60))
        world.let_leases_run_out()
    world.work_until_rest()
    world.check()


def kill_again_and_again(world: World, seed: int, kills: int, rows: int) -> None:
    """A run of one file and a worker beside it, killed after a time that the seed picks, over and over."""
    rng = random.Random(seed)
    file = world.leads(rows)
    for number in range(kills):
        alive = [world.run(file)] if number % 3 else [world.run(file), world.start("worker")]
        time.sleep(rng.uniform(0.05, 1.6))
        for command in rng.sample(alive, len(alive)):
            command.kill()
        if number % 4 == 3:
            world.let_leases_run_out()
            world.check(resting=False)
    world.let_leases_run_out()
    assert world.run(file).wait(120) == 0
    world.work_until_rest(120)
    accounted(world, {file: rows})
    world.work_until_rest()
    world.check()


@pytest.mark.slow
def test_killed_at_random_moments(sqlite_world: World) -> None:
    """Five kills at seeded moments, then one run to the end."""
    kill_again_and_again(sqlite_world, seed=1, kills=5, rows=150)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [11, 12])
def test_killed_at_many_random_moments(world: World, seed: int) -> None:
    """Ten kills a seed on each database."""
    kill_again_and_again(world, seed=seed, kills=10, rows=600)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 110))
def test_killed_for_a_long_time(world: World, seed: int) -> None:
    """Sixty kills a seed over a larger file."""
    kill_again_and_again(world, seed=seed, kills=60, rows=5_000)
