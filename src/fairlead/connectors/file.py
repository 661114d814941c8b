"""Deliveries as lines of a file: each key once, whole lines only, any number of processes."""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import threading
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from fairlead.connectors.ports import Delivery, Receipt, ReceiptState
from fairlead.kit import jsons
from fairlead.kit.clock import Clock, SystemClock, iso

_SCHEMA = """
CREATE TABLE IF NOT EXISTS seen (key BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS place (one INTEGER PRIMARY KEY CHECK (one = 1), bytes INTEGER NOT NULL);
INSERT OR IGNORE INTO place VALUES (1, 0);
"""


class FileConnector:
    """Appends one JSON line (`at`, `key`, `kind`, `customer_id`, `body`) per delivery to `deliveries.jsonl`.

    The file is the truth. Beside it `deliveries.index` remembers the keys and how far it has read; whatever a
    crash left between the two is made up for under the lock, and half a line is cut off. A file that somebody
    moved away starts anew and its keys stay known.
    """

    name = "file"

    def __init__(self, folder: Path, *, clock: Clock | None = None) -> None:
        """`folder` is made when the first delivery comes."""
        self.path = folder / "deliveries.jsonl"
        self._index = folder / "deliveries.index"
        self._lock_file = folder / "deliveries.lock"
        self._clock = clock or SystemClock()
        self._threads = threading.Lock()

    def deliver(self, delivery: Delivery) -> Receipt:
        """Sent once the line is on disk; failed, and nothing written, when the disk or the folder refuses."""
        line = {
            "at": iso(self._clock.now()),
            "key": delivery.idempotency_key,
            "kind": delivery.kind,
            "customer_id": delivery.customer_id,
            "body": delivery.body,
        }
        try:
            with self._alone(), closing(self._open_index()) as index, self.path.open("a+b") as file:
                end = _catch_up(file, index)
                if index.execute("SELECT 1 FROM seen WHERE key = ?", [_digest(delivery.idempotency_key)]).fetchone():
                    return Receipt(ReceiptState.SENT, "written before")
                data = jsons.dumps(line).encode() + b"\n"
                _append(file, data, end)
                with suppress(sqlite3.Error):  # the line is there; the next delivery finds it
                    _remember(index, [_digest(delivery.idempotency_key)], end + len(data))
        except (OSError, sqlite3.Error) as error:
            return Receipt(ReceiptState.FAILED, f"{self.path.name}: {error}")
        return Receipt(ReceiptState.SENT, f"line of {self.path.name}")

    def forget(self, customer_ids: Collection[str]) -> int:
        """Blank the lines of these customers; how many there were. Keys and lengths stay, so nothing comes twice.

        A line of which half was blanked by a crash is no JSON any more and says nothing. OSError as the disk has it.
        """
        if not self.path.exists():
            return 0
        blanked = 0
        with self._alone(), self.path.open("r+b") as file:
            at = 0
            for line in file:
                told = _told(line)
                if told is not None and told.get("customer_id") in customer_ids:
                    kept = {"at": told.get("at"), "key": told.get("key"), "kind": "erased"}
                    data = jsons.dumps(kept).encode()
                    os.pwrite(file.fileno(), data.ljust(len(line) - 1) if len(data) < len(line) else b" ", at)
                    blanked += 1
                at += len(line)
            os.fsync(file.fileno())
        return blanked

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One delivery at a time, over the threads of this process and over all processes."""
        with self._threads:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._lock_file.open("a") as lock:  # closing the file gives the lock back
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield

    def _open_index(self) -> sqlite3.Connection:
        try:
            return _opened(self._index)
        except sqlite3.OperationalError:
            raise  # locked or full: no reason to doubt what it says
        except sqlite3.DatabaseError:
            self._index.unlink(missing_ok=True)  # damaged: the file tells everything again
            return _opened(self._index)


def _opened(path: Path) -> sqlite3.Connection:
    index = sqlite3.connect(path, isolation_level=None)
    try:
        index.execute("PRAGMA synchronous=OFF")  # what a power cut takes is read from the file again
        index.executescript(_SCHEMA)
    except sqlite3.Error:
        index.close()
        raise
    return index


def _catch_up(file: IO[bytes], index: sqlite3.Connection) -> int:
    """Index the lines that others or a crash left, cut off half a line; where the file ends now."""
    read_to = int(index.execute("SELECT bytes FROM place").fetchone()[0])
    size = os.fstat(file.fileno()).st_size
    if size == read_to:
        return size
    if size < read_to:  # moved away or emptied by somebody
        read_to = 0
    file.seek(read_to)
    keys = []
    for line in file:
        if not line.endswith(b"\n"):
            os.ftruncate(file.fileno(), read_to)
            break
        read_to += len(line)
        try:
            keys.append(_digest(str(jsons.loads(line)["key"])))
        except (ValueError, KeyError, TypeError):
            continue  # not one of ours; somebody edited the file
    _remember(index, keys, read_to)
    return read_to


def _told(line: bytes) -> dict[str, Any] | None:
    try:
        told = jsons.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _append(file: IO[bytes], data: bytes, end: int) -> None:
    fd = file.fileno()
    try:
        written = os.write(fd, data)
        while written < len(data):
            written += os.write(fd, data[written:])
        os.fsync(fd)
    except OSError:
        os.ftruncate(fd, end)
        raise


def _remember(index: sqlite3.Connection, keys: list[bytes], read_to: int) -> None:
    index.execute("BEGIN IMMEDIATE")
    try:
        index.executemany("INSERT OR IGNORE INTO seen VALUES (?)", [(key,) for key in keys])
        index.execute("UPDATE place SET bytes = ?", [read_to])
        index.execute("COMMIT")
    except sqlite3.Error:
        if index.in_transaction:
            index.execute("ROLLBACK")
        raise


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:16]
