"""Everything the gate reads about a customer, from the rooms that keep it."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import phonenumbers

from fairlead.customers import (
    CHANNELS_OF,
    KnownIdentity,
    Reach,
    holder_of,
    normalise_address,
    reach_of,
    suppressions_of,
    usable_address,
)
from fairlead.experiments import held_out
from fairlead.guardrails import caps, store
from fairlead.guardrails.model import Attempt, Consent, Known, Wish
from fairlead.guardrails.rules import ContactRules
from fairlead.kit.unit_of_work import Reader

DOUBLE = "double_opt_in"
KIND_OF = {channel: kind for kind, channels in CHANNELS_OF.items() for channel in channels}
"""By which kind of identity a channel reaches somebody; others have addresses that are not kept."""


class Gathered(NamedTuple):
    """What is known, under which record it counts, the digest of the address, and every id of the customer."""

    known: Known
    customer_id: str | None
    digest: str
    family: tuple[str, ...] = ()


def holder_of_attempt(reader: Reader, attempt: Attempt) -> str | None:
    """The customer that a message is for: the one named, else who has the address, else None."""
    if attempt.customer_id is not None or not attempt.address:
        return attempt.customer_id
    kind = KIND_OF.get(attempt.channel)
    return holder_of(reader, (kind, normalise_address(attempt.channel, attempt.address))) if kind else None


def gather(reader: Reader, attempt: Attempt, rules: ContactRules, now: datetime, seed: bytes | None) -> Gathered:
    """Read all of it in the caller's transaction; NotFoundError for a customer that does not exist.

    `seed` is the workspace's; None: none was made, so nothing was ever sent and no digest is needed.
    """
    customer_id = holder_of_attempt(reader, attempt)
    if customer_id is None:
        return _nobody(reader, attempt, rules, now, seed)
    who = reach_of(reader, customer_id, now)
    address, own = _address(attempt, who)
    digest = address_digest(seed, attempt.channel, address)
    sent, sent_all = store.sent_since(reader, who.family, digest, now - caps.longest(rules), attempt.key)
    consents = {
        key: Consent(one.state, one.at, one.expires_at, one.mechanism == DOUBLE) for key, one in who.standings.items()
    }
    known = Known(
        erased=who.erased,
        own_address=own,
        address=address,
        suppressed=_suppressed(reader, attempt.channel, address),
        consents=consents,
        wishes=tuple(Wish(one.purpose, one.channel, one.per_week, one.paused_until) for one in who.wishes.values()),
        flags=who.flags,
        zones=who.zones.zones,
        zone_evidence=who.zones.evidence,
        countries=_countries(who.country, attempt.channel, address),
        held_out=bool(held_out(reader, who.family, rules.holdout_share)),
        sent=sent,
        sent_all=sent_all,
    )
    return Gathered(known, customer_id, digest, who.family)


def _nobody(
    reader: Reader, attempt: Attempt, rules: ContactRules, now: datetime, seed: bytes | None
) -> Gathered:  # fmt: skip
    """A message to an address of nobody that we know: it has suppressions and what was sent to it, no more."""
    kept = attempt.channel in KIND_OF
    address = normalise_address(attempt.channel, attempt.address) if attempt.address else ""
    digest = address_digest(seed, attempt.channel, address)
    sent, sent_all = store.sent_since(reader, (), digest, now - caps.longest(rules), attempt.key)
    known = Known(
        customer=False,
        own_address=bool(address) if kept else None,
        address=address,
        usable=not address or usable_address(attempt.channel, address),
        suppressed=_suppressed(reader, attempt.channel, address),
        countries=_countries(None, attempt.channel, address),
        sent=sent,
        sent_all=sent_all,
    )
    return Gathered(known, None, digest)


def _address(attempt: Attempt, who: Reach) -> tuple[str, bool | None]:
    """The normalised address, and whether it is the customer's: None where nobody can tell."""
    kind = KIND_OF.get(attempt.channel)
    given = normalise_address(attempt.channel, attempt.address) if attempt.address else ""
    if kind is None:
        return given, None
    known = sorted((one for one in who.identities if one.kind == kind), key=_first)
    mine = [normalise_address(attempt.channel, one.value) for one in known]
    if not given:
        return (mine[0], True) if mine else ("", False)
    return given, given in mine


def _first(one: KnownIdentity) -> tuple[bool, datetime, str]:
    return one.verified_at is None, one.added_at, one.value


def _suppressed(reader: Reader, channel: str, address: str) -> tuple[str, str] | None:
    found = suppressions_of(reader, [(channel, address)]).get((channel, address)) if address else None
    return (found.scope, found.reason) if found else None


def _countries(country: str | None, channel: str, address: str) -> tuple[str, ...]:
    """Every country in which the customer may be: their own and that of the number called."""
    found = {country.upper()} if country else set()
    if channel in {"sms", "phone"} and (region := region_of(address)):
        found.add(region)
    return tuple(sorted(found))


@lru_cache(maxsize=16_384)
def region_of(number: str) -> str | None:
    """The country of a number (E.164), None for one of no country or that is no number."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return None


def address_digest(seed: bytes | None, channel: str, address: str) -> str:
    """A keyed digest by which messages to one address are counted and nobody can be looked up; "" without one."""
    kind = KIND_OF.get(channel, channel)
    return hmac.digest(seed, f"{kind} {address}".encode(), hashlib.sha256).hex() if seed and address else ""
