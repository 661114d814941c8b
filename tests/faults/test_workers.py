"""Several workers on one database: killed, stopped beyond their lease, and a Postgres that goes away."""

from __future__ import annotations

import random
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.faults.test_kills import accounted
from tests.faults.world import World, Zygote, found, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fairlead.testing.postgres import EmbeddedPostgres


@pytest.fixture
def own_world(own_server: EmbeddedPostgres, tmp_path: Path, zygote: Zygote) -> Iterator[World]:
    """A company on a Postgres of its own."""
    url = own_server.create_database("fairlead")
    found(tmp_path / "co", url)
    world = World(tmp_path / "co", zygote, url)
    yield world
    world.end()


def kill_workers(world: World, seed: int, kills: int, rows: int) -> None:
    """Two workers beside an import; one of the three is killed and replaced, over and over."""
    rng = random.Random(seed)
    file = world.leads(rows)
    alive = [world.start("worker"), world.start("worker"), world.run(file)]
    for _ in range(kills):
        time.sleep(rng.uniform(0.3, 1.5))
        victim = rng.randrange(len(alive))
        alive[victim].kill()
        alive[victim] = world.run(file) if victim == 2 else world.start("worker")
    for command in alive:
        command.kill()
    world.let_leases_run_out()
    assert world.run(file).wait(120) == 0
    world.work_until_rest(120)
    accounted(world, {file: rows})
    world.work_until_rest()
    world.check()


def test_workers_killed_during_an_import(postgres_world: World) -> None:
    """Three kills among two workers and the import."""
    kill_workers(postgres_world, seed=5, kills=3, rows=120)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_workers_killed_often_during_an_import(postgres_world: World) -> None:
    """Ten kills over a larger file."""
    kill_workers(postgres_world, seed=6, kills=10, rows=800)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("point", ["chunk.leased", "chunk.committed"])
def test_a_late_write_is_dropped(postgres_world: World, point: str) -> None:
    """A process sleeps beyond its lease, another one does its work, and what it writes on waking
    changes nothing.

    On Postgres: a sleeper on SQLite may hold the one lock that everybody needs, and then nobody works.
    """
    world = postgres_world
    sleeper = world.run(world.leads(40), fault=f"{point}:stop:1")
    until(lambda: is_stopped(sleeper.pid), 60, sleeper.said)
    heir = world.start("worker")
    until(lambda: heir.poll() is not None or world.at_rest(), 60, heir.said)  # FAIRLEAD_LEASE_S is 5
    before = decided(world)

    sleeper.send(signal.SIGCONT)

    assert sleeper.wait() == 0, sleeper.said()
    heir.kill()
    world.work_until_rest()
    world.check()
    assert decided(world) >= before


def decided(world: World) -> int:
    """Rulings that were made."""
    return world.count("SELECT count(*) FROM ruling")


def is_stopped(pid: int) -> bool:
    """Whether SIGSTOP took effect."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:  # noqa: PTH123  /proc is no place for a Path
        return stat.read().rpartition(")")[2].split()[0] == "T"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_postgres_goes_away_under_load(own_world: World, own_server: EmbeddedPostgres) -> None:
    """Stopped, started, killed and started while two workers and an import are at it; the workers live on."""
    file = own_world.leads(400)
    workers = [own_world.start("worker"), own_world.start("worker")]
    listening = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'"
    until(lambda: own_world.count(listening) == len(workers), 60)
    importing = own_world.run(file)
    for end in (own_server.stop, own_server.kill):
        until(lambda: own_world.count("SELECT count(*) FROM lead") > 0, 60, importing.said)
        end()
        own_server.start()
        if importing.wait(120):
            assert "database" in importing.said()
            assert "Traceback" not in importing.said()
        importing = own_world.run(file)
    assert importing.wait(120) == 0, importing.said()
    for worker in workers:
        assert worker.poll() is None, worker.said()
    until(own_world.at_rest, 90, lambda: "".join(worker.said() for worker in workers))
    for worker in workers:
        worker.send(signal.SIGTERM)
        assert worker.wait() == 0, worker.said()

    accounted(own_world, {file: 400})
    own_world.work_until_rest()
    own_world.check()
