"""The data map and the register of processing, written from the tables and `personal`."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import BigInteger, Boolean, Double, Float, Integer, Table

from fairlead.kit.columns import Instant, metadata
from fairlead.retention.classes import CLASSES
from fairlead.retention.personal import ACTIVITIES, PLAIN, STAFF, TABLES, TECHNICAL

_NUMBERS = (Instant, BigInteger, Integer, Boolean, Float, Double)
_NO_CLASS = "until erased"


def unmapped() -> list[str]:
    """Tables and columns that are in the code or in `personal`, but not in both; nobody decided what they hold."""
    found = [f"{name}: in neither TABLES nor PLAIN" for name in metadata.tables if name not in {*TABLES, *PLAIN}]
    found += [f"{name}: there is no such table" for name in {*TABLES, *PLAIN} - {*metadata.tables}]
    for name in sorted({*TABLES} & {*metadata.tables}):
        table, named = metadata.tables[name], TABLES[name].columns.split()
        found += [f"{name}.{one}: there is no such column" for one in named if one not in table.c]
        found += [f"{name}.{one}: is it personal?" for one in _texts(table) if one not in {*named, *STAFF, *TECHNICAL}]
    return sorted(found)


def _texts(table: Table) -> Iterator[str]:
    return (column.name for column in table.c if not isinstance(column.type, _NUMBERS))


def data_map() -> str:
    """The two tables of docs/data-map.md as Markdown, between its fixed words."""
    register = ["| what for | whose data | basis, by choice | who else gets it | tables |", "|---|---|---|---|---|"]
    for name, one in ACTIVITIES.items():
        tables = sorted(table for table, held in TABLES.items() if held.activity == name)
        tables = tables or sorted(PLAIN)
        shown = ", ".join(f"`{table}`" for table in tables)
        register.append(f"| {one.title} | {one.whose} | {one.basis} | {one.recipients} | {shown} |")
    lines = ["| table | personal | staff | kept | read by | erasure |", "|---|---|---|---|---|---|"]
    for name in sorted(TABLES):
        held, table = TABLES[name], metadata.tables[name]
        kept = f"`{held.classes}`" if held.classes in CLASSES else held.classes or _NO_CLASS
        staff = ", ".join(f"`{one.name}`" for one in table.c if one.name in STAFF and one.name not in held.columns)
        personal = ", ".join(f"`{one}`" for one in held.columns.split())
        lines.append(f"| `{name}` | {personal} | {staff or '–'} | {kept} | {held.seen_by} | {held.erasure} |")
    return "## Register of processing\n\n" + "\n".join(register) + "\n\n## Data map\n\n" + "\n".join(lines) + "\n"
