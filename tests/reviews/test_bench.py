"""The bench of waiting reviews runs, at any size, and says what it measured."""

from __future__ import annotations

import pytest

from bench import waiting


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_the_bench_measures_every_request_on_a_small_table(kind: str) -> None:
    """Sixteen requests and the memory, each with its bar; every request finds something to show or change."""
    found = waiting.run(3_000, kinds=(kind,), calls=2, rounds=1, memory_requests=32)
    requests = [row["request"] for row in found["rows"] if "ratio" in row]
    assert len(requests) == len(set(requests)) == 16
    assert len(found["bars"]) == 17
    assert all(bar["met"] == (bar["value"] <= bar["bar"]) for bar in found["bars"])
