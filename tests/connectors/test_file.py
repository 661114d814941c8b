"""The file and log connectors: each key once, whole lines, nothing claimed that is not on disk."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog

from fairlead.connectors import (
    Delivery,
    FileConnector,
    LogConnector,
    ReceiptState,
    connectors_for,
    registry,
)

if TYPE_CHECKING:
    from fairlead.testing.clock import FakeClock

ROOT = Path(__file__).resolve().parents[2]


def _delivery(key: str, **body: object) -> Delivery:
    return Delivery(key, "note", dict(body), "cus_1")


def _lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "deliveries.jsonl").read_text().splitlines()]


def test_each_key_is_one_line(tmp_path: Path, clock: FakeClock) -> None:
    """A second delivery of a key is answered and writes nothing, also by a new process."""
    assert FileConnector(tmp_path / "new", clock=clock).deliver(_delivery("a", x=1)).state is ReceiptState.SENT
    again = FileConnector(tmp_path / "new", clock=clock)
    assert again.deliver(_delivery("a", x=2)).detail == "written before"
    assert again.deliver(_delivery("b", text="zwei\nZeilen")).state is ReceiptState.SENT
    assert _lines(tmp_path / "new") == [
        {"at": "2026-11-02T09:00:00Z", "key": "a", "kind": "note", "customer_id": "cus_1", "body": {"x": 1}},
        {
            "at": "2026-11-02T09:00:00Z", "key": "b", "kind": "note", "customer_id": "cus_1",
            "body": {"text": "zwei\nZeilen"},
        },
    ]  # fmt: skip


@pytest.mark.parametrize("index", ["kept", "lost", "damaged"])
def test_a_crash_between_line_and_index_is_made_up_for(tmp_path: Path, index: str) -> None:
    """Lines that the index never saw count; half a line is cut off; a damaged index is made again."""
    connector = FileConnector(tmp_path)
    connector.deliver(_delivery("a"))
    with (tmp_path / "deliveries.jsonl").open("a") as file:
        file.write('{"key": "b"}\nnot ours\n{"key": "c", "bo')
    if index == "lost":
        (tmp_path / "deliveries.index").unlink()
    if index == "damaged":
        (tmp_path / "deliveries.index").write_bytes(b"rubbish" * 1000)
    assert [connector.deliver(_delivery(key)).detail for key in "abc"] == [
        "written before",
        "written before",
        "line of deliveries.jsonl",
    ]
    text = (tmp_path / "deliveries.jsonl").read_text()
    assert text.count('"c"') == 1
    assert text.endswith("\n")


def test_a_file_that_was_moved_away_starts_anew(tmp_path: Path) -> None:
    """Rotation loses no key: what was delivered before is not delivered again."""
    connector = FileConnector(tmp_path)
    connector.deliver(_delivery("a", long="x" * 100))
    (tmp_path / "deliveries.jsonl").rename(tmp_path / "old.jsonl")
    assert connector.deliver(_delivery("a")).detail == "written before"
    connector.deliver(_delivery("b"))
    assert [line["key"] for line in _lines(tmp_path)] == ["b"]


def test_a_full_disk_fails_without_half_a_line(tmp_path: Path) -> None:
    """A write that the system cuts short is taken back and has failed; it works once there is room."""
    connector = FileConnector(tmp_path)
    connector.deliver(_delivery("a"))
    before = (tmp_path / "deliveries.jsonl").read_bytes()
    index = (tmp_path / "deliveries.index").stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (index + 60_000, limits[1]))
    try:
        receipt = connector.deliver(_delivery("big", text="x" * 200_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert receipt.state is ReceiptState.FAILED
    assert (tmp_path / "deliveries.jsonl").read_bytes() == before
    assert connector.deliver(_delivery("big", text="x" * 200_000)).state is ReceiptState.SENT


def test_a_folder_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    """The outbox hears `failed` and tries again, instead of an exception."""
    (tmp_path / "taken").write_text("a file, no folder")
    assert FileConnector(tmp_path / "taken").deliver(_delivery("a")).state is ReceiptState.FAILED


def test_many_writers_one_line_per_key(tmp_path: Path) -> None:
    """Two processes and several threads deliver the same keys: each key is one whole line."""
    program = (
        "import sys; from pathlib import Path; from fairlead.connectors import Delivery, FileConnector;"
        "c = FileConnector(Path(sys.argv[1]));"
        "[c.deliver(Delivery(f'k{n}', 'note', {'x': 'y' * 500})) for n in range(40)]"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    other = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], env=environment)
    connector = FileConnector(tmp_path)

    def deliver() -> None:
        for n in range(40):
            assert connector.deliver(_delivery(f"k{n}", x="y" * 500)).state is ReceiptState.SENT

    threads = [threading.Thread(target=deliver) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert other.wait(60) == 0
    assert sorted(str(line["key"]) for line in _lines(tmp_path)) == sorted(f"k{n}" for n in range(40))


def test_the_log_never_has_the_body() -> None:
    """A line says what kind and which fields; a key is logged once."""
    with structlog.testing.capture_logs() as lines:
        connector = LogConnector()
        assert connector.deliver(_delivery("a", secret="hunter2")).state is ReceiptState.SENT
        assert connector.deliver(_delivery("a", secret="hunter2")).detail == "logged before"
    assert [line["fields"] for line in lines] == [["secret"]]
    assert "hunter2" not in str(lines)


def test_the_registry_makes_what_it_names(tmp_path: Path) -> None:
    """Every connector is made under the name that actions call it by."""
    made = connectors_for(tmp_path)
    assert set(made) == set(registry) == {"file", "log", "message"}
    assert all(connector.name == name for name, connector in made.items())
