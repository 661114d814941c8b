"""Assignments by hand, as departures from a playbook's standard path."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import literal_column, select

from fairlead.kit.unit_of_work import Reader
from fairlead.playbooks import Deviation, DeviationKind, Playbook, Span, playbooks_of
from fairlead.sales.routing.tables import assignment

MOST = 2_000


def assigned_by_hand(reader: Reader, playbook: Playbook, span: Span) -> Iterable[Deviation]:
    """Newest first, at most 2,000; the reason is what the person wrote."""
    c = assignment.c
    query = (
        select(c.case_id, c.at, c.made_by, c.team, c.explanation)
        .where(c.way == literal_column("'person'"), c.at >= span.since, c.at < span.until)
        .order_by(c.at.desc(), c.id.desc())
        .limit(MOST)
    )
    rows = list(reader.execute(query))
    owners = playbooks_of(reader, [row.case_id for row in rows])
    for row in rows:
        if owners.get(row.case_id) == playbook.name:
            said = row.explanation
            name = str((said.get("person") or {}).get("name", ""))
            detail = f"to {name or 'nobody'}, {row.team}"
            reason = str(said.get("words") or "")
            yield Deviation(DeviationKind.ASSIGNED_BY_HAND, row.case_id, row.at, row.made_by, "", None, reason, detail)
