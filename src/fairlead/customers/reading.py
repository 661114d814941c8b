"""What others read of customers: facts for policies, a page, a timeline, a search."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from fairlead.customers import lineage, searching, store
from fairlead.customers.joining import Edge, Word, either, stricter, told_together
from fairlead.customers.model import CustomerFacts, Found, Identity, Profile, TimelineEntry
from fairlead.errors import NotFoundError
from fairlead.kit.unit_of_work import Reader

MAX_FOUND = 100
MAX_TIMELINE = 500


def facts_of(reader: Reader, ids: Sequence[str], now: datetime) -> dict[str, CustomerFacts]:
    """What policies may read of these customers at `now`, by the ids asked for; unknown ids are absent.

    A merged record is answered by its survivor, whose facts are those of all records merged into it.
    """
    survivors = lineage.survivors_of(reader, ids)
    facts: dict[str, CustomerFacts] = {}
    wanted = sorted(set(survivors.values()))
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
            verified=[],
        )
    if not facts:
        return {}
    members = lineage.members_of(reader, facts)
    stands_for = {one: one for one in facts} | {one: kept for kept, others in members.items() for one in others}
    _add_addresses(reader, facts, stands_for)
    _add_history(reader, facts, stands_for, now)
    return {one: facts[survivor] for one, survivor in survivors.items()}


def _add_addresses(reader: Reader, facts: dict[str, CustomerFacts], stands_for: Mapping[str, str]) -> None:
    addresses = store.addresses_of(reader, list(stands_for))
    suppressed = store.suppressed_channels(reader, {value for _, _, value, _ in addresses})
    for one, kind, value, verified in addresses:
        fact = facts[stands_for[one]]
        if verified and kind not in fact["verified"]:
            fact["verified"] = sorted([*fact["verified"], kind])
        if value in suppressed:
            fact["suppressed"] = sorted(suppressed[value].union(fact["suppressed"]))


def _add_history(reader: Reader, facts: dict[str, CustomerFacts], stands_for: Mapping[str, str], now: datetime) -> None:
    flags: dict[str, list[Word]] = defaultdict(list)
    for one, flag, value, at in store.flags_of(reader, list(stands_for), now):
        flags[stands_for[one]].append(Word(at, one, flag, value))
    consents: dict[str, list[Word]] = defaultdict(list)
    for one, purpose, channel, state, at in store.consents_of(reader, list(stands_for)):
        consents[stands_for[one]].append(Word(at, one, (purpose, channel), state))
    edges: dict[str, list[Edge]] = defaultdict(list)
    merged = [one for one, survivor in stands_for.items() if one != survivor]
    for row in lineage.standing_merges(reader, merged) if merged else ():
        edges[stands_for[row.other_id]].append(Edge(row.at, row.other_id, row.kept_id))
    for one, words in flags.items():
        facts[one]["flags"] = told_together(one, words, edges[one], either)
    for one, words in consents.items():
        for (purpose, channel), state in told_together(one, words, edges[one], stricter).items():
            facts[one]["consents"].setdefault(purpose, {})[channel] = state


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
