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

# What a customer's appeal showed to be wrong, to be put right by a person; what was answered stands in the review.
repair = Table(
    "repair",
    metadata,
    Column("id", Text, primary_key=True),
    Column("review_id", Text, ForeignKey("review.id"), nullable=False),
    Column("ruling_id", Text, ForeignKey("ruling.id"), nullable=False),
    Column("checkpoint", Text, nullable=False),
    Column("case_id", Text),
    Column("customer_id", Text),
    Column("role", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("done_at", Instant),
    Column("done_by", Text),
    Column("note", Text, nullable=False),  # what was done, in a person's words; emptied with the customer
    UniqueConstraint("review_id"),
    Index("ix_repair_ruling_id", "ruling_id"),
    Index("ix_repair_customer_id", "customer_id"),
    Index("ix_repair_role", "role", "done_at", "id"),
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
