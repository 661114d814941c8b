# ruff: noqa: INP001  a script
"""Writes the tables of docs/data-map.md anew from the tables in the code and `fairlead.retention.personal`."""

from __future__ import annotations

from pathlib import Path

import fairlead.schema  # noqa: F401  registers every table
from fairlead.retention import data_map

PAGE = Path(__file__).resolve().parent.parent / "docs" / "data-map.md"
MARK = "<!-- written by tools/datamap.py; do not edit below -->\n"


def main() -> None:
    """Keep what stands above the mark, write the rest."""
    head = PAGE.read_text(encoding="utf-8").split(MARK)[0]
    PAGE.write_text(f"{head}{MARK}\n{data_map()}", encoding="utf-8")


if __name__ == "__main__":
    main()
