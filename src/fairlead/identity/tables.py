"""The table of codes that were asked for, by digest alone."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from fairlead.kit.columns import Instant, metadata

# One row per asking, whether or not something was sent: nobody can tell from it which addresses are known.
identity_code = Table(
    "identity_code",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("address_digest", Text, nullable=False),  # keyed
    Column("digest", Text, nullable=False),  # keyed, of the code; "" once it cannot be used any more
    Column("state", Text, nullable=False),  # open, used, spent, replaced
    Column("tries", BigInteger, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index("ix_identity_code_customer_id", "customer_id", "at"),
    Index("ix_identity_code_address_digest", "address_digest", "at"),
)
