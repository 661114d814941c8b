"""Mail over SMTP, against a real server: what its answers mean, and that nothing is ever sent twice."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead.connectors import ReceiptState, allow_resend
from fairlead.connectors.mail_addresses import mail_address
from fairlead.connectors.mail_orders import Contact
from fairlead.connectors.mail_session import MailServer
from fairlead.connectors.mail_stamps import ids_in
from fairlead.customers import suppressions_of
from fairlead.kit.actors import SYSTEM
from fairlead.kit.unit_of_work import AuditEntry
from tests.connectors.mail_world import (
    PASSWORD,
    SILENCE,
    USER,
    Letterbox,
    connected,
    delivery,
    hanging_up,
    make_certificate,
    serving,
    way_out,
)

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.connectors.smtp import SmtpConnector
    from fairlead.kit.database import Database
    from fairlead.testing.clock import FakeClock


def test_a_message_arrives_as_it_was_written(smtp: SmtpConnector, box: Letterbox) -> None:
    """Sent means that the server took it; the receipt has the server's words and the message's id."""
    receipt = smtp.deliver(delivery())

    assert receipt.state is ReceiptState.SENT
    assert "250 2.0.0 OK queued as 1" in receipt.detail
    assert box.last()["message-id"] in receipt.detail
    assert box.last()["from"] == "sales@example.com"
    assert box.last()["to"] == "ada@nordwind.example"
    assert box.last()["subject"] == "About your enquiry"
    assert box.last().get_body(("plain",)).get_content() == "Hello Ada,\n\nshall we talk?\n"  # type: ignore[union-attr]
    assert "<p>shall we talk?</p>" in box.last().get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert box.letters[0].rcpt_tos == ["ada@nordwind.example"]


def test_several_messages_are_one_mail(database: Database, box: Letterbox) -> None:
    """Each under its subject, one way out for all; once, and the kept copy is what arrived."""
    parts = (
        delivery("k2", "cus_1", subject="New prices", text="From May."),
        delivery("k3", "cus_1", text="<b> & more"),
    )
    whole = replace(delivery("k1", "cus_1"), parts=parts)
    found = {"contact": lambda _: Contact("ada@nordwind.example", "en", "Ada"), "way_out": way_out}
    with serving(box) as port, connected(database, port, **found) as smtp:
        receipt = smtp.deliver(whole)
        assert smtp.deliver(whole).state is ReceiptState.SENT
        without = smtp.deliver(replace(delivery("k4", "cus_1"), parts=(delivery("k5", "cus_1", text="", html="<p>x"),)))

    assert (receipt.state, without.state) == (ReceiptState.SENT, ReceiptState.REFUSED)
    assert len(box.letters) == 1
    mail = box.last()
    assert mail["subject"] == "About your enquiry · New prices"
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    places = [text.index(words) for words in ("shall we talk?", "New prices\n=====", "From May.", "<b> & more")]
    assert places == sorted(places)
    assert text.count("https://desk.example.com/u/") == 1
    assert "From May." in receipt.copy
    assert "&lt;b&gt; &amp; more" in mail.get_body(("html",)).get_content()  # type: ignore[union-attr]


def test_a_key_is_sent_once_whatever_is_asked(database: Database, box: Letterbox) -> None:
    """A second delivery of an accepted key is answered with sent, and the server hears nothing of it."""
    with serving(box) as port, connected(database, port) as smtp:
        assert smtp.deliver(delivery()).state is ReceiptState.SENT
        again = smtp.deliver(delivery(subject="Another one"))

    assert again.state is ReceiptState.SENT
    assert "asked again" in again.detail
    assert len(box.letters) == 1


def test_repeated_keys_have_one_message_id_that_nobody_can_guess(smtp: SmtpConnector, box: Letterbox) -> None:
    """The id follows from the key and the installation's secret; two keys have two."""
    box.answers["DATA"] = ["451 4.3.0 not now"]
    first = smtp.deliver(delivery("k1"))
    smtp.deliver(delivery("k1"))
    one = box.last()["message-id"]
    smtp.deliver(delivery("k2"))

    assert first.state is ReceiptState.FAILED
    assert one in first.detail
    assert box.last()["message-id"] != one
    assert "k1" not in one
    assert len(ids_in([one])) == 1


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("450 4.2.1 busy", ReceiptState.FAILED),
        ("452 4.2.2 full", ReceiptState.FAILED),
        ("550 5.7.1 not wanted", ReceiptState.REFUSED),
        ("554 5.6.0 no", ReceiptState.REFUSED),
    ],
)
def test_four_means_later_and_five_means_never(
    smtp: SmtpConnector, box: Letterbox, command: str, said: str, state: ReceiptState
) -> None:
    """Whatever command it answers; the words are kept, and the next message goes over the same connection."""
    box.answers[command] = [said]
    receipt = smtp.deliver(delivery())
    after = smtp.deliver(delivery("another"))

    assert receipt.state is state
    assert said in receipt.detail
    assert after.state is ReceiptState.SENT
    assert len(box.letters) == 1
    assert len(box.sessions) == 1


