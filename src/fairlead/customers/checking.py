"""What a passed identity check is worth: on the strength of which account facts may be spoken of, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select

from fairlead.customers import lineage, tables as t
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork

MAX_CHECKS = 20
_check = t.identity_check.c


class CheckLevel(StrEnum):
    """What a check shows."""

    KNOWN = "known"
    """Whoever named the code reads an address that was the customer's before: account facts may be spoken of."""
    NEW = "new"
    """They read an address that was added lately by somebody; it is theirs, the account may be somebody else's."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A check that was passed: `until` when it counts, and whose word it was that the code was named."""

    channel: str
    level: CheckLevel
    at: datetime
    until: datetime
    by: str


def note_check(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Write down a check that was passed; the caller audits it."""
    uow.execute(insert(t.identity_check).values(**values))


def checked(reader: Reader, customer_id: str, now: datetime) -> Checked | None:
    """The check on the strength of which account facts may be spoken of with this customer; None: check first.

    Only a code to an address that was the customer's before counts (`CheckLevel.KNOWN`). A check ends by itself, and
    with any merge of the customer's records or taking one back. None for an unknown or erased customer, too.
    """
    known = [one for one in checks_of(reader, customer_id, now) if one.level is CheckLevel.KNOWN]
    return known[0] if known else None


def checks_of(reader: Reader, customer_id: str, now: datetime) -> list[Checked]:
    """Every check that counts now, of addresses that are too new for account facts as well; the longest first."""
    family = lineage.families_of(reader, [customer_id])[customer_id]
    mine = among(reader, _check.customer_id, family) & (_check.until > now)
    query = select(t.identity_check).where(mine).order_by(_check.until.desc()).limit(MAX_CHECKS)
    rows = reader.execute(query).all()
    since = family_since(reader, family) if rows else None
    return [
        Checked(row.channel, CheckLevel(row.level), row.at, row.until, row.by)
        for row in rows
        if check_counts(row.at, row.until, since, now)
    ]


def checked_among(reader: Reader, stands_for: Mapping[str, str], now: datetime) -> set[str]:
    """Of these survivors (record → who stands for it), those with whom account facts may be spoken of now."""
    mine = among(reader, _check.customer_id, list(stands_for)) & (_check.until > now)
    found = reader.execute(select(_check.customer_id).where(mine)).scalars()
    asked = {stands_for[one] for one in found}
    return {one for one in asked if checked(reader, one, now) is not None}


def family_since(reader: Reader, family: Sequence[str]) -> datetime | None:
    """Since when these records have been one customer's, and no others; None: always."""
    return _latest(moment for one in lineage.merges_of(reader, family) for moment in (one.at, one.undone_at))


def _latest(moments: Iterable[datetime | None]) -> datetime | None:
    return max((one for one in moments if one is not None), default=None)


def check_counts(at: datetime, until: datetime, since: datetime | None, now: datetime) -> bool:
    """Whether what was asked or shown at `at` counts at `now`: a merge, or taking one back, ends it (`since`)."""
    return at <= now < until and (since is None or since < at)
