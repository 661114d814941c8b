"""Tables of alerts: what happened, and whom it concerns."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, PrimaryKeyConstraint, Table, Text

from fairlead.kit.columns import Instant, Json, metadata

alert = Table(
    "alert",
    metadata,
    Column("id", Text, primary_key=True),  # the caller's
    Column("content", Json, nullable=False),  # kind, title, text, fields
    Column("state", Text, nullable=False),  # open, resolved
    Column("raised_by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("resolved_at", Instant),
)

# Who was reached: one row is one case, so that nobody is told twice.
alert_customer = Table(
    "alert_customer",
    metadata,
    Column("alert_id", Text, ForeignKey("alert.id"), nullable=False),
    Column("customer_id", Text, nullable=False),  # as the customer was known then
    Column("case_id", Text, nullable=False),
    PrimaryKeyConstraint("alert_id", "customer_id"),
)
