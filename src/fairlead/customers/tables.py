"""Tables of the customers: who they are, what is known and flagged, what they allowed, what happened."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, text

from fairlead.kit.columns import Instant, Json, metadata

# Ordered by code point on both databases, whatever the collation of the Postgres database: "begins with" is
# then a range of an index. SQLite's own order (BINARY) is that already.
_Ordered = Text().with_variant(Text(collation="C"), "postgresql")

_owned = Column("owner", Text).is_not(None) & Column("erased_at", BigInteger).is_(None)

customer = Table(
    "customer",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_folded", _Ordered, nullable=False),  # casefolded, for search by how a name begins
    Column("company", Text, nullable=False),
    Column("company_folded", _Ordered, nullable=False),
    Column("country", Text),
    Column("language", Text),
    Column("time_zone", Text),
    Column("owner", Text),
    Column("value_minor", BigInteger),
    Column("created_at", Instant, nullable=False),
    Column("erased_at", Instant),
    Column("merged_into", Text, ForeignKey("customer.id")),  # the survivor itself, never one merged in its turn
    Column("merge_base", Json),  # a survivor's own columns, without what merged records lend it
    Index(
        "ix_customer_merged_into",
        "merged_into",
        sqlite_where=text("merged_into IS NOT NULL"),
        postgresql_where=text("merged_into IS NOT NULL"),
    ),
    Index("ix_customer_name_folded", "name_folded", "id"),
    Index("ix_customer_company_folded", "company_folded", "id"),
    Index("ix_customer_company_owner", "company_folded", "owner", sqlite_where=_owned, postgresql_where=_owned),
    # The id itself keeps the database's collation, so that joins from other tables find its own index.
    Index("ix_customer_id_ordered", text('id COLLATE "C"')).ddl_if(dialect="postgresql"),
)

identity = Table(
    "customer_identity",
    metadata,
    Column("kind", Text, primary_key=True),  # email, phone, external_id
    Column("value", _Ordered, primary_key=True),  # normalised
    Column("customer_id", Text, ForeignKey("customer.id"), nullable=False),
    Column("verified_at", Instant),
    Column("source", Text, nullable=False),
    Column("added_at", Instant, nullable=False),
    Index("ix_customer_identity_customer_id", "customer_id"),
)

# Append-only; the newest row of (customer, flag) that has not expired counts.
flag = Table(
    "customer_flag",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer_id", Text, ForeignKey("customer.id"), nullable=False),
    Column("flag", Text, nullable=False),
    Column("value", Json),  # None takes the flag back
    Column("source", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Index("ix_customer_flag_customer_id", "customer_id", "flag", "set_at"),
)

# Append-only; the newest row of (customer, purpose, channel) counts.
consent = Table(
    "consent",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer_id", Text, ForeignKey("customer.id"), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False),  # given, withdrawn
    Column("mechanism", Text, nullable=False),
    Column("proof", Json, nullable=False),
    Column("source", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_consent_customer_id", "customer_id", "purpose", "channel", "at"),
)

# Append-only; by normalised address, so that it outlives the customer it was learnt from.
suppression = Table(
    "suppression",
    metadata,
    Column("id", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("state", Text, nullable=False),  # suppressed, lifted
    Column("reason", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_suppression_address", "address", "channel", "at"),
)

timeline = Table(
    "timeline",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer_id", Text, ForeignKey("customer.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Index("ix_timeline_customer_id", "customer_id", "at", "id"),
)

# A merge that is not undone is an edge from `other_id` to `kept_id`; the records' own rows stay where they are.
merge = Table(
    "customer_merge",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kept_id", Text, ForeignKey("customer.id"), nullable=False),
    Column("other_id", Text, ForeignKey("customer.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("brought", Json, nullable=False),  # who had what at that moment; {} once erased
    Column("at", Instant, nullable=False),
    Column("undone_at", Instant),
    Column("undone_by", Text),
    Column("since", Json),  # what an undoing left with the survivor
    Index("ix_customer_merge_kept_id", "kept_id"),
    Index(
        "uq_customer_merge_other_id",
        "other_id",
        unique=True,
        sqlite_where=text("undone_at IS NULL"),
        postgresql_where=text("undone_at IS NULL"),
    ),
)
