"""alert: customers named in a file are told once each; what cannot be read tells nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fairlead.audit import Trail
from fairlead.customers import CustomerDraft, resolve_many
from fairlead.kit.database import Database
from fairlead.kit.unit_of_work import AuditEntry

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Terminal

WORDS = ("--kind", "delay", "--title", "Your delivery is late", "--text", "It comes a day later.")


@pytest.fixture
def people(fairlead: Terminal) -> dict[str, str]:
    """Three customers of a deployed workspace, by their first names."""
    assert fairlead("deploy").code == 0
    database = Database(f"sqlite:///{fairlead.folder / '.fairlead' / 'fairlead.db'}", trail=Trail())
    names = ("ada", "bea", "cid")
    drafts = [CustomerDraft(name=one, identities=(("email", f"{one}@firm.example"),), source="test") for one in names]
    with database.transaction() as uow:
        made = resolve_many(uow, drafts)
        uow.record(AuditEntry("test.made", made[0].id))
    database.close()
    return {name: one.id for name, one in zip(names, made, strict=True)}


def test_each_customer_is_told_once(fairlead: Terminal, people: dict[str, str], tmp_path: Path) -> None:
    """By address or id; lines that name nobody are said; more lines later reach the new ones only; over is over."""
    file = tmp_path / "late.txt"
    file.write_text(f"ada@firm.example\n\n{people['bea']}\nnobody@firm.example\n", encoding="utf-8")
    told = fairlead("alert", "raise", "late-1", *WORDS, "--customers", str(file))
    assert told.out.splitlines() == [
        "2 customers are told, 0 had been, 1 are unknown", f"unknown: lines 4 of {file}",
    ]  # fmt: skip
    file.write_text("ada@firm.example\ncid@firm.example\n", encoding="utf-8")
    again = fairlead("alert", "raise", "late-1", *WORDS, "--customers", str(file), "--json").json
    assert again == {"opened": 1, "known": 1, "unknown_lines": []}
    shown = fairlead("alert", "show", "late-1", "--json").json
    assert (shown["state"], shown["customers"], shown["title"]) == ("open", 3, "Your delivery is late")
    over = fairlead("alert", "resolve", "late-1", "--reason", "it arrived", "--json").json
    assert over == {"cancelled": 3}
    assert "resolved" in fairlead("alert", "show", "late-1").out
    fairlead("alert", "raise", "late-1", *WORDS, "--customers", str(file)).refused(1, "is resolved")


def test_what_cannot_be_read_tells_nobody(fairlead: Terminal, people: dict[str, str], tmp_path: Path) -> None:
    """No file, an empty one, no text, a field that is none, an unknown alert: refused, and nothing is written."""
    file, empty, bytes_ = tmp_path / "all.txt", tmp_path / "empty.txt", tmp_path / "bytes.txt"
    file.write_text(people["ada"] + "\n", encoding="utf-8")
    empty.write_text("\n \n", encoding="utf-8")
    bytes_.write_bytes(b"\xff\xfe\x00")
    before = fairlead.counts()
    asked = ("alert", "raise", "late-2", *WORDS, "--customers")
    fairlead(*asked, str(tmp_path / "none.txt")).refused(2, "cannot be read")
    fairlead(*asked, str(empty)).refused(2, "names nobody")
    fairlead(*asked, str(bytes_)).refused(2, "cannot be read")
    fairlead(*asked, str(file), "--field", "tracking").refused(2, "name=value")
    fairlead("alert", "raise", "late-2", *WORDS[:-1], " ", "--customers", str(file)).refused(2, "text")
    fairlead("alert", "show", "late-2").refused(1, "late-2")
    fairlead("alert", "resolve", "late-2").refused(1, "late-2")
    assert fairlead.counts() == before
