"""imports: what came of files, how good their data are, taking one back; and what run says about a file."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Terminal

ROWS = "Name;E-Mail;Land;Auftragswert\nAnn;a@a.example;DE;12.345\nBo;bo@;Iran;1.250,50\nCy;c@c.example;FR;-5\n"


def brought(fairlead: Terminal, tmp_path: Path, *args: str) -> str:
    """The id of a file that was run."""
    path = tmp_path / "leads.csv"
    path.write_text(ROWS, encoding="utf-8")
    done = fairlead("run", "lead-qualification", "--input", str(path), "--json", *args)
    assert done.code == 0, done.err
    return str(done.json["import"])


def test_the_line_names_what_blocked(fairlead: Terminal, tmp_path: Path) -> None:
    """Words for one meaning, the singular where it is one, and the rule that refused."""
    path = tmp_path / "one.csv"
    path.write_text("Name;E-Mail;Land\nBo;bo@b.example;Iran\n", encoding="utf-8")
    done = fairlead("run", "lead-qualification", "--input", str(path))
    assert done.out.startswith("1 row: 1 blocked; ")
    assert done.out.rstrip().endswith("blocked by embargo 1")


def test_quality_in_three_forms(fairlead: Terminal, tmp_path: Path) -> None:
    """Words, JSON and CSV say the same; a report that is asked for wrongly is refused."""
    found = brought(fairlead, tmp_path)
    words = fairlead("imports", "quality", found)
    data = fairlead("imports", "quality", found, "--json").json
    rows = list(csv.reader(io.StringIO(fairlead("imports", "quality", found, "--csv", "--of", "problems").out)))

    assert words.out.startswith("leads.csv, finished: 3 rows = 3 leads + 0 duplicates + 0 unreadable\n")
    assert "value_negative 1: row 4: A deal of '-5' cannot be." in words.out
    assert "'12.345' is read as 12,345, because other cells, such as '1.250,50'" in words.out
    assert data["accounted"]["complete"]
    assert ["4", "value", "value_negative", "True", "A deal of '-5' cannot be."] in rows
    leads = fairlead("imports", "quality", found, "--csv", "--of", "leads").out
    assert leads.splitlines()[1].split(",")[4] == "100"
    fairlead("imports", "quality", found, "--csv", "--of", "rows").refused(2, "columns, leads, problems")
    fairlead("imports", "quality", "imp_none", "--csv").refused(1, "no import imp_none")


def test_list_and_cancel(fairlead: Terminal, tmp_path: Path) -> None:
    """The list shows where each stands; taking one back cancels what is open and lets the rows in again."""
    assert "no file has come in yet" in fairlead("imports", "list").out
    found = brought(fairlead, tmp_path)
    (item,) = fairlead("imports", "list", "--json").json["imports"]
    assert (item["id"], item["state"], item["rows"]) == (found, "finished", 3)
    assert f"{found} was taken back: 2 cases cancelled, 1 had ended before" in fairlead("imports", "cancel", found).out
    assert "cancelled" in fairlead("imports", "list").out
    fairlead("imports", "cancel", found).refused(1, "nothing to take back")
    again = fairlead("run", "lead-qualification", "--input", str(tmp_path / "leads.csv"), "--json").json
    assert again["duplicate"] == 1
    assert again["rows"] == 3


def test_what_was_said_is_used_again(fairlead: Terminal, tmp_path: Path) -> None:
    """A second file with the same columns is mapped as the first was told to be, until that is forgotten."""
    first = brought(fairlead, tmp_path, "--map", "note=Land", "--map", "country=")
    path = tmp_path / "next.csv"
    path.write_text("auftragswert;LAND;name;e-mail\n7;DE;Di;d@d.example\n", encoding="utf-8")
    run = ("run", "lead-qualification", "--input", str(path), "--json")
    second = fairlead(*run)
    assert f"mapped as in import {first} of " in second.err
    assert {"note": "LAND"}.items() <= {one["field"]: one["column"] for one in second.json["mapping"]["mapped"]}.items()
    third = fairlead(*run, "--forget-mapping")
    assert "forgot what was said" in third.err
    assert third.json["mapping"]["remembered"] is None


def test_other_formats_and_a_country(fairlead: Terminal, tmp_path: Path) -> None:
    """Parquet and JSON lines run like CSV; numbers without a country code get that of --country."""
    pl.DataFrame({"Name": ["Ann"], "Phone": ["030 1234567"]}).write_parquet(tmp_path / "leads")
    (tmp_path / "more").write_text('{"Name": "Bo", "Phone": "030 1234568"}\nbroken\n', encoding="utf-8")
    one = fairlead("run", "lead-qualification", "--input", str(tmp_path / "leads"), "--country", "de", "--json").json
    two = fairlead("run", "lead-qualification", "--input", str(tmp_path / "more"), "--country", "DE", "--json").json
    assert (one["rows"], one["needs_information"]) == (1, 0)
    assert (two["rows"], two["unreadable"], two["needs_information"]) == (2, 1, 0)
    wrong = fairlead("run", "lead-qualification", "--input", str(tmp_path / "more"), "--country", "XX")
    wrong.refused(2, "no country code")
