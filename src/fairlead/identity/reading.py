"""What others ask of identity checks."""

from __future__ import annotations

from datetime import datetime

from fairlead.customers import check_counts, family_of, family_since
from fairlead.identity import store
from fairlead.identity.model import Asked
from fairlead.kit.unit_of_work import Reader


def open_code(reader: Reader, customer_id: str, now: datetime) -> Asked | None:
    """The code that is waited for, None for none; it says nothing of whether one was sent."""
    family = family_of(reader, customer_id)
    rows = store.open_codes(reader, family, now)
    since = family_since(reader, family) if rows else None
    standing = [row for row in rows if check_counts(row.at, row.expires_at, since, now)]
    return Asked(standing[0].channel, standing[0].expires_at) if standing else None
