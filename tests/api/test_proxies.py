"""Whom a request is counted by: nobody's header is believed unless the settings name the proxy."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from starlette.requests import Request

from fairlead.api import address_of
from fairlead.errors import InputError
from fairlead.settings import load_settings


def sender(peer: str, forwarded: str, trusted: str) -> str:
    """The address that a request counts by."""
    settings = SimpleNamespace(trusted_proxies=trusted)
    app = SimpleNamespace(state=SimpleNamespace(services=SimpleNamespace(settings=settings)))
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return address_of(Request({"type": "http", "headers": headers, "client": (peer, 1), "app": app}))


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "counted"),
    [
        ("127.0.0.1", "203.0.113.9", "", "127.0.0.1"),
        ("198.51.100.1", "203.0.113.9", "10.0.0.0/8", "198.51.100.1"),
        ("10.0.0.1", "203.0.113.9", "10.0.0.0/8", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.9", "10.0.0.0/8", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.7", "10.0.0.0/8, 127.0.0.1", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.8, 10.0.0.7", "10.0.0.0/8", "10.0.0.8"),
        ("10.0.0.1", "nonsense", "10.0.0.0/8", "10.0.0.1"),
        ("10.0.0.1", "nonsense, 203.0.113.9", "10.0.0.0/8", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.0/8", "10.0.0.1"),
        ("::ffff:10.0.0.1", "2001:db8:1:2:3::4", "10.0.0.0/8", "2001:db8:1:2::"),
        ("10.0.0.1", ",".join(["1.2.3.4"] * 5_000 + ["203.0.113.9"]), "10.0.0.0/8", "203.0.113.9"),
    ],
)
def test_only_named_proxies_are_believed(peer: str, forwarded: str, trusted: str, counted: str) -> None:
    """The last address that is none of them counts: what stands before it, anybody could have written."""
    assert sender(peer, forwarded, trusted) == counted


def test_a_wrong_network_stops_the_start() -> None:
    """With the variable's name, and what it should look like."""
    with pytest.raises(InputError, match="FAIRLEAD_TRUSTED_PROXIES"):
        load_settings(trusted_proxies="10.0.0.0/8, everyone")
