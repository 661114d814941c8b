"""A disk that is full, a database that another process holds, and one that cannot be written."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.faults.test_kills import accounted
from tests.faults.world import World, Zygote, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.world import Command


@pytest.fixture
def small_disk(company: Path, tmp_path: Path, zygote: Zygote) -> Iterator[World]:
    """The company on a disk of its own with little room left."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "fairlead-test", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this test mounts a small tmpfs, which needs root and leave to mount")
    shutil.copytree(company, disk / "co")
    world = World(disk / "co", zygote)
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


def test_a_full_disk_stops_the_run_and_room_lets_it_go_on(small_disk: World, tmp_path: Path) -> None:
    """Out of room in the middle of an import: a sentence, status 1, whole rows only; with room it is completed."""
    file = tmp_path / "many.csv"
    small_disk.leads(1).rename(tmp_path / "gone.csv")
    file.write_bytes(leads_elsewhere(tmp_path, 3_000))

    assert "full" in refused(small_disk.run(file))

    remount(small_disk, "size=200m")
    small_disk.let_leases_run_out()
    small_disk.check(resting=False)
    again = small_disk.run(file)
    assert again.wait(120) == 0, again.said()
    accounted(small_disk, {file: 3_000})
    small_disk.work_until_rest(120)
    small_disk.check()


def leads_elsewhere(folder: Path, count: int) -> bytes:
    """Leads as bytes, written where there is room."""
    return World(folder / "co", None).leads(count).read_bytes()  # type: ignore[arg-type]  nothing is started


def test_a_disk_that_became_read_only(small_disk: World, tmp_path: Path) -> None:
    """Nothing can be written: a sentence and status 1; writable again, all is as it was."""
    file = tmp_path / "few.csv"
    file.write_bytes(leads_elsewhere(tmp_path, 5))
    remount(small_disk, "size=100m,ro")
    command = small_disk.start("check")
    assert command.wait() == 0, command.said()  # only looks at files

    said = refused(small_disk.start("deploy"))

    assert "database" in said or "key" in said
    remount(small_disk, "rw")
    small_disk.check()
    run = small_disk.run(file)
    assert run.wait() == 0, run.said()


def test_no_file_may_grow(sqlite_world: World, zygote: Zygote) -> None:
    """A limit on the size of files acts like a full disk."""
    size = (sqlite_world.data / "fairlead.db").stat().st_size
    limited = World(sqlite_world.folder, Zygote(limit=size + 300_000))
    try:
        refused(limited.run(limited.leads(2_000)))
    finally:
        limited.end()
        limited.zygote.close()
    sqlite_world.let_leases_run_out()
    sqlite_world.check(resting=False)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_a_lock_that_is_given_back(sqlite_world: World) -> None:
    """Another process writes for a while; the command waits and then does its work."""
    holder = sqlite3.connect(sqlite_world.data / "fairlead.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    run = sqlite_world.run(sqlite_world.leads(5))
    until(lambda: run.poll() is not None or "name" in run.said(), 30, run.said)
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
