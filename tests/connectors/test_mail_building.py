"""Messages as bytes: another program reads back what was meant, whatever stood in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.connectors.mail_addresses import mail_address
from fairlead.connectors.mail_building import Letter, Unsubscribe, build_mail
from fairlead.errors import InputError, TooLargeError

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
PLAIN = Letter("<fl1@example.com>", mail_address("sales@example.com"), mail_address("ada@nordwind.example"), "Hello",
               "Hello Ada\n", NOW)  # fmt: skip


def _read(letter: Letter) -> EmailMessage:
    found = BytesParser(policy=policy.default).parsebytes(build_mail(letter).replace(b"\r\n", b"\n"))
    assert isinstance(found, EmailMessage)
    assert not found.defects
    return found


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\x85"), max_size=150)


@settings(max_examples=60)
@given(LINE, LINE, TEXT, TEXT)
def test_what_was_written_is_what_is_read(subject: str, name: str, text: str, html: str) -> None:
    """Subject, names and both texts come through; lines are at most 998 bytes, all of them plain ASCII."""
    letter = replace(PLAIN, subject=subject, to_name=name, text=text, html=html)
    try:
        raw = build_mail(letter)
    except InputError:
        assert not subject.strip() or not (text.strip() or html.strip())
        return
    assert all(len(line) <= 998 and line.isascii() for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    read = _read(letter)
    assert "".join(read["subject"].split()) == "".join(subject.split())
    assert read["to"].addresses[0].addr_spec == "ada@nordwind.example"
    shown = "".join(one for one in text if one in "\n\t" or (one.isprintable() or ord(one) > 0x9F))
    if text.strip() and shown == text:
        assert _body(read, "plain").split() == text.split()


def test_the_same_letter_gives_the_same_bytes() -> None:
    """Nothing in it is drawn."""
    letter = replace(PLAIN, html="<p>Hello</p>")
    assert build_mail(letter) == build_mail(letter)
    assert build_mail(letter) != build_mail(replace(letter, message_id="<fl2@example.com>"))


@pytest.mark.parametrize("field", ["subject", "sender_name", "to_name"])
@pytest.mark.parametrize("smuggled", ["\r\nBcc: eve@evil.example", "\nX: 1", "\rX: 1", "\0", "\u2028X: 1", "\x85X: 1"])
def test_no_header_can_be_smuggled_in(field: str, smuggled: str) -> None:
    """Line breaks of every kind in a header are refused, with the field's name."""
    with pytest.raises(InputError) as refused:
        build_mail(replace(PLAIN, **{field: f"Hello{smuggled}"}))  # type: ignore[arg-type]
    assert refused.value.reason == "mail_text"


def test_ids_that_are_none_are_left_out_and_long_threads_cut() -> None:
    """Threading is a courtesy: what others wrote into their ids neither breaks a message nor gets into its headers."""
    ids = [f"<{'x' * 90}{number}@nordwind.example>" for number in range(30)]
    read = _read(replace(PLAIN, in_reply_to=ids[-1], references=("<a b@c>", "<a@b>\r\nBcc: x@y.example", *ids)))
    found = read["references"].split()
    assert found[0] == ids[0]
    assert found[-1] == ids[-1]
    assert len(found) == 10
    assert read["bcc"] is None
    assert _read(replace(PLAIN, in_reply_to="nothing"))["in-reply-to"] is None


def test_links_off_the_list_are_never_folded_or_encoded() -> None:
    """However long they are, programs find them whole."""
    ways = Unsubscribe("https://example.com/u/" + "t" * 800, "mailto:a@example.com?subject=unsubscribe%20" + "t" * 800)
    read = _read(replace(PLAIN, unsubscribe=ways))
    assert read["list-unsubscribe"] == f"<{ways.https}>, <{ways.mailto}>"
    assert b"=?" not in build_mail(replace(PLAIN, unsubscribe=ways))
    for link in ("javascript:alert(1)", "https://x.example/>,<https://evil.example", "https://x.example/ y", "ftp://x"):
        with pytest.raises(InputError):
            build_mail(replace(PLAIN, unsubscribe=Unsubscribe(link)))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"text": "", "html": ""}, InputError), ({"text": " \n"}, InputError), ({"subject": ""}, InputError),
        ({"subject": "x" * 301}, InputError), ({"text": "x" * 500_001}, TooLargeError),
        ({"html": "x" * 500_001}, TooLargeError), ({"text": "\U0001f600" * 400_000}, TooLargeError),
        ({"message_id": "<a@b> x"}, InputError),
    ],
)  # fmt: skip
def test_bounds_hold(changes: dict[str, Any], error: type[InputError]) -> None:
    """Empty and overlong messages are refused before anything is built of them."""
    with pytest.raises(error):
        build_mail(replace(PLAIN, **changes))


@pytest.mark.parametrize(
    ("given_as", "shown"),
    [
        ("Ada@NORDWIND.example", "Ada@nordwind.example"),
        ("ada@müller.example", "ada@xn--mller-kva.example"),
        ("ada@\u0430\u0440\u0440\u04cf\u0435.example", "ada@xn--80ak6aa92e.example"),
        ("ada@例え.example", "ada@xn--r8jz45g.example"),
        ("o'neill+x@sub.example.org", "o'neill+x@sub.example.org"),
    ],
)
def test_domains_are_shown_as_they_are_looked_up(given_as: str, shown: str) -> None:
    """A domain that only looks like another is another, and its punycode shows it."""
    assert str(mail_address(given_as)) == shown


@pytest.mark.parametrize(
    "text",
    ["ada@p\u0430ypal.example", "ada@xn--pypal-4ve.example", "ada@αpple.example", "ada@\u0435xample.example"],
)
def test_domains_of_mixed_scripts_are_refused(text: str) -> None:
    """Cyrillic or Greek letters among Latin ones, typed or as punycode."""
    with pytest.raises(InputError) as refused:
        mail_address(text)
    assert refused.value.reason == "mixed_script"
    assert "xn--" in refused.value.message


@pytest.mark.parametrize(
    "text", ["", "ada", "@x.example", "a@b@c.example", "a b@x.example", "a@x", "a@x.example\r\nX: 1", "ä@x.example",
             "a@[127.0.0.1]", "a@" + "x" * 300 + ".example", "a@-x.example", '"a b"@x.example', "a\u200b@x.example"]
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    """With a sentence, not with an answer of a mail server."""
    with pytest.raises(InputError):
        mail_address(text)
