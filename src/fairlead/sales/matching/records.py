"""The records that are compared: what customers are known by, what their newest leads add, and which were seen."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete

from fairlead.customers import IdentityKind, Listed
from fairlead.kit import jsons
from fairlead.kit.clock import to_micros
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.sales.matching import tables as t
from fairlead.sales.matching.model import Record

_LEADS = "SELECT customer_id, fields, attributes FROM lead WHERE customer_id = ANY(?) ORDER BY id DESC"
_SEEN = "SELECT customer_id, digest FROM duplicate_seen WHERE customer_id = ANY(?)"
_MOST_LEADS = 5
_MOST_KEPT = 5
_TOWN = frozenset({"city", "town", "ort", "stadt", "ville", "ciudad", "citta", "città", "by", "plaats", "miasto"})


def _digest_fields(record: Record) -> Sequence[object]:
    """What makes a record another one for matching; the owner does not."""
    return (record.name, record.company, record.country, record.city, record.postal_code,
            sorted(record.emails), sorted(record.phones))  # fmt: skip


def digest_of(record: Record) -> str:
    """Changes exactly when the record would be compared differently."""
    return hashlib.sha256(jsons.dumps(_digest_fields(record)).encode()).hexdigest()[:32]


def pair_digest(left: Record, right: Record) -> str:
    """The same for a pair, whichever comes first."""
    return hashlib.sha256("".join(sorted((digest_of(left), digest_of(right)))).encode()).hexdigest()[:32]


def records_of(reader: Reader, listed: Sequence[Listed]) -> list[Record]:
    """What can be compared of these customers: what they are known by, and what their newest leads add."""
    leads: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = defaultdict(list)
    family = {one: customer.id for customer in listed for one in customer.family}
    for customer_id, fields, attributes in reader.fetch(_LEADS, list(family)) if family else ():
        known = leads[family[customer_id]]
        if len(known) < _MOST_LEADS:
            known.append((jsons.loads(fields), jsons.loads(attributes)))
    return [_record(one, leads[one.id]) for one in listed]


def _record(one: Listed, leads: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Record:
    emails = [value for kind, value in one.identities if kind == IdentityKind.EMAIL]
    phones = [value for kind, value in one.identities if kind == IdentityKind.PHONE]
    city = postal_code = ""
    for fields, attributes in leads:
        emails += [str(fields["email"])] if fields.get("email") else []
        phones += [str(fields["phone"])] if fields.get("phone") else []
        postal_code = postal_code or str(fields.get("postal_code") or "")
        city = city or next((str(value) for name, value in attributes.items() if name.strip().casefold() in _TOWN), "")
    return Record(
        one.id, one.name, one.company, one.country or "", city[:200], postal_code[:40],
        tuple(dict.fromkeys(emails))[:_MOST_KEPT], tuple(dict.fromkeys(phones))[:_MOST_KEPT], one.owner or "",
    )  # fmt: skip


def seen_of(reader: Reader, ids: Sequence[str]) -> dict[str, str]:
    """The digests under which these customers were compared last; those never looked at are absent."""
    return dict(reader.fetch(_SEEN, list(ids))) if ids else {}


def mark_seen(uow: UnitOfWork, digests: Mapping[str, str]) -> None:
    """Remember that these were compared as they are."""
    uow.execute(delete(t.seen).where(among(uow, t.seen.c.customer_id, sorted(digests))))
    now = to_micros(uow.now)
    uow.insert_many(t.seen, ("customer_id", "digest", "at"), [(one, digest, now) for one, digest in digests.items()])
