"""The two servers that `bench/decisions.py` compares, and the database they start from."""

from __future__ import annotations

import itertools
import sqlite3
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from bench.decisions import IMPORT_ROWS, SIGNALS, TABLES
from bench.policy import policy_text
from fairlead import api
from fairlead.api.decisions import install_gate
from fairlead.audit import Trail
from fairlead.checkpoints import Grant, Level, parse_policy, set_grant
from fairlead.kit.actors import SYSTEM
from fairlead.kit.clock import to_micros
from fairlead.kit.database import Database
from fairlead.kit.ids import new_id, new_ids
from fairlead.kit.lanes import Lane
from fairlead.kit.logs import configure_logs
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.people import create_api_key
from fairlead.playbooks.tables import case
from fairlead.schema import create_schema
from fairlead.settings import Settings

POLICY = parse_policy(policy_text(20), "bench.yaml")
CASE_COLUMNS = (
    "id", "playbook", "bundle", "stage", "state", "lane", "subject_kind", "subject_id", "facts", "due_at",
    "mark_at", "attempt", "hops", "leases", "version", "created_at", "changed_at",
)  # fmt: skip
_FACTS = '{"name":"Ann","company":"Firm","country":"de","employees":40,"score":0.4}'


def main(side: str, path: str, port: str) -> None:
    """`prepare`, `bare` or `ours`."""
    if side == "prepare":
        print(prepare(path))
        return
    app = bare(path) if side == "bare" else ours(path)
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)


def _database(path: str) -> Database:
    return Database(f"sqlite:///{path}", trail=Trail())


def _ours(database: Database) -> FastAPI:
    app = FastAPI()
    settings = Settings(secret_key="b" * 40, workspace="/nowhere")  # type: ignore[arg-type]
    api.install(app, api.Services(database, settings, database.clock))
    install_gate(app, lambda _reader, _name: POLICY, b"bench")
    return app


def prepare(path: str) -> str:
    """Schema, key, grant and one decision, whose rows the bare side copies."""
    from starlette.testclient import TestClient  # noqa: PLC0415  only here

    create_schema(f"sqlite:///{path}")
    database = _database(path)
    with database.transaction() as uow:
        key = create_api_key(
            uow,
            SYSTEM,
            name="bench",
            scopes=["decisions:ask"],
            checkpoints=["*"],
            max_value_minor=None,
            flags=[],
        )
        until = datetime.now(UTC) + timedelta(days=30)
        grant = Grant("", "bench", "other", "model@1", Level.AUTO, POLICY.version, until, 0.5)
        set_grant(uow, SYSTEM, "manager", grant, {})
    body = {
        "checkpoint": "bench", "proposal": {"answer": {"team": "west"}}, "producer": "model@1", "score": 0.97,
        "value": 120.5, "idempotency_key": "first", "signals": SIGNALS,
    }  # fmt: skip
    web = TestClient(_ours(database), base_url="http://127.0.0.1")
    answer = web.post("/v1/decisions", json=body, headers={"authorization": f"Bearer {key.text}"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["path"] == "auto", answer.text
    database.close()
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return key.text


def ours(path: str) -> FastAPI:
    """The real gate with all of its layers, and a route that imports."""
    configure_logs(as_json=True)
    database = _database(path)
    app = _ours(database)

    @app.post("/bench/import")
    def bulk() -> dict[str, int]:
        import_rows(database)
        return {"rows": IMPORT_ROWS}

    return app


def import_rows(database: Database) -> None:
    """20,000 cases with an audit entry each, in bulk transactions of at most 500 rows and about 20 ms."""
    left, per_row = IMPORT_ROWS, 20e-3 / 200
    while left:
        count = max(1, min(500, left, int(20e-3 / per_row)))
        started = time.perf_counter()
        with database.transaction(Lane.BULK) as uow:
            now = to_micros(uow.now)
            ids = new_ids("case", count)
            uow.insert_many(case, CASE_COLUMNS, [
                (one, "leads", "b", "score", "ready", "import", "lead", one, _FACTS, now, now,
                 1, 0, 0, 1, now, now)
                for one in ids
            ])  # fmt: skip
            uow.record_many(AuditEntry("case.opened", one, {"playbook": "leads", "facts": _FACTS}) for one in ids)
        per_row = 0.7 * per_row + 0.3 * (time.perf_counter() - started) / count
        left -= count


class Proposed(BaseModel):
    """The bare side's idea of a proposal."""

    answer: dict[str, Any]


class Asked(BaseModel):
    """The same body as ours."""

    checkpoint: str
    proposal: Proposed
    producer: str
    score: float
    value: float
    idempotency_key: str
    signals: dict[str, Any]


def bare(path: str) -> FastAPI:
    """One route: check the body, insert the rows, commit, answer."""
    app = FastAPI()
    local, writer, numbers = threading.local(), threading.Lock(), itertools.count(1_000)
    with sqlite3.connect(path) as raw:
        raw.row_factory = sqlite3.Row
        ruling_id = raw.execute("SELECT id FROM ruling").fetchone()[0]
        entries = [row[0] for row in raw.execute("SELECT id FROM audit_entry WHERE subject = ?", [ruling_id])]
        rows = {table: _rows(raw, table, ruling_id, entries) for table in TABLES}
    statements = {
        table: f"INSERT INTO {table} ({', '.join(found[0])}) VALUES ({', '.join('?' * len(found[0]))})"
        for table, found in rows.items()
    }

    def connection() -> sqlite3.Connection:
        if not hasattr(local, "raw"):
            local.raw = sqlite3.connect(path, isolation_level=None, cached_statements=512)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
                local.raw.execute(f"PRAGMA {pragma}")
        raw: sqlite3.Connection = local.raw
        return raw

    @app.post("/v1/decisions")
    def decide(asked: Asked) -> dict[str, Any]:
        ruling, raw = new_id("rul"), connection()
        fresh = {"id": ruling, "ruling_id": ruling, "decision_key": asked.idempotency_key, "subject": ruling,
                 "key": asked.idempotency_key}  # fmt: skip
        with writer:
            raw.execute("BEGIN IMMEDIATE")
            for table, found in rows.items():
                changed = [row | {name: value for name, value in fresh.items() if name in row} for row in found]
                if table.startswith("audit"):
                    column = "id" if table == "audit_entry" else "entry_id"
                    ids = [next(numbers) for _ in found] if column == "id" else ids  # noqa: F821  entries come first
                    changed = [row | {column: one} for row, one in zip(changed, ids, strict=True)]
                raw.executemany(statements[table], [tuple(row.values()) for row in changed])
            raw.execute("COMMIT")
        return {"id": ruling, "state": "decided", "path": "auto", "answer": asked.proposal.answer}

    return app


def _rows(raw: sqlite3.Connection, table: str, ruling_id: str, entries: list[int]) -> list[dict[str, Any]]:
    if table.startswith("audit"):
        column, wanted = ("id" if table == "audit_entry" else "entry_id"), entries
    else:
        column, wanted = ("id" if table == "ruling" else "ruling_id"), [ruling_id]  # type: ignore[list-item]
    marks = ", ".join("?" * len(wanted))
    return [dict(row) for row in raw.execute(f"SELECT * FROM {table} WHERE {column} IN ({marks})", wanted)]


if __name__ == "__main__":
    main(*sys.argv[1:])
