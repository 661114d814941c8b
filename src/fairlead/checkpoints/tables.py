"""Tables of the checkpoints: rulings, decisions, grants, stop switches, approvals."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Index, Table, Text, UniqueConstraint

from fairlead.kit.columns import Instant, Json, exempt, metadata

_in_force = Column("withdrawn_at", BigInteger).is_(None)

# Immutable. A ruling holds its proposal: there is exactly one for each.
ruling = Table(
    "ruling",
    metadata,
    Column("id", Text, primary_key=True),
    Column("checkpoint", Text, nullable=False),
    Column("decision_key", Text, nullable=False),  # stable over retries; the draws hang on it
    Column("case_id", Text),
    Column("customer_id", Text),
    Column("path", Text, nullable=False),
    Column("segment", Text, nullable=False),
    Column("producer", Text, nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("grant_id", Text),
    Column("score", Double),
    Column("value_minor", BigInteger),
    Column("digest", Text, nullable=False),
    Column("proposal", Json, nullable=False),  # answer and signals
    Column("facts", Json, nullable=False),  # what the rules could read, as of this moment
    Column("record", Json, nullable=False),  # what each step left, and why
    Column("lottery", Boolean, nullable=False),  # drawn for a blind label
    Column("lottery_p", Double, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("checkpoint", "decision_key"),
    Index("ix_ruling_case_id", "case_id"),
    Index("ix_ruling_checkpoint", "checkpoint", "created_at", "path", "case_id"),
    Index("ix_ruling_customer_id", "customer_id"),
)

# The effective answer; exactly one per ruling.
decision = Table(
    "decision",
    metadata,
    Column("ruling_id", Text, ForeignKey("ruling.id"), primary_key=True),
    Column("verdict", Text, nullable=False),  # auto, approve, edit, reject, answer, blocked, expired
    Column("answer", Json),  # None when nothing is to be done: rejected, blocked, expired
    Column("decided_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("effective_at", Instant, nullable=False),
)

autonomy_grant = Table(
    "autonomy_grant",
    metadata,
    Column("id", Text, primary_key=True),
    Column("checkpoint", Text, nullable=False),
    Column("segment", Text, nullable=False),
    Column("producer", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("threshold", Double),
    Column("promised_error", Double),
    Column("lottery_rate", Double),
    Column("policy_version", Text, nullable=False),
    Column("evidence", Json, nullable=False),
    Column("signed_by", Text, nullable=False),
    Column("signed_role", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("withdrawn_at", Instant),
    Column("withdrawn_because", Text),
    Index("ix_autonomy_grant_checkpoint", "checkpoint", "segment", "producer"),
)

# A person's word for what one version of a policy declares: deterministic, and never stopped.
policy_signature = Table(
    "policy_signature",
    metadata,
    Column("id", Text, primary_key=True),
    Column("checkpoint", Text, nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("covers", Json, nullable=False),  # the declared properties that it signs
    Column("signed_by", Text, nullable=False),
    Column("signed_role", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("withdrawn_at", Instant),
    Column("withdrawn_by", Text),
    Column("withdrawn_because", Text),
    Index(
        "ix_policy_signature_in_force",
        "checkpoint",
        "policy_version",
        unique=True,
        sqlite_where=_in_force,
        postgresql_where=_in_force,
    ),
)

# How many decisions the lottery drew, as changes that add up; the sweep folds them together.
draw_tally = Table(
    "draw_tally",
    metadata,
    Column("id", Text, primary_key=True),
    Column("checkpoint", Text, nullable=False),
    Column("segment", Text, nullable=False),
    Column("producer", Text, nullable=False),
    Column("change", BigInteger, nullable=False),
    info=exempt("counts what audited transactions ruled"),
)

stop_switch = Table(
    "stop_switch",
    metadata,
    Column("scope", Text, primary_key=True),  # workspace, playbook:NAME, checkpoint:NAME
    Column("words", Text, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
)

# Single use, bound to the digest of the proposal it approves; only the token's hash is kept.
approval = Table(
    "approval",
    metadata,
    Column("ruling_id", Text, ForeignKey("ruling.id"), primary_key=True),
    Column("token_hash", Text, nullable=False),
    Column("digest", Text, nullable=False),  # of checkpoint, answer and customer as decided
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("consumed_at", Instant),
    Column("execution", Json),  # what the caller reported
    Index("ix_approval_open", "consumed_at", "expires_at"),
)

# What a caller asked under an idempotency key; kept 30 days.
request = Table(
    "decision_request",
    metadata,
    Column("api_key_id", Text, primary_key=True),
    Column("checkpoint", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("body_digest", Text, nullable=False),
    Column("ruling_id", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_decision_request_at", "at"),
    Index("ix_decision_request_api_key_id", "api_key_id", "ruling_id"),
    info=exempt("the ruling it points to is audited in the same transaction"),
)

# Executions that a caller reported without an approval that allowed them.
unasked = Table(
    "unasked_execution",
    metadata,
    Column("id", Text, primary_key=True),
    Column("checkpoint", Text, nullable=False),
    Column("api_key_id", Text, nullable=False),
    Column("ruling_id", Text),
    Column("why", Text, nullable=False),
    Column("body", Json, nullable=False),
    Column("at", Instant, nullable=False),
)
