"""What comes after a request is written down: more time, a backup that brings somebody back, files not yet read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fairlead import customers, rights
from fairlead.errors import ConflictError, InputError
from fairlead.worker.erasures import clean_files, note_erasure, replay
from tests.rights.world import CLERK, DORA

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rights.world import Desk


def extend(desk: Desk, request: str, reason: str = "many records", told: str = "by letter") -> None:
    """Two more months."""
    with desk.database.transaction() as uow:
        rights.extend_request(uow, CLERK, request, reason=reason, told=told)


def test_a_request_is_given_two_more_months_once(desk: Desk) -> None:
    """By the calendar from the day it was asked; who, why and how the customer was told stays with it."""
    one = desk.ask(desk.customer("Ada"), "export")
    asked = desk.request(one)
    extend(desk, one)
    row = desk.request(one)
    assert row.due_at == rights.due_of(asked.asked_at, 3)
    assert (row.extension["reason"], row.extension["told"]) == ("many records", "by letter")
    with pytest.raises(ConflictError):
        extend(desk, one)
    assert desk.request(one).due_at == row.due_at


def test_no_more_time_for_what_is_late_or_decided(desk: Desk) -> None:
    """The customer had to be told within the month; a decided request needs none; both texts are needed."""
    late, done = desk.ask(desk.customer("Ada"), "export"), desk.ask(desk.customer("Bo"), "export")
    for words in ({"reason": ""}, {"told": " "}, {"reason": "x" * 501}):
        with pytest.raises(InputError):
            extend(desk, late, **words)
    desk.decide(done, carry_out=True)
    desk.clock.advance(timedelta(days=32))
    for one in (late, done):
        with pytest.raises(ConflictError):
            extend(desk, one)


def test_the_first_to_be_due_stands_first(desk: Desk) -> None:
    """Over pages; what is late is counted."""
    made = []
    for name in ("A", "B", "C"):
        made.append(desk.ask(desk.customer(name), "restrict"))
        desk.clock.advance(timedelta(days=1))
    extend(desk, made[0])
    desk.clock.advance(timedelta(days=30))
    with desk.database.reading() as reader:
        now = desk.clock.now()
        first = rights.waiting_page(reader, None, 2)
        rest = rights.waiting_page(reader, first[-1].id, 2)
        counts = rights.waiting_counts(reader, now)
    assert [one.id for one in (*first, *rest)] == [made[1], made[2], made[0]]
    assert counts[0] == 3
    assert counts[1] == sum(desk.request(one).due_at < now for one in made)


def test_whom_a_backup_brought_back_is_erased_again(desk: Desk, tmp_path: Path) -> None:
    """By the list beside the audit heads; a dry run only counts, a second run finds nobody, strangers are skipped."""
    one, other = desk.customer("Ada", ("email", "ada@example.com")), desk.customer("Bo")
    path = tmp_path / "erasures.jsonl"
    note_erasure(path, "rfs_1", [one, "cus_elsewhere"], desk.clock.now())
    with path.open("a", encoding="utf-8") as file:
        file.write('{"erasure": "cut sho')
    dry = replay(desk.database, CLERK, path, really=False)
    assert (dry.listed, dry.again, dry.unknown, dry.erased) == (2, (one,), 1, 0)
    assert replay(desk.database, CLERK, path, really=True).again == (one,)
    again = replay(desk.database, CLERK, path, really=True)
    assert (again.again, again.erased) == ((), 1)
    with desk.database.reading() as reader:
        assert customers.profile(reader, one, desk.clock.now()).erased_at is not None
        assert customers.profile(reader, other, desk.clock.now()).erased_at is None


@pytest.mark.parametrize("text", ["no json\n{}\n", '{"customers": 3}\n{}\n', "\udcff\n"])
def test_a_list_that_is_none_erases_nobody(desk: Desk, tmp_path: Path, text: str) -> None:
    """The line is named; so is a file that is not there."""
    path = tmp_path / "list.jsonl"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError):
        replay(desk.database, CLERK, path, really=True)
    with pytest.raises(InputError):
        replay(desk.database, CLERK, tmp_path / "nothing.jsonl", really=True)


def test_every_erasure_is_noted_outside_of_the_database(desk: Desk, tmp_path: Path) -> None:
    """The list names ids alone, readable by its owner only."""
    held = desk.customer("Quizzaciously Keller", ("email", "q@example.com"))
    desk.decide(desk.ask(held, "erase"), carry_out=True, who=DORA)
    path = tmp_path / "kept" / "erasures.jsonl"
    (tmp_path / "data").mkdir(exist_ok=True)
    assert clean_files(desk.database, tmp_path / "data", path) == 1
    text = path.read_text(encoding="utf-8")
    assert held in text
    assert "Quizzaciously" not in text
    assert path.stat().st_mode & 0o077 == 0


def test_nothing_of_an_erased_person_is_left_in_the_bytes_of_the_file(desk: Desk, tmp_path: Path) -> None:
    """On SQLite what was deleted is overwritten, in the file and in its log."""
    if not desk.database.is_sqlite:
        pytest.skip("pages of Postgres are its own")
    word = b"quizzaciously"
    held = desk.customer("Quizzaciously Keller", ("email", "quizzaciously@example.com"))
    files = [one for one in tmp_path.rglob("*.db*") if one.is_file()]
    assert any(word in one.read_bytes().lower() for one in files)
    desk.decide(desk.ask(held, "erase"), carry_out=True, who=DORA)
    (tmp_path / "data").mkdir(exist_ok=True)
    assert clean_files(desk.database, tmp_path / "data", tmp_path / "erasures.jsonl") == 1
    left = [one.name for one in tmp_path.rglob("*.db*") if one.is_file() and word in one.read_bytes().lower()]
    assert left == []
