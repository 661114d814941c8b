"""What the product really wrote for each case, as plain rows, so that the raw limit writes exactly the same."""

from __future__ import annotations

import json
import pickle
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.kit.database import Database

# Table → how a row is found to belong to a case: by a column that holds the key of an earlier table's row.
# The order is also that in which rows may be inserted.
OWNERS = {
    "lead": ("case_id", "case"),
    "customer": ("id", "customer"),
    "customer_identity": ("customer_id", "customer"),
    "audit_key": ("scope", "customer"),
    "playbook_case": ("id", "case"),
    "ruling": ("case_id", "case"),
    "decision": ("ruling_id", "ruling"),
    "review": ("case_id", "case"),
    "assignment": ("case_id", "case"),
    "action": ("case_id", "case"),
    "outbox": ("action_id", "action"),
    "audit_entry": ("subject", "case"),
    "audit_payload": ("entry_id", "entry"),
}
SPREAD = ("review_tally", "draw_tally")
"""Rows that belong to no case: spread evenly over the transactions."""
OPENED = (
    "id", "playbook", "bundle", "stage", "state", "lane", "subject_kind", "subject_id", "customer_id",
    "serial_key", "parent_id", "facts", "due_at", "mark_at", "attempt", "hops", "leases", "version",
    "created_at", "changed_at",
)  # fmt: skip
MOVED = (
    "stage", "state", "facts", "due_at", "wait_type", "wait_key", "mark_at", "attempt", "hops", "automatic",
    "problem", "end", "changed_at", "ended_at", "version", "leases",
)  # fmt: skip


def record(database: Database, count: int, target: Path | None) -> dict[str, Any]:
    """Numbers of a finished run: paths, rows per case; AssertionError when a case is not where it should be.

    With `target` every row is written there, grouped by case.
    """
    with database.raw() as connection:

        def rows(sql: str) -> list[Any]:
            return [tuple(row) for row in connection.execute(text(sql))]

        paths = dict(rows("SELECT path, count(*) FROM ruling GROUP BY path"))
        entries = rows("SELECT count(*) FROM audit_entry WHERE subject LIKE 'case_%'")[0][0]
        resting = rows("SELECT count(*) FROM playbook_case WHERE state = 'waiting'")[0][0]
        assert resting == sum(paths.values()) == count, (resting, paths, count)
        columns = {name: _columns(connection, name) for name in (*OWNERS, *SPREAD)}
        if target is not None:
            tables = {
                name: rows(f"SELECT {', '.join(_quoted(columns[name]))} FROM {name} ORDER BY 1") for name in columns
            }
            cases, spread = _by_case(columns, tables), {name: tables[name] for name in SPREAD}
            target.write_bytes(pickle.dumps({"columns": columns, "cases": cases, "spread": spread}))
    return {"paths": paths, "transitions": round(entries / count, 2)}


def _columns(connection: Any, table: str) -> tuple[str, ...]:
    return tuple(connection.execute(text(f"SELECT * FROM {table} WHERE 1 = 0")).keys())


def _quoted(names: tuple[str, ...]) -> list[str]:
    return [f'"{name}"' for name in names]


def _by_case(columns: dict[str, tuple[str, ...]], tables: dict[str, list[Any]]) -> list[dict[str, list[Any]]]:
    """For each case the rows of each table; the case itself as it was opened and as it was moved."""
    case_at = columns["playbook_case"].index("id")
    order = [row[case_at] for row in tables["playbook_case"]]
    owner = {("case", case_id): case_id for case_id in order}
    link = {"customer": ("playbook_case", "customer_id", "id"), "ruling": ("ruling", "id", "case_id"),
            "action": ("action", "id", "case_id"), "entry": ("audit_entry", "id", "subject")}  # fmt: skip
    for kind, (table, key, case) in link.items():
        k, c = columns[table].index(key), columns[table].index(case)
        for row in tables[table]:
            owner.setdefault((kind, row[k]), row[c])
    found: dict[str, dict[str, list[Any]]] = {case_id: defaultdict(list) for case_id in order}
    for table, (column, kind) in OWNERS.items():
        at = columns[table].index(column)
        for row in tables[table]:
            case_id = owner.get((kind, row[at]))
            if case_id in found:
                found[case_id][table].append(row)
    return [_as_written(columns, rows) for rows in found.values()]


def _as_written(columns: dict[str, tuple[str, ...]], rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
    case = dict(zip(columns["playbook_case"], rows["playbook_case"][0], strict=True))
    opened = json.loads(rows["audit_payload"][0][columns["audit_payload"].index("body")])
    first = case | {
        "stage": opened["stage"], "state": "ready", "version": 1, "hops": 0, "due_at": case["created_at"],
        "facts": json.dumps(opened["facts"], separators=(",", ":"), ensure_ascii=False),
    }  # fmt: skip
    moved = tuple(case[name] for name in MOVED)
    return {**rows, "playbook_case": [tuple(first[name] for name in OPENED)], "moved": [(*moved, case["id"])]}
