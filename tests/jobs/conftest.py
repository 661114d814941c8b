"""Databases without a schema: jobs/ knows no table of ours."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.jobs.toy import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fairlead.testing.postgres import EmbeddedPostgres

_numbers = itertools.count(1)


@pytest.fixture
def empty_postgres(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """A Postgres database of this test alone, empty."""
    name = f"jobs_{next(_numbers)}"
    yield postgres_server.create_database(name)
    postgres_server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgres"])
def job_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'fairlead.db'}"
    return str(request.getfixturevalue("empty_postgres"))


@pytest.fixture
def spawn() -> Iterator[Callable[[str, str, str], subprocess.Popen[str]]]:
    """Start toy workers as processes of their own; whatever is left is killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(url: str, executor_id: str, mode: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
        command = [sys.executable, "-m", "tests.jobs.toy", url, executor_id, mode]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
