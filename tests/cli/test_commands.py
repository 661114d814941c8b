"""Each command from one end to the other: what it says, its JSON, its exit status."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from fairlead.cli import app
from fairlead.commands.people import USUAL_SCOPES
from fairlead.people import KEY_SCOPES
from fairlead.testing.company import write_leads
from tests.house.tree import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Terminal

PATHS = ("auto", "assist", "human", "blocked", "needs_information", "duplicate", "unreadable", "failed")
GIVE = ("--segment", "small", "--producer", "lead-rules@1", "--level", "auto", "--threshold", "0.3")


def leads(folder: Path, count: int = 20, start: int = 0) -> Path:
    """A file of leads."""
    path = folder / f"leads-{start}.csv"
    write_leads(path, count, start=start)
    return path


def first_case(fairlead: Terminal, tmp_path: Path) -> str:
    """The id of a case that waits at its checkpoint."""
    assert fairlead("run", "lead-qualification", "-i", str(leads(tmp_path))).code == 0
    return str(fairlead("cases", "list", "--state", "waiting", "--json").json["cases"][0]["id"])


def test_init_makes_a_workspace_once(tmp_path: Path) -> None:
    """It writes the example, deploys it and names the next command; a second time it refuses
    and writes nothing.
    """
    runner = CliRunner()
    made = runner.invoke(app, ["init", str(tmp_path / "co"), "--name", 'Acme "North"'])
    assert made.exit_code == 0
    assert "next: fairlead run" in made.stdout
    assert "Acme North" in (tmp_path / "co" / "fairlead.toml").read_text(encoding="utf-8")

    again = runner.invoke(app, ["init", str(tmp_path / "co")])
    assert again.exit_code == 1
    assert "nothing was written" in again.stderr


def test_check_and_deploy(fairlead: Terminal) -> None:
    """What is right is said to be right; deploying it again changes nothing, a change is a new version."""
    said = fairlead("check").out
    kinds = "6 playbooks, 6 policies, 1 form, 6 message templates, contact.yaml, fairlead.toml"
    assert said == f"21 files are right: {kinds}\n", "every file is said"
    assert fairlead("check", "--json").json["ok"] is True
    same = fairlead("deploy", "--json").json
    assert same["changed"] is False
    assert "nothing changed" in fairlead("deploy").out

    file = fairlead.folder / "policies" / "lead-assignment.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("50000.0", "40000.0"), encoding="utf-8")

    changed = fairlead("deploy", "--json").json
    assert changed["changed"] is True
    assert changed["bundle"] != same["bundle"]


def test_run_accounts_for_every_row(fairlead: Terminal, tmp_path: Path) -> None:
    """The numbers add up to the rows; the same file again adds nothing and says so; standard
    output is one line.
    """
    file = leads(tmp_path, 40)
    first = fairlead("run", "lead-qualification", "--input", str(file), "--json")
    assert first.code == 0
    assert first.json["rows"] == 40
    assert sum(first.json[path] for path in PATHS) == 40
    assert first.json["duplicate"] == 0
    assert "email ← 'E-mail'" in first.err

    again = fairlead("run", "lead-qualification", "--input", str(file))
    assert "40 duplicate; every row was there already, nothing was added" in again.out
    assert again.out.count("\n") == 1
    assert fairlead("run", "lead-qualification", "-i", str(file), "--json").json["already_imported"]


def test_run_takes_a_mapping(fairlead: Terminal, tmp_path: Path) -> None:
    """`--map` wins over the guess."""
    file = tmp_path / "odd.csv"
    file.write_text("a;b;c\nAda Keller;ada@helio.example;9000\n", encoding="utf-8")
    maps = ("--map", "name=a", "--map", "email=b", "--map", "value=c")

    done = fairlead("run", "lead-qualification", "-i", str(file), *maps, "--json")

    assert done.code == 0, done.err
    assert {one["field"] for one in done.json["mapping"]["mapped"]} >= {"name", "email", "value"}
    assert done.json["needs_information"] == 0


def test_grants(fairlead: Terminal, tmp_path: Path) -> None:
    """Given, seen at work, listed, withdrawn; all of it stands in the audit record."""
    assert "shadow" in fairlead("grant", "list").out
    given = fairlead("grant", "set", "lead-assignment", *GIVE, "--note", "for a test")
    assert given.code == 0, given.err
    grant = given.out.partition(":")[0]
    assert grant in fairlead("grant", "list").out
    assert [grant] == [one["id"] for one in fairlead("grant", "list", "--json").json["grants"]]
    done = fairlead("run", "lead-qualification", "-i", str(leads(tmp_path, 40)), "--json").json
    assert done["auto"] > 0

    assert fairlead("grant", "withdraw", grant, "--because", "enough").code == 0
    assert fairlead("grant", "list", "--json").json == {"grants": []}
    after = fairlead("run", "lead-qualification", "-i", str(leads(tmp_path, 40, start=99)), "--json").json
    assert after["auto"] == 0


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (("lead-asignment", *GIVE), "lead-assignment"),
        (("lead-assignment", "--segment", "smal", *GIVE[2:]), "small"),
        (("lead-assignment", *GIVE, "--promised-error", "7"), "promised"),
        (("lead-assignment", *GIVE[:-1], "nan"), "hreshold"),
    ],
)
def test_a_wrong_grant_is_refused(fairlead: Terminal, args: tuple[str, ...], part: str) -> None:
    """The sentence names what was probably meant, and nothing is stored."""
    before = fairlead.counts()
    fairlead("grant", "set", *args).refused(2, part)
    assert fairlead.counts() == before


def test_a_policys_declaration_is_signed_and_unsigned(fairlead: Terminal) -> None:
    """Check and deploy name it; signed, it is listed; a new version is unsigned; what declares nothing is refused."""
    file = fairlead.folder / "policies" / "lead-assignment.yaml"
    fairlead("policy", "sign", "lead-assignment", "--reason", "x").refused(2, "declares nothing")
    fairlead("policy", "sign", "lead-asignment", "--reason", "x").refused(2, "lead-assignment")
    file.write_text(file.read_text() + "deterministic: true\n")
    assert "counts for nothing" in fairlead("check").out
    deployed = fairlead("deploy", "--json")
    assert deployed.json["unsigned"] == ["lead-assignment"]
    assert "lead-assignment declares deterministic: unsigned" in deployed.err
    assert fairlead("policy", "sign", "lead-assignment", "--reason", "fixed rules").code == 0
    fairlead("policy", "sign", "lead-assignment", "--reason", "again").refused(1, "signed already")
    assert fairlead("policy", "list", "--json").json["unsigned"] == []

    file.write_text(file.read_text() + "stop: never\n")
    assert fairlead("deploy", "--json").json["unsigned"] == ["lead-assignment"]
    assert "earlier version" in fairlead("policy", "list").out
    assert "1 withdrawn" in fairlead("policy", "unsign", "lead-assignment", "--reason", "enough").out
    fairlead("policy", "unsign", "lead-assignment", "--reason", "enough").refused(1, "No signature")
    assert fairlead("audit", "verify").code == 0


def test_stop_switches(fairlead: Terminal, tmp_path: Path) -> None:
    """On: everything goes to people, whatever was granted; off: as before."""
    fairlead("grant", "set", "lead-assignment", *GIVE)
    assert "nothing is stopped" in fairlead("stop", "list").out
    assert "is stopped" in fairlead("stop", "on", "--because", "a try").out
    assert "a try" in fairlead("stop", "list").out
    stopped = fairlead("run", "lead-qualification", "-i", str(leads(tmp_path, 40)), "--json").json
    assert stopped["auto"] == stopped["assist"] == 0

    assert "goes on" in fairlead("stop", "off").out
    free = fairlead("run", "lead-qualification", "-i", str(leads(tmp_path, 40, start=99)), "--json").json
    assert free["auto"] > 0
    assert fairlead("stop", "on", "planet:earth", "--because", "x").code == 2


def test_cases(fairlead: Terminal, tmp_path: Path) -> None:
    """Listed, shown with their history, and told what to do; a verb that the state forbids is refused."""
    case = first_case(fairlead, tmp_path)
    assert case in fairlead("cases", "list", "--limit", "1000").out
    assert "no such cases" in fairlead("cases", "list", "--state", "exception").out
    shown = fairlead("cases", "show", case, "--json").json
    assert shown["case"]["state"] == "waiting"
    assert shown["history"][0]["what"] == "case.opened"
    assert "case.opened" in fairlead("cases", "show", case).out

    assert fairlead("cases", "tell", case, "take-over", "--reason", "mine").out == f"{case} is paused\n"
    fairlead("cases", "tell", case, "hand_back")
    assert fairlead("cases", "tell", case, "take_over", "--reason", "mine").out == f"{case} is paused\n"
    assert fairlead("cases", "tell", case, "cancel", "--reason", "done").out == f"{case} is ended\n"
    fairlead("cases", "tell", case, "resume").refused(1, "ended")
    fairlead("cases", "show", "case_000000000000000000000000").refused(1, "no case")


def test_audit(fairlead: Terminal, tmp_path: Path) -> None:
    """Verified here and from an export with nothing but the public key; a changed export fails
    with status 1.
    """
    fairlead("run", "lead-qualification", "-i", str(leads(tmp_path)))
    said = fairlead("audit", "verify", "--json")
    assert said.code == 0
    assert said.json["ok"] is True
    assert said.json["rows"] > 20
    export = tmp_path / "audit.jsonl"
    wrote = fairlead("audit", "export", "-o", str(export))
    key = re.search(r"public key ([0-9a-f]{64})", wrote.out)
    assert key is not None
    offline = ("audit", "verify", "--export", str(export), "--public-key", key[1], "--json")
    assert fairlead(*offline, bare=True).json["ok"] is True
    fairlead("audit", "export", "-o", str(export)).refused(2, "exists already")
    assert fairlead("audit", "export").out == export.read_text(encoding="utf-8")

    lines = export.read_text(encoding="utf-8").splitlines()
    changed = [line.replace("case.opened", "case.closed") for line in lines]
    export.write_text("\n".join(changed) + "\n", encoding="utf-8")
    forged = fairlead(*offline, bare=True)
    assert forged.code == 1
    assert forged.json["ok"] is False
    assert forged.json["first_bad_row"] is not None
    fairlead("audit", "verify", "--public-key", "xyz").refused(2, "hex")


def test_an_export_that_lost_a_line(fairlead: Terminal, tmp_path: Path) -> None:
    """Status 1 with the row that is gone: it was checked, and something is wrong; 2 is for what is no export."""
    export = tmp_path / "audit.jsonl"
    key = fairlead("audit", "export", "-o", str(export)).out.split()[-1]
    lines = export.read_text(encoding="utf-8").splitlines(keepends=True)
    for place in (0, 2, len(lines) - 1):
        export.write_text("".join(lines[:place] + lines[place + 1 :]), encoding="utf-8")
        lost = fairlead("audit", "verify", "--export", str(export), "--public-key", key, bare=True)
        assert lost.code == 1, (place, lost.err)
        assert "TAMPERED" in lost.out
    export.write_text("a,b\n1,2\n", encoding="utf-8")
    fairlead("audit", "verify", "--export", str(export), bare=True).refused(2, "not an audit export")


def test_an_export_without_a_key(fairlead: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Far from any workspace it is checked by the key that it names, and what that cannot prove is said."""
    export = tmp_path / "audit.jsonl"
    key = fairlead("audit", "export", "-o", str(export)).out.split()[-1]
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    args = ("audit", "verify", "--export", str(export))
    said = fairlead(*args, bare=True)
    assert said.code == 0, said.err
    assert "workspace" not in said.out + said.err
    assert "whole in itself" in said.out
    assert f"{key}: whether that is the right one was not checked" in said.out
    assert fairlead(*args, "--json", bare=True).json["key_trusted"] is False
    assert fairlead(*args, "--public-key", key, "--json", bare=True).json["key_trusted"] is True
    assert list((tmp_path / "elsewhere").iterdir()) == []

    lines = export.read_text(encoding="utf-8").splitlines(keepends=True)
    export.write_text("".join(lines[1:]), encoding="utf-8")
    fairlead(*args, bare=True).refused(2, "--public-key")


