"""Mail that comes in: bounces and complaints suppress, replies interrupt, machines and loops do nothing."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from fairlead.connectors import MailKind, TakenMail, read_mail, take_mail
from fairlead.connectors.mail_journal import SentMail, begin_sending, end_sending, forget_mail
from fairlead.connectors.mail_stamps import mail_id, message_id_of
from fairlead.connectors.ports import Receipt, ReceiptState
from fairlead.connectors.tables import mail_sent, mail_taken
from fairlead.customers import (
    CustomerDraft,
    consents_of,
    erase_customer,
    resolve_many,
    suppressions_of,
    timeline_of,
)
from fairlead.errors import InputError, TooLargeError
from fairlead.kit.actors import SYSTEM
from fairlead.kit.events import event_row
from fairlead.kit.links import make_link
from fairlead.kit.unit_of_work import AuditEntry
from tests.connectors.mail_world import SECRET

if TYPE_CHECKING:
    from fairlead.kit.database import Database
    from fairlead.testing.clock import FakeClock

LINKS = b"l" * 32
ADA = "ada@nordwind.example"
STATUS = b"--b\nContent-Type: message/delivery-status\n\n\n\n--b--\n"


class Post:
    """A customer, messages to them, and what comes back."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.transaction() as uow:
            draft = CustomerDraft("Ada Keller", identities=(("email", ADA),), source="test")
            self.customer = resolve_many(uow, [draft])[0].id
            uow.record(AuditEntry("test.made", self.customer))

    def sent(self, key: str, address: str = ADA, purpose: str = "newsletter", customer: str | None = "") -> str:
        """A message of ours that the server took; its Message-ID."""
        one = mail_id(SECRET, key)
        owner = self.customer if customer == "" else customer
        mail = SentMail(one, key, message_id_of(one, "example.com"), address, owner, purpose)
        with self.database.transaction() as uow:
            begin_sending(uow, mail)
            end_sending(uow, mail, Receipt(ReceiptState.SENT, "250 OK"))
        return mail.message_id

    def take(self, raw: bytes) -> TakenMail:
        """What the message does."""
        with self.database.transaction() as uow:
            return take_mail(uow, SYSTEM, raw, LINKS)

    def suppressed(self, address: str = ADA) -> str | None:
        """The scope in which an address is suppressed, None where it is not."""
        with self.database.reading() as reader:
            found = suppressions_of(reader, [("email", address)]).get(("email", address))
        return found.scope if found else None

    def events(self, kind: str) -> list[Any]:
        """Events of this type about the customer."""
        with self.database.reading() as reader:
            c = event_row.c
            return list(reader.execute(select(event_row).where(c.type == kind, c.key == self.customer)))

    def consent(self, purpose: str, channel: str = "email") -> str | None:
        """What the customer said last about a purpose."""
        now = self.database.clock.now()
        with self.database.reading() as reader:
            found = consents_of(reader, [self.customer], now)[self.customer].get((purpose, channel))
        return found.state if found else None


@pytest.fixture
def post(database: Database) -> Post:
    """On both databases."""
    return Post(database)


@pytest.fixture
def light_post(light_database: Database) -> Post:
    """On SQLite alone."""
    return Post(light_database)


def bounce(message_id: str, status: str = "5.1.1", action: str = "failed", *, number: int = 0, **headers: str) -> bytes:
    """A report as Postfix writes it."""
    more = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in headers.items())
    return f"""Return-Path: <>
From: MAILER-DAEMON@mx.nordwind.example (Mail Delivery System)
To: sales@example.com
Subject: Undelivered Mail Returned to Sender {number}
Auto-Submitted: auto-replied
{more}MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.
--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.nordwind.example
Arrival-Date: Mon, 1 Mar 2027 12:00:00 +0000

Final-Recipient: rfc822; forwarded@elsewhere.example
Original-Recipient: rfc822;{ADA}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} what happened

--b1
Content-Type: text/rfc822-headers

From: sales@example.com
To: {ADA}
Subject: News
Message-ID: {message_id}

--b1--
""".encode()


