"""Training a score and asking why a lead has the one it has, from the command line."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.understanding.world import past_leads

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tests.cli.conftest import Terminal

TRAIN = ("train", "lead-score")
BY_RULES = "step: score-by-rules@1\n    with:\n"


def table(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Rows as a CSV file."""
    given = list(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(given[0]))
        writer.writeheader()
        writer.writerows(given)
    return path


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,200 past leads, with the seconds that the deciding call took beside them."""
    rows = past_leads(1_200)
    late = [
        {**row, "Call Seconds": 400 + at % 90 if row["outcome"] == "yes" else at % 300} for at, row in enumerate(rows)
    ]
    return table(tmp_path_factory.mktemp("training") / "history.csv", late)


def trained(fairlead: Terminal, history: Path, *options: str) -> dict[str, Any]:
    """What training printed."""
    line = fairlead(*TRAIN, "--input", str(history), "--outcome", "outcome", "--json", *options)
    assert line.code == 0, line.err
    found: dict[str, Any] = line.json
    return found


def uses_a_model(fairlead: Terminal) -> None:
    """The example's playbook, scoring by the model with its own rules to fall back on."""
    path = fairlead.folder / "playbooks" / "lead-qualification.yaml"
    text = path.read_text(encoding="utf-8")
    start, end = text.index("    step: score-by-rules@1"), text.index("    next: route")
    rules = text[start:end].split("with:\n", 1)[1].rstrip()
    rules = "\n".join(f"  {line}" for line in rules.splitlines())
    stage = f"    step: score-by-model@1\n    with:\n      model: lead-score\n      rules:\n{rules}\n"
    text = text[:start] + stage + text[end:]
    path.write_text(text.replace("producer: lead-rules@1", "producer: {fact: producer}"), encoding="utf-8")
    assert fairlead("deploy").code == 0


def first_case(fairlead: Terminal, tmp_path: Path, *, start: int = 0) -> str:
    """A lead runs to its checkpoint; its case."""
    rows = [
        {"email": f"a{start}@x.example", **{k: v for k, v in row.items() if k != "outcome"}} for row in past_leads(1)
    ]
    path = table(tmp_path / f"new-{start}.csv", rows)
    assert fairlead("run", "lead-qualification", "-i", str(path)).code == 0
    return str(fairlead("cases", "list", "--json").json["cases"][0]["id"])


def test_a_score_is_learnt_reported_and_used(fairlead: Terminal, history: Path, tmp_path: Path) -> None:
    """The leak is refused with its reason, the version scores the next lead, and the reasons add up."""
    uses_a_model(fairlead)
    before = fairlead("score", "explain", first_case(fairlead, tmp_path)).out
    result = trained(fairlead, history)
    case = first_case(fairlead, tmp_path, start=1)
    told = fairlead("score", "explain", case, "--json").json
    words = fairlead("score", "explain", case).out

    assert "by lead-rules@1" in before
    assert "1,000 past leads" in before
    assert {"auc", "brier", "lift_10", "rows", "columns_used", "columns_refused", "producer"} <= set(result)
    assert (result["rows"], result["producer"], result["in_use"]) == (1_200, "lead-score@1", True)
    refused = {one["column"]: one["why"] for one in result["columns_refused"]}
    assert set(refused) == {"Call Seconds", "handler"}
    assert "owner" in refused["handler"]
    assert (told["producer"], told["by"]) == ("lead-score@1", "model")
    assert round(sum(one["add"] for one in told["reasons"]) * 10) == round(told["points"] * 10)
    assert told["like_this"]["words"] in words
    assert "in all" in words


@pytest.mark.slow
def test_versions_are_listed_and_chosen(fairlead: Terminal, history: Path) -> None:
    """A second version waits until it is taken; a former one can be taken again."""
    trained(fairlead, history)
    second = fairlead(*TRAIN, "--input", str(history), "--outcome", "outcome", "--exclude", "month")
    assert "fairlead score use lead-score@2" in second.out
    assert "shadow" in second.out
    assert fairlead("score", "use", "lead-score@2").code == 0
    listed = fairlead("score", "models", "--json").json["models"]
    assert [(one["producer"], one["in_use"]) for one in listed] == [("lead-score@2", True), ("lead-score@1", False)]
    assert "in use since" in fairlead("score", "models").out
    fairlead("score", "use", "lead-score@9").refused(1, "lead-score@")
    fairlead("score", "use", "lead-score").refused(2, "name@version")


def test_the_time_orders_the_leads_and_is_not_learnt_from(fairlead: Terminal, tmp_path: Path) -> None:
    """The column that --time names is among the refused ones, with the reason; it was used to judge in time."""
    rows = [{**row, "came": f"2025-{1 + at // 100:02d}-{1 + at % 28:02d} 09:00"}
            for at, row in enumerate(past_leads(1_200))]  # fmt: skip
    line = fairlead(*TRAIN, "-i", str(table(tmp_path / "timed.csv", rows)), "--outcome", "outcome", "--time", "came")
    assert line.code == 0, line.err
    (used,) = [one for one in line.out.splitlines() if one.startswith("used: ")]
    assert "came" not in used
    assert "refused: came: it is the moment of the decision" in line.out
    assert "steps in time" in line.out


