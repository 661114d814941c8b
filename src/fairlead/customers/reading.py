"""What others read of customers: facts for policies, a page, a timeline, a search."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from fairlead.customers import checking, lineage, searching, store
from fairlead.customers.addresses import CHANNELS_OF, normalise_address
from fairlead.customers.flagging import flags_by_survivor
from fairlead.customers.ledger import standings_by_survivor
from fairlead.customers.model import CustomerFacts, Found, Identity, Profile, TimelineEntry
from fairlead.customers.suppressing import EVERYTHING, standing_by_reach
from fairlead.errors import NotFoundError
from fairlead.kit.unit_of_work import Reader

MAX_FOUND = 100
MAX_TIMELINE = 500


def facts_of(reader: Reader, ids: Sequence[str], now: datetime) -> dict[str, CustomerFacts]:
    """What policies may read of these customers at `now`, by the ids asked for; unknown ids are absent.

    A merged record is answered by its survivor, whose facts are those of all records merged into it.
    """
    kin = lineage.kin_of(reader, ids)
    facts: dict[str, CustomerFacts] = {}
    wanted = sorted(set(kin.survivors.values()))
    for one, country, language, owner, value_minor, erased in store.bare_facts(reader, wanted) if wanted else ():
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
            unsubscribed=[],
            verified=[],
            identity_checked=False,
        )
    if not facts:
        return {}
    _add_addresses(reader, facts, kin.stands_for)
    _add_flags(reader, facts, kin, now)
    for one in checking.checked_among(reader, kin.stands_for, now):
        facts[one]["identity_checked"] = True
    for one, standings in standings_by_survivor(reader, kin, now).items():
        for (purpose, channel), standing in standings.items() if one in facts else ():
            facts[one]["consents"].setdefault(purpose, {})[channel] = standing.state
    return {one: facts[survivor] for one, survivor in kin.survivors.items()}


def _add_addresses(reader: Reader, facts: dict[str, CustomerFacts], stands_for: Mapping[str, str]) -> None:
    addresses = store.addresses_of(reader, list(stands_for))
    for one, kind, _, verified in addresses:
        fact = facts[stands_for[one]]
        if verified and kind not in fact["verified"]:
            fact["verified"] = sorted([*fact["verified"], kind])
    normal: dict[str, set[str]] = defaultdict(set)
    for one, kind, value, _ in addresses:
        for channel in CHANNELS_OF.get(kind, ("",)):
            normal[normalise_address(channel, value)].add(stands_for[one])
    for (channel, address), found in standing_by_reach(reader, normal).items():
        for survivor in normal[address]:
            fact = facts[survivor]
            listed = fact["suppressed"] if found.scope == EVERYTHING else fact["unsubscribed"]
            if channel not in listed:
                listed.append(channel)
                listed.sort()


def _add_flags(reader: Reader, facts: dict[str, CustomerFacts], kin: lineage.Kin, now: datetime) -> None:
    for one, flags in flags_by_survivor(reader, kin, now).items():
        facts[one]["flags"] = flags


def profile(reader: Reader, customer_id: str, now: datetime) -> Profile:
    """Everything current about one customer, under the survivor's id; NotFoundError when there is none."""
    survivor, *merged = lineage.families_of(reader, [customer_id])[customer_id]
    row = store.customers(reader, [survivor]).get(survivor)
    if row is None:
        message = f"there is no customer {customer_id}"
        raise NotFoundError(message, customer=customer_id)
    return Profile(
        id=survivor,
        name=row.name,
        company=row.company,
        time_zone=row.time_zone,
        created_at=row.created_at,
        erased_at=row.erased_at,
        identities=tuple(store.identities_of(reader, [survivor, *merged])),
        facts=facts_of(reader, [survivor], now)[survivor],
        merged=tuple(merged),
    )


def names_of(reader: Reader, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """(name, company) by the ids asked for, for lists; unknown ids are absent, an erased customer is ("", "")."""
    survivors = lineage.survivors_of(reader, ids)
    rows = store.customers(reader, sorted(set(survivors.values())))
    return {one: (rows[survivor].name, rows[survivor].company) for one, survivor in survivors.items()}


def holder_of(reader: Reader, identity: Identity) -> str | None:
    """The customer who has this normalised identity, None when nobody has."""
    return store.holders_of(reader, [identity]).get(identity)


def timeline_of(
    reader: Reader, customer_id: str, limit: int = 50, *, before: tuple[datetime, str] | None = None
) -> list[TimelineEntry]:
    """The newest lines of all records of this customer, newest first, at most 500.

    `before` is (at, id) of the last line already seen.
    """
    limit = max(0, min(limit, MAX_TIMELINE))
    family = lineage.families_of(reader, [customer_id])[customer_id]
    lines = [line for one in family for line in store.timeline(reader, one, limit, before)]
    return sorted(lines, key=lambda line: (line.at, line.id), reverse=True)[:limit]


def search(reader: Reader, text: str, limit: int = 20) -> list[Found]:
    """Customers whose name, company, e-mail, phone, external id or id begins with `text`; at most 100.

    Case and width do not matter in names. Nothing for a blank text.
    """
    return searching.search(reader, text, max(0, min(limit, MAX_FOUND)))
