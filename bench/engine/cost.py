"""What a piece of work cost: wall time, CPU of this process, CPU of the database server."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds; `server` is 0.0 without a server process."""

    wall: float
    own: float
    server: float

    def __sub__(self, before: Cost) -> Cost:
        return Cost(self.wall - before.wall, self.own - before.own, self.server - before.server)

    def per(self, count: int) -> dict[str, float]:
        """As a row of the table: rate by wall, milliseconds of CPU per case."""
        return {
            "per_s": round(count / self.wall, 1),
            "own_cpu_ms": round(self.own / count * 1000, 4),
            "server_cpu_ms": round(self.server / count * 1000, 4),
        }


def cost_now(server_pid: int | None) -> Cost:
    """Counters as they are; a difference of two is what came between."""
    return Cost(time.perf_counter(), time.process_time(), tree_cpu_s(server_pid) if server_pid else 0.0)


def tree_cpu_s(root: int) -> float:
    """CPU seconds of a process, its living descendants, and those it has waited for."""
    stats: dict[int, tuple[int, int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            stats[int(entry.name)] = (int(fields[1]), sum(map(int, fields[11:15])))
    mine, grew = {root}, True
    while grew:
        more = {pid for pid, (parent, _) in stats.items() if parent in mine} - mine
        mine |= more
        grew = bool(more)
    return sum(stats[pid][1] for pid in mine if pid in stats) / _TICK