def complaint(message_id: str = "", recipient: str = "", kind: str = "abuse") -> bytes:
    """A feedback report of RFC 5965."""
    named = f"Original-Rcpt-To: <{recipient}>\n" if recipient else ""
    return f"""From: <fbl@provider.example>
To: <sales@example.com>
Subject: FW: News
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b1"

--b1
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report.
--b1
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1
{named}
--b1
Content-Type: message/rfc822

From: <sales@example.com>
To: <redacted@provider.example>
Subject: News
Message-ID: {message_id or "<x@example.com>"}

Hello
--b1--
""".encode()


def letter(text: str = "Please call me about an offer.", sender: str = ADA, **headers: str) -> bytes:
    """What a person's program sends."""
    message = EmailMessage()
    message["From"] = f"Ada Keller <{sender}>"
    message["To"] = headers.pop("To", "sales@example.com")
    message["Subject"] = headers.pop("Subject", "Re: News")
    message["Message-ID"] = "<reply-1@nordwind.example>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def test_a_hard_bounce_suppresses_the_address_that_was_written_to(post: Post) -> None:
    """Not the one it was forwarded to; entirely, at once, and it stands on the timeline and in the audit record."""
    taken = post.take(bounce(post.sent("k")))

    assert taken.kind is MailKind.BOUNCE
    assert taken.customer_id == post.customer
    assert post.suppressed() == "all"
    assert post.suppressed("forwarded@elsewhere.example") is None
    with post.database.reading() as reader:
        assert any("does not exist" in line.words for line in timeline_of(reader, post.customer))


def test_three_soft_bounces_in_a_fortnight_suppress(post: Post, clock: FakeClock) -> None:
    """Two do not, nor does a third when the first is older; a second report about one message counts once."""
    first = post.sent("1")
    post.take(bounce(first, "4.2.2", number=1))
    post.take(bounce(first, "4.2.2", number=2))
    clock.advance(timedelta(days=10))
    post.take(bounce(post.sent("2"), "5.7.1"))
    clock.advance(timedelta(days=5))
    post.take(bounce(post.sent("3"), "5.2.2"))
    assert post.suppressed() is None
    clock.advance(timedelta(days=1))
    assert "3 messages bounced" in post.take(bounce(post.sent("4"), "4.2.2")).effect
    assert post.suppressed() == "all"


@pytest.mark.parametrize(("status", "action"), [("4.4.1", "delayed"), ("2.0.0", "delivered"), ("2.0.0", "relayed")])
def test_a_delay_is_no_bounce(light_post: Post, status: str, action: str) -> None:
    """However many of them come."""
    for number in range(4):
        assert light_post.take(bounce(light_post.sent(f"k{number}"), status, action)).kind is MailKind.NOTICE
    assert light_post.suppressed() is None


def test_the_same_bytes_twice_change_nothing(post: Post) -> None:
    """Whether a mail server or a person hands them over again."""
    raw = letter()
    first, again = post.take(raw), post.take(raw)
    assert first.is_new
    assert not again.is_new
    assert first.id == again.id
    assert len(post.events("replied")) == 1


@pytest.mark.parametrize("message_id", ["<made-up@example.com>", f"<{mail_id(b'x' * 32, 'k')}@example.com>", ""])
def test_a_forged_bounce_suppresses_nobody(light_post: Post, message_id: str) -> None:
    """Whoever does not have a message of ours cannot name its id; what else the report says is not believed."""
    light_post.sent("k")
    assert "names no message of ours" in light_post.take(bounce(message_id)).effect
    assert light_post.suppressed() is None


def test_a_bounce_is_told_by_the_address_it_came_to(light_post: Post) -> None:
    """Without its headers, or in no standard form, by the tag of the bounce address; the latter only softly."""
    one = light_post.sent("k")[1:].split("@")[0]
    hard = bounce("", To=f"bounces+{one}@example.com")
    plain = f"Return-Path: <>\nFrom: MAILER-DAEMON@x.example\nTo: bounces+{one}@example.com\nSubject: failure\n\nno.\n"
    taken = light_post.take(plain.encode())
    assert taken.kind is MailKind.BOUNCE
    assert "1 of 3" in taken.effect
    light_post.take(hard)
    assert light_post.suppressed() == "all"


