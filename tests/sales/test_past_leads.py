"""Past leads go through the reading of new ones: one meaning for a column while learning and while scoring."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from fairlead.errors import InputError
from fairlead.sales import open_lead_file, read_history
from fairlead.sales.past_leads import labels_of

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.understanding import History

HEADER = "Firma,Land,Mitarbeiter,Budget (EUR),Größe,size,size,Gewonnen"
ROWS = (
    'Nordlicht,Deutschland,51-200,"12.500,00",3,1,2,ja',
    "Hafen,AT,12,900,4,2,3,nein",
    "Kontor,Schweden,,n/a,5,3,4,nein",
)


def table(folder: Path, *lines: str) -> Path:
    """A CSV file of these lines."""
    path = folder / "past.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return path


def read(path: Path, outcome: str = "Gewonnen", **options: Any) -> tuple[History, int]:
    """Its history, and how many rows could not be read."""
    file = open_lead_file(path, [f"outcome={outcome}"], "EUR")
    with file.reader:
        return read_history(file, **options)


def test_cells_mean_what_they_mean_in_a_new_lead(tmp_path: Path) -> None:
    """Countries as codes, amounts in whole units, headcounts as numbers, under the facts' names."""
    history, unreadable = read(table(tmp_path, *ROWS))
    assert unreadable == 0
    assert history.outcome == [True, False, False]
    assert history.columns["country"] == ["DE", "AT", "SE"]
    assert history.columns["value"] == [12_500, 900, None]
    assert history.columns["employees"] == [51, 12, None]
    assert history.columns["grosse"] == [3, 4, 5]


def test_columns_keep_the_names_that_the_file_gives_them(tmp_path: Path) -> None:
    """So that reports speak the file's language; repeated headers stay apart."""
    history, _ = read(table(tmp_path, *ROWS))
    assert history.labels["value"] == "Budget (EUR)"
    assert history.labels["grosse"] == "Größe"
    assert {"size", "size_2"} <= set(history.labels.values())
    assert "Gewonnen" not in history.labels.values()
    assert history.outcome_label == "Gewonnen"


def test_rows_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    """The rest is learnt from."""
    history, unreadable = read(table(tmp_path, *ROWS, "too,few"))
    assert (history.rows, unreadable) == (3, 1)


def test_a_line_and_a_parquet_file_say_the_same(tmp_path: Path) -> None:
    """Whatever form the history has."""
    rows = [{"width": at, "source": "web", "won": at % 2 == 0} for at in range(6)]
    lines, parquet = tmp_path / "past.jsonl", tmp_path / "past.parquet"
    lines.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    pl.DataFrame(rows).write_parquet(parquet)
    for path in (lines, parquet):
        history, _ = read(path, "won")
        assert history.outcome == [True, False] * 3
        assert [float(v) for v in history.columns["width"]] == [float(at) for at in range(6)]


def test_the_same_rows_have_the_same_fingerprint(tmp_path: Path) -> None:
    """Another outcome of one row has another."""
    first = read(table(tmp_path, *ROWS))[0].fingerprint
    assert read(table(tmp_path, *ROWS))[0].fingerprint == first
    assert read(table(tmp_path, *ROWS[:2], ROWS[2].replace("nein", "ja")))[0].fingerprint != first


def test_names_known_to_be_late_are_passed_on(tmp_path: Path) -> None:
    """The import knows them by their header."""
    path = tmp_path / "past.csv"
    path.write_text("duration,a,y\n1,2,yes\n3,4,no\n", encoding="utf-8")
    assert "duration" in read(path, "y")[0].late


def test_a_history_without_outcome_is_refused(tmp_path: Path) -> None:
    """With what to do; a misspelt column with the near one."""
    path = tmp_path / "past.csv"
    path.write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
    file = open_lead_file(path, [], "EUR")
    with file.reader, pytest.raises(InputError, match="--outcome") as refused:
        read_history(file)
    assert refused.value.reason == "no_outcome"
    with pytest.raises(InputError, match="Gewonnen"):
        read(table(tmp_path, *ROWS), "Gewonen")


def test_every_column_of_a_wide_file_has_its_fact(tmp_path: Path) -> None:
    """Also those whose names meet once they are plain."""
    path = tmp_path / "past.csv"
    names = ["a b", "a-b", "A.B", "1st", "name", *(f"x{at}" for at in range(50))]
    path.write_text(",".join([*names, "won"]) + "\n" + ",".join(["1"] * len(names)) + ",yes\n", encoding="utf-8")
    file = open_lead_file(path, ["outcome=won"], "EUR")
    with file.reader:
        found = labels_of(file)
    assert set(names) <= set(found.values())
    assert len(set(found)) == len(found)
