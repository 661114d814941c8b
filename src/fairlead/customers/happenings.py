"""Lines of a customer's timeline that follow from the ledger itself: nothing is written twice."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Table, and_, or_, select

from fairlead.customers import lineage, tables as t
from fairlead.customers.consents import ALL
from fairlead.customers.model import TimelineEntry
from fairlead.customers.sensitive import SENSITIVE_FLAGS
from fairlead.kit import jsons
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader

CONSENT, FLAG, PREFERENCE, ZONE = "consent", "flag", "preference", "time_zone"
MAX_LINES = 500
_SAID = {"given": "Allowed", "withdrawn": "Withdrew", "pending": "Was asked to confirm"}


class _Source(NamedTuple):
    table: Table
    moment: str
    words: Callable[[Any], str]


def happened(
    reader: Reader,
    customer_id: str,
    limit: int,
    *,
    before: tuple[datetime, str] | None = None,
    kinds: Collection[str] | None = None,
    sensitive: bool = False,
) -> list[TimelineEntry]:
    """Consents, flags, preferences and time zones of all records of this customer, newest first, at most 500.

    `before` is (at, id) of the last line already seen; `kinds` None: all of the four. Delicate flags are absent
    unless `sensitive`. A line stands when it was written down; a consent that was said earlier says so.
    """
    limit = max(0, min(limit, MAX_LINES))
    family = lineage.families_of(reader, [customer_id])[customer_id]
    lines = [
        line
        for kind, source in _SOURCES.items()
        if kinds is None or kind in kinds
        for line in _lines(reader, kind, source, family, limit, before, sensitive=sensitive)
    ]
    return sorted(lines, key=lambda line: (line.at, line.id), reverse=True)[:limit]


def _lines(
    reader: Reader, kind: str, source: _Source, family: Collection[str], limit: int,
    before: tuple[datetime, str] | None, *, sensitive: bool,
) -> list[TimelineEntry]:  # fmt: skip
    c, at = source.table.c, source.table.c[source.moment]
    query = select(source.table).where(among(reader, c.customer_id, family))
    if before:
        query = query.where(or_(at < before[0], and_(at == before[0], c.id < before[1])))
    if kind == FLAG and not sensitive:
        query = query.where(c.flag.not_in(sorted(SENSITIVE_FLAGS)))
    rows = reader.execute(query.order_by(at.desc(), c.id.desc()).limit(limit))
    return [TimelineEntry(row.id, getattr(row, source.moment), kind, source.words(row), "") for row in rows]


def _plain(text: str) -> str:
    return text.replace("_", " ").replace("-", " ")


def _about(row: Any) -> str:
    purpose = "everything" if row.purpose == ALL else _plain(row.purpose)
    return purpose if row.channel == ALL else f"{purpose} by {_plain(row.channel)}"


def _consent(row: Any) -> str:
    earlier = f", said on {row.at.date().isoformat()}" if row.at.date() != row.recorded_at.date() else ""
    return f"{_SAID[row.state]} {_about(row)} ({_plain(row.mechanism)}{earlier})."


def _flag(row: Any) -> str:
    if row.value is None:
        return f"No longer {_plain(row.flag)} ({row.source})."
    value = "" if row.value is True else f": {jsons.dumps(row.value)[:80]}"
    until = f", until {row.expires_at.date().isoformat()}" if row.expires_at else ""
    return f"Marked {_plain(row.flag)}{value} ({row.source}{until})."


def _preference(row: Any) -> str:
    wishes = [f"at most {row.per_week} a week"] if row.per_week else []
    wishes += [f"nothing before {row.paused_until.date().isoformat()}"] if row.paused_until else []
    return f"Wishes about {_about(row)}: {', '.join(wishes) or 'none'}."


def _zone(row: Any) -> str:
    zones = ", ".join(row.zones[:3]) + (f" and {len(row.zones) - 3} more" if len(row.zones) > 3 else "")  # noqa: PLR2004
    return f"Time zone: {zones or 'no longer known'} ({_plain(row.evidence)}, {row.source})."


_SOURCES = {
    CONSENT: _Source(t.consent, "recorded_at", _consent),
    FLAG: _Source(t.flag, "set_at", _flag),
    PREFERENCE: _Source(t.preference, "at", _preference),
    ZONE: _Source(t.zone, "at", _zone),
}
HAPPENINGS = tuple(_SOURCES)
"""The kinds of such lines."""