def test_a_failed_message_is_sent_by_the_next_attempt(database: Database, box: Letterbox) -> None:
    """Failed means that it had no effect: the same key then goes out, once."""
    box.answers["RCPT"] = ["451 4.7.1 greylisted"]
    with serving(box) as port, connected(database, port) as smtp:
        states = [smtp.deliver(delivery()).state for _ in range(3)]

    assert states == [ReceiptState.FAILED, ReceiptState.SENT, ReceiptState.SENT]
    assert len(box.letters) == 1


def test_a_refused_message_stays_refused(database: Database, box: Letterbox) -> None:
    """The server is not asked a second time for what it will never take."""
    box.answers["RCPT"] = ["550 5.7.1 policy"]
    with serving(box) as port, connected(database, port) as smtp:
        states = [smtp.deliver(delivery()).state for _ in range(2)]

    assert states == [ReceiptState.REFUSED, ReceiptState.REFUSED]
    assert box.letters == []


def test_a_mailbox_that_does_not_exist_is_suppressed_at_once(database: Database, box: Letterbox) -> None:
    """5.1.1 in answer to the recipient is a hard bounce; a refusal by policy is none."""
    box.answers["RCPT"] = ["550 5.1.1 no such user", "550 5.7.1 policy"]
    with serving(box) as port, connected(database, port) as smtp:
        smtp.deliver(delivery("a"))
        smtp.deliver(delivery("b", to="bob@nordwind.example"))

    reaches = [("email", "ada@nordwind.example"), ("email", "bob@nordwind.example")]
    with database.reading() as reader:
        found = suppressions_of(reader, reaches)
    assert [*found] == reaches[:1]
    assert found[reaches[0]].scope == "all"


@pytest.mark.parametrize("after", ["EHLO", "MAIL", "RCPT", "DATA"])
def test_a_connection_that_breaks_before_the_end_had_no_effect(light_database: Database, after: str) -> None:
    """Nothing was handed over, so it is tried again."""
    with hanging_up(after) as (port, _), connected(light_database, port) as smtp:
        assert smtp.deliver(delivery()).state is ReceiptState.FAILED


@pytest.mark.parametrize(("after", "reply"), [("DATA", "250 fine"), ("RCPT", "354 go on"), ("MAIL", "rubbish")])
def test_an_answer_that_makes_no_sense_is_never_taken_for_sent(
    light_database: Database, after: str, reply: str
) -> None:
    """A server that says 250 to DATA has taken nothing yet."""
    with hanging_up(after, [reply]) as (port, _), connected(light_database, port) as smtp:
        assert smtp.deliver(delivery()).state is ReceiptState.FAILED


@pytest.mark.parametrize("replies", [(), ("rubbish",), ("250",)])
def test_a_connection_that_breaks_after_the_last_byte_is_ambiguous(
    light_database: Database, replies: tuple[str, ...]
) -> None:
    """Nobody can know whether the server took it; it is not sent again, and the words say what to look for."""
    with hanging_up(".", replies) as (port, heard), connected(light_database, port) as smtp:
        first = smtp.deliver(delivery())
        again = smtp.deliver(delivery())

    expected = ReceiptState.SENT if replies == ("250",) else ReceiptState.AMBIGUOUS
    assert first.state is again.state is expected
    assert "Message-ID <fl" in first.detail
    assert heard.count(".") == 1


def test_silence_after_the_last_byte_is_ambiguous(light_database: Database) -> None:
    """A server that never answers is waited for as long as the settings say, and no longer."""
    with hanging_up(SILENCE) as (port, heard), connected(light_database, port, server={"timeout_s": 0.3}) as smtp:
        receipt = smtp.deliver(delivery())
    assert receipt.state is ReceiptState.AMBIGUOUS
    assert heard[-1] == "."


def test_a_process_that_died_while_sending_leaves_an_ambiguous_message(database: Database, box: Letterbox) -> None:
    """The place was taken and never settled: whoever comes next does not send, and a person may say so again."""
    with serving(box) as port:
        with connected(database, port) as smtp:
            smtp.deliver(delivery("other"))
            order = smtp._orders.read(delivery())
            assert smtp._journal.begin(order.mail).answer is None
        with connected(database, port) as smtp:
            assert smtp.deliver(delivery()).state is ReceiptState.AMBIGUOUS
            assert len(box.letters) == 1
            with database.transaction() as uow:
                assert allow_resend(uow, "case_1/first")
                assert not allow_resend(uow, "other")
                uow.record(AuditEntry("action.resent", "act_1", actor=SYSTEM))
            assert smtp.deliver(delivery()).state is ReceiptState.SENT
    assert len(box.letters) == 2


