"""A company that takes leads in: the example workspace deployed, the engine beside it, files as text."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, select

from fairlead import sales
from fairlead.audit import Trail
from fairlead.checkpoints import Grant, Level, set_grant
from fairlead.kit.actors import SYSTEM
from fairlead.kit.database import Database
from fairlead.kit.lanes import Lane
from fairlead.playbooks import Bundle, BundleLibrary, Engine, EngineSettings, deploy, read_workspace
from fairlead.testing.clock import FakeClock
from fairlead.testing.seed import EXAMPLE, PLAYBOOK, run_ready, seeded_library

POLICY, FLOW = "policies/lead-assignment.yaml", "playbooks/lead-qualification.yaml"


@dataclass(frozen=True)
class Result:
    """What an import reports, as `fairlead run --json` does."""

    id: str
    rows: int
    fresh: int
    counts: Mapping[str, int]
    reasons: Mapping[str, int]


class World:
    """One installation; `folder` holds the files."""

    def __init__(self, url: str, folder: Path, clock: FakeClock) -> None:
        """With the example deployed and nothing granted."""
        self.database = Database(url, clock=clock, trail=Trail())
        self.folder = folder
        self.library: BundleLibrary = seeded_library()
        self.files = read_workspace(EXAMPLE)
        self.bundle = self.deploy()
        self.engine = Engine(self.database, self.library, EngineSettings(seed=bytes(32)))

    def deploy(self, **changes: Callable[[str], str]) -> Bundle:
        """The workspace's files, with `policy=` or `flow=` changing one of them."""
        for which, change in changes.items():
            path = {"policy": POLICY, "flow": FLOW, "settings": "fairlead.toml"}[which]
            changed = change(self.files[path])
            assert changed != self.files[path]
            self.files = {**self.files, path: changed}
        with self.database.transaction() as uow:
            self.bundle, _ = deploy(uow, self.library, SYSTEM, self.files)
        return self.bundle

    def grant(self, segment: str = "small", threshold: float = 0.0) -> None:
        """Autonomy for the rules in a segment."""
        until = self.database.clock.now() + timedelta(days=90)
        version = self.bundle.policies["lead-assignment"].version
        wanted = Grant("", "lead-assignment", segment, "lead-rules@1", Level.AUTO, version, until, threshold, 0.02)
        with self.database.transaction() as uow:
            set_grant(uow, SYSTEM, "manager", wanted, {"note": "test"})

    def write(self, text: str, name: str = "leads.csv") -> Path:
        """A file of this text."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def take_in(
        self, path: Path, maps: Sequence[str] = (), *, batch: int = 7, stop_after: int | None = None
    ) -> tuple[str, int, int]:
        """(import, rows, new leads); with `stop_after` only so many batches, as by a killed process."""
        file = sales.open_lead_file(path, maps, self.bundle.currency)
        with self.database.transaction() as uow:
            import_id = sales.begin_import(uow, SYSTEM, self.bundle, file, PLAYBOOK)
        rows = fresh = 0
        with file.reader:
            parts = sales.batches(sales.checked_rows(file, lambda _: None), lambda: batch)
            for part in itertools.islice(parts, stop_after):
                with self.database.transaction(Lane.BULK) as uow:
                    fresh += sales.import_batch(
                        uow, SYSTEM, self.bundle, import_id, PLAYBOOK, part, self.bundle.currency
                    )
                rows += len(part)
        if stop_after is None:
            with self.database.transaction() as uow:
                sales.finish_import(uow, SYSTEM, import_id, rows)
        return import_id, rows, fresh

    def run(self, text: str | Path, maps: Sequence[str] = (), *, name: str = "leads.csv", batch: int = 7) -> Result:
        """Import the file and move every case as far as it goes."""
        path = text if isinstance(text, Path) else self.write(text, name)
        import_id, rows, fresh = self.take_in(path, maps, batch=batch)
        run_ready(self.engine)
        return self.result(import_id, rows, fresh)

    def result(self, import_id: str, rows: int, fresh: int) -> Result:
        """What is reported now; every row is in exactly one number."""
        with self.database.reading() as reader:
            counts, reasons = sales.count_import(reader, import_id)
            assert sales.unsettled(reader, import_id) == 0
        assert sum(counts.values()) == rows
        return Result(import_id, rows, fresh, counts, reasons)

    def leads(self, import_id: str) -> list[Any]:
        """The leads of an import in the file's order."""
        with self.database.reading() as reader:
            return sales.leads_page(reader, import_id, -1, 1000)

    def rejects(self, import_id: str) -> list[tuple[int, str, str, str]]:
        """(row, kind, code, words) of what became no lead."""
        with self.database.reading() as reader:
            return [(r.row_no, r.kind, r.code, r.words) for r in sales.rejects(reader, import_id, -1, 1000)]

    def count(self, table: Table) -> int:
        """Rows of a table."""
        with self.database.reading() as reader:
            return int(reader.execute(select(func.count()).select_from(table)).scalar_one())

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()
