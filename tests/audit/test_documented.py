"""The script in docs/audit.md checks an export without any code of ours."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.audit.world import World

DOCUMENT = Path(__file__).parents[2] / "docs" / "audit.md"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The document's one Python block."""
    found = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(found) == 1
    path = tmp_path / "check.py"
    path.write_text(found[0])
    return path


def _run(script: Path, world: World, export: str) -> subprocess.CompletedProcess[str]:
    path = script.with_name("export.jsonl")
    path.write_text(export, encoding="utf-8")
    heads, key = script.with_name("heads.jsonl"), world.signer.public_key.hex()
    command = [sys.executable, str(script), str(path), str(heads), key]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_the_documented_check_agrees(world: World, script: Path) -> None:
    """A third party comes to our head, and notices an edit, a removed row, a removed seal and another key."""
    heads = script.with_name("heads.jsonl")
    world.note({"to": "Zoë"}, {"n": 2}, customer="cust_a")
    world.seal_and_publish(heads)
    world.erase("cust_a")
    world.note({"to": "müller"}, {"n": 4})
    world.seal_and_publish(heads)
    world.notes(1)
    export = world.export()
    good = _run(script, world, export)
    assert good.stdout.strip() == f"untampered: 2 seals, head {world.verify().head}", good.stderr
    lines = export.splitlines(keepends=True)
    for bad in (
        export.replace("müller", "moller"),
        export.replace('"verb":"customer.erased"', '"verb":"customer.praised"'),
        export.replace('"highest":2', '"highest":3'),
        "".join(line for line in lines if '"id":4' not in line),
        "".join(lines[: next(n for n, line in enumerate(lines) if '"no":2' in line)]),
    ):
        assert bad != export
        assert _run(script, world, bad).returncode == 1
    world.signer = type(world.signer).load(script.with_name("other.pem"), create=True)
    assert _run(script, world, export).returncode == 1
