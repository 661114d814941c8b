"""Tables of the people: who may sign in, with which roles, and which programs hold keys."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from fairlead.kit.columns import Instant, Json, exempt, metadata

person = Table(
    "person",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False, unique=True),
    Column("roles", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
)

# One-time links; only the token's hash is kept.
sign_in_link = Table(
    "sign_in_link",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("person.id"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Index("ix_sign_in_link_person_id", "person_id"),
)

session = Table(
    "session",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("person.id"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Index("ix_session_person_id", "person_id"),
    info=exempt("signing in and out is audited; `seen_at` is housekeeping"),
)

# Only the secret's hash is kept. `checkpoints` it may ask, `max_value_minor` it may state (NULL: any), and
# `flags` it may assert. `webhook_secret` stays readable, because Fairlead signs with it.
api_key = Table(
    "api_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("checkpoints", Json, nullable=False),
    Column("max_value_minor", BigInteger),
    Column("flags", Json, nullable=False),
    Column("webhook_secret", Text),
    Column("webhook_url", Text),
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)
