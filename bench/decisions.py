"""`POST /v1/decisions` against a bare FastAPI route that commits the same rows, on SQLite over loopback.

Three processes: the bare route, ours, and this one, which is the load. The bare route knows no policy: it
checks a
body, takes a transaction and inserts copies, under fresh ids, of the very rows that one of our automatic
decisions
left (ruling, decision, approval, request, audit entries and payloads), with prepared statements and the same
`synchronous=FULL`. CPU is the server process's own, from /proc, over closed-loop load; latency is open loop
at half
of the side's own saturation rate, counted from when a request was due, so that waiting behind others counts.

The import is a thread of our server that writes 20,000 cases with their audit entries through the bulk lane,
500 to a
transaction at most and no longer than the 20 ms of DESIGN §4.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self

ROUNDS = 3
CONNECTIONS = 8
SATURATE_S = 2.0
STEADY_S = 3.0
IMPORT_ROWS = 20_000
CPU_BAR, P99_BAR, BESIDE_BAR = 4.0, 5.0, 3.0
ROOT = Path(__file__).resolve().parent.parent
TABLES = ("ruling", "decision", "decision_request", "approval", "audit_entry", "audit_payload")
SIGNALS = {
    "employees": 40, "country": "de", "discount": 0.1, "days_open": 3, "visits": 5, "industry": "retail",
    "plan": "team", "slot": 99,
}  # fmt: skip
_keys = itertools.count(1)


def run() -> dict[str, Any]:
    """Rows of both sides with median and spread over the rounds, and the bars of DESIGN §8."""
    folder = Path(tempfile.mkdtemp(prefix="fairlead-bench-"))
    found: dict[str, list[float]] = {}
    try:
        key = _prepare(folder)
        for number in range(ROUNDS):
            for side in ("bare", "ours") if number % 2 else ("ours", "bare"):
                _round(folder, side, key, found)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    cpu = _ratios(found["ours_cpu_us"], found["bare_cpu_us"])
    p99 = _ratios(found["ours_p99_ms"], found["bare_p99_ms"])
    beside = _ratios(found["ours_beside_p99_ms"], found["ours_p99_ms"])
    return {
        "rows": [_row(name, values) for name, values in sorted(found.items())],
        "bars": [
            _bar("CPU per request, ours / bare", cpu, CPU_BAR),
            _bar("p99 at half of its own saturation rate, ours / bare", p99, P99_BAR),
            _bar("p99 beside a 20,000-row import / quiet", beside, BESIDE_BAR),
        ],
    }


def _ratios(ours: list[float], other: list[float]) -> list[float]:
    return [one / base for one, base in zip(ours, other, strict=True)]


def _row(name: str, values: list[float]) -> dict[str, Any]:
    median = statistics.median(values)
    return {
        "name": name,
        "median": round(median, 2),
        "min": round(min(values), 2),
        "max": round(max(values), 2),
    }


def _bar(name: str, ratios: list[float], bar: float) -> dict[str, Any]:
    value = round(statistics.median(ratios), 2)
    spread = [round(min(ratios), 2), round(max(ratios), 2)]
    return {"name": name, "value": value, "spread": spread, "op": "<=", "bar": bar, "met": value <= bar}


def _round(folder: Path, side: str, key: str, found: dict[str, list[float]]) -> None:
    server = _Server(folder, side, key)
    try:
        asyncio.run(_closed(server, 0.7))  # warm
        before, started = server.cpu_s(), time.perf_counter()
        count = asyncio.run(_closed(server, SATURATE_S))
        rate = count / (time.perf_counter() - started)
        found.setdefault(f"{side}_cpu_us", []).append((server.cpu_s() - before) / count * 1e6)
        found.setdefault(f"{side}_per_s", []).append(rate)
        quiet = asyncio.run(_open(server, rate / 2, STEADY_S))
        found.setdefault(f"{side}_p50_ms", []).append(_percentile(quiet, 0.5))
        found.setdefault(f"{side}_p99_ms", []).append(_percentile(quiet, 0.99))
        if side == "ours":
            beside, took = asyncio.run(_beside(server, rate / 2))
            found.setdefault("ours_beside_p99_ms", []).append(_percentile(beside, 0.99))
            found.setdefault("import_rows_per_s", []).append(IMPORT_ROWS / took)
    finally:
        server.stop()


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


# ---- load ----


class _Connection:
    """One kept-alive connection; speaks just enough HTTP to cost the machine little."""

    def __init__(self, server: _Server) -> None:
        self._server = server

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._server.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def post(self, path: str = "/v1/decisions") -> None:
        body = json.dumps({
            "checkpoint": "bench", "proposal": {"answer": {"team": "west"}}, "producer": "model@1",
            "score": 0.97, "value": 120.5, "idempotency_key": f"order-{next(_keys)}",
            "signals": SIGNALS,
        }).encode()  # fmt: skip
        head = (
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {self._server.key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length")
        )
        content = await self._reader.readexactly(length)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{answer!r} {content!r}")


async def _closed(server: _Server, seconds: float) -> int:
    """As fast as answers come, over all connections; how many."""
    until, count = time.perf_counter() + seconds, 0

    async def one() -> None:
        nonlocal count
        async with _Connection(server) as connection:
            while time.perf_counter() < until:
                await connection.post()
                count += 1

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return count


async def _open(server: _Server, rate: float, seconds: float, until: asyncio.Event | None = None) -> list[float]:
    """At a steady rate for so long, or until the event; milliseconds from when each was due to its answer."""
    due: asyncio.Queue[float | None] = asyncio.Queue()
    latencies: list[float] = []

    async def one() -> None:
        async with _Connection(server) as connection:
            while (moment := await due.get()) is not None:
                await connection.post()
                latencies.append((time.perf_counter() - moment) * 1000)

    workers = [asyncio.create_task(one()) for _ in range(4 * CONNECTIONS)]
    start = time.perf_counter()
    for number in itertools.count():
        moment = start + number / rate
        if (until is None and moment > start + seconds) or (until is not None and until.is_set()):
            break
        if (pause := moment - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        due.put_nowait(moment)
    for _ in workers:
        due.put_nowait(None)
    await asyncio.gather(*workers)
    return latencies


async def _beside(server: _Server, rate: float) -> tuple[list[float], float]:
    """The same while the import runs, from its first to its last row; and how long that took."""
    done, started = asyncio.Event(), time.perf_counter()

    async def bulk() -> None:
        async with _Connection(server) as connection:
            await connection.post("/bench/import")
        done.set()

    importing = asyncio.create_task(bulk())
    latencies = await _open(server, rate, 0, done)
    await importing
    return latencies, time.perf_counter() - started


class _Server:
    """One side in a process of its own, on a new copy of the prepared database."""

    def __init__(self, folder: Path, side: str, key: str) -> None:
        self.key = key
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        path = folder / f"{side}.db"
        for old in folder.glob(f"{side}.db*"):
            old.unlink()
        shutil.copyfile(folder / "template.db", path)
        command = [sys.executable, "-m", "bench.decisions", side, str(path), str(self.port)]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        self._wait()

    def _wait(self) -> None:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self._process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError(f"{self._process.args} does not answer")

    def cpu_s(self) -> float:
        """User and system time of the process so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


# ---- the sides ----


def _prepare(folder: Path) -> str:
    """The database that both sides start from, with one decision of ours in it; the key."""
    answer = subprocess.run(
        [sys.executable, "-m", "bench.decisions", "prepare", str(folder / "template.db"), "0"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, check=True, capture_output=True,
        text=True,
    )  # fmt: skip
    return answer.stdout.split()[-1]


if __name__ == "__main__":
    from bench import decision_sides

    decision_sides.main(*sys.argv[1:])
