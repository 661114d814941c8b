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
    """Cut anywhere it is not whole; cut and mended it differs from the published heads."""
    for place in range(0, len(exported) - 1, 97):
        with pytest.raises(InputError, match=r"export"):
            _check(world, tmp_path, exported[:place])
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
