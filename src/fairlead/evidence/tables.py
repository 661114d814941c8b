"""Tables of the evidence."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text, UniqueConstraint

from fairlead.kit.columns import Instant, Json, metadata

# Append-only: what came of a decision, from whoever saw it.
outcome = Table(
    "outcome",
    metadata,
    Column("id", Text, primary_key=True),
    Column("ruling_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("value", Json, nullable=False),
    Column("source", Text, nullable=False),
    Column("key", Text, nullable=False),  # the caller's idempotency key
    Column("happened_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("source", "key"),
    Index("ix_outcome_ruling_id", "ruling_id"),
)