def test_a_complaint_ends_promotions_and_the_purpose(post: Post) -> None:
    """What is about orders may still go; the consent is withdrawn with the complaint as proof."""
    taken = post.take(complaint(post.sent("k")))
    assert taken.kind is MailKind.COMPLAINT
    assert post.suppressed() == "promotional"
    assert post.consent("newsletter") == "withdrawn"
    assert post.consent("service") is None
    assert len(post.events("opted_out")) == 1


def test_a_complaint_without_our_message_counts_for_customers_alone(light_post: Post) -> None:
    """Providers leave the message out; then everything is withdrawn. A stranger's address is not kept."""
    light_post.take(complaint(recipient="stranger@x.example"))
    assert light_post.suppressed("stranger@x.example") is None
    light_post.take(complaint(recipient=ADA))
    assert light_post.suppressed() == "promotional"
    assert light_post.consent("*", "*") == "withdrawn"


def test_what_was_no_spam_is_no_complaint(light_post: Post) -> None:
    """Feedback-Type: not-spam."""
    assert light_post.take(complaint(light_post.sent("k"), kind="not-spam")).kind is MailKind.NOTICE
    assert light_post.suppressed() is None


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"}, {"Auto_Submitted": "auto-generated; type=x"}, {"X_Autoreply": "yes"},
        {"X_Autorespond": "x"}, {"Precedence": "auto_reply"}, {"Precedence": "Bulk"}, {"List_Id": "<x.example>"},
    ],
    ids=str,
)  # fmt: skip
def test_what_a_program_answered_is_no_reply(light_post: Post, headers: dict[str, str]) -> None:
    """No case goes on by it; the timeline says that it came."""
    message_id = light_post.sent("k")
    taken = light_post.take(letter("I am away until Monday.", In_Reply_To=message_id, **headers))
    assert taken.kind is MailKind.AUTOMATIC
    assert light_post.events("replied") == []
    with light_post.database.reading() as reader:
        assert any("does not count as a reply" in line.words for line in timeline_of(reader, light_post.customer))


def test_a_reply_is_told_by_what_it_answers_or_by_who_wrote_it(post: Post) -> None:
    """A colleague's answer from another address belongs to the customer we wrote to; the event carries the words."""
    assert post.take(letter(sender="colleague@nordwind.example")).customer_id is None
    taken = post.take(letter("Yes, call us.", "colleague@nordwind.example", References=f"<a@b> {post.sent('k')}"))
    assert taken.kind is MailKind.REPLY
    assert taken.customer_id == post.customer
    by_sender = post.take(letter("And me.", Auto_Submitted="no"))
    assert by_sender.customer_id == post.customer
    first, second = post.events("replied")
    assert "Yes, call us." in first.payload["found"]["reply"]
    assert "And me." in second.payload["found"]["reply"]


def test_replies_are_read_whatever_form_they_come_in(light_post: Post) -> None:
    """HTML alone, with attachments, in an old charset, forwarded with a mailbox's From line before it."""
    message = EmailMessage()
    message["From"], message["Subject"] = ADA, "Re: News"
    message.set_content("<p>Ruf <b>an</b></p><script>x()</script>", subtype="html")
    message.add_attachment(b"x" * 1_000, maintype="application", subtype="pdf", filename="a.pdf")
    light_post.take(b"From ada Mon Mar  1 12:00:00 2027\n" + message.as_bytes())
    old = (
        f"From: {ADA}\nSubject: =?iso-8859-1?q?Gr=FC=DFe?=\nContent-Type: text/plain; charset=iso-8859-1\n\nGr\xfc\xdfe"
    )
    light_post.take(old.encode("latin-1"))
    first, second = (one.payload["found"]["reply"] for one in light_post.events("replied"))
    assert "Ruf an" in first
    assert "x()" not in first
    assert second.endswith("Grüße")
    assert "Subject: Grüße" in second


@pytest.mark.parametrize("of", ["report", "no sender"])
def test_a_bounce_of_a_bounce_does_nothing(light_post: Post, of: str) -> None:
    """The message that it returns was a report, or had no sender to begin with."""
    head = b'Content-Type: multipart/report; boundary="x"' if of == "report" else b"Return-Path: <>"
    raw = bounce(light_post.sent("k")).replace(b"From: sales@example.com\nTo: ada", head + b"\nTo: ada")
    assert light_post.take(raw).kind is MailKind.LOOP
    assert light_post.take(b"Return-Path: <>\nFrom: x@y.example\nSubject: Re: Re: x\n\nhm").kind is MailKind.LOOP
    assert light_post.suppressed() is None
    assert light_post.events("replied") == []


