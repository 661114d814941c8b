"""What the audit tests share: a database with the audit tables, a signer, an intruder, a held transaction."""

from __future__ import annotations

import io
import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, insert, select, text

from fairlead.audit import (
    Signer,
    StoredRecord,
    Trail,
    Verification,
    erase_customer,
    seal_all,
    seal_entries,
    tables,
    verify,
    write_export,
)
from fairlead.errors import FaultError
from fairlead.kit.actors import SYSTEM
from fairlead.kit.columns import metadata
from fairlead.kit.database import Database
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from fairlead.testing.clock import FakeClock

AUDIT_TABLES = [tables.entry, tables.payload, tables.key, tables.seal]


def new_signer() -> Signer:
    """A signer with a key of its own."""
    return Signer(Ed25519PrivateKey.generate())


@dataclass
class World:
    """One company's record and the only hands that touch it."""

    url: str
    clock: FakeClock
    signer: Signer = field(default_factory=new_signer)

    def __post_init__(self) -> None:
        self.database = Database(self.url, clock=self.clock, trail=Trail())
        with self.database.raw() as connection:
            metadata.create_all(connection, tables=AUDIT_TABLES)
            # Whoever makes a scope's key first keeps others of that scope waiting until it ends.
            if not connection.execute(select(tables.key)).first():
                keys = [{"scope": scope, "secret": secrets.token_bytes(32)} for scope in ("", "cust_held")]
                connection.execute(insert(tables.key), keys)

    def note(self, *payloads: Mapping[str, Any], customer: str | None = None) -> None:
        """One transaction with one entry for each payload."""
        with self.database.transaction() as uow:
            for payload in payloads:
                uow.record(AuditEntry("note.taken", "note_1", dict(payload), customer_id=customer))

    def notes(self, count: int, customer: str | None = None) -> None:
        """One transaction with `count` entries."""
        self.note(*({"n": number} for number in range(count)), customer=customer)

    def seal(self, limit: int = 20_000) -> list[int] | None:
        """The ids of one new seal, None when nothing was new."""
        with self.database.transaction() as uow:
            seal = seal_entries(uow, self.signer, limit=limit)
        return None if seal is None else list(seal.ids)

    def seal_and_publish(self, heads_file: Path) -> None:
        """What the sealer does."""
        seal_all(self.database, self.signer, heads_file)

    def erase(self, customer: str) -> int:
        """The number of payloads that went."""
        with self.database.transaction() as uow:
            return erase_customer(uow, customer, SYSTEM, "asked for it")

    def verify(self, heads: Mapping[int, bytes] | None = None, public_key: bytes | None = None) -> Verification:
        """What a check of the database finds."""
        with self.database.reading() as reader:
            return verify(StoredRecord(reader), public_key or self.signer.public_key, heads or {})

    def export(self) -> str:
        """The whole export."""
        file = io.StringIO()
        with self.database.reading() as reader:
            write_export(StoredRecord(reader), self.signer.public_key, file)
        return file.getvalue()

    def ids(self) -> list[int]:
        """Ids of all entries."""
        with self.database.reading() as reader:
            return [row[0] for row in reader.execute(select(tables.entry.c.id).order_by(tables.entry.c.id))]

    def payloads(self) -> int:
        """How many payloads are stored."""
        with self.database.reading() as reader:
            return int(reader.execute(select(func.count()).select_from(tables.payload)).scalar_one())

    def tamper(self, *statements: str, **params: Any) -> None:
        """What an intruder with write access to the database does."""
        with self.database.raw() as connection:
            for statement in statements:
                connection.execute(text(statement), params)


class RolledBack(Exception):  # noqa: N818  not an error: the test asks for it
    """Ends a held transaction without a trace."""


class HeldTransaction:
    """A transaction that has written its entries but is not committed until the test says so."""

    def __init__(self, world: World, count: int = 1, customer: str | None = None) -> None:
        self._written, self._go = threading.Event(), threading.Event()
        self._commit = False
        self.error: BaseException | None = None
        self._database = Database(world.url, clock=world.clock, trail=self)
        entries = [AuditEntry("note.taken", "note_late", {"n": n}, customer_id=customer) for n in range(count)]
        self._thread = threading.Thread(target=self._run, args=(entries,))
        self._thread.start()
        assert self._written.wait(30), self.error

    def write(self, uow: UnitOfWork, entries: Sequence[AuditEntry]) -> None:
        """As the real trail, then waits."""
        Trail().write(uow, entries)
        self._written.set()
        assert self._go.wait(60)
        if not self._commit:
            raise RolledBack

    def commit(self) -> None:
        """Let it end well."""
        self._commit = True
        self._end()

    def roll_back(self) -> None:
        """Let it end as if it had never been."""
        self._end()

    def _end(self) -> None:
        self._go.set()
        self._thread.join(30)
        self._database.close()
        if self.error is not None:
            raise FaultError(str(self.error))

    def _run(self, entries: Sequence[AuditEntry]) -> None:
        try:
            with self._database.transaction() as uow:
                uow.record_many(entries)
        except RolledBack:
            pass
        except BaseException as error:  # noqa: BLE001  handed to the test's own thread
            self.error = error
            self._written.set()