def test_a_deploy_says_which_grants_a_new_producer_leaves_void(fairlead: Terminal) -> None:
    """By checkpoint and segment, with the old producer and the new; nothing where nothing was granted or changed."""
    for segment, level in (("small", "auto"), ("medium", "assist"), ("large", "shadow")):
        limit = ("--threshold", "0.8", "--promised-error", "0.02") if level == "auto" else ()
        line = fairlead("grant", "set", "lead-assignment", "--segment", segment, "--producer", "lead-rules@1",
                        "--level", level, *limit)  # fmt: skip
        assert line.code == 0, line.err
    fairlead(
        "grant", "set", "lead-assignment", "--segment", "medium", "--producer", "lead-rules@2", "--level", "assist"
    )
    book = fairlead.folder / "playbooks" / "lead-qualification.yaml"
    text = book.read_text(encoding="utf-8")
    book.write_text(text.replace("target: 0.7", "target: 0.6"), encoding="utf-8")
    same = fairlead("deploy")
    assert (same.code, "grant" in same.err) == (0, False)

    book.write_text(text.replace("producer: lead-rules@1", "producer: lead-rules@2"), encoding="utf-8")
    said = fairlead("deploy")
    assert said.code == 0
    medium, small = [one for one in said.err.splitlines() if one.startswith("warning")]
    assert medium == (
        "warning: lead-assignment, segment medium: the grant of lead-rules@1 (assist) has no effect on new cases; "
        "lead-rules@2 proposes now and may go assist there by a grant of its own"
    )
    assert small == (
        "warning: lead-assignment, segment small: the grant of lead-rules@1 (auto) has no effect on new cases; "
        "lead-rules@2 proposes now and has no grant there, so it starts in shadow and people decide"
    )
    book.write_text(text, encoding="utf-8")
    back = fairlead("deploy", "--json").json["void_grants"]
    assert [(one["segment"], one["producer"], one["to"]) for one in back] == [
        ("medium", "lead-rules@2", {"lead-rules@1": "assist"})
    ]


