"""Where a program wants to be told of decisions: one address per API key, signed with its own secret."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fairlead.errors import InputError, NotFoundError
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.people import key_store

if TYPE_CHECKING:
    from fairlead.kit.actors import Actor

MAX_URL_CHARS = 2_000
_LOOPBACK_NAMES = frozenset({"localhost"})


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where to and with what secret a key's owner is told."""

    url: str
    secret: str = field(repr=False)


def set_webhook_url(
    uow: UnitOfWork, actor: Actor, key_id: str, url: str | None, *, private_hosts: bool = False
) -> None:
    """Register the key's address, or take it back with None.

    InputError unless it is https, or http to a loopback address where `private_hosts` allows those, without
    user,
    password or fragment. NotFoundError for a key that is unknown, revoked, or may not ask for decisions.
    """
    checked = None if url is None else check_webhook_url(url, private_hosts=private_hosts)
    if not key_store.set_webhook_url(uow, key_id, checked):
        raise NotFoundError("No such key is in force that may ask for decisions.", key=key_id[:64])
    uow.record(AuditEntry("api_key.webhook_set", key_id, {"url": checked}, actor=actor))


def webhook_of(reader: Reader, key_id: str) -> Webhook | None:
    """None when the key is unknown or revoked, or registered no address."""
    found = key_store.find_webhook(reader, key_id)
    return Webhook(*found) if found else None


def check_webhook_url(url: str, *, private_hosts: bool) -> str:
    """The address as it was given; InputError when it cannot be one."""
    if len(url) > MAX_URL_CHARS or not url.isascii() or not url.isprintable() or " " in url:
        raise InputError("A webhook address is at most 2,000 printable ASCII characters.", code="webhook_url")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise InputError("This is no address.", code="webhook_url") from None
    if not host or parts.username or parts.password or parts.fragment:
        message = "A webhook address has a host, and neither user, password nor fragment."
        raise InputError(message, code="webhook_url")
    allowed = parts.scheme == "https" or (parts.scheme == "http" and private_hosts and is_loopback(host))
    if not allowed:
        message = "A webhook address begins with https://; http is for this machine, where the settings allow it."
        raise InputError(message, code="webhook_url")
    if not private_hosts and not is_public_host(host):
        raise InputError("Webhooks to loopback and private addresses are switched off.", code="webhook_url")
    return url


def is_loopback(host: str) -> bool:
    """Whether the host, a name or an address, is this machine."""
    address = _address(host)
    return host.lower() in _LOOPBACK_NAMES if address is None else address.is_loopback


def is_public_host(host: str) -> bool:
    """False for this machine and for addresses inside a network; a name counts as public until it is
    resolved.
    """
    address = _address(host)
    if address is None:
        return host.lower() not in _LOOPBACK_NAMES
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_global and not address.is_multicast


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
