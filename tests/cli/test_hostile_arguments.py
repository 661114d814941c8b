"""Arguments nobody should give: a sentence and a status, never a traceback, and nothing is stored."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from fairlead.cli import app
from fairlead.commands.common import operator
from fairlead.commands.running import LACKING, summary

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Terminal

GIVE = ("--segment", "small", "--producer", "lead-rules@1", "--level", "auto", "--threshold", "0.3")
KEY = ("key", "create", "crm", "--checkpoint", "lead-assignment")
NOTHING: dict[str, Any] = {
    "rows": 0, "auto": 0, "assist": 0, "human": 0, "blocked": 0, "needs_information": 0, "duplicate": 0,
    "unreadable": 0, "failed": 0, "cases_per_s": 0.0, "reasons": {},
}  # fmt: skip


@pytest.mark.parametrize("name", [r"a\[/red]", "[/bold]", "[red]x", r"\\[/]", "a[link=file:x]b"])
def test_marks_of_the_terminal_are_text(fairlead: Terminal, name: str) -> None:
    """Square brackets in what somebody typed neither colour a line nor break it; they are told as typed."""
    said = fairlead("audit", "verify", "--export", name, "--public-key", "ab" * 32, bare=True)
    said.refused(2, f"error {name} cannot be read")


@pytest.mark.parametrize("value", ["nan", "inf", "1e300", "-1"])
def test_a_key_with_an_impossible_limit(fairlead: Terminal, value: str) -> None:
    """No number, no end, more than there is, less than nothing: refused, and no key is made."""
    before = fairlead.counts()
    assert fairlead(*KEY, "--max-value", value).code == 2
    assert fairlead.counts() == before


@pytest.mark.parametrize(("currency", "minor"), [("EUR", 500_050), ("JPY", 5_000), ("KWD", 5_000_500)])
def test_a_keys_limit_is_in_the_workspaces_money(fairlead: Terminal, currency: str, minor: int) -> None:
    """Whole units are those of the currency: yen have no hundredths, dinars have thousandths."""
    file = fairlead.folder / "fairlead.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"EUR"', f'"{currency}"'), encoding="utf-8")
    assert fairlead("deploy").code == 0
    assert fairlead(*KEY, "--max-value", "5000.5").code == 0
    assert stored_limit(fairlead) == minor


def stored_limit(fairlead: Terminal) -> int:
    """What the only key may state, in minor units."""
    from fairlead.commands.common import opened  # noqa: PLC0415  what the commands themselves use
    from fairlead.people import list_api_keys  # noqa: PLC0415  see above

    with opened(fairlead.folder) as runtime, runtime.database.reading() as reader:
        [key] = list_api_keys(reader)
    assert key.max_value_minor is not None
    return key.max_value_minor


def test_a_key_without_a_limit_or_with_none_to_state(fairlead: Terminal) -> None:
    """Zero is a limit of nothing and not the absence of one."""
    assert fairlead(*KEY, "--max-value", "0").code == 0
    assert stored_limit(fairlead) == 0


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (("--scope", "grants:sign"), "grants:sign"),
        (("--scope", "everything"), "everything"),
        (("--flag", ""), ""),
    ],
)
def test_a_key_that_may_too_much(fairlead: Terminal, args: tuple[str, str], part: str) -> None:
    """What only people may do is no scope of a key."""
    before = fairlead.counts()
    fairlead(*KEY, *args).refused(2, part)
    assert fairlead.counts() == before


@pytest.mark.parametrize("key", ["", "xyz", "ab", "0" * 62, "0" * 66, "g" * 64])
def test_a_public_key_that_is_none(fairlead: Terminal, key: str, tmp_path: Path) -> None:
    """A key of the wrong length is told as such, instead of calling an honest record forged."""
    export = tmp_path / "audit.jsonl"
    assert fairlead("audit", "export", "-o", str(export)).code == 0
    fairlead("audit", "verify", "--export", str(export), "--public-key", key, bare=True).refused(2, "64 hex digits")


def test_another_public_key_proves_nothing(fairlead: Terminal, tmp_path: Path) -> None:
    """A right-looking key of somebody else: status 1 and the row where it fails."""
    export = tmp_path / "audit.jsonl"
    fairlead("audit", "export", "-o", str(export))
    found = fairlead("audit", "verify", "--export", str(export), "--public-key", "ab" * 32, "--json", bare=True)
    assert found.code == 1
    assert found.json["ok"] is False


@pytest.mark.parametrize("text", ["", "{}", "no json\n", '{"type":"header"}\n', "\0" * 100])
def test_an_export_that_is_none(fairlead: Terminal, tmp_path: Path, text: str) -> None:
    """A file that we did not write is said to be no export, not a forged record."""
    export = tmp_path / "audit.jsonl"
    export.write_text(text, encoding="utf-8")
    fairlead("audit", "verify", "--export", str(export)).refused(2, "not an audit export")
    fairlead("audit", "verify", "--export", str(tmp_path / "none.jsonl")).refused(2, "none.jsonl")


def test_an_export_goes_where_it_can_be_written(fairlead: Terminal, tmp_path: Path) -> None:
    """A folder that is missing, a folder as the file, a file as the folder: a sentence each."""
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for target in (tmp_path / "none" / "a.jsonl", tmp_path, tmp_path / "file" / "a.jsonl"):
        fairlead("audit", "export", "-o", str(target)).refused(2, str(target))


@pytest.mark.parametrize(
    "args",
    [
        ("grant", "withdraw", "grant_none", "--because", "x"),
        ("cases", "tell", "case_none", "pause"),
        ("key", "webhook", "key_none", "https://x.example"),
        ("stop", "off", "checkpoint:none"),
        ("cases", "show", "'; DROP TABLE playbook_case; --"),
    ],
)
def test_what_is_not_there(fairlead: Terminal, args: tuple[str, ...]) -> None:
    """An id that nobody has is refused or does nothing; no row changes."""
    before = fairlead.counts()
    said = fairlead(*args)
    assert said.code == 1 or "0 held actions" in said.out, (said.out, said.err)
    assert {**fairlead.counts(), "audit_entry": 0} == {**before, "audit_entry": 0}


@pytest.mark.parametrize(
    "args",
    [
        ("cases", "list", "--limit", "0"),
        ("cases", "list", "--limit", "1001"),
        ("cases", "list", "--state", "lost"),
        ("grant", "set", "lead-assignment", *GIVE, "--days", "0"),
        ("grant", "set", "lead-assignment", *GIVE, "--days", "3651"),
        ("cases", "tell", "case_1", "explode"),
        ("stop", "on"),
    ],
)
def test_options_have_bounds(fairlead: Terminal, args: tuple[str, ...]) -> None:
    """The command line itself refuses them, with status 2."""
    assert fairlead(*args).code == 2


def test_a_grant_under_another_policy_is_said_to_be_stale(fairlead: Terminal) -> None:
    """After a change of the policy the list says that the grant now assists at most."""
    assert fairlead("grant", "set", "lead-assignment", *GIVE).code == 0
    assert "another policy" not in fairlead("grant", "list").out
    file = fairlead.folder / "policies" / "lead-assignment.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("50000.0", "40000.0"), encoding="utf-8")
    assert fairlead("deploy").code == 0
    assert "given under another policy: assist at most" in fairlead("grant", "list").out


def test_a_disabled_person_gets_no_link(fairlead: Terminal) -> None:
    """What was taken away is not given back by a link."""
    fairlead("person", "add", "ida@acme.example", "--role", "reviewer")
    fairlead("person", "disable", "ida@acme.example")
    said = fairlead("sign-in", "ida@acme.example")
    assert said.code != 0
    assert "/sign-in" not in said.out


def test_the_same_person_twice(fairlead: Terminal) -> None:
    """An address in other letter case is the same address; nobody is added."""
    fairlead("person", "add", "ida@acme.example", "--role", "reviewer")
    before = fairlead.counts()
    assert fairlead("person", "add", "IDA@acme.example", "--role", "admin").code != 0
    assert fairlead.counts() == before


def test_an_account_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container whose user has no name the record still says that the command line did it."""

    def nameless() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert str(operator()) == "system:cli:unknown"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "0 rows: none; 0 cases/s"),
        ({"rows": 2, "human": 1, "needs_information": 1, "cases_per_s": 41.6},
         f"2 rows: 1 human, 1 needs information ({LACKING}); 42 cases/s"),
        ({"rows": 3, "duplicate": 3}, "3 rows: 3 duplicate; every row was there already, nothing was added"),
        ({"rows": 1, "auto": 1, "reasons": {"a": 5, "b": 4, "c": 3, "d": 2, "e": 1}},
         "1 row: 1 auto; 0 cases/s; reasons: a 5, b 4, c 3, d 2 and 1 more, see --json"),
        ({"rows": 3, "auto": 2, "blocked": 1, "reasons": {"a": 5, "b": 4, "c": 3, "d": 2, "embargo": 1}},
         "3 rows: 2 auto, 1 blocked; 0 cases/s; reasons: a 5, b 4, c 3, d 2; blocked by embargo 1"),
    ],
)  # fmt: skip
def test_one_line_accounts_for_a_run(changes: dict[str, Any], line: str) -> None:
    """Numbers that are zero are left out, doubles are told; what blocked is named beside four of the reasons."""
    assert summary({**NOTHING, **changes}, {"embargo"}) == line


def test_a_name_for_the_company_cannot_break_its_file(tmp_path: Path) -> None:
    """Quotes and backslashes in `--name` leave a workspace that can be read."""
    name = 'A"\\ = [x]\n[evil]'
    made = CliRunner().invoke(app, ["init", str(tmp_path / "co"), "--name", name])
    assert "Traceback" not in made.output
    assert made.exit_code in {0, 2}
    assert made.exception is None or isinstance(made.exception, SystemExit)
