"""The data map names every table and every column in which something personal can stand."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Column, Table, Text

import fairlead.schema  # noqa: F401  registers every table
from fairlead.kit.columns import metadata
from fairlead.retention import CLASSES, data_map, mapping, unmapped
from fairlead.retention.personal import ACTIVITIES, TABLES, Held

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "data-map.md"


def test_nobody_forgot_a_table_or_a_column() -> None:
    """Every table has an entry, every text column is personal, staff's or technical, by somebody's decision."""
    assert unmapped() == []


def test_the_page_is_the_one_that_the_tables_give() -> None:
    """Otherwise: PYTHONPATH=src python tools/datamap.py."""
    assert data_map() in PAGE.read_text(encoding="utf-8")


def test_a_new_table_and_a_new_column_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither can slip in; an entry for what is gone is noticed, too."""
    made = Table("test_diary", metadata, Column("id", Text, primary_key=True), Column("secret_words", Text))
    try:
        assert unmapped() == ["test_diary: in neither TABLES nor PLAIN"]
        known = {**TABLES, "test_diary": Held("gone", "sell", "nobody", "blanked")}
        monkeypatch.setattr(mapping, "TABLES", known)
        assert unmapped() == ["test_diary.gone: there is no such column", "test_diary.secret_words: is it personal?"]
    finally:
        metadata.remove(made)
    assert unmapped() == ["test_diary: there is no such table"]


def test_what_an_entry_points_to_is_there() -> None:
    """Activities exist, classes of retention reach the table that names them, and each is named by its tables."""
    assert {held.activity for held in TABLES.values()} <= {*ACTIVITIES}
    for one in CLASSES.values():
        for part in one.parts:
            assert TABLES[part.table].classes == one.name
    named = {held.classes for held in TABLES.values() if held.classes in CLASSES}
    assert named == {*CLASSES}
