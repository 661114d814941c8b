"""Teams, working time and dry runs on the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from fairlead.testing.company import write_leads

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Terminal


def test_a_team_is_made_and_shown(fairlead: Terminal) -> None:
    """Made, filled, shown in words and as JSON, emptied; people by address or by name."""
    fairlead("person", "add", "ada@example.com", "--role", "reviewer", "--name", "Ada Keller")
    assert fairlead("team", "create", "dach", "--title", "DACH").code == 0
    added = fairlead("team", "add", "dach", "Ada Keller", "--weight", "2", "--capacity", "5", "--skill", "french")
    assert added.out == "Ada Keller is in dach: weight 2, at most 5 open, french\n"
    assert "09:00-17:00 (Europe/Berlin)" in fairlead(
        "person", "hours", "ada@example.com", "--week", "Mon-Fri 09:00-17:00", "--zone", "Europe/Berlin"
    ).out  # fmt: skip
    away = fairlead("person", "absent", "ada@example.com", "--from", "2000-01-01", "--to", "2009-12-31")
    assert away.code == 2, "more than ten years ago"
    planned = fairlead("person", "absent", "ada@example.com", "--to", "2099-01-01")
    assert planned.code == 2, "longer than ten years"
    (member,) = fairlead("team", "show", "dach", "--json").json["members"]
    assert (member["name"], member["weight"], member["capacity"], member["share"]) == ("Ada Keller", 2.0, 5, 1.0)
    assert "share 100%" in fairlead("team", "show", "dach").out
    assert "1 members" in fairlead("team", "list").out
    assert fairlead("team", "set", "dach", "--off-hours", "wait", "--closed").code == 0
    shown = fairlead("team", "show", "dach", "--json").json
    assert (shown["rules"]["off_hours"], shown["closed_at"] is None) == ("wait", False)
    assert fairlead("team", "remove", "dach", "ada@example.com").code == 0
    assert len(fairlead("team", "show", "dach", "--json").json["history"]) == 1


def test_an_absence_is_planned_and_taken_back(fairlead: Terminal) -> None:
    """Whole days, listed with their id."""
    fairlead("person", "add", "ada@example.com", "--role", "reviewer", "--name", "Ada Keller")
    assert fairlead("person", "absent", "Ada Keller").out == "Ada Keller has nothing planned\n"
    start = fairlead(
        "person", "absent", "Ada Keller", "--from", "2031-03-01", "--to", "2031-03-02", "--reason", "leave"
    )
    assert "from 2031-03-01T00:00:00Z to 2031-03-03T00:00:00Z" in start.out
    listed = fairlead("person", "absent", "Ada Keller").out
    assert listed.rstrip().endswith("leave")
    fairlead("person", "absent", "Ada Keller", "--cancel", listed.split()[0])
    assert "nothing planned" in fairlead("person", "absent", "Ada Keller").out


def test_mistakes_are_named(fairlead: Terminal) -> None:
    """Unknown teams and people, times that cannot be read, a command that would do nothing."""
    fairlead("team", "create", "dach")
    fairlead("team", "show", "dahc").refused(1, "no team 'dahc'", "'dach'")
    fairlead("team", "create", "dach").refused(1, "already")
    fairlead("team", "create", "Not One").refused(2, "inside-sales")
    fairlead("team", "add", "dach", "zoe@example.com").refused(1, "zoe@example.com")
    fairlead("person", "hours", "zoe@example.com").refused(1, "zoe@example.com")
    fairlead("route").refused(2, "--dry-run")
    fairlead("route", "--dry-run", "--since", "soon").refused(2, "30d")
    fairlead("route", "--dry-run", "--set", "weight").refused(2, "weight:ada@example.com=2")
    fairlead("route", "--dry-run", "--set", "off_hours:nowhere=wait").refused(2, "nowhere")


def test_a_dry_run_in_words_does_not_contradict_itself(fairlead: Terminal, tmp_path: Path) -> None:
    """The only one of a team is away: their leads are with nobody and wait; nobody else is said to have them."""
    fairlead("person", "add", "ada@example.com", "--role", "reviewer", "--name", "Ada Keller")
    fairlead("team", "create", "dach")
    fairlead("team", "add", "dach", "ada@example.com")
    for segment in ("small", "medium"):
        level = ("--level", "auto", "--threshold", "0.01", "--promised-error", "0.5")
        fairlead("grant", "set", "lead-assignment", "--segment", segment, "--producer", "lead-rules@1", *level)
    write_leads(tmp_path / "leads.csv", 20)
    assert fairlead("run", "lead-qualification", "-i", str(tmp_path / "leads.csv")).code == 0
    then = {one["name"]: one["then"] for one in fairlead("route", "--dry-run", "--json").json["people"]}["Ada Keller"]
    assert then > 1
    start = (datetime.now(UTC) - timedelta(days=1)).date()
    end = start + timedelta(days=30)
    fairlead("person", "absent", "ada@example.com", "--from", str(start), "--to", str(end))
    said = fairlead("route", "--dry-run").out
    assert f"0 would be with somebody else, {then} with nobody instead of somebody\n" in said
    assert f"{then} would have waited for somebody, {then} of them would still\n" in said
    assert f"waiting for somebody, {then} leads: nobody can take it now, 1 absent\n" in said
    assert "to the team's list without an owner" in said


def test_a_dry_run_is_one_json_object_and_writes_nothing(fairlead: Terminal) -> None:
    """Also where there is nothing to give out."""
    fairlead("team", "create", "dach")
    before = fairlead.counts()
    report = fairlead("route", "--dry-run", "--json").json
    assert (report["leads"], report["people"], report["nobody"]["leads"]) == (0, [], 0)
    assert "0 leads since" in fairlead("route", "--dry-run").out
    assert fairlead.counts() == before
