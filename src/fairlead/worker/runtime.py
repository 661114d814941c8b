"""What one process of Fairlead consists of, the keys it derives and the name it goes by."""

from __future__ import annotations

import hashlib
import hmac
import os
import socket
import threading
from dataclasses import dataclass, field

from fairlead.audit import Signer, seal_all
from fairlead.jobs import Dispatcher, JobRunner
from fairlead.kit.database import Database
from fairlead.playbooks import BundleLibrary, Engine
from fairlead.sales.importing.jobs import ImportWork
from fairlead.settings import Settings


@dataclass(slots=True)
class Runtime:
    """What one process of Fairlead consists of; made by `open_runtime`."""

    settings: Settings
    database: Database
    signer: Signer
    library: BundleLibrary
    engine: Engine
    runner: JobRunner
    dispatcher: Dispatcher
    seed: bytes
    imports: ImportWork
    searching: threading.Lock = field(default_factory=threading.Lock)
    """Held while this process looks for duplicates, or is about to: it never does so twice at once."""

    def start(self) -> None:
        """Begin to work in background threads."""
        self.runner.start()
        self.dispatcher.start()

    def stop(self, timeout_s: float = 10.0) -> bool:
        """Finish what is under way and stop; False when something was still running after `timeout_s`."""
        self.imports.stopping.set()
        ended = self.dispatcher.stop(timeout_s)
        ended = self.runner.stop(timeout_s) and ended
        self.seal()
        return ended

    def seal(self) -> None:
        """Seal the audit record as it is now and publish its head."""
        seal_all(self.database, self.signer, self.settings.audit_heads_file)


def derive(secret: str, purpose: str) -> bytes:
    """A key for one purpose from the installation's secret; knowing one tells nothing of another."""
    return hmac.digest(secret.encode(), f"fairlead {purpose}".encode(), hashlib.sha256)


def executor_id() -> str:
    """A name for this process's entry in the job journal; unique among those alive."""
    return f"{socket.gethostname()}-{os.getpid()}"


def durable_runner(settings: Settings) -> JobRunner:
    """Chunks journalled by DBOS, under this process's name."""
    from fairlead.jobs import DbosRunner  # noqa: PLC0415  loading DBOS takes most of a second

    return DbosRunner(settings.database_url, executor_id())
