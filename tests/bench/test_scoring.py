"""The score's bench says what it measured and what it could not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import scoring

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_an_absent_data_set_is_said_to_be_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row with the folder, and no bar that could seem to be met."""
    monkeypatch.setenv("FAIRLEAD_DATA", str(tmp_path))
    found = scoring.run(range(0))
    absent = [row for row in found["rows"] if "absent" in str(row.get("refused"))]
    assert [row["name"] for row in absent] == list(scoring.SETS)
    assert str(tmp_path) in absent[0]["refused"]
    assert found["bars"] == []


def test_recall_and_false_alarms_are_counted_by_kind() -> None:
    """Every history counts each of its honest columns, and its leak where it has one."""
    rows = {row["name"]: row for row in scoring.leak_rows(range(3, 4), rows=1_000)}
    assert rows["leaks, all"]["of"] == len(scoring.LEAKS)
    assert rows["leak: copy of the outcome"]["refused"] == 1
    assert rows["honest, all"]["of"] >= 12 * (len(scoring.LEAKS) + 1)
    assert all(0 <= row["low"] <= row["high"] <= 1 for row in rows.values())
