"""A disk that is full, a database that another process holds, and one that cannot be written."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.test_kills import accounted
from tests.faults.world import World, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.world import Command, Zygote


@pytest.fixture
def small_disk(company: Path, tmp_path: Path, zygote: Zygote) -> Iterator[World]:
    """The company on a disk of its own with little room left."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "fairlead-test", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("this test mounts a small tmpfs, which needs root and leave to mount")
    shutil.copytree(company, disk / "co")
    world = World(disk / "co", zygote, scratch=tmp_path)
    try:
        yield world
        world.end()
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def remount(world: World, options: str) -> None:
    """Change the disk under the world."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(world.folder.parent)], check=True)


def refused(command: Command) -> str:
    """It ended with a status of our own and one sentence, not with a traceback; the sentence."""
    assert command.wait(90) == 1, command.said()
    said = command.said()
    assert "Traceback" not in said
    assert "error" in said
    return said


@pytest.mark.slow
def test_a_full_disk_stops_the_run_and_room_lets_it_go_on(small_disk: World) -> None:
    """Out of room in the middle of an import: a sentence, status 1, whole rows only; with room it
    is completed.
    """
    file = small_disk.leads(1_500)

    assert "full" in refused(small_disk.run(file))

    remount(small_disk, "size=200m")
    small_disk.let_leases_run_out()
    small_disk.check(resting=False)
    again = small_disk.run(file)
    assert again.wait(120) == 0, again.said()
    accounted(small_disk, {file: 1_500})
    small_disk.work_until_rest(120)
    small_disk.check()


def test_a_disk_that_became_read_only(small_disk: World) -> None:
    """Nothing can be written: a sentence and status 1; writable again, all is as it was."""
    remount(small_disk, "size=100m,ro")
    command = small_disk.start("check")
    assert command.wait() == 0, command.said()  # only looks at files

    said = refused(small_disk.start("deploy"))

    assert "database" in said or "key" in said
    remount(small_disk, "rw")
    small_disk.check()
    run = small_disk.run(small_disk.leads(5))
    assert run.wait() == 0, run.said()


def test_no_file_may_grow(sqlite_world: World) -> None:
    """A limit on the size of files acts like a full disk: whole rows are in or out, and the next
    run goes on.
    """
    sqlite_world.file_limit = (sqlite_world.data / "fairlead.db").stat().st_size + 200_000
    file = sqlite_world.leads(200)
    refused(sqlite_world.run(file))

    sqlite_world.file_limit = None
    sqlite_world.let_leases_run_out()
    sqlite_world.check(resting=False)
    again = sqlite_world.run(file)
    assert again.wait() == 0, again.said()
    sqlite_world.work_until_rest()
    sqlite_world.check()


def has_open(command: Command, world: World) -> bool:
    """Whether the command has come to the database."""
    held = Path(f"/proc/{command.pid}/fd").iterdir()
    return any(world.data / "fairlead.db" == Path(os.path.realpath(one)) for one in held)


def test_a_lock_that_is_given_back(sqlite_world: World) -> None:
    """Another process writes for a while; the command waits and then does its work."""
    holder = sqlite3.connect(sqlite_world.data / "fairlead.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    run = sqlite_world.run(sqlite_world.leads(5))
    until(lambda: run.poll() is not None or has_open(run, sqlite_world), 30, run.said)
    assert run.poll() is None
    holder.execute("ROLLBACK")
    holder.close()

    assert run.wait() == 0, run.said()
    sqlite_world.work_until_rest()
    sqlite_world.check()


@pytest.mark.slow
def test_a_lock_that_is_kept(sqlite_world: World) -> None:
    """Another process never lets go: a sentence after 15 s, status 1, and nothing was written."""
    leads = sqlite_world.count("SELECT count(*) FROM lead")
    holder = sqlite3.connect(sqlite_world.data / "fairlead.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        said = refused(sqlite_world.run(sqlite_world.leads(5)))
    finally:
        holder.execute("ROLLBACK")
        holder.close()

    assert "locked" in said
    assert sqlite_world.count("SELECT count(*) FROM lead") == leads
    sqlite_world.check()
