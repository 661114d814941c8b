"""Cases from a checked lead to rest, against the raw limit of the same rows, on SQLite and Postgres.

Every measurement has a process and a fresh database of its own. Rounds alternate between the raw limit
and the product, so that what else the machine does hits both; ratios are taken within a round. CPU is
that of the process, and of the server beside it on Postgres.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.engine.leads import write_leads
from fairlead.testing.postgres import EmbeddedPostgres

ROOT = Path(__file__).resolve().parent.parent.parent
PEERS = ROOT / ".venv-bench" / "bin" / "python"
BAR, VOID_BAR = 0.35, 0.25
PEER_NAMES = ("dbos", "langgraph")
_CLI = "import sys; sys.argv[0] = 'fairlead'; from fairlead.cli import main; sys.exit(main())"


class Bench:
    """Fresh databases of one kind, and the processes that are measured on them."""

    def __init__(self, kind: str, folder: Path, server: EmbeddedPostgres | None) -> None:
        self.kind = kind
        self.folder = folder
        self.server = server
        self._made = 0

    @contextmanager
    def database(self) -> Iterator[str]:
        """URL of a new database, gone afterwards."""
        self._made += 1
        if self.server is not None:
            name = f"bench{self._made}"
            yield self.server.create_database(name)
            self.server.drop_database(name)
            return
        path = self.folder / f"bench{self._made}.db"
        yield f"sqlite:///{path}"
        for part in self.folder.glob(f"{path.name}*"):
            part.unlink()

    def product(self, count: int, recording: Path | None = None) -> dict[str, Any]:
        """Our path; with `recording` the rows are kept there."""
        with self.database() as url:
            return _json([sys.executable, "-m", "bench.engine.product", url, str(count), self._pid(),
                          *([str(recording)] if recording else [])])  # fmt: skip

    def raw(self, recording: Path) -> dict[str, Any]:
        """The limit."""
        with self.database() as url:
            return _json([sys.executable, "-m", "bench.engine.raw", url, str(recording), self._pid()])

    def peer(self, name: str, count: int) -> dict[str, Any]:
        """Another engine, one workflow per case."""
        with self.database() as url:
            return _json([str(PEERS), str(Path(__file__).with_name("peers.py")), name, url, str(count)])

    def file(self, count: int) -> dict[str, Any]:
        """`fairlead run` of a CSV file, start-up, reading and sealing included."""
        with self.database() as url, tempfile.TemporaryDirectory(dir=self.folder) as name:
            workspace, leads = Path(name) / "co", Path(name) / "leads.csv"
            write_leads(leads, count)
            env = {"FAIRLEAD_DATABASE_URL": url, "FAIRLEAD_EMBEDDED": "true"}
            cli = [sys.executable, "-c", _CLI]
            _run([*cli, "init", str(workspace)], env)
            _json([sys.executable, "-m", "bench.engine.grant", url], env)
            wall, own = time.perf_counter(), _children_cpu_s()
            said = _json([*cli, "run", "lead-qualification", "-w", str(workspace), "-i", str(leads), "--json"], env)
            wall, own = time.perf_counter() - wall, _children_cpu_s() - own
        decided = sum(said[path] for path in ("auto", "assist", "human", "blocked", "needs_information"))
        assert decided == count, said
        return {
            "per_s": round(count / wall, 1),
            "own_cpu_ms": round(own / count * 1000, 4),
            "server_cpu_ms": 0.0,
        }

    def _pid(self) -> str:
        return str((self.server.pid() if self.server else None) or 0)


def _children_cpu_s() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _run(command: list[str], env: dict[str, str] | None = None) -> str:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path, **(env or {})}, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        message = f"{' '.join(command[:4])} ended with {done.returncode}: {done.stderr[-2000:]}"
        raise RuntimeError(message)
    return done.stdout


def _json(command: list[str], env: dict[str, str] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_run(command, env).strip().splitlines()[-1])
    return found


def _row(name: str, runs: list[dict[str, Any]], limits: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    rates = [run["per_s"] for run in runs]
    row: dict[str, Any] = {
        "name": name, "per_s": statistics.median(rates), "per_s_min": min(rates), "per_s_max": max(rates),
        "own_cpu_ms": round(statistics.median(run["own_cpu_ms"] for run in runs), 3),
    }  # fmt: skip
    if servers := [run["server_cpu_ms"] for run in runs if run.get("server_cpu_ms")]:
        row["server_cpu_ms"] = round(statistics.median(servers), 3)
    for name_in in ("with_seal_per_s", "seal_s", "seal_cpu_ms"):
        if name_in in runs[0]:
            row[name_in] = round(statistics.median(run[name_in] for run in runs), 4)
    if limits is not None:
        pairs = list(zip(runs, limits, strict=True))
        walls = [ours["per_s"] / raw["per_s"] for ours, raw in pairs]
        cpus = [_cpu(raw) / _cpu(ours) for ours, raw in pairs]
        row |= {
            "ratio": round(statistics.median(walls), 3), "ratio_min": round(min(walls), 3),
            "ratio_max": round(max(walls), 3), "cpu_ratio": round(statistics.median(cpus), 3),
        }  # fmt: skip
    return row


def _cpu(run: dict[str, Any]) -> float:
    return float(run["own_cpu_ms"] + run["server_cpu_ms"])


def _measure(bench: Bench, count: int, rounds: int, file_rounds: int, peer_count: int) -> tuple[list[Any], list[Any]]:
    recording = bench.folder / f"{bench.kind}.rows"
    bench.product(count, recording)
    ours: list[dict[str, Any]] = []
    limits: list[dict[str, Any]] = []
    for _ in range(rounds):
        limits.append(bench.raw(recording))
        ours.append(bench.product(count))
    recording.unlink()
    rows = [
        _row(f"{bench.kind}: raw limit", limits, limits),
        _row(f"{bench.kind}: product, leads in memory", ours, limits),
    ]
    if file_rounds:
        files = [bench.file(count) for _ in range(file_rounds)]
        rows.append(_row(f"{bench.kind}: fairlead run, a CSV file", files))
    if peer_count and PEERS.exists():
        for name in PEER_NAMES:
            runs = [bench.peer(name, peer_count) for _ in range(3)]
            rows.append(_row(f"{bench.kind}: {name}, one workflow per case", runs))
    cost = statistics.median(run["own_cpu_ms"] for run in limits)
    void = bench.kind == "sqlite" and cost > VOID_BAR
    ratio = rows[1]["ratio"]
    bars = [{
        "name": f"{bench.kind}: product / raw limit, cases per second", "value": ratio, "op": ">=", "bar": BAR,
        "met": ratio >= BAR and not void,
    }]  # fmt: skip
    if bench.kind == "sqlite":
        bars.append({
            "name": "sqlite: CPU of the raw limit, ms per case (above, the run is void)", "value": round(cost, 3),
            "op": "<=", "bar": VOID_BAR, "met": not void,
        })  # fmt: skip
    return rows, bars


def run(
    *,
    count: int = 6_000,
    rounds: int = 5,
    file_rounds: int = 1,
    peer_count: int = 60,
    databases: tuple[str, ...] = ("sqlite", "postgres"),
) -> dict[str, Any]:
    """Rows and bars; `peer_count` 0 or a missing `.venv-bench` leaves the peers out."""
    rows: list[Any] = []
    bars: list[Any] = []
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for kind in databases:
            server = EmbeddedPostgres(folder / "postgres") if kind == "postgres" else None
            if server is not None:
                server.start()
            try:
                found, judged = _measure(Bench(kind, folder, server), count, rounds, file_rounds, peer_count)
            finally:
                if server is not None:
                    server.destroy()
            rows += found
            bars += judged
    return {"rows": rows, "bars": bars, "cases": count, "rounds": rounds}
