"""Every bench runs and says what it must; none of these tests looks at how fast anything was."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bench import policy
from bench.engine import ROOT, Bench, run
from bench.engine.leads import write_leads
from bench.run import known, machine, main, write

BAR_KEYS = {"name", "value", "op", "bar", "met"}


def well_formed(result: dict[str, Any]) -> bool:
    """Rows have names, bars have all their parts, and `met` is what the figures say."""
    return (
        all(row["name"] for row in result["rows"])
        and all(set(bar) == BAR_KEYS for bar in result["bars"])
        and all(isinstance(bar["met"], bool) for bar in result["bars"])
    )


def test_an_unknown_name_is_answered_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    """`make bench ONLY=enginee` ends with status 2 and lists what there is."""
    assert main(["enginee"]) == 2
    said = capsys.readouterr().err
    assert "engine" in said
    assert all(name in said for name in known())


def test_every_bench_is_known() -> None:
    """A bench that is there can be asked for."""
    assert {"policy", "engine"} <= set(known())


def test_a_result_file_holds_machine_rows_and_bars(tmp_path: Path) -> None:
    """What is written can be read by a program later."""
    result = {"name": "toy", "machine": machine(), "rows": [{"name": "one"}], "bars": []}
    found = json.loads(write(result, tmp_path / "results").read_text(encoding="utf-8"))
    assert set(found) == {"name", "machine", "rows", "bars"}
    assert found["machine"]["cores"] >= 1


def test_leads_are_the_same_every_time(tmp_path: Path) -> None:
    """Two runs measure the same work, and no two leads are one person."""
    write_leads(tmp_path / "a.csv", 50)
    write_leads(tmp_path / "b.csv", 50)
    first = (tmp_path / "a.csv").read_text(encoding="utf-8")
    assert first == (tmp_path / "b.csv").read_text(encoding="utf-8")
    emails = [line.split(",")[1] for line in first.splitlines()[1:]]
    assert len(set(emails)) == 50


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_the_engine_bench(kind: str) -> None:
    """A tiny round measures limit, product and file; cases all come to rest or it would have failed."""
    result = run(count=30, rounds=1, file_rounds=1, peer_count=0, databases=(kind,))
    assert well_formed(result)
    assert [row["name"] for row in result["rows"]] == [
        f"{kind}: raw limit", f"{kind}: product, leads in memory", f"{kind}: fairlead run, a CSV file",
    ]  # fmt: skip
    assert all(row["per_s"] > 0 for row in result["rows"])
    assert result["rows"][0]["ratio"] == 1.0


@pytest.mark.slow
def test_the_raw_limit_writes_what_the_product_wrote(tmp_path: Path) -> None:
    """Row for row the same tables: the limit is not easier than the work."""
    bench = Bench("sqlite", tmp_path, None)
    recording = tmp_path / "rows"
    product = bench.product(20, recording)
    assert product["transitions"] >= 4
    assert set(product["paths"]) >= {"auto"}
    script = (
        "import sys; from pathlib import Path; from bench.engine.raw import measure;"
        "measure(sys.argv[1], Path(sys.argv[2]), None)"
    )
    url = f"sqlite:///{tmp_path / 'raw.db'}"
    env = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", script, url, str(recording)], check=True, env=env, cwd=ROOT)
    tables = [
        "lead",
        "customer",
        "customer_identity",
        "playbook_case",
        "ruling",
        "audit_entry",
        "audit_payload",
    ]
    with closing(sqlite3.connect(tmp_path / "raw.db")) as raw:
        counts = [raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]
    lead, customer, identity, case, ruling, entry, payload = counts
    assert lead == customer == case == ruling == sum(product["paths"].values())
    assert identity == 2 * lead
    assert entry == payload >= 4 * case


def test_the_policy_bench(monkeypatch: pytest.MonkeyPatch) -> None:
    """One small round has all its rows and both bars."""
    for name, value in {"CHUNK": 5, "CHUNKS": 1, "CASES": 5, "ROUNDS": 1}.items():
        monkeypatch.setattr(policy, name, value)
    result = policy.run()
    assert well_formed(result)
    assert len(result["bars"]) == 2
