"""Table of the contacts with leads."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text

from fairlead.kit.columns import Instant, metadata

# Somebody was in touch with a lead; a wrong one is deleted, which the audit record keeps.
lead_touch = Table(
    "lead_touch",
    metadata,
    Column("id", Text, primary_key=True),
    Column("lead_id", Text, nullable=False),  # the subject of its cases
    Column("case_id", Text, nullable=False),  # the case on whose page it was logged
    Column("customer_id", Text),
    Column("person_id", Text),  # who was in touch; NULL: a program did not say
    Column("kind", Text, nullable=False),  # call, email, meeting, message, other
    Column("at", Instant, nullable=False),
    Column("note", Text, nullable=False),
    Column("made_by", Text, nullable=False),  # the actor that logged it
    Column("made_at", Instant, nullable=False),
    Index("ix_lead_touch_lead_id", "lead_id", "at"),
    Index("ix_lead_touch_customer_id", "customer_id"),
)
