"""The report of a file's data: its sentences are true, and its figures add up with those of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fairlead.commands.importing import quality_lines
from fairlead.sales.importing import reports
from fairlead.sales.intake import guess_mapping, inspect
from fairlead.testing.seed import run_ready
from tests.sales.test_import_uploads import HEADER, sweep, upload

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sales.world import World

MESSY = (
    HEADER + "Ann;a@b.example;A;DE;-5\nBo;;B;DE;5\nCy;c@b.example;C;DE;CHF 10'000\nDi;d@b.example;D;DE;7\n"
    "Di;d@b.example;D;DE;7\nSumme;;;;7\n"
)


def report(world: World, folder: Path, text: str) -> tuple[str, dict[str, Any]]:
    """(import, its report) after every case went as far as it goes."""
    import_id = upload(world, text)
    sweep(world, folder)
    run_ready(world.engine)
    with world.database.reading() as reader:
        return import_id, reports.quality_of(reader, import_id)


def test_leads_need_information_where_the_run_says_so(world: World, tmp_path: Path) -> None:
    """A lead that lacks a required fact is among them; the whole file's figure has a name of its own."""
    import_id, found = report(world, tmp_path, MESSY)
    with world.database.reading() as reader:
        leads = reports.leads_quality(reader, import_id, -1, 50)
    table = list(reports.quality_table(world.database.reading, import_id, "leads")[1])
    counts = world.result(import_id, 6, 4).counts
    assert [one["name"] for one in leads if one["needs_information"]] == ["Ann", "Bo", "Cy"]
    assert [row[3] for row in table if row[6]] == ["Ann", "Bo", "Cy"]
    assert counts["needs_information"] == 3
    assert found["quality"]["leads"]["unusable_cells"] == 2
    assert "needs_information" not in found["quality"]["leads"]
    assert any("2 of them with a cell that cannot be used" in line for line in quality_lines(found))


def test_a_lead_without_a_ruling_does_not_need_information_yet(world: World, tmp_path: Path) -> None:
    """Before the first checkpoint the run calls it pending, and so it is not marked here."""
    import_id = upload(world, MESSY)
    sweep(world, tmp_path)
    with world.database.reading() as reader:
        assert not any(one["needs_information"] for one in reports.leads_quality(reader, import_id, -1, 50))


def test_rows_of_totals_are_in_no_figure(world: World, tmp_path: Path) -> None:
    """Columns and completeness are over the readable rows, leads and duplicates, and the sum adds up."""
    _, found = report(world, tmp_path, MESSY)
    quality = found["quality"]
    name = quality["columns"][0]
    assert (quality["records"], quality["readable"], quality["unreadable"]) == (6, 5, 1)
    assert (name["filled"], name["filled_percent"], name["distinct"]) == (5, 100.0, 4)
    assert sum(quality["leads"]["by_completeness"].values()) == 5
    assert any(line.startswith("over 5 readable rows, duplicates among them: ") for line in quality_lines(found))


def test_a_value_without_a_rate_is_listed_under_its_column(world: World, tmp_path: Path) -> None:
    """The column says what the table of problems says."""
    _, found = report(world, tmp_path, MESSY)
    value = next(one for one in found["quality"]["columns"] if one["used_as"] == "value")
    assert {kind["code"]: kind["count"] for kind in value["problems"]} == {"value_negative": 1, "no_rate": 1}


def test_a_report_of_before_is_told_in_todays_words(world: World, tmp_path: Path, monkeypatch: Any) -> None:
    """What was stored under the old name is shown under the new one."""
    import_id, found = report(world, tmp_path, MESSY)
    old = {**found["quality"], "leads": {**found["quality"]["leads"], "needs_information": 9}}
    del old["leads"]["unusable_cells"]
    with world.database.reading() as reader:
        row = reports.import_store.read_import(reader, import_id)
        stored = type("Stored", (), {**row._mapping, "quality": old})
        monkeypatch.setattr(reports.import_store, "read_import", lambda *_: stored)
        leads = reports.quality_of(reader, import_id)["quality"]["leads"]
    assert (leads["unusable_cells"], "needs_information" in leads) == (9, False)


@pytest.mark.parametrize(("cell", "words"), [("45000", "days since 1900"), ("1700000000", "seconds since 1970")])
def test_the_example_is_a_cell_that_was_read_so(tmp_path: Path, cell: str, words: str) -> None:
    """Dates with points are no numbers, wherever they stand."""
    path = tmp_path / "d.csv"
    path.write_text(f"Name;Erstellt am\nAnn;03.04.2025\nBo;20250403\nCy;{cell}\n", encoding="utf-8")
    (said,) = [one for one in guess_mapping(inspect(path)).statements if words in one]
    assert f"numbers such as '{cell}' are" in said


def test_medium_says_why_it_is_not_high(tmp_path: Path) -> None:
    """A name that can mean something else is told as such; no two levels give one reason."""
    path = tmp_path / "m.csv"
    path.write_text("Name;E-Mail;Betrag;Contact;Date\nAnn;a@b.example;5;Bo;2025-04-03\n", encoding="utf-8")
    guesses = guess_mapping(inspect(path)).guesses
    medium = {one.why for one in guesses if one.level == "medium"}
    assert medium
    assert all("something else" in why for why in medium)
    assert medium.isdisjoint(one.why for one in guesses if one.level == "high")
