"""`retention.yaml`: what it may say, who reads it, and the commands over it."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from fairlead.cli import app
from fairlead.errors import SourceError
from fairlead.retention import CLASSES, DEFAULT, check_retention, parse_retention, rules_among
from fairlead.testing.seed import EXAMPLE

if TYPE_CHECKING:
    from pathlib import Path

FILE = """\
keep: {timeline: 100d, leads_never_qualified: 730d}
qualified: [assigned, revived]
hold: {flags: [legal_hold, dispute]}
"""


def test_a_file_is_read_as_it_is_written() -> None:
    """Periods, ends and flags; the mail journal ends after a year unless the file says otherwise."""
    rules = parse_retention(FILE)
    assert rules.keep["timeline"] == timedelta(days=100)
    assert rules.keep["mail_journal"] == timedelta(days=365)
    assert (rules.qualified, rules.hold_flags) == ({"assigned", "revived"}, {"legal_hold", "dispute"})
    assert parse_retention("keep: {mail_journal: 60d}").keep == {"mail_journal": timedelta(days=60)}
    assert rules_among({}) is DEFAULT
    assert not rules.is_default


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("keep: {timelin: 100d}", "timeline"),
        ("keep: {timeline: 3d}", "30 days at least"),
        ("keep: {timeline: soon}", "duration"),
        ("keep: {timeline: 99999d}", "outside"),
        ("keep: {leads_never_qualified: 730d}", "qualified"),
        ("kept: {}", "keep"),
        ("keep: {}\nhold: {flags: []}", ""),
        ("keep: []", "mapping"),
        ("&a [*a]", ""),
    ],
)
def test_mistakes_are_told_with_their_place(text: str, said: str) -> None:
    """Nothing is guessed: a class that is misspelt would otherwise be kept for ever, or lost too soon."""
    with pytest.raises(SourceError) as refused:
        parse_retention(text)
    assert said in str(refused.value)
    assert refused.value.place.file == "retention.yaml"
    assert [one.message for one in check_retention({"retention.yaml": text}, {})] == [refused.value.message]


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_no_class_may_end_before_its_least(name: str) -> None:
    """Each has a period below which the program would break its own promises."""
    days = CLASSES[name].least.days
    with pytest.raises(SourceError):
        parse_retention(f"keep: {{{name}: {days * 24 - 1}h}}\nqualified: [won]")
    assert parse_retention(f"keep: {{{name}: {days}d}}\nqualified: [won]").keep[name] == timedelta(days=days)


def test_the_commands_show_preview_and_run(tmp_path: Path) -> None:
    """Deployed with the workspace; an end that no playbook has is refused by `check`, with what was meant."""
    folder = tmp_path / "co"
    shutil.copytree(EXAMPLE, folder)
    (folder / "retention.yaml").write_text(FILE.replace("revived", "revivd"), encoding="utf-8")

    def call(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, [*words, "-w", str(folder)])
        return done.exit_code, done.output

    code, said = call("check")
    assert code != 0
    assert "revivd" in said
    assert "revived" in said
    (folder / "retention.yaml").write_text(FILE, encoding="utf-8")
    assert json.loads(call("retention", "show", "--json")[1])["is_default"], "declared is not deployed"
    assert call("deploy")[0] == 0
    shown = json.loads(call("retention", "show", "--json")[1])
    days = {one["class"]: one["days"] for one in shown["classes"]}
    assert (days["timeline"], days["contact_log"], shown["is_default"]) == (100, None, False)
    told = json.loads(call("retention", "preview", "--json")[1])["classes"]
    assert {one["class"]: one["going"] for one in told} == dict.fromkeys(("timeline", "leads_never_qualified",
                                                                          "mail_journal"), 0)  # fmt: skip
    assert "Nothing was due." in call("retention", "run")[1]
    assert "legal_hold" in call("retention", "show")[1]
    assert "timeline (kept 100 days): 0 would go" in call("retention", "preview")[1]
