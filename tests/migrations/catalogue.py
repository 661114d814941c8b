"""What a database really holds: tables, columns, indexes, constraints, sequences, from its own catalogue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import text

from fairlead.kit.database import Database
from fairlead.migrations import VERSION_TABLE

if TYPE_CHECKING:
    from sqlalchemy import Connection

_POSTGRES = {
    "column": """
        SELECT c.relname, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull, l.collname,
               pg_get_expr(d.adbin, d.adrelid), a.attidentity
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_collation l ON l.oid = a.attcollation
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
          AND a.attnum > 0 AND NOT a.attisdropped""",
    "index": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraint": """
        SELECT conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "sequence": """
        SELECT sequencename, data_type::text, start_value, increment_by, cache_size
        FROM pg_sequences WHERE schemaname = 'public'""",
}


def catalogue(url: str) -> set[tuple[object, ...]]:
    """One entry for each thing that the database holds; where Alembic keeps the revision is left out."""
    database = Database(url)
    try:
        with database.raw() as connection:
            return _sqlite(connection) if database.is_sqlite else _postgres(connection)
    finally:
        database.close()


def _sqlite(connection: Connection) -> set[tuple[object, ...]]:
    rows = connection.execute(text("SELECT type, name, tbl_name, sql FROM sqlite_master"))
    return {(kind, name, re.sub(r"\s+", "", sql or "")) for kind, name, table, sql in rows if table != VERSION_TABLE}


def _postgres(connection: Connection) -> set[tuple[object, ...]]:
    return {
        (what, *row)
        for what, query in _POSTGRES.items()
        for row in connection.execute(text(query))
        if row[0] != VERSION_TABLE
    }
