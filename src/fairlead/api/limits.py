"""Rate limits: fixed windows in memory, bounded in size.

In memory and per process on purpose: the limits keep a loud client from drowning the others, and a counter in
the database would cost the very writes it saves. Guessing is not what they stop; 256 random bits do. With n
server processes a client gets at most n times the figures.
"""

from __future__ import annotations

import ipaddress
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from fairlead.errors import TooManyRequestsError

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

MOST_CLIENTS = 10_000
IPV6_HOME_BITS = 64
MOST_HOPS = 20

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class FixedWindow:
    """At most `limit` events per client in each window; the windows of all clients start together."""

    def __init__(self, limit: int, window: timedelta) -> None:
        """`limit` from 1; `window` is whole seconds."""
        self.limit = limit
        self.window_s = int(window.total_seconds())
        self._lock = threading.Lock()
        self._number = 0
        self._counts: dict[str, int] = {}

    def take(self, client: str, now: datetime) -> None:
        """Count one event; TooManyRequestsError with `retry_after_s` when it is one too many."""
        if self._add(client, now, 1) > self.limit:
            self._refuse(now)

    def check(self, client: str, now: datetime) -> None:
        """The same error when the limit is reached, without counting."""
        if self._add(client, now, 0) >= self.limit:
            self._refuse(now)

    def count(self, client: str, now: datetime) -> None:
        """Count without refusing."""
        self._add(client, now, 1)

    def _add(self, client: str, now: datetime, events: int) -> int:
        with self._lock:
            number = int(now.timestamp()) // self.window_s
            if number != self._number:
                self._number = number
                self._counts.clear()
            before = self._counts.get(client, 0)
            if not events:
                return before
            if not before and len(self._counts) >= MOST_CLIENTS:
                # Forgetting the oldest is kinder than refusing the newest, and memory stays bounded.
                del self._counts[next(iter(self._counts))]
            self._counts[client] = before + events
            return before + events

    def _refuse(self, now: datetime) -> None:
        wait = self.window_s - int(now.timestamp()) % self.window_s
        raise TooManyRequestsError(f"Too many requests. Try again in {wait} s.", retry_after_s=wait)


@dataclass(frozen=True)
class Limits:
    """The windows of one application: sign-in attempts by address, requests by key, wrong keys by address, posted
    forms by form and address, and by form; signed links by link, and texts that are none by address.
    """

    sign_in: FixedWindow = field(default_factory=lambda: FixedWindow(20, timedelta(minutes=5)))
    keys: FixedWindow = field(default_factory=lambda: FixedWindow(60_000, timedelta(minutes=1)))
    wrong_keys: FixedWindow = field(default_factory=lambda: FixedWindow(20, timedelta(minutes=1)))
    form_senders: FixedWindow = field(default_factory=lambda: FixedWindow(20, timedelta(minutes=10)))
    forms: FixedWindow = field(default_factory=lambda: FixedWindow(600, timedelta(minutes=10)))
    links: FixedWindow = field(default_factory=lambda: FixedWindow(120, timedelta(minutes=10)))
    wrong_links: FixedWindow = field(default_factory=lambda: FixedWindow(60, timedelta(minutes=10)))


def limits_of(request: Request) -> Limits:
    """The limits of the application that serves this request."""
    found: Limits = request.app.state.limits
    return found


def address_of(request: Request) -> str:
    """Whom to count by: the sender's address, an IPv6 one cut to the 64 bits that a household gets.

    Behind a proxy of `FAIRLEAD_TRUSTED_PROXIES` it is the last address in X-Forwarded-For that is none of them;
    whatever stands before it, anybody could have written. Without the setting the header is not looked at.
    """
    host = request.client.host if request.client else ""
    peer = _address(host)
    if peer is None:
        return host
    services = getattr(getattr(request.scope.get("app"), "state", None), "services", None)
    trusted = trusted_networks(services.settings.trusted_proxies if services is not None else "")
    if trusted and _within(peer, trusted):
        hops = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        for hop in reversed(hops[-MOST_HOPS:]):
            further = _address(hop.strip())
            if further is None:
                break
            peer = further
            if not _within(peer, trusted):
                break
    if isinstance(peer, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((str(peer), IPV6_HOME_BITS), strict=False).network_address)
    return str(peer)


@lru_cache(maxsize=16)
def trusted_networks(text: str) -> tuple[_Network, ...]:
    """The networks of `FAIRLEAD_TRUSTED_PROXIES`; ValueError for what is none, which the settings have refused."""
    return tuple(ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def _address(text: str) -> _Address | None:
    """The address, an IPv4 one that is written as IPv6 as itself; None for anything else."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return ipaddress.IPv6Address(int(found)) if isinstance(found, ipaddress.IPv6Address) else found


def _within(address: _Address, networks: tuple[_Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
