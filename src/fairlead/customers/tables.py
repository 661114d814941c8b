"""Tables of the customers: who they are, what is known and flagged, what they allowed, what happened."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, UniqueConstraint, text

from fairlead.kit.columns import BOOKKEEPING, Instant, Json, exempt, metadata

# Ordered by code point on both databases, whatever the collation of the Postgres database: "begins with" is
# then a range of an index. SQLite's own order (BINARY) is that already.
_Ordered = Text().with_variant(Text(collation="C"), "postgresql")

_due = Column("due_at", BigInteger).is_not(None)
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

# The wording that a customer was shown, one row per version of (name, language); never changed.
notice = Table(
    "consent_notice",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),  # SHA-256 of the text, hex
    Column("text", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Instant, nullable=False),
    UniqueConstraint("name", "language", "version"),
)

# Append-only; the newest row of (customer, purpose, channel) counts, and a withdrawal of `*` counts for all.
consent = Table(
    "consent",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer_id", Text, ForeignKey("customer.id"), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False),  # given, withdrawn, pending
    Column("mechanism", Text, nullable=False),
    Column("proof", Json, nullable=False),
    Column("source", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("notice_id", Text, ForeignKey("consent_notice.id")),
    Column("expires_at", Instant),
    Column("at", Instant, nullable=False),  # when it was said, which an import may date back
    Column("recorded_at", Instant, nullable=False),
    Index("ix_consent_customer_id", "customer_id", "purpose", "channel", "at"),
)

# Append-only; by normalised address, so that it outlives the customer it was learnt from. Of an erased customer only
# a keyed digest of the address is left, see veiling.py.
suppression = Table(
    "suppression",
    metadata,
    Column("id", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("state", Text, nullable=False),  # suppressed, lifted
    Column("scope", Text, nullable=False),  # all, promotional
    Column("reason", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_suppression_address", "address", "channel", "at"),
)

# The key under which addresses of erased customers stay suppressed; one row, made at the first erasure.
address_seed = Table(
    "address_seed",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seed", Text, nullable=False),  # hex
    Column("at", Instant, nullable=False),
    info=exempt("a random key; the erasure that needs it is audited"),
)

# Append-only; the strongest evidence counts, then the newest.
zone = Table(
    "customer_zone",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer_id", Text, ForeignKey("customer.id"), nullable=False),
    Column("zones", Json, nullable=False),  # names of the tz database; [] takes this evidence back
    Column("evidence", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_customer_zone_customer_id", "customer_id", "at"),
)

# Append-only; the newest row of (customer, purpose, channel) counts.
preference = Table(
    "customer_preference",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer_id", Text, ForeignKey("customer.id"), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("per_week", BigInteger),
    Column("paused_until", Instant),
    Column("source", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_customer_preference_customer_id", "customer_id", "purpose", "channel", "at"),
)

# Who is told of consents, as deployed; one that is gone keeps its row for the deliveries it had.
downstream = Table(
    "consent_downstream",
    metadata,
    Column("name", Text, primary_key=True),
    Column("connector", Text, nullable=False),
    Column("purposes", Json, nullable=False),  # [] for every purpose
    Column("removed_at", Instant),
)

# What became of telling a downstream about a consent; again when it comes to count for another record, by a merge.
delivery = Table(
    "consent_delivery",
    metadata,
    Column("id", Text, primary_key=True),
    Column("consent_id", Text, ForeignKey("consent.id"), nullable=False),
    Column("customer_id", Text, ForeignKey("customer.id"), nullable=False),
    Column("downstream", Text, ForeignKey("consent_downstream.name"), nullable=False),
    Column("state", Text, nullable=False),  # pending, sent, skipped, failed
    Column("why", Text, nullable=False),
    Column("attempt", BigInteger, nullable=False, info=dict(BOOKKEEPING)),
    Column("at", Instant, nullable=False),
    Column("due_at", Instant, info=dict(BOOKKEEPING)),  # None once it is settled
    Column("lease_token", Text, info=dict(BOOKKEEPING)),
    Index("ix_consent_delivery_consent_id", "consent_id"),
    Index("ix_consent_delivery_customer_id", "customer_id", "at"),
    Index("ix_consent_delivery_downstream", "downstream", "state", "at"),
    Index("ix_consent_delivery_due_at", "due_at", sqlite_where=_due, postgresql_where=_due),
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

# Append-only: identity checks that were passed.
identity_check = Table(
    "identity_check",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("level", Text, nullable=False),  # known, new
    Column("code_id", Text, nullable=False, unique=True),
    Column("by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Index("ix_identity_check_customer_id", "customer_id", "until"),
)
