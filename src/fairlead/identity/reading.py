"""What others ask of identity checks."""

from __future__ import annotations

from datetime import datetime

from fairlead.customers import family_of, merges_of
from fairlead.identity import store
from fairlead.identity.model import Asked, Checked, Level, counts, latest
from fairlead.kit.unit_of_work import Reader


def checked(reader: Reader, customer_id: str, now: datetime) -> Checked | None:
    """The check on the strength of which account facts may be spoken of with this customer; None: check first.

    Only a code to an address that was the customer's before counts (`Level.KNOWN`). A check ends by itself, and with
    any merge of the customer's records or taking one back. None for an unknown or erased customer, too.
    """
    known = [one for one in checks_of(reader, customer_id, now) if one.level is Level.KNOWN]
    return known[0] if known else None


def checks_of(reader: Reader, customer_id: str, now: datetime) -> list[Checked]:
    """Every check that counts now, of addresses that are too new for account facts as well; the longest first."""
    rows = store.checks(reader, family_of(reader, customer_id), now)
    since = family_since(reader, customer_id) if rows else None
    return [
        Checked(row.channel, Level(row.level), row.at, row.until, row.by)
        for row in rows
        if counts(row.at, row.until, since, now)
    ]


def open_code(reader: Reader, customer_id: str, now: datetime) -> Asked | None:
    """The code that is waited for, None for none; it says nothing of whether one was sent."""
    rows = store.open_codes(reader, family_of(reader, customer_id), now)
    since = family_since(reader, customer_id) if rows else None
    standing = [row for row in rows if counts(row.at, row.expires_at, since, now)]
    return Asked(standing[0].channel, standing[0].expires_at) if standing else None


def family_since(reader: Reader, customer_id: str) -> datetime | None:
    """Since when the customer's records have been the same ones; None: always."""
    return latest(moment for one in merges_of(reader, customer_id) for moment in (one.at, one.undone_at))