def test_a_deploy_knows_who_proposes_with_a_model(fairlead: Terminal) -> None:
    """Without a model the rules go on as the producer that they name; another name for them voids the grant."""
    auto = ("--level", "auto", "--threshold", "0.8", "--promised-error", "0.02")
    fairlead("grant", "set", "lead-assignment", "--segment", "small", "--producer", "lead-rules@1", *auto)
    book = fairlead.folder / "playbooks" / "lead-qualification.yaml"
    text = book.read_text(encoding="utf-8")
    start, end = text.index("    step: score-by-rules@1"), text.index("    next: route")
    rules = '{base: 20, rules: [{when: company != "", add: 10, words: a company}]}'
    stage = f"    step: score-by-model@1\n    with:\n      model: lead-score\n      rules: {rules}\n"
    model = (text[:start] + stage + text[end:]).replace("producer: lead-rules@1", "producer: {fact: producer}")
    book.write_text(model, encoding="utf-8")
    assert fairlead("deploy", "--json").json["void_grants"] == []
    book.write_text(model.replace("model: lead-score\n", "model: lead-score\n      rules_producer: ours@7\n"), "utf-8")
    (void,) = fairlead("deploy", "--json").json["void_grants"]
    assert (void["producer"], void["to"]) == ("lead-rules@1", {"ours@7": "shadow"})


