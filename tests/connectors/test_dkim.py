"""Signatures of mail: an independent verifier accepts them, and nothing that was signed can be changed or added to."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key as new_curve_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given, settings, strategies as st

from fairlead.connectors import DkimSigner, Unsubscribe
from fairlead.connectors.dkim import relaxed_body, relaxed_header
from fairlead.connectors.mail_addresses import mail_address
from fairlead.connectors.mail_building import Letter, build_mail
from fairlead.errors import InputError
from tests.connectors.dkim_reader import signed_names, verify

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)

# RFC 8463, appendix A: the message, its two signatures and the two keys, made by the RFC's authors.
RFC_MESSAGE = b"""DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
""".replace(b"\n", b"\r\n")
RFC_RECORDS = {
    "brisbane._domainkey.football.example.com":
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    "test._domainkey.football.example.com":
        "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/"
        "J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryO"
        "TIKT+l/K4w3QIDAQAB",
}  # fmt: skip


@cache
def _key(kind: str) -> RSAPrivateKey | Ed25519PrivateKey:
    return generate_private_key(65_537, 2_048) if kind == "rsa" else Ed25519PrivateKey.generate()


def _signer(kind: str) -> DkimSigner:
    return DkimSigner("Example.com", "s2027", _key(kind))


def _letter(subject: str = "About your enquiry", text: str = "Hello\n", html: str = "") -> bytes:
    ways = Unsubscribe("https://example.com/u/x", "mailto:sales@example.com?subject=unsubscribe%20x")
    sender, to = mail_address("sales@example.com"), mail_address("ada@nordwind.example")
    return build_mail(Letter("<fl1@example.com>", sender, to, subject, text, NOW, html=html, unsubscribe=ways))


@pytest.mark.parametrize("which", [0, 1])
def test_the_verifier_accepts_what_the_rfc_signed(which: int) -> None:
    """Both signatures of RFC 8463 hold, and neither does once a letter of the body or a header is another."""
    assert verify(RFC_MESSAGE, RFC_RECORDS, which)
    assert not verify(RFC_MESSAGE.replace(b"hungry", b"angry!"), RFC_RECORDS, which)
    assert not verify(RFC_MESSAGE.replace(b"dinner", b"supper"), RFC_RECORDS, which)


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_signature_holds_by_the_record_that_we_print(kind: str) -> None:
    """The DNS record that `fairlead mail dkim` shows is the one that verifies."""
    signer = _signer(kind)
    name, record = signer.record()

    assert name == "s2027._domainkey.example.com"
    assert verify(signer.sign(_letter(html="<p>Grüße</p>"), NOW), {name: record})


@settings(max_examples=40)
@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=500),
    st.sampled_from(["rsa", "ed25519"]),
)
def test_every_message_that_can_be_built_verifies(subject: str, text: str, kind: str) -> None:
    """Whatever stands in subject and text: odd blanks, dots, trailing lines."""
    signer = _signer(kind)
    try:
        raw = _letter(subject, text)
    except InputError:
        return
    assert verify(signer.sign(raw, NOW), dict([signer.record()]))


@pytest.mark.parametrize(
    "changed",
    [
        (b"https://example.com/u/x", b"https://evil.example/u/x"),
        (b"List-Unsubscribe=One-Click", b"List-Unsubscribe=Nothing"),
        (b"To: ada@", b"To: eve@"),
        (b"Subject: About", b"Subject: Round"),
        (b"Hello", b"Howdy"),
        (b"\r\nSubject:", b"\r\nSubject: another\r\nSubject:"),
        (b"\r\nFrom:", b"\r\nFrom: eve@evil.example\r\nFrom:"),
        (b"\r\nMIME-Version:", b"\r\nReply-To: eve@evil.example\r\nMIME-Version:"),
    ],
)
def test_nothing_can_be_changed_or_added_on_the_way(changed: tuple[bytes, bytes]) -> None:
    """The ways off the list are signed, too; a second Subject, From or Reply-To breaks the signature."""
    signer = _signer("ed25519")
    signed = signer.sign(_letter(), NOW)
    records = dict([signer.record()])

    assert verify(signed, records)
    spoilt = signed.replace(*changed)
    assert spoilt != signed
    assert not verify(spoilt, records)


def test_what_receivers_ask_for_is_signed() -> None:
    """RFC 8058 wants both list headers covered."""
    names = signed_names(_signer("ed25519").sign(_letter(), NOW))
    assert {"from", "to", "subject", "date", "message-id", "list-unsubscribe", "list-unsubscribe-post"} <= {*names}


def test_relaxed_forms_are_those_of_the_standard() -> None:
    """The example of RFC 6376, section 3.4.5."""
    assert relaxed_header(b"A", b" X") == b"a:X\r\n"
    assert relaxed_header(b"B ", b" Y\t\r\n\tZ  ") == b"b:Y Z\r\n"
    assert relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"
    assert relaxed_body(b"\r\n\r\n") == b""


def test_keys_are_read_with_care(tmp_path: Path) -> None:
    """Short RSA keys, other curves, passwords, files that others may read or that are none: refused with the cure."""

    def write(name: str, key: object, *, mode: int = 0o600, locked: bool = False) -> Path:
        how = BestAvailableEncryption(b"x") if locked else NoEncryption()
        path = tmp_path / name
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how))  # type: ignore[attr-defined]
        path.chmod(mode)
        return path

    ours = Ed25519PrivateKey.generate()
    assert DkimSigner.load(write("good", ours), "example.com", "a").algorithm == "ed25519-sha256"
    (tmp_path / "text").write_text("no key", encoding="utf-8")
    (tmp_path / "text").chmod(0o600)
    for path in (
        write("open", ours, mode=0o644), write("locked", ours, locked=True), tmp_path / "text", tmp_path / "absent",
        write("curve", new_curve_key(SECP256R1())), write("short", generate_private_key(65_537, 1_024)),
    ):  # fmt: skip
        with pytest.raises(InputError) as refused:
            DkimSigner.load(path, "example.com", "a")
        assert refused.value.reason == "dkim"
    for domain, selector in (("exa mple.com", "a"), ("example.com", "a;b"), ("", "a"), ("example.com", "")):
        with pytest.raises(InputError):
            DkimSigner(domain, selector, ours)
