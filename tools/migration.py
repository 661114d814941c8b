# ruff: noqa: INP001  a script
"""Writes the initial revision anew from the tables in the code. Only until the first release.

`make migration` runs it. The revision's name carries a digest of its statements, so a database that was made
from an earlier form is recognised and refused instead of failing later at a missing column.
"""

from __future__ import annotations

import hashlib
import re
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import create_mock_engine

from fairlead import migrations
from fairlead.migrations.statements import DIALECTS, END, FOLDER, path_of
from fairlead.schema import metadata

NAME = "r0001_initial"
URLS = {"sqlite": "sqlite://", "postgresql": "postgresql+psycopg://"}
HEADER = "-- Every table, index and sequence of the first release. Written by make migration.\n\n"
REVISION = '''"""The tables of the first release. Written by `make migration`; frozen with the release."""

from __future__ import annotations

from alembic import op

from fairlead.migrations.statements import statements_of

revision = "{revision}"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them, in an empty database."""
    connection = op.get_bind()
    for statement in statements_of("r0001_initial", connection.dialect.name):
        connection.exec_driver_sql(statement)
'''


def statements(dialect: str) -> list[str]:
    """What makes the whole schema on this database, each table followed by its indexes by name."""
    found: list[str] = []

    def keep(construct: Any, *_args: Any, **_options: Any) -> None:
        lines = map(str.rstrip, str(construct.compile(dialect=engine.dialect)).splitlines())
        found.append("\n".join(line for line in lines if line))

    engine = create_mock_engine(URLS[dialect], keep)
    metadata.create_all(engine, tables=metadata.sorted_tables, checkfirst=False)  # in an order that imports do not move
    ordered: list[str] = []
    for is_index, run in groupby(found, lambda one: " INDEX " in one.partition("\n")[0]):
        group = list(run)
        ordered += sorted(group) if is_index else group
    return ordered


def revision_id(texts: list[str]) -> str:
    """The number, and a digest of what the revision runs."""
    return "0001_" + hashlib.sha256("".join(texts).encode()).hexdigest()[:8]


def texts() -> dict[str, str]:
    """The content of each file of statements, by dialect."""
    return {name: HEADER + "".join(one + END + "\n" for one in statements(name)) for name in DIALECTS}


def main() -> int:
    """Write the files; 1 when there is a later revision, and the first one is history."""
    later = [path.name for path in FOLDER.glob("r*.py") if path.stem != NAME]
    if later:
        print(f"{later[0]} builds on {NAME}, which is history. Write a further revision.", file=sys.stderr)  # noqa: T201
        return 1
    made = texts()
    revision = revision_id(list(made.values()))
    for dialect, content in made.items():
        path_of(NAME, dialect).write_text(content, encoding="utf-8")
    (FOLDER / f"{NAME}.py").write_text(REVISION.format(revision=revision), encoding="utf-8")
    door = Path(migrations.__file__)
    source = door.read_text(encoding="utf-8")
    door.write_text(re.sub(r'(?m)^HEAD = ".*"$', f'HEAD = "{revision}"', source), encoding="utf-8")
    print(f"wrote revision {revision}, {len(metadata.tables)} tables")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
