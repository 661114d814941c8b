"""An export is verified offline with the same result, and every tampered line is noticed."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from fairlead.audit import ExportedRecord, publish_heads, read_heads, verify
from fairlead.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.audit import Verification
    from tests.audit.world import World


@pytest.fixture
def exported(world: World) -> str:
    """Two seals, an erased customer and one unsealed row."""
    world.note({"to": "Zoë"}, {"n": 1}, customer="cust_a")
    world.note({"to": "müller"}, customer="cust_b")
    world.seal()
    world.erase("cust_a")
    world.seal()
    world.notes(1)
    return world.export()


def _check(world: World, tmp_path: Path, text: str | bytes, heads: dict[int, bytes] | None = None) -> Verification:
    path = tmp_path / "export.jsonl"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return verify(ExportedRecord(path), world.signer.public_key, heads or {})


def test_offline_and_online_agree(world: World, exported: str, tmp_path: Path) -> None:
    """The export says word for word what the database says."""
    offline, online = _check(world, tmp_path, exported), world.verify()
    assert offline == online
    assert (offline.problems, offline.rows, offline.unsealed, offline.erased) == ([], 4, 1, 2)
    assert ExportedRecord(tmp_path / "export.jsonl").public_key == world.signer.public_key


def test_a_tampered_database_shows_in_its_export(world: World, exported: str, tmp_path: Path) -> None:
    """Exporting does not launder a record: the same rows are bad offline."""
    world.tamper("UPDATE audit_entry SET verb = 'x' WHERE id = 3", "DELETE FROM audit_entry WHERE id = 1")
    offline = _check(world, tmp_path, world.export())
    assert offline == world.verify()
    assert offline.first_bad_row == 1


EDITS = {
    "payload": ("müller", "muller"),
    "verb": ('"id":3,"at"', '"id":3,"verb":"x","at"'),
    "subject": ('"subject":"note_1","scope":"cust_b"', '"subject":"note_2","scope":"cust_b"'),
    "unknown field": ('{"type":"entry","id":1', '{"type":"entry","by":"eve","id":1'),
    "number as text": ('"id":3', '"id":"3"'),
    "spaces": ('"id":3', '"id": 3'),
    "kind": ('{"type":"entry","id":3', '{"type":"unsealed","id":3'),
    "unknown kind": ('{"type":"entry","id":3', '{"type":"remark","id":3'),
    "rows of a seal": ('"ids":"1-3"', '"ids":"1-2"'),
    "rows without end": ('"ids":"1-3"', '"ids":"1-99999999999999"'),
    "gaps": ('"missing":[]', '"missing":[["a",1,2]]'),
    "count": ('"entries":5', '"entries":4'),
    "another format": ("fairlead-audit-1", "fairlead-audit-2"),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_line_is_noticed(world: World, exported: str, tmp_path: Path, name: str) -> None:
    """Each edit is either a finding or named with its line as no line of an export."""
    before, after = EDITS[name]
    assert before in exported
    _assert_refused(world, tmp_path, exported.replace(before, after, 1))


def _assert_refused(world: World, tmp_path: Path, text: str | bytes) -> None:
    refused = False
    try:
        refused = bool(_check(world, tmp_path, text).problems)
    except InputError as error:
        refused = error.reason == "audit_export"
    assert refused


def test_every_line_counts(world: World, exported: str, tmp_path: Path) -> None:
    """Any line removed, doubled or moved is noticed."""
    lines = exported.splitlines(keepends=True)
    for place in range(len(lines)):
        _assert_refused(world, tmp_path, "".join(lines[:place] + lines[place + 1 :]))
        _assert_refused(world, tmp_path, "".join([*lines[: place + 1], *lines[place:]]))
    for place in range(1, len(lines) - 3):
        lines[place], lines[place + 1] = lines[place + 1], lines[place]
        moved = "".join(lines)
        lines[place], lines[place + 1] = lines[place + 1], lines[place]
        if {'"type":"entry"'} != {text[1:15] for text in lines[place : place + 2]}:
            _assert_refused(world, tmp_path, moved)


def test_every_sealed_byte_counts(world: World, exported: str, tmp_path: Path) -> None:
    """A byte changed anywhere in header, seals or sealed lines is noticed; the header's key by comparing."""
    raw = exported.encode()
    end = raw.index(b'{"type":"unsealed"')
    step = 3 if world.database.is_sqlite else 29
    for place in range(0, end, step):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        if b"public_key" in raw[: place + 5] and place < raw.index(b"\n") - 2:
            (tmp_path / "x").write_bytes(changed)
            with contextlib.suppress(InputError):
                assert ExportedRecord(tmp_path / "x").public_key != world.signer.public_key
        else:
            _assert_refused(world, tmp_path, changed)


