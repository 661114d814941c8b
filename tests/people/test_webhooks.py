"""Webhook addresses: one per key, only where it is safe to send, and gone with the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.audit import history
from fairlead.errors import InputError, NotFoundError
from fairlead.people import (
    check_webhook_url,
    create_api_key,
    is_loopback,
    is_public_host,
    revoke_api_key,
    set_webhook_url,
    webhook_of,
)

if TYPE_CHECKING:
    from fairlead.kit.database import Database
    from fairlead.people import Person, Webhook

URL = "https://hooks.example.com/fairlead?tenant=1"


def _key(database: Database, admin: Person, *scopes: str) -> str:
    with database.transaction() as uow:
        new = create_api_key(
            uow, admin.principal().actor, name="bot", scopes=scopes or ("decisions:ask",), checkpoints=["refund"],
            max_value_minor=0, flags=[],
        )  # fmt: skip
    return new.key.id


def _set(database: Database, admin: Person, key_id: str, url: str | None) -> None:
    with database.transaction() as uow:
        set_webhook_url(uow, admin.principal().actor, key_id, url)


def _of(database: Database, key_id: str) -> Webhook | None:
    with database.reading() as reader:
        return webhook_of(reader, key_id)


def test_an_address_is_registered_changed_and_taken_back(database: Database, admin: Person) -> None:
    """The last one counts, each change is in the record, and the secret is the key's own."""
    key, other = _key(database, admin), _key(database, admin)
    assert _of(database, key) is None

    _set(database, admin, key, URL)
    first = _of(database, key)
    _set(database, admin, key, URL + "2")
    second = _of(database, key)
    _set(database, admin, key, None)

    assert first is not None
    assert second is not None
    assert (first.url, second.url) == (URL, URL + "2")
    assert first.secret == second.secret
    assert _of(database, key) is None
    assert _of(database, other) is None
    with database.reading() as reader:
        entries = [entry for entry in history(reader, [key]) if entry.verb == "api_key.webhook_set"]
    assert len(entries) == 3


def test_a_revoked_key_is_told_nothing(database: Database, admin: Person) -> None:
    """From its revocation on there is no address, and none can be set."""
    key = _key(database, admin)
    _set(database, admin, key, URL)
    with database.transaction() as uow:
        revoke_api_key(uow, admin.principal().actor, key)

    assert _of(database, key) is None
    with pytest.raises(NotFoundError):
        _set(database, admin, key, URL)


@pytest.mark.parametrize("key_id", ["", "key_0", "' OR 1=1 --", "k" * 10_000])
def test_an_unknown_key_has_no_address(database: Database, admin: Person, key_id: str) -> None:
    """Setting one changes no other key's."""
    known = _key(database, admin)

    with pytest.raises(NotFoundError):
        _set(database, admin, key_id, URL)

    assert _of(database, key_id) is None
    assert _of(database, known) is None


def test_who_may_not_ask_is_not_told(database: Database, admin: Person) -> None:
    """A key that only reports outcomes has no decisions to wait for, and no secret to sign with."""
    with pytest.raises(NotFoundError):
        _set(database, admin, _key(database, admin, "outcomes:report"), URL)


def test_a_bad_address_leaves_the_good_one(database: Database, admin: Person) -> None:
    """The mistake is refused before anything is written."""
    key = _key(database, admin)
    _set(database, admin, key, URL)

    with pytest.raises(InputError) as caught:
        _set(database, admin, key, "http://hooks.example.com")

    found = _of(database, key)
    assert caught.value.reason == "webhook_url"
    assert found is not None
    assert found.url == URL


def test_a_webhooks_secret_is_not_shown(database: Database, admin: Person) -> None:
    """Not by printing it, as a log or a traceback would."""
    key = _key(database, admin)
    _set(database, admin, key, URL)

    found = _of(database, key)

    assert found is not None
    assert found.secret not in repr(found)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com",
        "//hooks.example.com",
        "https://",
        "https:///path",
        "http://hooks.example.com",
        "ftp://hooks.example.com",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://me@hooks.example.com",
        "https://me:pass@hooks.example.com",
        "https://hooks.example.com/#part",
        "https://hooks.example.com:99999",
        "https://hooks.example.com:port",
        "https://[::1",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\r\nHost: inside",
        "https://höoks.example.com",
        "https://hooks.example.com/" + "x" * 2_000,
        "https://localhost",
        "https://LOCALHOST/",
        "https://127.0.0.1",
        "https://127.9.9.9:8443/x",
        "https://10.0.0.1",
        "https://172.16.0.1",
        "https://192.168.1.1",
        "https://169.254.169.254/latest/meta-data",
        "https://0.0.0.0",
        "https://224.0.0.1",
        "https://100.64.0.1",
        "https://[::1]",
        "https://[fe80::1]",
        "https://[fd00::1]",
        "https://[::ffff:127.0.0.1]",
        "https://[::ffff:10.0.0.1]",
    ],
)
def test_addresses_that_cannot_be_trusted_are_refused(url: str) -> None:
    """In the clear, inside the network, with a user, broken or overlong: never an address to send to."""
    with pytest.raises(InputError) as caught:
        check_webhook_url(url, private_hosts=False)

    assert caught.value.reason == "webhook_url"


@pytest.mark.parametrize(
    "url",
    [URL, "https://hooks.example.com:8443", "https://8.8.8.8/", "https://[2606:4700::1111]/x", "HTTPS://example.com"],
)
def test_public_addresses_stay_as_they_are(url: str) -> None:
    """What is stored is what was given, to the letter."""
    assert check_webhook_url(url, private_hosts=False) == url


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://localhost:9000/x", True),
        ("http://127.0.0.1:9000", True),
        ("http://[::1]:9000", True),
        ("https://10.0.0.1", True),
        ("http://10.0.0.1", False),
        ("http://hooks.example.com", False),
        ("http://localhost.example.com", False),
        ("http://user:pw@localhost", False),
    ],
)
def test_where_private_hosts_are_allowed_the_clear_is_for_this_machine(url: str, allowed: bool) -> None:
    """A developer may listen on loopback without a certificate; a network address still needs one."""
    if allowed:
        assert check_webhook_url(url, private_hosts=True) == url
    else:
        with pytest.raises(InputError):
            check_webhook_url(url, private_hosts=True)


@settings(max_examples=50, deadline=None)
@given(address=st.ip_addresses())
def test_no_address_is_both_this_machine_and_public(address: object) -> None:
    """Loopback is never public, and an address that is public has no private flag."""
    host = str(address)

    assert not (is_loopback(host) and is_public_host(host))
    assert not (is_public_host(host) and getattr(address, "is_private", False))


@settings(max_examples=50, deadline=None)
@given(url=st.text(max_size=40) | st.text("htps:/@#[].0123456789", max_size=40).map("https://".__add__))
def test_any_text_is_an_address_or_an_input_error(url: str) -> None:
    """No text makes the check crash, and none is changed by it."""
    try:
        assert check_webhook_url(url, private_hosts=False) == url
    except InputError as error:
        assert error.reason == "webhook_url"  # noqa: PT017  either of the two is right