def test_one_is_not_many(fairlead: Terminal, tmp_path: Path) -> None:
    """Numbers agree with their words: one playbook, two files."""
    small = tmp_path / "small"
    (small / "playbooks").mkdir(parents=True)
    text = "playbook: hello\nsubject: lead\nstart: done\nstages: {done: {end: done}}\n"
    (small / "playbooks" / "hello.yaml").write_text(text, encoding="utf-8")
    said = fairlead("check", "--workspace", str(small), bare=True)
    assert said.out == "1 file is right: 1 playbook\n"
    assert " 1 seal," in fairlead("audit", "verify").out
    assert "0 actions are held" in fairlead("stop", "on", "--because", "x").out


def test_people(fairlead: Terminal) -> None:
    """Added with a one-time link, listed, given other roles, disabled."""
    added = fairlead("person", "add", "ida@acme.example", "--role", "reviewer", "--name", "Ida")
    assert added.code == 0, added.err
    assert "/sign-in" in added.out
    assert "Ida" in fairlead("person", "list").out
    assert "/sign-in" in fairlead("sign-in", "ida@acme.example").out
    assert "manager" in fairlead("person", "roles", "ida@acme.example", "--role", "manager").out
    people = fairlead("person", "list", "--json").json["people"]
    assert people[0]["roles"] == ["manager"]
    assert fairlead("person", "disable", "ida@acme.example").code == 0
    assert "disabled" in fairlead("person", "list").out

    fairlead("person", "add", "no address", "--role", "reviewer").refused(2)
    fairlead("person", "add", "x@acme.example", "--role", "emperor").refused(2, "emperor")
    fairlead("sign-in", "nobody@acme.example").refused(1, "fairlead person add")
    fairlead("person", "roles", "nobody@acme.example", "--role", "viewer").refused(1, "nobody is known")
    fairlead("person", "disable", "nobody@acme.example").refused(1, "nobody is known")


