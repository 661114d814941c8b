"""The statements of a revision: plain SQL beside it, one file per database, frozen once released."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "versions"
DIALECTS = ("sqlite", "postgresql")
END = ";\n"


def path_of(name: str, dialect: str) -> Path:
    """Where the statements of a revision stand, such as `r0001_initial.sqlite.sql`."""
    return FOLDER / f"{name}.{dialect}.sql"


def statements_of(name: str, dialect: str) -> list[str]:
    """The statements in the order in which they run, without comments."""
    content = path_of(name, dialect).read_text(encoding="utf-8")
    lines = [line for line in content.splitlines(keepends=True) if not line.startswith("--")]
    return [one.strip() for one in "".join(lines).split(END) if one.strip()]
