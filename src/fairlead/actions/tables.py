"""Tables of the actions: what will be done or was done, the queue of what is open, and what is stopped."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from fairlead.kit.columns import Instant, Json, exempt, metadata

_held = Column("state", Text) == "held"
_broken = Column("state", Text).in_(["failed", "ambiguous"])
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
    Column("thread", Text, nullable=False),
    Column("outlet", Text, nullable=False),  # the connector, and for messages the channel
    Column("rank", BigInteger, nullable=False),  # priority, then value: smaller first
    Column("value_minor", BigInteger),
    Column("look_at", Instant),  # of a held one: when the gate is asked again
    Column("created_at", Instant, nullable=False),
    Column("done_at", Instant),
    Index("ix_action_case_id", "case_id"),
    Index("ix_action_customer_id", "customer_id"),
    Index("ix_action_held", "expires_at", "id", sqlite_where=_held, postgresql_where=_held),
    Index("ix_action_look_at", "look_at", "id", sqlite_where=_held, postgresql_where=_held),
    Index("ix_action_repair", "state", "id", sqlite_where=_broken, postgresql_where=_broken),
)

# One row per action in state `queued`; apart, because leases change often and mean nothing later.
outbox = Table(
    "outbox",
    metadata,
    Column("action_id", Text, ForeignKey("action.id"), primary_key=True),
    Column("serial_key", Text),
    Column("thread", Text, nullable=False),
    Column("outlet", Text, nullable=False),
    Column("rank", BigInteger, nullable=False),
    Column("due_at", Instant, nullable=False),  # the place in the order of its serial key and thread
    Column("ready_at", Instant, nullable=False),  # not before; moves with leases and back-off
    Column("attempt", Integer, nullable=False),
    Column("lease_token", Text),
    Column("lease_until", Instant),
    Column("withdrawn", Boolean, nullable=False),  # taken back while a delivery was under way
    Column("sending", Boolean, nullable=False),  # a message passed the gate and may have left
    Column("problem", Text),  # why the last delivery is tried again
    Index("ix_outbox_ready_at", "outlet", "ready_at", "action_id"),
    Index("ix_outbox_rank", "outlet", "rank", "ready_at", "action_id"),
    Index("ix_outbox_serial_key", "serial_key", "thread", "due_at", "action_id"),
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

# How each outlet does: its place in the token bucket, failures in a row, and whether its breaker is open.
outlet = Table(
    "outlet",
    metadata,
    Column("name", Text, primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("tokens_at", Instant, nullable=False),
    Column("failures", Integer, nullable=False),  # in a row
    Column("opened_at", Instant),  # NULL: the breaker is closed
    Column("probe_at", Instant),  # when an open one lets the next delivery through
    Column("pauses", Integer, nullable=False),  # how often it opened since the last success
    Column("problem", Text, nullable=False),
    info=exempt("says how deliveries go at present; opening and closing a breaker are audited by name"),
)

# What was handed over, to the letter, and what the other side said; one row per action, of its last delivery.
delivery_copy = Table(
    "delivery_copy",
    metadata,
    Column("action_id", Text, ForeignKey("action.id"), primary_key=True),
    Column("state", Text, nullable=False),  # what the connector answered
    Column("words", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("content", Text, nullable=False),  # "" once the customer was erased
)