def test_the_mail_of_an_unsubscribe_header_withdraws(post: Post) -> None:
    """Signed for this customer and purpose; asked again it stays withdrawn, forged it does nothing."""
    parts = {"customer": post.customer, "purpose": "newsletter", "channel": "email"}
    token = make_link(LINKS, "unsubscribe", parts)
    forged = make_link(b"f" * 32, "unsubscribe", parts)
    other = make_link(LINKS, "preferences", parts)
    for wrong in (forged, other, token[:-2]):
        assert "not one of ours" in post.take(letter(Subject=f"unsubscribe {wrong}")).effect
    assert post.consent("newsletter") is None
    taken = post.take(letter("", "anybody@x.example", Subject=f"Unsubscribe {token}"))
    assert taken.kind is MailKind.UNSUBSCRIBE
    assert post.consent("newsletter") == "withdrawn"
    assert post.consent("sales") is None
    assert "before" in post.take(letter("again", Subject=f"unsubscribe {token}")).effect


def test_an_erased_customer_is_not_found_again(post: Post) -> None:
    """Addresses go with them; a late bounce or reply finds nobody, and is taken without a word about them."""
    message_id = post.sent("k")
    post.take(letter())
    with post.database.transaction() as uow:
        erase_customer(uow, SYSTEM, post.customer, reason="asked")
        assert forget_mail(uow, post.customer) == 2
    assert "nothing was done" in post.take(bounce(message_id)).effect
    assert "nothing was done" in post.take(letter("late", In_Reply_To=message_id)).effect
    with post.database.reading() as reader:
        assert {row.address for row in reader.execute(select(mail_sent.c.address))} == {""}
        assert {row.address for row in reader.execute(select(mail_taken.c.address))} == {""}


def _nested(depth: int) -> bytes:
    head = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(depth))
    return b"From: a@b.example\n" + head + b"Content-Type: text/plain\n\nx\n"


def _wide(parts: int) -> bytes:
    return b'From: a@b.example\nContent-Type: multipart/mixed; boundary="b"\n\n' + b"--b\n\nx\n" * parts + b"--b--\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"From: a@b.example\n\n" + b"x" * 26_214_400,
        b"From: a@b.example\n\n" + b"\n" * 600_000,
        b"From: a@b.example\n" + b"X: y\n" * 60_000 + b"\nx",
        _nested(30), _nested(5_000), _wide(300), _wide(50_000),
    ],
    ids=["size", "lines", "headers", "deep", "very deep", "wide", "very wide"],
)  # fmt: skip
def test_bombs_are_refused_before_they_are_read(raw: bytes) -> None:
    """By size, lines, headers, depth and number of parts; the words name the bound."""
    with pytest.raises(TooLargeError) as refused:
        read_mail(raw)
    assert refused.value.fields["limit"]


@pytest.mark.parametrize("raw", [b"", b"\0" * 100, b"no headers here", b"\xff\xfe: x", b"PK\x03\x04zip"])
def test_what_is_no_mail_is_refused(raw: bytes) -> None:
    """With its own code."""
    with pytest.raises(InputError) as refused:
        read_mail(raw)
    assert refused.value.reason == "bad_message"


@pytest.mark.parametrize(
    "raw",
    [
        b"From: a\n\n", b"From:\nSubject: =?utf-8?b?////?=\n\nx", b"Content-Type: multipart/report\n\nx",
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n" + STATUS,
        b"Content-Type: text/plain; charset=klingon\nFrom: a@b.example\n\n\xff\xfe\0",
        b"Content-Type: multipart/mixed\nFrom: <<>>@@\n\n--\n",
        b"From: a@b.example\nContent-Transfer-Encoding: base64\n\n!!!!", b"Subject: \xff\xff\n\n\xff",
    ],
)  # fmt: skip
def test_broken_mail_breaks_nothing(light_post: Post, raw: bytes) -> None:
    """It is taken for something harmless."""
    assert light_post.take(raw).kind in {MailKind.REPLY, MailKind.NOTICE, MailKind.AUTOMATIC}
    assert light_post.suppressed() is None
