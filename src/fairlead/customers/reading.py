"""What others read of customers: facts for policies, a page, a timeline, a search."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fairlead.customers import searching, store
from fairlead.customers.model import CustomerFacts, Found, Identity, Profile, TimelineEntry
from fairlead.errors import NotFoundError
from fairlead.kit.unit_of_work import Reader

MAX_FOUND = 100
MAX_TIMELINE = 500


def facts_of(reader: Reader, ids: Sequence[str], now: datetime) -> dict[str, CustomerFacts]:
    """What policies may read of these customers at `now`; unknown ids are absent."""
    facts: dict[str, CustomerFacts] = {}
    for one, country, language, owner, value_minor, erased in store.bare_facts(reader, ids) if ids else ():
        facts[one] = CustomerFacts(
            id=one,
            country=country,
            language=language,
            owner=owner,
            value_minor=value_minor,
            erased=bool(erased),
            flags={},
            consents={},
            suppressed=[],
            verified=[],
        )
    if facts:
        _add_addresses(reader, facts)
        _add_history(reader, facts, now)
    return facts


def _add_addresses(reader: Reader, facts: dict[str, CustomerFacts]) -> None:
    addresses = store.addresses_of(reader, list(facts))
    suppressed = store.suppressed_channels(reader, {value for _, _, value, _ in addresses})
    for one, kind, value, verified in addresses:
        fact = facts[one]
        if verified and kind not in fact["verified"]:
            fact["verified"] = sorted([*fact["verified"], kind])
        if value in suppressed:
            fact["suppressed"] = sorted(suppressed[value].union(fact["suppressed"]))


def _add_history(reader: Reader, facts: dict[str, CustomerFacts], now: datetime) -> None:
    for one, flag, value in store.flags_of(reader, list(facts), now):
        facts[one]["flags"].pop(flag, None)
        if value is not None:
            facts[one]["flags"][flag] = value
    for one, purpose, channel, state in store.consents_of(reader, list(facts)):
        facts[one]["consents"].setdefault(purpose, {})[channel] = state


def profile(reader: Reader, customer_id: str, now: datetime) -> Profile:
    """Everything current about one customer; NotFoundError when there is none."""
    row = store.customers(reader, [customer_id]).get(customer_id)
    if row is None:
        message = f"there is no customer {customer_id}"
        raise NotFoundError(message, customer=customer_id)
    return Profile(
        id=customer_id,
        name=row.name,
        company=row.company,
        time_zone=row.time_zone,
        created_at=row.created_at,
        erased_at=row.erased_at,
        identities=tuple(store.identities_of(reader, customer_id)),
        facts=facts_of(reader, [customer_id], now)[customer_id],
    )


def names_of(reader: Reader, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """(name, company) by id, for lists; unknown ids are absent, an erased customer is ("", "")."""
    return {row.id: (row.name, row.company) for row in store.customers(reader, ids).values()}


def holder_of(reader: Reader, identity: Identity) -> str | None:
    """The customer who has this normalised identity, None when nobody has."""
    return store.holders_of(reader, [identity]).get(identity)


def timeline_of(
    reader: Reader, customer_id: str, limit: int = 50, *, before: tuple[datetime, str] | None = None
) -> list[TimelineEntry]:
    """The newest lines, newest first, at most 500; `before` is (at, id) of the last line already seen."""
    return store.timeline(reader, customer_id, max(0, min(limit, MAX_TIMELINE)), before)


def search(reader: Reader, text: str, limit: int = 20) -> list[Found]:
    """Customers whose name, company, e-mail, phone, external id or id begins with `text`; at most 100.

    Case and width do not matter in names. Nothing for a blank text.
    """
    return searching.search(reader, text, max(0, min(limit, MAX_FOUND)))
