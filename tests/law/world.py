"""An installation that sends signed mail, and one customer who may press its links."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr
from starlette.testclient import TestClient

from fairlead.actions import ActionDraft, queue_many
from fairlead.app import create_app
from fairlead.connectors import DkimSigner
from fairlead.customers import CustomerDraft, Standing, consents_of, resolve_many, standing_for
from fairlead.guardrails import Attempt, GateAnswer, would_pass
from fairlead.kit.actors import SYSTEM
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.playbooks import deploy, read_workspace
from fairlead.settings import Settings, provide_secrets
from fairlead.testing.seed import EXAMPLE
from fairlead.worker import Runtime, open_runtime
from tests.connectors.mail_world import Letterbox, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fairlead.testing.clock import FakeClock

ADA = "ada@nordwind.example"
PROMOTION = {
    "channel": "email", "purpose": "sales", "sender": "agent", "automatic": False,
    "template": "first-follow-up", "fields": {"name": "Ada Keller"},
}  # fmt: skip
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Office:
    """What was sent, to whom, and the links in it."""

    runtime: Runtime
    box: Letterbox
    customer: str
    records: dict[str, str]

    def send(self, key: str, **body: Any) -> str:
        """Queue a promotion, let the outbox work; the state it came to."""
        draft = ActionDraft(key, "message", "nurture", PROMOTION | body, customer_id=self.customer)
        with self.runtime.database.transaction() as uow:
            (action,) = queue_many(uow, [draft])
            uow.record(AuditEntry("test.queued", action))
        outbox = self.runtime.dispatcher._sources["outbox"]
        if outbox.lease(10, 60.0, f"t{key}"):
            outbox.run(f"t{key}")
        with self.runtime.database.reading() as reader:
            return str(reader.fetch("SELECT state FROM action WHERE id = ?", action)[0][0])

    def one_click(self) -> tuple[str, str]:
        """The page and the mail address in the last letter's header."""
        found = re.fullmatch(r"<([^>]+)>, <(mailto:[^>]+)>", self.box.last()["list-unsubscribe"])
        assert found is not None
        return "/u/" + found[1].rpartition("/u/")[2], found[2]

    def client(self) -> TestClient:
        """A program that has never been here: no cookie, no header of a browser."""
        return TestClient(create_app(self.runtime, background=False), base_url="http://127.0.0.1")

    def standing(self, purpose: str = "sales", channel: str = "email") -> Standing | None:
        """What the customer said last."""
        now = self.runtime.database.clock.now()
        with self.runtime.database.reading() as reader:
            return standing_for(consents_of(reader, [self.customer], now)[self.customer], purpose, channel)

    def would(self, purpose: str = "sales") -> GateAnswer:
        """What the gate would say."""
        one = Attempt("dry", self.customer, "email", ADA, purpose, "campaign")
        with self.runtime.database.reading() as reader:
            return would_pass(reader, one, self.runtime.database.clock.now())


@contextmanager
def opened(folder: Path, url: str, clock: FakeClock) -> Iterator[Office]:
    """The example's files deployed, a mail server, a signing key."""
    shutil.copytree(EXAMPLE, folder / "co")
    pem = folder / "dkim.pem"
    key = Ed25519PrivateKey.generate()
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    pem.chmod(0o600)
    box = Letterbox()
    with serving(box) as port:
        settings = provide_secrets(Settings(workspace=folder / "co", database_url=url, public_url="http://127.0.0.1"))
        settings = settings.model_copy(update={
            "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "smtp_from": "sales@example.com",
            "smtp_dkim_key_file": pem, "smtp_dkim_selector": "law", "secret_key": SecretStr("s" * 40),
        })  # fmt: skip
        with open_runtime(settings, durable=False, clock=clock) as runtime:
            with runtime.database.transaction() as uow:
                deploy(uow, runtime.library, SYSTEM, read_workspace(settings.workspace))
                draft = CustomerDraft("Ada Keller", language="en", identities=(("email", ADA),), source="test")
                customer = resolve_many(uow, [draft])[0].id
                uow.record(AuditEntry("test.made", customer))
            yield Office(runtime, box, customer, dict([DkimSigner("example.com", "law", key).record()]))
