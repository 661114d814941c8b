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
from typing import TYPE_CHECKING

from fairlead.errors import TooManyRequestsError

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

MOST_CLIENTS = 10_000
IPV6_HOME_BITS = 64


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
    """The windows of one application: sign-in attempts by address, requests by key, wrong keys by address."""

    sign_in: FixedWindow = field(default_factory=lambda: FixedWindow(20, timedelta(minutes=5)))
    keys: FixedWindow = field(default_factory=lambda: FixedWindow(60_000, timedelta(minutes=1)))
    wrong_keys: FixedWindow = field(default_factory=lambda: FixedWindow(20, timedelta(minutes=1)))


def limits_of(request: Request) -> Limits:
    """The limits of the application that serves this request."""
    found: Limits = request.app.state.limits
    return found


def address_of(request: Request) -> str:
    """Whom to count by: the peer's address, an IPv6 one cut to the 64 bits that a household gets."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((host, IPV6_HOME_BITS), strict=False).network_address)
    return str(address)
