# ruff: noqa: INP001  a script
"""Writes the table of required and optional fields in docs/api.md anew from the OpenAPI description.

Run it after adding or changing a route: `PYTHONPATH=src:. .venv/bin/python tools/bodies.py`. A test compares the two.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from fairlead.app import create_app
from fairlead.schema import create_schema
from fairlead.settings import Settings
from fairlead.worker import open_runtime
from tests.api.bodies import BEGIN, END, rows_of

PAGE = Path(__file__).resolve().parent.parent / "docs" / "api.md"
HEAD = "\n| route | required | may be given |\n|---|---|---|\n"


def main() -> None:
    """Fill the table; the rest of the page stays as it is."""
    with TemporaryDirectory() as folder:
        settings = Settings(workspace=Path(folder), data_dir=Path(folder), database_url=f"sqlite:///{folder}/x.db")
        create_schema(settings.database_url)
        with open_runtime(settings, durable=False) as runtime:
            rows = rows_of(create_app(runtime, background=False).openapi())
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{HEAD}" + "\n".join(rows) + f"\n{END}{after}", encoding="utf-8")
    sys.stdout.write(f"{len(rows)} routes\n")


if __name__ == "__main__":
    main()
