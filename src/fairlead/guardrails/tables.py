"""Tables of the gate: the rules in force, the places taken under caps, and every answer given."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text, text

from fairlead.kit.columns import Instant, Json, metadata

_nobody = text("customer_id IS NULL")
_open = text("state = 'reserved'")

# Append-only; the newest row counts. An empty text brings the built-in rules back.
contact_rules = Table(
    "contact_rules",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("deployed_by", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

# One row per message that got a place; what decides about counting is frozen as it was when the place was taken.
contact_log = Table(
    "contact_log",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("customer_id", Text),  # the very record written to; None: an address of nobody we know
    Column("channel", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("class", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("tags", Json, nullable=False),
    Column("at", Instant, nullable=False),
    Column("state", Text, nullable=False),  # reserved, accepted, released, unknown
    Column("address_digest", Text, nullable=False),
    Column("case_id", Text),
    Column("settled_at", Instant),
    Column("released_at", Instant),  # when this try was given back, also where it proved later to have been accepted
    Index("ix_contact_log_customer_id", "customer_id", "at"),
    Index("ix_contact_log_address_digest", "address_digest", "at", sqlite_where=_nobody, postgresql_where=_nobody),
    Index("ix_contact_log_reserved", "at", sqlite_where=_open, postgresql_where=_open),
)

# Append-only: what the gate was asked and what it said.
contact_answer = Table(
    "contact_answer",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("customer_id", Text),
    Column("channel", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("class", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("case_id", Text),
    Column("verdict", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("facts", Json, nullable=False),
    Column("checks", Json, nullable=False),
    Column("memory", Json, nullable=False),  # all that it was judged by, see `remembering`; {} once erased
    Column("allowed_at", Instant),
    Column("at", Instant, nullable=False),
    Index("ix_contact_answer_at", "at", "id"),
    Index("ix_contact_answer_customer_id", "customer_id", "at", "id"),
    Index("ix_contact_answer_key", "key", "at"),
)
