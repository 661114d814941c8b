"""A workspace of this test alone, and the command line in this process."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from typer import testing
from typer.testing import CliRunner

from fairlead.cli import app
from fairlead.kit.columns import metadata
from fairlead.kit.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Line:
    """One command that was run to its end."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON value that it must be."""
        return json.loads(self.out)

    def refused(self, code: int, *parts: str) -> None:
        """It ended with `code` and a sentence on standard error that has all of `parts`."""
        assert self.code == code, (self.code, self.out, self.err)
        assert self.err.splitlines()[-1].startswith("error "), self.err
        assert self.out == ""
        assert "Traceback" not in self.err
        for part in parts:
            assert part in self.err, self.err


class Terminal:
    """Runs commands on one workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *args: str, bare: bool = False) -> Line:
        """`fairlead ARGS --workspace FOLDER`; `bare` leaves the workspace out."""
        tail = [] if bare else ["--workspace", str(self.folder)]
        result = CliRunner().invoke(app, [*args, *tail])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Line(result.exit_code, result.stdout, result.stderr)

    def counts(self) -> dict[str, int]:
        """Rows of every table; seals and entries included."""
        database = Database(f"sqlite:///{self.folder / '.fairlead' / 'fairlead.db'}")
        try:
            with database.raw() as connection:
                sql = {name: text(f'SELECT count(*) FROM "{name}"') for name in metadata.tables}
                return {name: connection.execute(query).scalar_one() for name, query in sql.items()}
        finally:
            database.close()


@pytest.fixture(scope="session", autouse=True)
def _one_tree() -> Iterator[None]:
    """The tree of commands is made once in a run: it is the same each time and takes longer than most commands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(testing, "_get_command", cache(testing._get_command))
        yield


@pytest.fixture(scope="session")
def _example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "co"
    result = CliRunner().invoke(app, ["init", str(folder)])
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def fairlead(_example: Path, tmp_path: Path) -> Terminal:
    """The command line on a copy of a workspace that `fairlead init` made."""
    shutil.copytree(_example, tmp_path / "co")
    return Terminal(tmp_path / "co")
