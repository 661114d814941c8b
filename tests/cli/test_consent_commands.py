"""consent, notice, preferences, why and message on wrong input: a status, a sentence with the cure, nothing written."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import Terminal

if TYPE_CHECKING:
    from pathlib import Path

ANN, BO = "ann@firm.example", "bo@firm.example"
HEADER = "email,purpose,channel,state,said_at,mechanism,proof\n"
ROWS = HEADER + f"{ANN},newsletter,email,given,2026-01-02T10:00+01:00,form,page 7\n"
SAID = ("--mechanism", "phone_call", "--proof", "call 7")
GIVE = ("consent", "give", ANN, "news", "email")


@pytest.fixture(scope="module")
def company(_example: Path, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """One workspace for the tests that leave it as it is: a customer, a consent and a notice."""
    folder = tmp_path_factory.mktemp("consents")
    shutil.copytree(_example, folder / "co")
    (folder / "rows.csv").write_text(ROWS, encoding="utf-8")
    (folder / "notice.txt").write_text("We write once a month.\n", encoding="utf-8")
    made = Terminal(folder / "co")
    for args in (("consent", "import", str(folder / "rows.csv"), "--create"),
                 ("notice", "publish", "news", str(folder / "notice.txt"))):  # fmt: skip
        done = made(*args)
        assert done.code == 0, done.err
    return made


WRONG = {
    "nobody": (1, ("consent", "give", BO, "news", "email", *SAID), "nobody is known as"),
    "an unknown id": (1, ("consent", "list", "cus_" + "0" * 24), "nobody is known as"),
    "a blank name": (1, ("consent", "withdraw", " "), "nobody is known as"),
    "a name without end": (1, ("consent", "list", "x" * 400), "nobody is known as"),
    "to everything": (2, ("consent", "give", ANN, "*", "email", *SAID), "withdrawal"),
    "by every channel": (2, ("consent", "give", ANN, "news", "*", *SAID), "withdrawal"),
    "to a slip of the pen": (2, ("consent", "give", ANN, "newslettr", "email", *SAID), "Did you mean 'newsletter'?"),
    "for nothing": (2, ("consent", "give", ANN, "", "email", *SAID), "purpose"),
    "said by nobody": (2, (*GIVE, "--mechanism", "", "--proof", "x"), "mechanism"),
    "half a JSON": (2, (*GIVE, "--mechanism", "form", "--proof", '{"call": '), "is none"),
    "no zone": (2, (*GIVE, *SAID, "--said-at", "2026-01-01T12:00"), "2027-03-01T12:00+01:00"),
    "a day": (2, (*GIVE, *SAID, "--expires", "next year"), "2027-03-01T12:00+01:00"),
    "tomorrow": (2, (*GIVE, *SAID, "--said-at", "2999-01-01T12:00Z"), "future"),
    "over before": (2, (*GIVE, *SAID, "--expires", "2020-01-01T12:00Z"), "ended before"),
    "an endless proof": (2, (*GIVE, "--mechanism", "form", "--proof", "x" * 20_000), "16384 bytes"),
    "an unknown notice": (1, (*GIVE, *SAID, "--notice", "terms"), "never published in en"),
    "another language": (1, (*GIVE, *SAID, "--notice", "news", "--language", "de"), "never published in de"),
    "an unknown purpose withdrawn by nobody": (1, ("consent", "withdraw", BO, "news"), "nobody is known as"),
    "no case": (1, ("why", "link", "case_" + "0" * 24), "case_"),
    "words for a case": (1, ("why", "link", "Ann's case; drop table"), "Ann's case"),
    "nobody's page": (1, ("preferences", "link", "someone@firm.example"), "nobody is known as someone@"),
    "no such channel": (2, ("preferences", "link", ANN, "--channel", "fax"), "no address for 'fax'"),
    "a channel without address": (2, ("preferences", "link", ANN, "--channel", "sms"), "known are email"),
    "a way out of the folder": (1, ("message", "preview", "../contact"), "contact"),
    "no template": (1, ("message", "preview", "welcome"), "welcome"),
    "a field without a value": (2, ("message", "preview", "first-follow-up", "-f", "=Ada"), "NAME=VALUE"),
    "a list for a name": (2, ("message", "preview", "first-follow-up", "-f", 'name={"a": 1}'), "not a text"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_and_not_written(company: Terminal, case: str) -> None:
    """One sentence on standard error that names it; not a row more in any table, the record's included."""
    code, args, part = WRONG[case]
    before = company.counts()
    company(*args).refused(code, part)
    assert company.counts() == before


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (("consent", "give", ANN), "Missing argument"), ((*GIVE, "--proof", "x"), "--mechanism"),
        (("consent", "gave"), "No such command"), (("consent", "list", ANN, "--all"), "--all"),
        (("consent", "import"), "{file}"), (("notice", "publish", "news"), "{file}"), (("why", "link"), "{case}"),
        (("preferences", "link"), "{customer}"), (("message", "preview"), "{name}"),
    ],
)  # fmt: skip
def test_what_is_left_out_is_named(company: Terminal, args: tuple[str, ...], part: str) -> None:
    """Status 2, the missing word in the message, nothing on standard output."""
    said = company(*args)
    assert said.code == 2
    assert part in said.err
    assert said.out == ""


