"""What fills the demo: a past that is played in order, goes on where it was killed, and is whole in its record."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from fairlead.commands import demoing
from fairlead.commands.demoing import Travel, fill_before, fill_while_open
from fairlead.commands.workspaces import make_workspace
from fairlead.schema import create_schema
from fairlead.settings import Settings, load_settings
from fairlead.testing.clock import TravelClock
from fairlead.testing.past import STEP, Past
from fairlead.worker import open_runtime

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Terminal

TABLES = ("lead", "playbook_case", "review", "decision", "lead_touch", "assignment", "outcome", "audit_entry")


class Killed(Exception):  # noqa: N818  what it plays is no error of the program
    """The process ends here."""


def demo(folder: Path, weeks: int) -> Settings:
    """A workspace for a demo with an empty database."""
    if not (folder / "playbooks").is_dir():
        make_workspace(folder, "Fairlead demo")
    found = load_settings(workspace=folder, embedded=True)
    create_schema(found.database_url)
    assert weeks >= 0
    return found


def fill(found: Settings, weeks: int, leads: int) -> tuple[dict[str, int], bool]:
    """What a start of the demo does before the first page; rows by table, and whether the record was in order."""
    travel = Travel(found, weeks)
    clock = TravelClock(travel.now_at)
    with open_runtime(found, durable=False, clock=clock) as runtime:
        fill_before(runtime, clock, travel, leads)
        fill_while_open(runtime, leads, 0.0, _After(9))  # type: ignore[arg-type]
        runtime.seal()
        with runtime.database.raw() as connection:
            counts = {one: int(connection.execute(text(f"SELECT count(*) FROM {one}")).scalar_one()) for one in TABLES}
            times = list(connection.execute(text("SELECT at FROM audit_entry ORDER BY id")).scalars())
    return counts, times == sorted(times)


class _After:
    """An event that is set once it was waited for so often; nobody sleeps."""

    def __init__(self, waits: int) -> None:
        self.left = waits

    def wait(self, _seconds: float) -> bool:
        self.left -= 1
        return self.is_set()

    def is_set(self) -> bool:
        return self.left <= 0


@pytest.mark.slow
def test_a_demo_that_was_killed_goes_on_and_its_record_is_whole(
    fairlead: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the middle of a step, then started twice: everything once, in order of time, and verified."""
    folder = tmp_path / "shop"
    found = demo(folder, 3)
    decide, calls = Past._decide, []

    def kill(past: Past, *given: Any) -> None:
        decide(past, *given)
        calls.append(None)
        if len(calls) == 2:
            raise Killed

    monkeypatch.setattr(Past, "_decide", kill)
    with pytest.raises(Killed):
        fill(found, 3, 10)
    assert json.loads((found.data_dir / "demo-sqlite.json").read_text())["done"] == 1
    counts, in_order = fill(found, 3, 10)
    assert in_order
    assert counts["lead"] >= 3 * 12 + 10 - 2
    assert min(counts[one] for one in TABLES) > 0
    again, _ = fill(found, 3, 10)
    assert again == {**counts, "audit_entry": again["audit_entry"]}
    verified = fairlead("audit", "verify", "--workspace", str(folder), "--json", bare=True)
    assert verified.code == 0, verified.err
    with open_runtime(found, durable=False) as runtime, runtime.database.raw() as connection:
        first = int(connection.execute(text("SELECT min(at) FROM audit_entry")).scalar_one())
    assert datetime.fromtimestamp(first / 1e6, UTC) < datetime.now(UTC) - STEP


def test_a_company_that_has_begun_gets_no_past(tmp_path: Path) -> None:
    """What was stored stays first in the record: a demo of an earlier version is filled up, not rewritten."""
    found = demo(tmp_path / "shop", 0)
    fill(found, 0, 3)
    counts, in_order = fill(found, 2, 3)
    assert (counts["lead"], in_order) == (6, True)  # three of a file, three of the web form


def test_steps_are_played_on_working_days() -> None:
    """Weekends are moved back to the Friday, and never before the step before."""
    past = Past.__new__(Past)
    past._start = datetime(2026, 11, 1, 9, tzinfo=UTC)  # a Sunday
    moments = [past.moment(number) for number in range(5)]
    assert all(one.weekday() < 5 for one in moments)
    assert moments == sorted(moments)
    assert demoing.STEP == timedelta(days=7)


def test_leads_keep_arriving(fairlead: Terminal) -> None:
    """Each is another lead, taken in as a row of a file of its own, until the demo ends."""
    stop = _After(3)
    with open_runtime(load_settings(workspace=fairlead.folder), durable=False) as runtime:
        fill_while_open(runtime, 1, 1.0, stop)  # type: ignore[arg-type]
    counts = fairlead.counts()
    assert counts["form_submission"] == 3
    assert counts["lead_import"] >= 1
    assert counts["lead"] + counts["lead_reject"] == counts["lead_import"] + 3


def test_demo_data_is_written_and_can_be_learnt_from(fairlead: Terminal, tmp_path: Path) -> None:
    """The same seed writes the same file; an existing one stays; a score is learnt from a history."""
    files = [tmp_path / name for name in ("a.csv", "b.csv")]
    for file in files:
        said = fairlead("demo-data", "--kind", "leads", "--rows", "30", "--seed", "5", "--out", str(file), bare=True)
        assert said.code == 0, said.err
    assert files[0].read_bytes() == files[1].read_bytes()
    fairlead("demo-data", "--kind", "leads", "--out", str(files[0]), bare=True).refused(2, "is there already")
    fairlead("demo-data", "--kind", "leads", "--out", str(tmp_path / "no" / "x"), bare=True).refused(2, "written")
    history = tmp_path / "history.csv"
    how = ("--rows", "1500", "--conversion", "0.3", "--noise", "0", "--out", str(history))
    said = fairlead("demo-data", "--kind", "history", *how, bare=True)
    assert "fairlead train lead-score" in said.out
    learnt = fairlead("train", "lead-score", "--input", str(history), "--outcome", "Outcome", "--json")
    assert learnt.code == 0, learnt.err
    assert learnt.json["auc"] > 0.6