def test_keys(fairlead: Terminal) -> None:
    """Printed once, listed without the secret, revoked."""
    made = fairlead("key", "create", "crm", "--checkpoint", "lead-assignment", "--max-value", "5000")
    assert made.code == 0, made.err
    secret = made.out.strip()
    listed = fairlead("key", "list").out
    assert "crm" in listed
    assert secret not in listed
    address = "https://bot.acme.example/decided"
    told = fairlead("key", "webhook", listed.split()[0], address)
    assert address in told.out, told.err
    assert "whsec_" in told.out
    fairlead("key", "webhook", listed.split()[0], "http://127.0.0.1/").refused(2)
    assert "nowhere" in fairlead("key", "webhook", listed.split()[0]).out
    assert fairlead("key", "revoke", listed.split()[0]).code == 0
    assert "revoked" in fairlead("key", "list").out
    fairlead("key", "revoke", "key_000000000000000000000000").refused(1)


@pytest.mark.parametrize(
    "args",
    [
        ("check",), ("deploy",), ("run", "lead-qualification", "-i", "x.csv"), ("cases", "list"), ("audit", "verify"),
        ("grant", "list"), ("stop", "list"), ("person", "list"), ("key", "list"), ("serve",), ("worker",),
    ],
)  # fmt: skip
def test_a_folder_that_is_no_workspace(args: tuple[str, ...], tmp_path: Path) -> None:
    """Every command says that the folder is none and how to make one, and leaves nothing in it."""
    result = CliRunner().invoke(app, [*args, "--workspace", str(tmp_path)])

    assert result.exit_code == 2
    assert "is not a workspace" in result.stderr
    assert "fairlead init" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_names_every_command() -> None:
    """`fairlead --help` lists what there is."""
    result = CliRunner().invoke(app, ["--help"])
    for name in ("init", "check", "deploy", "run", "serve", "worker", "demo", "sign-in", "person", "key", "grant",
                 "stop", "cases", "audit"):  # fmt: skip
        assert name in result.stdout


def test_every_scope_of_a_key_is_named() -> None:
    """`fairlead key create --help` and docs/cli.md list each permission that a key may hold, and the usual ones."""
    told = CliRunner().invoke(app, ["key", "create", "--help"], env={"COLUMNS": "400"}).stdout
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for scope in KEY_SCOPES:
        assert scope.value in told
        assert f"`{scope.value}`" in page
    assert f"Default: {', '.join(USUAL_SCOPES)}" in re.sub(r"[\s│]+", " ", told)


def test_json_is_json_alone(fairlead: Terminal, tmp_path: Path) -> None:
    """With --json, standard output is one JSON object and nothing else."""
    case = first_case(fairlead, tmp_path)
    for args in (("check",), ("deploy",), ("cases", "list"), ("cases", "show", case), ("audit", "verify"),
                 ("grant", "list"), ("person", "list")):  # fmt: skip
        assert isinstance(json.loads(fairlead(*args, "--json").out), dict)


def test_a_key_that_takes_leads_in_needs_no_checkpoint(fairlead: Terminal) -> None:
    """One that may ask for decisions does, and is refused with what to write."""
    assert fairlead("key", "create", "form", "--scope", "cases:start").code == 0
    fairlead("key", "create", "bot").refused(2, "--checkpoint")


def test_a_note_added_by_hand_prints_nothing_that_is_withheld(fairlead: Terminal, tmp_path: Path) -> None:
    """Whether somebody must answer from the text alone is ruled later; neither words nor JSON tell what was found."""
    text = tmp_path / "call.txt"
    text.write_text("Name: Ann Bell\nCompany: Bell Optics Ltd\nE-mail: ann@bell.example\n", encoding="utf-8")
    said = fairlead("note", "add", "--file", str(text))
    assert (said.code, "Bell" in said.out) == (0, False)
    assert "kept back" in said.out
    again = fairlead("note", "add", "--file", str(text), "--json").json
    assert (again["found"], "not ruled yet" in again["withheld"], again["is_new"]) == ([], True, False)
