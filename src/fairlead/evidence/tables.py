"""Tables of the evidence."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, ForeignKey, Index, Table, Text, UniqueConstraint

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

# Append-only: blind answers to drawn decisions, written in the transaction that settled them.
label = Table(
    "label",
    metadata,
    Column("id", Text, primary_key=True),
    Column("ruling_id", Text, ForeignKey("ruling.id"), nullable=False),
    Column("review_id", Text, ForeignKey("review.id"), nullable=False),
    Column("checkpoint", Text, nullable=False),
    Column("segment", Text, nullable=False),
    Column("producer", Text, nullable=False),
    Column("path", Text, nullable=False),  # of the ruling
    Column("source", Text, nullable=False),  # auto, assist, human: how it came
    Column("answer", Json),  # None: the person could not tell
    Column("agrees", Boolean),  # by the checkpoint's `agree`; None: cannot tell, or a person must compare
    Column("lottery_p", Double, nullable=False),
    Column("agree_version", Text),  # of the policy that compared
    Column("by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    UniqueConstraint("review_id"),
    Index("ix_label_ruling_id", "ruling_id"),
    Index("ix_label_checkpoint", "checkpoint", "id"),
    Index("ix_label_segment", "checkpoint", "segment", "producer"),
)
