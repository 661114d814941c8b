"""Rate limits: fixed windows per client, bounded in memory, and whom an address stands for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from starlette.requests import Request

from fairlead.api import limits as limits_module
from fairlead.api.limits import FixedWindow, Limits, address_of
from fairlead.errors import TooManyRequestsError

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def request_from(host: str | None) -> Request:
    """A request whose peer has this address; None for a socket without one."""
    scope: dict[str, Any] = {"type": "http", "headers": [], "client": None if host is None else (host, 4321)}
    return Request(scope)


def test_one_too_many_is_refused_until_the_window_ends() -> None:
    """The error says how long to wait, and after that time the client is served again."""
    window = FixedWindow(3, MINUTE)
    now = NOON + timedelta(seconds=20)
    for _ in range(3):
        window.take("a", now)
    with pytest.raises(TooManyRequestsError) as caught:
        window.take("a", now)
    wait = caught.value.fields["retry_after_s"]
    assert wait == 40
    window.take("a", now + timedelta(seconds=wait))


def test_clients_do_not_share() -> None:
    """A loud client uses up nobody else's share."""
    window = FixedWindow(1, MINUTE)
    window.take("loud", NOON)
    with pytest.raises(TooManyRequestsError):
        window.take("loud", NOON)
    window.take("quiet", NOON)


def test_checking_counts_nothing_and_counting_refuses_nothing() -> None:
    """So that right keys cost nothing while wrong ones add up."""
    window = FixedWindow(2, MINUTE)
    for _ in range(10):
        window.check("a", NOON)
    for _ in range(5):
        window.count("a", NOON)
    with pytest.raises(TooManyRequestsError):
        window.check("a", NOON)
    window.check("a", NOON + MINUTE)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 5), st.integers(1, 120), st.lists(st.integers(0, 600), max_size=40))
def test_no_window_lets_more_through(limit: int, seconds: int, moments: list[int]) -> None:
    """In order of time, each window accepts exactly its limit, and the wait ends within the window."""
    window = FixedWindow(limit, timedelta(seconds=seconds))
    passed: dict[int, int] = {}
    for second in sorted(moments):
        now = NOON + timedelta(seconds=second)
        number = int(now.timestamp()) // seconds
        if passed.get(number, 0) < limit:
            window.take("a", now)
            passed[number] = passed.get(number, 0) + 1
        else:
            with pytest.raises(TooManyRequestsError) as caught:
                window.take("a", now)
            assert 1 <= caught.value.fields["retry_after_s"] <= seconds


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crowd of addresses makes it forget the oldest, never refuse the newest nor grow."""
    monkeypatch.setattr(limits_module, "MOST_CLIENTS", 3)
    window = FixedWindow(1, MINUTE)
    for number in range(50):
        window.take(f"client {number}", NOON)
    assert len(window._counts) == 3
    with pytest.raises(TooManyRequestsError):
        window.take("client 49", NOON)
    window.take("client 0", NOON)


def test_looking_at_a_stranger_stores_nothing() -> None:
    """A check of an unknown client takes no memory."""
    window = FixedWindow(1, MINUTE)
    window.check("stranger", NOON)
    assert window._counts == {}


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("testclient", "testclient"),
        ("", ""),
        (None, ""),
    ],
)
def test_an_address_stands_for_a_household(host: str | None, counted: str) -> None:
    """One IPv6 network is one client, a mapped IPv4 address is that address, and a bare socket is no error."""
    assert address_of(request_from(host)) == counted


def test_applications_do_not_share_their_limits() -> None:
    """Each application has windows of its own, one per purpose."""
    one, other = Limits(), Limits()
    one.sign_in.count("a", NOON)
    assert one.sign_in._counts
    assert not other.sign_in._counts
    assert not one.wrong_keys._counts
