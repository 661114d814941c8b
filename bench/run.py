"""`python -m bench.run [NAME]`: measures everything, or one bench, and says which bars are met.

Prints a table and writes `bench/results/NAME.json`. Ends with status 1 when a bar is missed, 2 for an
unknown name.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from fairlead.kit.yamlmarks import did_you_mean

KNOWN = ("policy", "matching", "gate", "engine", "decisions", "waiting", "scoring", "sending")
RESULTS = Path(__file__).resolve().parent / "results"


def known() -> tuple[str, ...]:
    """The benches that are there, cheapest first."""
    return tuple(name for name in KNOWN if importlib.util.find_spec(f"bench.{name}") is not None)


def machine() -> dict[str, Any]:
    """What the figures were taken on, and how busy it was."""
    meminfo = Path("/proc/meminfo")
    memory_kb = int(meminfo.read_text(encoding="utf-8").split()[1]) if meminfo.exists() else 0
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(memory_kb / 2**20, 1),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_1m": round(os.getloadavg()[0], 2),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )


def measure(name: str, **options: Any) -> dict[str, Any]:
    """Run one bench; its rows and bars with the machine, as they are written to its file."""
    before, started = machine(), time.perf_counter()
    found: dict[str, Any] = importlib.import_module(f"bench.{name}").run(**options)
    return {"name": name, "machine": before, "seconds": round(time.perf_counter() - started, 1), **found}


def show(console: Console, result: dict[str, Any]) -> None:
    """Rows as a table, then a line per bar."""
    columns: list[str] = []
    for row in result["rows"]:
        columns += [column for column in row if column not in columns]
    table = Table(title=f"{result['name']} ({result['seconds']} s)", title_justify="left")
    for column in columns:
        table.add_column(column, justify="left" if column == "name" else "right", overflow="fold")
    for row in result["rows"]:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    console.print(table)
    for bar in result["bars"]:
        mark = "[green]met[/]   " if bar["met"] else "[red]missed[/]"
        console.print(f"{mark} {bar['name']}: {_cell(bar['value'])} {bar['op']} {_cell(bar['bar'])}")


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, (int, float)) else str(value)


def write(result: dict[str, Any], folder: Path = RESULTS) -> Path:
    """The result as JSON; the file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result['name']}.json"
    path.write_text(json.dumps(result, indent=2, default=str) + "\n", encoding="utf-8")
    return path


def main(arguments: list[str]) -> int:
    """See the module."""
    names = known()
    if unknown := [name for name in arguments if name not in names]:
        hint = did_you_mean(unknown[0], names)
        sys.stderr.write(f"There is no bench {unknown[0]!r}. {hint or ''} Known: {', '.join(names)}.\n")
        return 2
    console = Console(width=None if sys.stdout.isatty() else 180, highlight=False)
    missed = 0
    for name in arguments or names:
        result = measure(name)
        show(console, result)
        console.print(f"written to {write(result)}\n", markup=False)
        missed += sum(not bar["met"] for bar in result["bars"])
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
