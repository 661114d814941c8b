"""The bench of mail runs and says what it must; nothing here looks at how fast anything was."""

from __future__ import annotations

import pytest

from bench import smtp


@pytest.mark.filterwarnings("ignore:unclosed")
def test_both_sides_send_and_are_compared() -> None:
    """Rates of both, the ratio with its spread, and a bar for each database that was asked for."""
    result = smtp.run(5, rounds=1, kinds=("sqlite",))
    assert [row["name"] for row in result["rows"]] == [
        "sqlite: smtplib loop", "sqlite: connector", "sqlite: ratio",
    ]  # fmt: skip
    assert all(row["sends_per_s"] > 0 for row in result["rows"][:2])
    (bar,) = result["bars"]
    assert bar["met"] is (bar["value"] >= bar["bar"])
