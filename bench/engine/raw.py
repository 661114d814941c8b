"""The raw limit: the same rows into the same tables and indexes, by nothing but the database driver.

`python -m bench.engine.raw URL RECORDING [SERVER_PID]` prints one JSON object. 500 cases per transaction;
prepared executemany on SQLite (WAL, synchronous NORMAL), COPY on Postgres, where the moved cases go
through a temporary table. Rows are generated beforehand and not timed. On SQLite a run above 0.25 ms CPU
per case is void: the limit that it gives would be too easy.
"""

from __future__ import annotations

import gc
import json
import pickle
import sqlite3
import sys
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from bench.engine.cost import cost_now
from bench.engine.recording import MOVED, OPENED, OWNERS, SPREAD
from fairlead.schema import create_schema

PER_TRANSACTION = 500
VOID_ABOVE_MS = 0.25

Chunk = list[tuple[str, list[Any]]]


def chunks_of(recording: dict[str, Any]) -> tuple[dict[str, tuple[str, ...]], list[Chunk]]:
    """Columns by table, and for each transaction the rows of each table in the order of writing."""
    columns = {**recording["columns"], "playbook_case": OPENED}
    cases, spread = recording["cases"], recording["spread"]
    starts = range(0, len(cases), PER_TRANSACTION)
    chunks: list[Chunk] = []
    for number, start in enumerate(starts):
        part = cases[start : start + PER_TRANSACTION]
        chunk = [(table, [row for case in part for row in case.get(table, ())]) for table in (*OWNERS, "moved")]
        chunk += [(table, spread[table][number :: len(starts)]) for table in SPREAD]
        chunks.append([(table, rows) for table, rows in chunk if rows])
    return columns, chunks


def seed_references(recording: dict[str, Any]) -> list[tuple[str, tuple[Any, ...]]]:
    """The imports that the leads belong to."""
    at = recording["columns"]["lead"].index("import_id")
    imports = sorted({lead[at] for case in recording["cases"] for lead in case["lead"]})
    sql = (
        "INSERT INTO lead_import"
        " (id, name, digest, playbook, mapping, state, rows, counts, started_by, started_at, origin, country, bytes,"
        " bytes_read)"
        " VALUES (?, 'raw', '', '', '{}', 'reading', 0, '{}', '', 0, 'run', '', 0, 0)"
    )
    return [(sql, (import_id,)) for import_id in imports]


def _sets(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}" = ?' for name in columns)


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def write_sqlite(path: str, recording: dict[str, Any]) -> dict[str, float]:
    """Prepared executemany."""
    columns, chunks = chunks_of(recording)
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=512)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}")
    for sql, values in seed_references(recording):
        connection.execute(sql, values)
    insert = {
        table: f"INSERT INTO {table} ({_names(names)}) VALUES ({', '.join('?' * len(names))})"
        for table, names in columns.items()
    }
    insert["moved"] = f"UPDATE playbook_case SET {_sets(MOVED)} WHERE id = ?"
    count = len(recording["cases"])
    gc.collect()
    gc.freeze()
    start = cost_now(None)
    for chunk in chunks:
        connection.execute("BEGIN IMMEDIATE")
        for table, rows in chunk:
            connection.executemany(insert[table], rows)
        connection.execute("COMMIT")
    cost = cost_now(None) - start
    connection.close()
    return cost.per(count)


def write_postgres(url: str, recording: dict[str, Any], server_pid: int | None) -> dict[str, float]:
    """COPY, and one UPDATE … FROM per transaction."""
    columns, chunks = chunks_of(recording)
    parsed = make_url(url)
    host = parsed.query["host"]
    with psycopg.connect(host=str(host), user=parsed.username, dbname=parsed.database) as connection:
        cursor = connection.cursor()
        for sql, values in seed_references(recording):
            cursor.execute(sql.replace("?", "%s"), values)
        typed = ", ".join(f'"{name}"' for name in (*MOVED, "id"))
        cursor.execute(
            f"CREATE TEMP TABLE moved ON COMMIT DELETE ROWS AS SELECT {typed} FROM playbook_case WITH NO DATA"
        )
        connection.commit()
        changes = ", ".join(f'"{name}" = moved."{name}"' for name in MOVED)
        move = f"UPDATE playbook_case SET {changes} FROM moved WHERE playbook_case.id = moved.id"
        copies = {table: f"COPY {table} ({_names(names)}) FROM STDIN" for table, names in columns.items()}
        copies["moved"] = f"COPY moved ({typed}) FROM STDIN"
        gc.collect()
        gc.freeze()
        start = cost_now(server_pid)
        for chunk in chunks:
            for table, rows in chunk:
                with cursor.copy(copies[table]) as copy:
                    for row in rows:
                        copy.write_row(row)
                if table == "moved":
                    cursor.execute(move)
            connection.commit()
        cost = cost_now(server_pid) - start
    return cost.per(len(recording["cases"]))


def measure(url: str, recording: Path, server_pid: int | None) -> dict[str, Any]:
    """Figures of one run on a fresh database; `void` says that it must not count."""
    create_schema(url)
    rows = pickle.loads(recording.read_bytes())
    if make_url(url).get_backend_name() == "postgresql":
        return write_postgres(url, rows, server_pid) | {"void": False}
    found = write_sqlite(str(make_url(url).database), rows)
    return found | {"void": found["own_cpu_ms"] > VOID_ABOVE_MS}


def main() -> None:
    """See the module."""
    url, recording, *rest = sys.argv[1:]
    found = measure(url, Path(recording), int(rest[0]) if rest and int(rest[0]) else None)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