def test_a_shortened_export(world: World, exported: str, tmp_path: Path) -> None:
    """Cut anywhere it is not whole, which is a finding; cut and mended it differs from the published heads."""
    header = exported.index("\n") + 1
    for place in range(header, len(exported) - 1, 97):
        found = _check(world, tmp_path, exported[:place])
        assert any("the end is missing" in problem.what for problem in found.problems), place
    with pytest.raises(InputError, match="not an audit export"):
        _check(world, tmp_path, exported[: header - 10])
    heads_file = tmp_path / "heads.jsonl"
    with world.database.reading() as reader:
        publish_heads(reader, world.signer, heads_file)
    mended = exported[: exported.index('{"type":"seal","no":2')] + '{"type":"end","entries":3}\n'
    found = _check(world, tmp_path, mended, read_heads(heads_file))
    assert ["seal 2" in str(problem) for problem in found.problems if not problem.row] == [True]


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"{}", b"[1]", b"null\n", b"{" * 100_000, b"x" * 20_000_000])
def test_what_is_no_export(world: World, tmp_path: Path, text: bytes) -> None:
    """Any other file is refused with the format's name, without reading endless lines into memory."""
    with pytest.raises(InputError, match="fairlead-audit-1"):
        _check(world, tmp_path, text)


def test_a_missing_export(tmp_path: Path) -> None:
    """A file that is not there is said not to be there."""
    with pytest.raises(InputError, match="cannot be read"):
        ExportedRecord(tmp_path / "none")


def test_a_lost_line_is_a_finding(world: World, exported: str, tmp_path: Path) -> None:
    """Whichever line went, and also the header: the check goes on, and the place and the rows are named."""
    lines = exported.splitlines(keepends=True)
    for place in range(len(lines)):
        found = _check(world, tmp_path, "".join(lines[:place] + lines[place + 1 :]))
        assert found.problems, place
        assert found.statement().startswith("TAMPERED")
    gone = next(place for place, line in enumerate(lines) if line.startswith('{"type":"entry","id":2,'))
    found = _check(world, tmp_path, "".join(lines[:gone] + lines[gone + 1 :]))
    assert (found.first_bad_row, found.problems[0].what) == (2, "was deleted")
    assert any("lines are missing" in problem.what for problem in found.problems)


def test_a_spoilt_line_is_named(world: World, exported: str, tmp_path: Path) -> None:
    """A line that is none of ours is named with its number, and the rest is still checked."""
    lines = exported.splitlines(keepends=True)
    lines[2] = lines[2].replace('"id":1', '"id": 1')
    found = _check(world, tmp_path, "".join(lines))
    assert any("line 3 is no line of an audit export" in problem.what for problem in found.problems)
    assert found.seals == 2


def test_many_spoilt_lines_are_bounded(world: World, exported: str, tmp_path: Path) -> None:
    """A file of nothing but rubbish behind its header does not fill memory with findings."""
    header = exported.splitlines(keepends=True)[0]
    found = _check(world, tmp_path, header + "rubbish\n" * 5_000)
    assert 0 < found.problem_count <= 101


def test_by_the_key_that_the_export_names(world: World, exported: str, tmp_path: Path) -> None:
    """It is whole in itself, and the statement says what that does not prove; a break is found all the same."""
    path = tmp_path / "export.jsonl"
    path.write_text(exported, encoding="utf-8")
    record = ExportedRecord(path)
    assert record.public_key is not None
    found = verify(record, record.public_key, {}, claimed=True)
    assert found.problems == []
    assert "untampered" not in found.statement()
    assert "whole in itself" in found.statement()
    assert "cannot be excluded" in found.statement()
    assert record.public_key.hex() in found.statement()
    path.write_text(exported.replace("müller", "muller", 1), encoding="utf-8")
    assert verify(ExportedRecord(path), record.public_key, {}, claimed=True).first_bad_row == 3
