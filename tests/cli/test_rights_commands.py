"""rights: requests are written down, listed by when they are due and extended once; a wrong word changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fairlead.audit import Trail
from fairlead.customers import CustomerDraft, resolve_many
from fairlead.kit.clock import SystemClock
from fairlead.kit.database import Database
from fairlead.kit.unit_of_work import AuditEntry
from tests.cli.conftest import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

ADA = "ada@nordwind.example"
KNOWN = ("--identity", "called back")


@pytest.fixture
def database(fairlead: Terminal) -> Iterator[Database]:
    """The workspace's, after a deploy."""
    assert fairlead("deploy").code == 0
    url = f"sqlite:///{fairlead.folder / '.fairlead' / 'fairlead.db'}"
    database = Database(url, clock=SystemClock(), trail=Trail())
    yield database
    database.close()


@pytest.fixture
def ada(database: Database) -> str:
    """The id of a customer with an address."""
    with database.transaction() as uow:
        draft = CustomerDraft(name="Ada Keller", identities=(("email", ADA),), source="test")
        made = resolve_many(uow, [draft])[0].id
        uow.record(AuditEntry("test.made", made))
    return made


def test_a_request_waits_and_is_extended_once(fairlead: Terminal, ada: str) -> None:
    """Written down under an address, listed with its day and the counts, given two more months, and no second time."""
    opened = fairlead("rights", "open", ADA, "export", *KNOWN, "--json").json
    assert (opened["customer"], opened["right"], opened["state"]) == (ada, "export", "asked")
    listed = fairlead("rights", "list", "--state", "asked")
    assert opened["id"] in listed.out
    assert "1 waiting, 0 overdue by law" in listed.out
    more = ("--reason", "twelve years of letters", "--told", "letter of 3 May")
    extended = fairlead("rights", "extend", opened["id"], *more, "--json").json
    assert extended["due_at"] > opened["due_at"]
    assert extended["extension"]["told"] == "letter of 3 May"
    assert "extended" in fairlead("rights", "list").out
    fairlead("rights", "extend", opened["id"], *more).refused(1, "extended before")
    fairlead("rights", "open", ADA, "export", *KNOWN).refused(1, "not decided yet")


def test_a_wrong_word_changes_nothing(fairlead: Terminal, ada: str, tmp_path: Path) -> None:
    """Nobody's address, no change, a field that cannot be rectified, no identity: refused, and nothing is written."""
    before = fairlead.counts()
    fairlead("rights", "open", "nobody@nordwind.example", "erase", *KNOWN).refused(1, "nobody@nordwind.example")
    fairlead("rights", "open", ada, "rectify", *KNOWN).refused(2, "Say what is to be changed")
    fairlead("rights", "open", ada, "rectify", *KNOWN, "--change", "name").refused(2, "field=the right text")
    fairlead("rights", "open", ada, "rectify", *KNOWN, "--change", "shoe=42").refused(2, "cannot be rectified")
    fairlead("rights", "open", ada, "erase", "--identity", " ").refused(2, "identity")
    fairlead("rights", "extend", "rgt_" + "0" * 24, "--reason", "x", "--told", "y").refused(1, "There is no request")
    assert fairlead.counts() == before
    opened = fairlead("rights", "open", ada, "export", *KNOWN, "--json").json
    file = tmp_path / "ada.json"
    fairlead("rights", "export-file", opened["id"], "--output", str(file)).refused(1, "Nobody has approved")
    assert not file.exists()


def test_what_a_backup_brought_back_is_erased_again(
    fairlead: Terminal, database: Database, ada: str, tmp_path: Path
) -> None:
    """By the list that stood elsewhere: counted first, erased then, and a second time there is nothing left to do."""
    file = tmp_path / "erasures.jsonl"
    line = {"erasure": "rfs_1", "at": "2026-11-01T00:00:00Z", "customers": [ada, "cus_" + "0" * 24]}
    file.write_text(json.dumps(line) + "\n" + '{"erasure": "cut', encoding="utf-8")
    asked = ("rights", "replay", "--list", str(file))
    assert fairlead(*asked, "--dry-run").out.startswith("1 would be erased again, 0 are erased, 1 are not")
    assert fairlead(*asked, "--json").json == {"listed": 2, "again": [ada], "erased_already": 0, "unknown": 1}
    assert fairlead(*asked).out.startswith("0 erased again, 1 are erased")
    with database.reading() as reader:
        assert ADA not in str(reader.fetch("SELECT value FROM customer_identity"))
    file.write_text("no list\n" + json.dumps(line) + "\n", encoding="utf-8")
    fairlead(*asked).refused(2, f"{file}:1")


def test_retention_says_who_would_be_proposed(fairlead: Terminal, ada: str) -> None:
    """`inactive_customers` in the file is shown and previewed; nobody new is inactive."""
    rules = fairlead.folder / "retention.yaml"
    rules.write_text("keep: {}\ninactive_customers: {after: 90d}\n", encoding="utf-8")
    assert fairlead("deploy").code == 0
    assert "inactive" in fairlead("retention", "show").out
    assert "inactive" in fairlead("retention", "preview").out
    rules.write_text("keep: {}\ninactive_customers: {after: 3d}\n", encoding="utf-8")
    refused = fairlead("check")
    assert refused.code != 0
    assert "90 days at least" in refused.out + refused.err
    assert ada
