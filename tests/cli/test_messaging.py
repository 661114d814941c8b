"""`fairlead message` and `fairlead mail`: templates as they will be read, and mail that comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Terminal


def test_the_example_has_templates_that_can_be_previewed(fairlead: Terminal) -> None:
    """What `fairlead init` made is right, listed with its fields, and shown in the language that was asked for."""
    assert "6 message templates" in fairlead("check").out
    listed = fairlead("message", "list", "--json").json["templates"]
    assert {"confirm-consent", "first-follow-up", "last-follow-up"} <= {one["name"] for one in listed}
    assert listed[0]["languages"] == ["de", "en"]
    assert "name" in listed[0]["fields"]

    shown = fairlead("message", "preview", "first-follow-up", "--field", "name=Ada", "--language", "de-AT")
    assert shown.code == 0
    assert "Guten Tag Ada," in shown.out
    assert "Language: de" in shown.out
    found = fairlead("message", "preview", "last-follow-up", "-f", "name=Ada", "--json").json
    assert "<p>Hello Ada,</p>" in found["html"]
    page = fairlead("message", "preview", "last-follow-up", "-f", "name=<i>", "--html").out
    assert page.startswith("<!doctype html>")
    assert "&lt;i&gt;" in page


def test_a_preview_refuses_what_a_sending_would_refuse(fairlead: Terminal) -> None:
    """A missing field, an unknown name, a field that is none: a sentence and status 2 or 1."""
    fairlead("message", "preview", "first-follow-up").refused(2, "name", "messages/first-follow-up.en.md")
    fairlead("message", "preview", "first-folow-up", "-f", "name=Ada").refused(1, "first-follow-up")
    fairlead("message", "preview", "first-follow-up", "-f", "name").refused(2, "NAME=VALUE")


def test_check_and_preview_name_the_place_of_a_mistake(fairlead: Terminal) -> None:
    """With the line; other templates can be looked at all the same, and nothing is deployed."""
    path = fairlead.folder / "messages" / "welcome.en.md"
    path.write_text("---\nsubject: Hi\n---\nHello\n{{ name.__class__ }}\n", encoding="utf-8")

    checked = fairlead("check")
    assert checked.code == 2
    assert "messages/welcome.en.md:5" in checked.out
    fairlead("message", "preview", "welcome", "-f", "name=Ada").refused(2, "messages/welcome.en.md:5")
    assert fairlead("message", "preview", "last-follow-up", "-f", "name=Ada").code == 0
    assert fairlead("deploy").code == 2


def test_deploying_keeps_the_templates(fairlead: Terminal) -> None:
    """A change of a template is a change of what is deployed."""
    path = fairlead.folder / "messages" / "first-follow-up.en.md"
    path.write_text(path.read_text(encoding="utf-8").replace("Kind regards", "Best regards"), encoding="utf-8")
    assert fairlead("deploy", "--json").json["changed"]
    assert not fairlead("deploy", "--json").json["changed"]


def test_mail_is_taken_from_files(fairlead: Terminal, tmp_path: Path) -> None:
    """Each says what it was and what was done; a file that is no mail does not keep the others out."""
    good, bad = tmp_path / "a.eml", tmp_path / "b.eml"
    good.write_bytes(b"From: eve@example.com\nSubject: Re: x\n\nWho are you?\n")
    bad.write_bytes(b"\0\0")

    taken = fairlead("mail", "take", str(good), str(bad), str(tmp_path / "absent.eml"), "--json")
    assert taken.code == 2
    assert [(one["kind"], one["customer"], one["is_new"]) for one in taken.json["taken"]] == [("reply", None, True)]
    assert [one["code"] for one in taken.json["wrong"]] == ["bad_message", "input"]
    again = fairlead("mail", "take", str(good))
    assert again.code == 0
    assert "taken before" in again.out
    assert fairlead.counts()["mail_taken"] == 1


def test_the_dns_record_of_the_key_is_printed(
    fairlead: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the domain of the sender; without settings the variables are named."""
    fairlead("mail", "dkim").refused(2, "FAIRLEAD_SMTP_DKIM_KEY_FILE", "FAIRLEAD_SMTP_DKIM_SELECTOR")
    key = tmp_path / "dkim.pem"
    key.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key.chmod(0o600)
    for name, value in (("KEY_FILE", key), ("SELECTOR", "s2027")):
        monkeypatch.setenv(f"FAIRLEAD_SMTP_DKIM_{name}", str(value))
    monkeypatch.setenv("FAIRLEAD_SMTP_FROM", "sales@example.com")
    found = fairlead("mail", "dkim", "--json").json
    assert found["name"] == "s2027._domainkey.example.com"
    assert found["content"].startswith("v=DKIM1; k=ed25519; p=")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "SMTP_FROM"),
        ({"FROM": "nobody"}, "SMTP_FROM"),
        ({"FROM": "a@example.com", "USER": "a"}, "SMTP_PASSWORD"),
        ({"FROM": "a@example.com", "USER": "a", "PASSWORD": "x", "SECURITY": "none"}, "SMTP_SECURITY"),
        ({"FROM": "a@example.com", "DKIM_SELECTOR": "s"}, "SMTP_DKIM_KEY_FILE"),
        ({"FROM": "a@example.com", "DKIM_SELECTOR": "s", "DKIM_KEY_FILE": "/absent", "DKIM_DOMAIN": "other.example"},
         "SMTP_DKIM_DOMAIN"),
        ({"FROM": "a@example.com", "SECURITY": "ssl"}, "SMTP_SECURITY"),
        ({"FROM": "a@example.com", "TIMEOUT_S": "60"}, "SMTP_TIMEOUT_S"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_stop_every_command(
    fairlead: Terminal, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], named: str
) -> None:
    """Before anything is opened, with the variables' names and never a password."""
    monkeypatch.setenv("FAIRLEAD_SMTP_HOST", "mail.example.com")
    for name, value in settings.items():
        monkeypatch.setenv(f"FAIRLEAD_SMTP_{name}", value)
    fairlead("cases", "list").refused(2, f"FAIRLEAD_{named}")