def test_a_person_can_force_and_include(fairlead: Terminal, history: Path) -> None:
    """The leak is used and pointed out, the owner let in."""
    result = trained(fairlead, history, "--force-column", "Call Seconds", "--include", "owner")
    assert {"Call Seconds", "handler"} <= set(result["columns_used"])
    (noted,) = result["columns_refused"]
    assert noted["forced"] is True


def test_a_model_file_is_only_taken_when_it_is_what_was_exported(
    fairlead: Terminal, history: Path, tmp_path: Path
) -> None:
    """Back into its own installation; changed, it is refused, and so is an existing target."""
    trained(fairlead, history)
    path = tmp_path / "model.json"
    wrote = fairlead("score", "export", "lead-score@1", "--output", str(path))
    assert "digest" in wrote.out
    fairlead("score", "export", "lead-score@1", "--output", str(path)).refused(2, "exists already")
    assert "lead-score@2" in fairlead("score", "import", str(path)).out
    body = json.loads(path.read_text(encoding="utf-8"))
    for change, part in (
        ({"document": body["document"][::-1]}, "refused"),
        ({"format": "fairlead-lead-score/0"}, "form"),
    ):
        path.write_text(json.dumps({**body, **change}), encoding="utf-8")
        fairlead("score", "import", str(path)).refused(2, part)
    fairlead("score", "import", str(tmp_path / "none.json")).refused(2, "cannot be read")


def test_a_tampered_registry_sends_leads_to_the_exceptions(fairlead: Terminal, history: Path, tmp_path: Path) -> None:
    """Nobody is scored by a document that is not the one that was stored."""
    uses_a_model(fairlead)
    trained(fairlead, history)
    with closing(sqlite3.connect(fairlead.folder / ".fairlead" / "fairlead.db")) as connection:
        (document,) = connection.execute("SELECT document FROM score_model").fetchone()
        connection.execute("UPDATE score_model SET document = ?", (document + b"x",))
        connection.commit()
    path = table(tmp_path / "new.csv", [{"email": "a@x.example", "size": 5}])
    assert fairlead("run", "lead-qualification", "-i", str(path), "--json").json["failed"] == 1
    (case,) = fairlead("cases", "list", "--state", "exception", "--json").json["cases"]
    assert case["problem"]["code"] == "model_tampered"
    fairlead("score", "use", "lead-score@1").refused(2, "refused")


def test_too_little_is_said_in_words_and_json(fairlead: Terminal, tmp_path: Path) -> None:
    """Status 2 and what is missing; with --json also as fields."""
    path = table(tmp_path / "few.csv", past_leads(640))
    fairlead(*TRAIN, "--input", str(path), "--outcome", "outcome").refused(2, "360 more", "by rules")
    line = fairlead(*TRAIN, "--input", str(path), "--outcome", "outcome", "--json")
    assert line.code == 2
    assert line.json["trained"] is False
    assert line.json["fields"]["rows_missing"] == 360


@pytest.mark.parametrize(
    ("rows", "options", "parts"),
    [
        ([{"a": 1, "won": "no"}], ("--outcome", "won"), ("every row",)),
        ([{"won": "no"}, {"won": "maybe"}, {"won": "yes"}], ("--outcome", "won"), ("--positive",)),
        ([{"a": 1, "won": "no"}], ("--outcome", "wonn"), ("no column 'wonn'", "Did you mean 'won'?")),
        ([{"a": 1, "won": "no"}], ("--outcome", "won", "--name", "Lead Score"), ("cannot name a model",)),
        ([{"a": 1, "won": ""}], ("--outcome", "won"), ("empty in every row",)),
    ],
)  # fmt: skip
def test_a_history_that_cannot_be_learnt_from_is_refused(
    fairlead: Terminal, tmp_path: Path, rows: list[dict[str, Any]], options: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    """With the cure, before anything is stored."""
    path = table(tmp_path / "bad.csv", rows)
    fairlead(*TRAIN, "--input", str(path), *options).refused(2, *parts)
    assert fairlead.counts()["score_model"] == 0


def test_without_a_workspace_the_model_is_reported_and_not_kept(
    history: Path, fairlead: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a first look at one's data."""
    monkeypatch.chdir(tmp_path)
    line = fairlead(*TRAIN, "--input", str(history), "--outcome", "outcome", "--json", bare=True)
    assert line.json["stored"] is False
    assert "not kept" in line.err


def test_a_lead_without_score_or_that_is_none_is_said_so(fairlead: Terminal) -> None:
    """Status 1 and a sentence."""
    fairlead("score", "explain", "lead_nothing").refused(1, "no such lead")
    fairlead("score", "explain", "what").refused(1, "no such lead")
