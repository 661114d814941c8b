"""The bench of sending runs and proves what was sent; nothing here looks at how fast anything was."""

from __future__ import annotations

import pytest

from bench import sending
from fairlead.audit import Trail
from fairlead.kit.database import Database


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:unclosed")
def test_all_sides_send_and_are_compared() -> None:
    """Rates of the three sides, both ratios with their spread, and a bar for each; what was sent is proven inside."""
    result = sending.run(5, rounds=1, kinds=("sqlite",))
    assert [row["name"] for row in result["rows"]] == [
        "sqlite: bytes", "sqlite: signing", "sqlite: product", "sqlite: product / bytes", "sqlite: product / signing",
    ]  # fmt: skip
    assert all(row["sends_per_s"] > 0 for row in result["rows"][:3])
    assert [bar["met"] for bar in result["bars"]] == [bar["value"] >= bar["bar"] for bar in result["bars"]]


def test_what_was_not_sent_is_not_measured(sqlite_url: str) -> None:
    """Messages that left no trace where the product claims to leave one end the bench."""
    database = Database(sqlite_url, trail=Trail())
    with pytest.raises(RuntimeError, match="actions sent: 0 of 1"):
        sending.proven(database, "r1", 1)
    database.close()
