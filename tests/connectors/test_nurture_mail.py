"""From a lead to a letter in a real mail server, by day and with a way out, and what taking the way out does."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from fairlead.actions import OutboxSource, actions_of_case, copy_of
from fairlead.app import create_app
from fairlead.audit import history
from fairlead.commands.workspaces import deploy_here
from fairlead.customers import CustomerDraft, resolve_many
from fairlead.jobs import WorkLane
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.playbooks import CaseDraft, CaseSource, EventSource, TimerSource, open_cases, read_case
from fairlead.settings import Settings, provide_secrets
from fairlead.testing.seed import EXAMPLE
from fairlead.worker import Runtime, open_runtime
from fairlead.worker.equipment import outlets_of
from tests.connectors.mail_world import Letterbox, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fairlead.testing.clock import FakeClock

LEAD = {"name": "Ada Keller", "company": "Nordwind", "value": 900.0, "team": "dach", "grade": "C"}


class Company:
    """The example workspace on a clock that stands still, with everything that a worker does."""

    def __init__(self, runtime: Runtime, clock: FakeClock) -> None:
        self.runtime, self.clock = runtime, clock
        engine, database = runtime.engine, runtime.database
        _, outlets = outlets_of(runtime.settings, database, None)
        outbox = OutboxSource(database, outlets, now=clock.now)
        lanes = [CaseSource(engine, lane) for lane in WorkLane]
        self.sources: list[Any] = [EventSource(engine), TimerSource(engine), *lanes, outbox]

    def lead(self) -> tuple[str, str]:
        """(customer, nurture case) of somebody in Berlin who was not ready."""
        database = self.runtime.database
        with database.transaction() as uow:
            known = (("email", "ada@nordwind.example"), ("phone", "+493020000000"))
            customer = resolve_many(uow, [CustomerDraft(name="Ada Keller", identities=known, source="test")])[0].id
            uow.record(AuditEntry("test.imported", customer))
            bundle = self.runtime.library.current(uow)
            [case] = open_cases(uow, [CaseDraft("lead-nurture", "lead", "lead_1", LEAD, customer)], bundle)
        self.run()
        return customer, case

    def run(self) -> None:
        """Whatever is due."""
        while sum(self._drained(source) for source in self.sources):
            pass

    def _drained(self, source: Any) -> int:
        turns = 0
        while source.lease(100, 60.0, token := new_id("lease")):
            source.run(token)
            turns += 1
        return turns

    def later(self, **span: float) -> None:
        """Everything of that time, hour by hour."""
        until = self.clock.now() + timedelta(**span)
        while self.clock.now() < until:
            self.clock.advance(min(timedelta(hours=1), until - self.clock.now()))
            self.run()

    def end(self, case: str) -> str | None:
        """How the case ended, None while it runs."""
        with self.runtime.database.reading() as reader:
            found: str | None = read_case(reader, case).end
            return found


def company(tmp_path: Path, url: str, clock: FakeClock, **more: Any) -> Iterator[Company]:
    """Deployed, at ten in the evening in Berlin."""
    shutil.copytree(EXAMPLE, tmp_path / "co")
    clock.advance(timedelta(hours=12))
    given: dict[str, Any] = {"workspace": tmp_path / "co", "data_dir": tmp_path / "data", "database_url": url}
    settings = provide_secrets(Settings(**given, public_url="http://desk.example.com", **more))
    with open_runtime(settings, durable=False, clock=clock) as runtime:
        deploy_here(runtime)
        yield Company(runtime, clock)


@pytest.fixture
def mailing(tmp_path: Path, sqlite_url: str, clock: FakeClock, box: Letterbox) -> Iterator[Company]:
    """With a real mail server."""
    with serving(box) as port:
        yield from company(
            tmp_path, sqlite_url, clock, smtp_host="127.0.0.1", smtp_port=port, smtp_security="none",
            smtp_from="sales@example.com",
        )  # fmt: skip


@pytest.fixture
def without_server(tmp_path: Path, sqlite_url: str, clock: FakeClock) -> Iterator[Company]:
    """As a new user has it."""
    yield from company(tmp_path, sqlite_url, clock)


@pytest.mark.slow
def test_a_follow_up_arrives_by_day_and_one_click_ends_it(mailing: Company, box: Letterbox) -> None:
    """After seven days, not at night; the letter has RFC 8058's headers, and posting to them ends everything."""
    customer, case = mailing.lead()
    mailing.later(days=7)
    assert not box.letters
    mailing.later(hours=14)
    letter = box.last()
    assert (letter["To"], letter["Subject"]) == ("Ada Keller <ada@nordwind.example>", "Nordwind: shall we talk?")
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "Hello Ada Keller" in letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    with mailing.runtime.database.reading() as reader:
        [sent] = actions_of_case(reader, case)
        assert sent.done_at is not None
        assert 8 <= (sent.done_at.hour + 1) % 24 < 21
        kept = copy_of(reader, sent.id)
        assert kept is not None
        assert kept.content.encode() == box.letters[0].content
        assert "250 2.0.0 OK queued as 1" in kept.words
        assert any(one.verb == "contact.allowed" for one in history(reader, [sent.idempotency_key]))
    link = next(part.strip(" <>") for part in letter["List-Unsubscribe"].split(",") if "http" in part)
    client = TestClient(create_app(mailing.runtime, background=False), base_url="http://desk.example.com")
    assert client.get(urlsplit(link).path).status_code == 200
    mailing.later(hours=1)
    assert mailing.end(case) is None  # looking at the page changes nothing
    posted = client.post(urlsplit(link).path, data={"List-Unsubscribe": "One-Click"})
    assert posted.status_code == 200, posted.text
    mailing.later(hours=1)
    assert mailing.end(case) == "stopped"
    mailing.later(days=40)
    assert len(box.letters) == 1
    assert customer


def test_without_a_server_one_sees_what_would_go_out(without_server: Company) -> None:
    """The whole letter is a file in the data folder, the action says that it would have been sent, and stays so."""
    _, case = without_server.lead()
    without_server.later(days=7, hours=14)
    with without_server.runtime.database.reading() as reader:
        [sent] = actions_of_case(reader, case)
        kept = copy_of(reader, sent.id)
    assert sent.state.value == "sent"
    assert "would have been sent" in str((sent.result or {})["detail"])
    [file] = (without_server.runtime.settings.data_dir / "unsent").glob("*.eml")
    assert kept is not None
    assert file.read_bytes() == kept.content.encode()
    assert "List-Unsubscribe: <http://desk.example.com/u/" in kept.content.replace("\r\n ", " ")
    assert (file.stat().st_mode & 0o077) == 0