def test_many_threads_send_each_key_once(database: Database, box: Letterbox) -> None:
    """Eight threads that all deliver the same ten keys: ten letters."""
    with serving(box) as port, connected(database, port) as smtp:
        states: list[ReceiptState] = []
        barrier = threading.Barrier(8)

        def work() -> None:
            barrier.wait()
            states.extend(smtp.deliver(delivery(f"k{number}")).state for number in range(10))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    ids = [envelope.content.split(b"Message-ID: ")[1].split(b"\r\n")[0] for envelope in box.letters]
    assert len(ids) == len(set(ids)) == 10
    assert set(states) <= {ReceiptState.SENT, ReceiptState.AMBIGUOUS}  # asked while another thread was sending
    assert states.count(ReceiptState.SENT) >= 10


def test_a_kept_connection_that_died_is_replaced(light_database: Database, box: Letterbox) -> None:
    """A server that was restarted between two messages costs neither of them an attempt."""
    with serving(box) as port, connected(light_database, port) as smtp:
        assert smtp.deliver(delivery("a")).state is ReceiptState.SENT
        for session in smtp._pool._idle:
            session.wire.sock.shutdown(2)
        assert smtp.deliver(delivery("b")).state is ReceiptState.SENT
    assert len(box.sessions) == 2


def test_a_server_that_is_not_there_means_later(light_database: Database) -> None:
    """The words say where nobody answered."""
    with serving(Letterbox()) as port:
        pass
    with connected(light_database, port) as smtp:
        receipt = smtp.deliver(delivery())
    assert receipt.state is ReceiptState.FAILED
    assert f"127.0.0.1:{port}" in receipt.detail


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # the server does not know that its socket is encrypted
@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_messages_travel_encrypted_and_signed_in(
    light_database: Database, box: Letterbox, tmp_path: Path, tls: str
) -> None:
    """With a certificate that holds, by either way; the password is asked for only then."""
    certificate = make_certificate(tmp_path)
    options: dict[str, Any] = {"authenticator": box.login, "auth_required": True}
    if tls == "tls":
        options["auth_require_tls"] = False
    server = {"security": tls, "ca_file": certificate, "user": USER, "password": PASSWORD}
    with (
        serving(box, tls=tls, certificate=certificate, **options) as port,
        connected(light_database, port, server=server) as smtp,
    ):
        assert smtp.deliver(delivery()).state is ReceiptState.SENT
    assert box.logins == ["in"]


@pytest.mark.parametrize("tls", ["starttls", "tls"])
@pytest.mark.parametrize("wrong", ["unknown", "another name"])
def test_a_certificate_that_does_not_hold_ends_it(
    light_database: Database, box: Letterbox, tmp_path: Path, tls: str, wrong: str
) -> None:
    """Not the machine's authority, or made for another host: nothing is said to such a server."""
    certificate = make_certificate(tmp_path, "127.0.0.1" if wrong == "unknown" else "mail.other.example")
    server = {"security": tls, "ca_file": None if wrong == "unknown" else certificate}
    with (
        serving(box, tls=tls, certificate=certificate) as port,
        connected(light_database, port, server=server) as smtp,
    ):
        receipt = smtp.deliver(delivery())
    assert receipt.state is ReceiptState.FAILED
    assert "certificate does not hold" in receipt.detail
    assert box.letters == []


def test_a_server_without_starttls_gets_nothing(light_database: Database, box: Letterbox) -> None:
    """Somebody on the way who takes the offer out must not make us send in the clear."""
    with serving(box) as port, connected(light_database, port, server={"security": "starttls"}) as smtp:
        receipt = smtp.deliver(delivery())
    assert receipt.state is ReceiptState.FAILED
    assert "STARTTLS" in receipt.detail
    assert box.letters == []


def test_a_wrong_password_is_no_refusal_of_the_message(
    light_database: Database, box: Letterbox, tmp_path: Path
) -> None:
    """It waits until somebody corrects the settings; the password stands in no words."""
    certificate = make_certificate(tmp_path)
    server = {"security": "starttls", "ca_file": certificate, "user": USER, "password": "hunter22"}
    with (
        serving(box, tls="starttls", certificate=certificate, authenticator=box.login, auth_required=True) as port,
        connected(light_database, port, server=server) as smtp,
    ):
        receipt = smtp.deliver(delivery())
    assert receipt.state is ReceiptState.FAILED
    assert "hunter22" not in receipt.detail
    assert "hunter22" not in repr(MailServer("h", 1, password="hunter22"))


