"""A workspace that was deployed, and the runtime over it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from fairlead.kit.actors import SYSTEM
from fairlead.playbooks import deploy, read_workspace
from fairlead.settings import Settings, provide_secrets
from fairlead.testing.connectors import RecordingConnector
from fairlead.testing.seed import EXAMPLE
from fairlead.worker import Runtime, open_runtime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fairlead.testing.clock import FakeClock


@pytest.fixture
def prepared(tmp_path: Path, sqlite_url: str) -> Settings:
    """Settings over a database with the schema and a folder with the example's files."""
    shutil.copytree(EXAMPLE, tmp_path / "co")
    return provide_secrets(Settings(workspace=tmp_path / "co", database_url=sqlite_url, public_url="http://127.0.0.1"))


@pytest.fixture
def out() -> RecordingConnector:
    """What actions go out through."""
    return RecordingConnector("file")


@pytest.fixture
def runtime(prepared: Settings, clock: FakeClock, out: RecordingConnector) -> Iterator[Runtime]:
    """Opened on a clock that stands still, deployed, not started."""
    with open_runtime(
        prepared, durable=False, clock=clock, connectors={"file": out, "log": out, "message": out}
    ) as made:
        with made.database.transaction() as uow:
            deploy(uow, made.library, SYSTEM, read_workspace(prepared.workspace))
        yield made
