"""A code on its way: through the gate and a real mail server to whoever reads it, and to nobody else."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fairlead.actions import OutboxSource, copy_of
from fairlead.connectors import Delivery, MessageConnector, UnsentMail, read_copy
from fairlead.connectors.mail_addresses import mail_address
from fairlead.connectors.mail_orders import BLANK
from fairlead.connectors.mail_session import MailServer
from fairlead.connectors.mail_setup import MailSetup
from fairlead.customers import set_flag, suppress
from fairlead.identity import Outcome
from fairlead.kit.ids import new_id
from fairlead.kit.sealing import seal
from tests.connectors.mail_world import Letterbox, connected, delivery, serving
from tests.identity.conftest import ADA, BOT, SECRET, USER
from tests.identity.test_codes import everything, stands_in

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.connectors import Connector
    from tests.identity.conftest import CheckDesk

OPENING = {"opening": SECRET}


def deliver(desk: CheckDesk, mail: Connector) -> None:
    """Whatever is due."""
    outlets = {"message": MessageConnector({"email": mail})}
    source = OutboxSource(desk.database, outlets, now=desk.database.clock.now)
    while source.lease(100, 60.0, token := new_id("lease")):
        source.run(token)


def read(box: Letterbox) -> str:
    """The code in the newest letter, as people find it."""
    body = box.last().get_body(("plain",))
    assert body is not None
    found = re.search(r"code is (\d{6})\.", body.get_content())
    assert found is not None
    return found[1]


def test_the_code_arrives_in_a_mail_and_confirms(desk: CheckDesk, caplog: pytest.LogCaptureFixture) -> None:
    """Only the letter has it: the kept copy, the log and the whole database do not."""
    caplog.set_level(logging.DEBUG)
    box, ada = Letterbox(), desk.customer(ADA)
    desk.ask(ada)
    with serving(box) as port, connected(desk.database, port, setup=OPENING) as smtp:
        deliver(desk, smtp)
    [sent] = desk.messages()
    assert sent.state == "sent"
    assert box.letters[0].rcpt_tos == [ADA]
    assert (box.last()["Subject"], box.last()["List-Unsubscribe"]) == ("Your code", None)
    code = read(box)
    with desk.database.reading() as reader:
        kept = copy_of(reader, sent.id)
    assert kept is not None
    letter = read_copy(kept.content)
    assert letter is not None
    assert f"Your code is {BLANK}." in letter.text
    assert dict(letter.headers)["Message-ID"] == box.last()["Message-ID"]
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("fairlead")]
    assert not any(code in line for line in ours)
    assert not stands_in(code, everything(desk))
    assert desk.name(ada, code).outcome is Outcome.CONFIRMED


def test_a_code_that_could_not_be_sent_in_time_is_not_sent(desk: CheckDesk) -> None:
    """When the server comes back after ten minutes, nothing is sent any more."""
    box, ada = Letterbox(answers={"MAIL": ["451 later"]}), desk.customer(ADA)
    desk.ask(ada)
    with serving(box) as port, connected(desk.database, port, setup=OPENING) as smtp:
        deliver(desk, smtp)
        assert desk.messages()[0].state == "queued"
        desk.database.clock.advance(timedelta(minutes=10))  # type: ignore[attr-defined]
        deliver(desk, smtp)
    assert (box.letters, desk.messages()[0].state) == ([], "expired")


def test_the_gate_stands_before_codes_too(light_desk: CheckDesk) -> None:
    """A shut address gets none, nor does a customer to whom only people write get a program's; a person's goes out."""
    box, ada, bob = Letterbox(), light_desk.customer(ADA), light_desk.customer("bob@nordwind.example")
    with light_desk.database.transaction() as uow:
        suppress(uow, USER, "email", ADA, reason="bounced", source="test")
        set_flag(uow, USER, bob, "vulnerable", value=True, source="call", owner="test")
    light_desk.ask(ada)
    light_desk.ask(bob, "bob@nordwind.example", BOT)
    with serving(box) as port, connected(light_desk.database, port, setup=OPENING) as smtp:
        deliver(light_desk, smtp)
        assert [one.gate["code"] for one in light_desk.messages()] == ["human_only", "suppressed"]
        light_desk.ask(bob, "bob@nordwind.example", USER)
        deliver(light_desk, smtp)
    assert [one.rcpt_tos for one in box.letters] == [["bob@nordwind.example"]]


def test_a_sealed_field_is_worth_nothing_in_another_message(light_desk: CheckDesk) -> None:
    """Copied into a message to oneself, or with another key, it is refused, and nothing of it is shown."""
    box = Letterbox()
    sealed = {"code": seal(SECRET, "idc_1", "123456")}
    with serving(box) as port, connected(light_desk.database, port, setup=OPENING) as smtp:
        for body in ({"sealed": sealed}, {"sealed": {"code": 7}}, {"sealed": ["x"]}, {"sealed": {"code": "x"}}):
            assert smtp.deliver(delivery("another", text="[[code]]", **body)).state == "refused"
        shown = smtp.written(delivery("idc_1", text="[[code]]", html="<p>[[code]]</p>", sealed=sealed))
        assert (shown.text, shown.html) == (BLANK, f"<p>{BLANK}</p>")
    with serving(box) as port, connected(light_desk.database, port) as smtp:
        assert smtp.deliver(delivery("idc_1", text="[[code]]", sealed=sealed)).state == "refused"
    assert not box.letters


def test_without_a_mail_server_the_file_has_the_code_and_the_copy_has_not(
    light_desk: CheckDesk, tmp_path: Path
) -> None:
    """The file is what would arrive; what the desk shows is not."""
    setup = MailSetup(MailServer("", 0), mail_address("nobody@unset.example"), secret=SECRET, opening=SECRET)
    unsent = UnsentMail(
        tmp_path, setup, light_desk.database.clock.now, templates=dict, contact=lambda _: None,
        way_out=lambda _, __: None,
    )  # fmt: skip
    body = delivery("k").body | {"text": "Code [[code]].", "sealed": {"code": seal(SECRET, "k", "123456")}}
    receipt = unsent.deliver(Delivery("k", "identity-code", body))
    [file] = tmp_path.glob("*.eml")
    assert "Code 123456." in file.read_text()
    letter = read_copy(receipt.copy)
    assert letter is not None
    assert letter.text.strip() == f"Code {BLANK}."