LINE = f"{ANN},newsletter,email,given,2026-01-02T10:00+01:00,form,page 7"
FILES = {
    "empty": (b"", "header"),
    "no header": (LINE.encode(), "lacks purpose, channel, state"),
    "a column of somebody else": (HEADER.replace("mechanism", "mechanics").encode(), "mechanism"),
    "a column twice": ((HEADER.strip() + ",purpose\n").encode(), "there twice"),
    "no customers": (HEADER.replace("email,", "", 1).encode(), "email"),
    "not UTF-8": (HEADER.encode() + "Zoë@firm.example,news".encode("cp1252"), "not UTF-8 at byte 54"),
    "UTF-16": (ROWS.encode("utf-16"), "not UTF-8 at byte 0"),
    "NUL": (HEADER.encode() + b"\0\n", ""),
    "an open quote": (HEADER.encode() + b'"' + b"x" * 200_000, ""),
    "a line without end": (HEADER.encode() + b"x" * 300_000, "more than 262,144 characters"),
    "too large": (HEADER.encode() + b"x\n" * 300_000, "larger than 500,000 bytes"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_cannot_be_read(
    company: Terminal, tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused as a whole with the reason, in a dry run, too."""
    monkeypatch.setenv("FAIRLEAD_MAX_IMPORT_BYTES", "500000")
    content, part = FILES[case]
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    before = company.counts()
    for more in ((), ("--dry-run",), ("--skip-bad", "--create")):
        said = company("consent", "import", str(path), *more)
        if case == "NUL" and more and said.code == 0:
            continue  # one bad row, which may be skipped
        assert said.code == 2, said.out
        assert part in said.err + said.out
    assert company.counts() == before


BAD_ROWS = {
    "nobody": (LINE.replace("ann@", "cy@"), "Nobody is known"),
    "an unknown state": (LINE.replace("given", "maybe"), "maybe"),
    "given to everything": (LINE.replace("newsletter,email", "*,*"), "withdrawal"),
    "no zone": (LINE.replace("+01:00", ""), "zone"),
    "no day": (LINE.replace("2026-01-02", "2026-02-30"), "said_at is no moment"),
    "the future": (LINE.replace("2026-01-02", "2999-01-02"), "future"),
    "no purpose": (LINE.replace("newsletter", ""), "purpose"),
    "an unknown purpose": (LINE.replace("newsletter", "newletter"), "no purpose 'newletter'; they know *, alerts"),
    "too few cells": (LINE.rpartition(",")[0], "line 2"),
    "too many cells": (LINE + ",more", "line 2"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_one_bad_row_names_its_line(company: Terminal, tmp_path: Path, case: str) -> None:
    """The line, the reason and the way on; the good row beside it is not taken either."""
    row, part = BAD_ROWS[case]
    path = tmp_path / "rows.csv"
    path.write_text(f"{HEADER}{row}\n{LINE.replace('newsletter', 'sales')}\n", encoding="utf-8")
    before = company.counts()
    said = company("consent", "import", str(path))
    assert said.code == 2
    assert "1 refused" in said.out
    assert "line 2:" in said.out
    assert part in said.out
    assert "--skip-bad" in said.out
    dry = company("consent", "import", str(path), "--dry-run", "--json").json
    assert (dry["rows"], dry["written"], [one["line"] for one in dry["refused"]]) == (2, False, [2])
    assert company.counts() == before


@pytest.mark.parametrize(
    ("content", "part"),
    [(b"", "text"), (b" \n\r\n ", "text"), (b"x" * 20_001, "at most 20000"), (b"x" * 65_537, "than 65,536 bytes"),
     (b"caf\xe9", "not UTF-8 at byte 3"), (b"a\0b", "text")],
)  # fmt: skip
def test_a_notice_that_is_none(company: Terminal, tmp_path: Path, content: bytes, part: str) -> None:
    """Nothing, too much, or bytes that are no text: no version is made."""
    path = tmp_path / "notice.txt"
    path.write_bytes(content)
    before = company.counts()
    company("notice", "publish", "news", str(path)).refused(2, part)
    assert company.counts() == before
    company("notice", "publish", "news", str(tmp_path / "none.txt")).refused(2, "cannot be read")
    company("notice", "publish", "n" * 101, str(tmp_path)).refused(2, "cannot be read")


def test_what_is_right_is_written_once(fairlead: Terminal, tmp_path: Path) -> None:
    """The same commands on right input: each leaves its row, and a file or a text taken twice leaves no second."""
    rows, text = tmp_path / "rows.csv", tmp_path / "notice.txt"
    rows.write_text(ROWS, encoding="utf-8")
    text.write_text("We write once a month.", encoding="utf-8")
    assert "1 recorded" in fairlead("consent", "import", str(rows), "--create").out
    assert "1 there already" in fairlead("consent", "import", str(rows), "--create").out
    for _ in range(2):
        assert "news version 1 in en" in fairlead("notice", "publish", "news", str(text)).out
    text.write_text("We write once a week.", encoding="utf-8")
    assert "news version 2 in en" in fairlead("notice", "publish", "news", str(text)).out
    given = fairlead("consent", "give", ANN, "sales", "email", *SAID, "--notice", "news")
    assert given.code == 0, given.err
    assert fairlead("consent", "withdraw", ANN, "newsletter", "email").code == 0
    found = fairlead("consent", "list", ANN, "--json").json
    standing = {one["purpose"]: one["state"] for one in found["standing"]}
    assert standing == {"newsletter": "withdrawn", "sales": "given"}
    assert len(found["history"]) == 3
    assert [one["version"] for one in fairlead("notice", "list", "--json").json] == [2, 1]


def test_a_long_list_of_refused_rows_is_cut(company: Terminal, tmp_path: Path) -> None:
    """Twenty on the screen, a thousand as JSON, all of them in the file that was asked for."""
    bad = HEADER + f"{LINE.replace('given', 'maybe')}\n" * 1_200
    left = tmp_path / "left.csv"
    path = tmp_path / "rows.csv"
    path.write_text(bad, encoding="utf-8")
    said = company("consent", "import", str(path), "--refused", str(left))
    assert said.code == 2
    assert said.out.count("  line ") == 20
    assert "and 1,180 more; in all: state 1,200" in said.out
    assert len(left.read_text(encoding="utf-8").splitlines()) == 1_201
    as_json = company("consent", "import", str(path), "--json").json
    assert (as_json["refused_rows"], len(as_json["refused"]), as_json["reasons"]) == (1_200, 1_000, {"state": 1_200})
    company("consent", "import", str(path), "--refused", str(left)).refused(2, "cannot be written")
