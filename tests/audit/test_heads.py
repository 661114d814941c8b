"""Heads are published outside, once each, whatever crashes in between."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from fairlead.audit import publish_heads, read_heads
from fairlead.audit.model import signed_bytes
from fairlead.audit.signing import signature_holds
from fairlead.errors import InputError, UnavailableError
from fairlead.kit import jsons
from fairlead.kit.clock import to_micros

if TYPE_CHECKING:
    from pathlib import Path

    from tests.audit.world import World


def _publish(world: World, heads_file: Path) -> int:
    with world.database.reading() as reader:
        return publish_heads(reader, world.signer, heads_file)


def _seals(world: World, count: int) -> None:
    for _ in range(count):
        world.notes(2)
        world.seal()


def test_published_heads_are_compared(world: World, tmp_path: Path) -> None:
    """After publishing the check compares every head and drops its caveat."""
    heads_file = tmp_path / "deep" / "heads.jsonl"
    world.notes(2)
    world.seal_and_publish(heads_file)
    world.notes(2)
    world.seal_and_publish(heads_file)
    world.seal_and_publish(heads_file)
    found = world.verify(read_heads(heads_file))
    assert (found.problems, found.heads_compared) == ([], 2)
    assert "removed tail" not in found.statement()
    assert "removed tail" in world.verify().statement()


def test_a_line_can_be_checked_without_us(world: World, tmp_path: Path) -> None:
    """Each line carries all that the signature covers."""
    world.notes(3)
    world.seal_and_publish(tmp_path / "heads.jsonl")
    line = jsons.loads((tmp_path / "heads.jsonl").read_bytes())
    assert (line["no"], line["rows"], line["last_row"], line["at"]) == (1, 3, 3, "2026-11-02T09:00:00Z")
    signed = signed_bytes(1, to_micros(world.clock.now()), bytes.fromhex(line["head"]))
    assert signature_holds(bytes.fromhex(line["public_key"]), bytes.fromhex(line["signature"]), signed)
    assert not signature_holds(bytes.fromhex(line["public_key"]), bytes.fromhex(line["signature"]), signed + b"x")


@pytest.mark.parametrize("lost", [1, 2, 40, 200, 420])
def test_a_half_written_file_is_completed(world: World, tmp_path: Path, lost: int) -> None:
    """A crash while publishing loses the end of the file; the next call appends what is missing."""
    heads_file = tmp_path / "heads.jsonl"
    _seals(world, 3)
    assert _publish(world, heads_file) == 3
    whole = read_heads(heads_file)
    heads_file.write_bytes(heads_file.read_bytes()[:-lost])
    _seals(world, 1)
    assert _publish(world, heads_file) >= 1
    assert _publish(world, heads_file) == 0
    assert {no: head for no, head in read_heads(heads_file).items() if no < 4} == whole
    assert world.verify(read_heads(heads_file)).heads_compared == 4


def test_rubbish_in_the_file_is_passed_over(world: World, tmp_path: Path) -> None:
    """Lines that are no heads hide nothing, and a line in the middle that was lost is published again."""
    heads_file = tmp_path / "heads.jsonl"
    _seals(world, 3)
    _publish(world, heads_file)
    first, _, third = heads_file.read_bytes().splitlines()
    heads_file.write_bytes(b"\n".join([first, b'\xff\xfe{"no":', b'[1]\n{"no":"x"}\n{"no":4,"head":5}\nnull', third]))
    assert list(read_heads(heads_file)) == [1, 3]
    assert _publish(world, heads_file) == 1
    assert world.verify(read_heads(heads_file)).heads_compared == 3


def test_nobody_takes_back_a_published_head(world: World, tmp_path: Path) -> None:
    """A second line with the same number does not replace the first."""
    heads_file = tmp_path / "heads.jsonl"
    _seals(world, 1)
    _publish(world, heads_file)
    before = read_heads(heads_file)
    with heads_file.open("a") as file:
        file.write('{"no":1,"head":"00"}\n')
    assert read_heads(heads_file) == before


def test_publishing_from_several_threads(world: World, tmp_path: Path) -> None:
    """Publishers at the same moment neither mix their lines nor repeat each other's."""
    heads_file = tmp_path / "heads.jsonl"
    _seals(world, 60)
    threads = [threading.Thread(target=_publish, args=(world, heads_file)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [jsons.loads(line)["no"] for line in heads_file.read_bytes().splitlines()] == list(range(1, 61))


def test_no_file_and_no_way_to_write_one(world: World, tmp_path: Path) -> None:
    """No file means no heads; a path that cannot be read or written is an error that names it."""
    assert read_heads(tmp_path / "none") == {}
    _seals(world, 1)
    with pytest.raises(InputError, match="cannot be read"):
        read_heads(tmp_path)
    with pytest.raises(UnavailableError, match="cannot be published"):
        _publish(world, tmp_path)
    assert world.verify().problems == []
