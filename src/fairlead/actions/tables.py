"""Tables of the actions: what will be done or was done, the queue of what is open, and what is stopped."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from fairlead.kit.columns import Instant, Json, exempt, metadata

_held = Column("state", Text) == "held"
_leased = Column("lease_until", BigInteger).is_not(None)

action = Table(
    "action",
    metadata,
    Column("id", Text, primary_key=True),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("connector", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Json, nullable=False),
    Column("playbook", Text),
    Column("checkpoint", Text),  # the checkpoint whose automatic decision caused it, for stop switches
    Column("case_id", Text),
    Column("customer_id", Text),
    Column("serial_key", Text),  # two effects of one key never run at once
    Column("state", Text, nullable=False),  # queued, held, sent, refused, failed, expired, withdrawn, ambiguous
    Column("due_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("attempt", Integer, nullable=False),  # deliveries begun, as of the last change of state
    Column("result", Json),
    Column("created_at", Instant, nullable=False),
    Column("done_at", Instant),
    Index("ix_action_case_id", "case_id"),
    Index("ix_action_customer_id", "customer_id"),
    Index("ix_action_held", "expires_at", "id", sqlite_where=_held, postgresql_where=_held),
)

# One row per action in state `queued`; apart, because leases change often and mean nothing later.
outbox = Table(
    "outbox",
    metadata,
    Column("action_id", Text, ForeignKey("action.id"), primary_key=True),
    Column("serial_key", Text),
    Column("due_at", Instant, nullable=False),  # the place in the order of its serial key
    Column("ready_at", Instant, nullable=False),  # not before; moves with leases and back-off
    Column("attempt", Integer, nullable=False),
    Column("lease_token", Text),
    Column("lease_until", Instant),
    Column("withdrawn", Boolean, nullable=False),  # taken back while a delivery was under way
    Column("problem", Text),  # why the last delivery is tried again
    Index("ix_outbox_ready_at", "ready_at", "action_id"),
    Index("ix_outbox_serial_key", "serial_key", "due_at", "action_id"),
    Index("ix_outbox_leased", "serial_key", "lease_until", sqlite_where=_leased, postgresql_where=_leased),
    Index("ix_outbox_lease_token", "lease_token"),
    info=exempt("says who delivers next; queueing and results are audited on the action"),
)

# Stop switches that are on: automatic actions of the scope are not delivered.
action_hold = Table(
    "action_hold",
    metadata,
    Column("kind", Text, nullable=False),  # workspace, playbook, checkpoint
    Column("name", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("kind", "name"),
)