def test_a_message_that_is_too_large_for_the_server_is_refused(light_database: Database, box: Letterbox) -> None:
    """By the size that the server announces, before it is sent."""
    with serving(box, data_size_limit=2_000) as port, connected(light_database, port) as smtp:
        receipt = smtp.deliver(delivery(text="x" * 5_000))
        assert smtp.deliver(delivery("small")).state is ReceiptState.SENT
    assert receipt.state is ReceiptState.REFUSED
    assert "2000" in receipt.detail


def test_bounces_come_to_an_address_that_says_which_message(light_database: Database, box: Letterbox) -> None:
    """With a bounce address the envelope's sender carries the id that the Message-ID has."""
    with (
        serving(box) as port,
        connected(light_database, port, setup={"bounce_to": mail_address("bounces@example.com")}) as smtp,
    ):
        smtp.deliver(delivery())
    envelope = box.letters[0].mail_from
    assert envelope.startswith("bounces+fl")
    assert ids_in((), [envelope]) == ids_in([box.last()["message-id"]])


def test_answers_carry_their_thread(light_database: Database, box: Letterbox, clock: FakeClock) -> None:
    """What is answered is named, and so is what was sent before in the same thread with the same customer."""
    with serving(box) as port, connected(light_database, port) as smtp:
        smtp.deliver(delivery("1", "cus_1", thread="t"))
        first = box.last()["message-id"]
        clock.advance(timedelta(days=1))
        smtp.deliver(delivery("2", "cus_1", thread="t"))
        second = box.last()["message-id"]
        clock.advance(timedelta(days=1))
        assert box.last()["in-reply-to"] == box.last()["references"] == first
        smtp.deliver(delivery("3", "cus_1", thread="t", reply_to_message="<q@nordwind.example>"))
        assert box.last()["in-reply-to"] == "<q@nordwind.example>"
        assert box.last()["references"].split() == [first, second, "<q@nordwind.example>"]
        smtp.deliver(delivery("4", "cus_2", thread="t"))
        assert box.last()["references"] is None


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"sender": "agent"}, None),
        ({"sender": "campaign"}, "auto-generated"),
        ({"sender": "bot", "reply_to_message": "<q@x.example>"}, "auto-replied"),
        ({"sender": "sales", "automatic": False}, None),
    ],
)
def test_messages_of_machines_say_so(
    smtp: SmtpConnector, box: Letterbox, body: dict[str, Any], word: str | None
) -> None:
    """RFC 3834, so that no other machine answers them; what a person wrote does not say it."""
    smtp.deliver(delivery(**body))
    assert box.last()["auto-submitted"] == word


def test_promotions_carry_both_ways_out_and_a_line_that_is_seen(light_database: Database, box: Letterbox) -> None:
    """RFC 8058's two headers, a link in text and HTML, in the customer's language; none without a way out."""
    with serving(box) as port, connected(light_database, port, way_out=way_out) as smtp:
        smtp.deliver(delivery("1", "cus_1", language="de"))
        letter = box.last()
        smtp.deliver(delivery("2", None))
    link = "https://desk.example.com/u/cus_1.sales"
    assert letter["list-unsubscribe"] == f"<{link}>, <mailto:sales@example.com?subject=unsubscribe%20cus_1.sales>"
    assert letter["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert letter.get_body(("plain",)).get_content().endswith(f"Keine solchen Nachrichten mehr:\n{link}\n")  # type: ignore[union-attr]
    assert f'<a href="{link}">' in letter.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert box.last()["list-unsubscribe"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"subject": "x\r\nBcc: eve@evil.example"},
        {"subject": "x\nBcc: eve@evil.example"},
        {"to": "ada@nordwind.example\r\nRCPT TO:<eve@evil.example>"},
        {"to": "ada@nordwind.example, eve@evil.example"},
        {"to": "eve"},
        {"to": "ada@nordwind"},
        {"to": "ada@p\u0430ypal.example"},
        {"reply_to_message": "<a@b>\r\nBcc: eve@evil.example"},
        {"thread": "a\nb"},
        {"text": "", "html": ""},
        {"subject": " "},
        {"subject": "x" * 301},
        {"text": "x" * 500_001},
        {"text": 7},
        {"channel": "sms"},
        {"template": "welcome"},
        {"template": "welcome", "fields": []},
        {"to": None},
    ],
    ids=str,
)
def test_what_cannot_be_a_message_is_refused_before_any_connection(
    smtp: SmtpConnector, box: Letterbox, body: dict[str, Any]
) -> None:
    """Injected headers and recipients, look-alike domains, bounds: refused with words, nothing is sent."""
    receipt = smtp.deliver(delivery(**body))
    assert receipt.state is ReceiptState.REFUSED
    assert receipt.detail
    assert box.letters == []
    assert box.sessions == set()
