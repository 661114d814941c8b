"""Tables of duplicates: which pairs were found, what was looked at, and searches that are asked for."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Table, Text, UniqueConstraint, text

from fairlead.kit.columns import Instant, Json, exempt, metadata

# One row per pair of customers, the lower id left; `digest` is of both records as they were compared.
pair = Table(
    "duplicate_pair",
    metadata,
    Column("id", Text, primary_key=True),
    Column("left_id", Text, ForeignKey("customer.id"), nullable=False),
    Column("right_id", Text, ForeignKey("customer.id"), nullable=False),
    Column("relation", Text, nullable=False),  # same_person, same_account
    Column("score", Float, nullable=False),
    Column("band", Text, nullable=False),  # sure, unsure
    Column("reasons", Json, nullable=False),
    Column("flags", Json, nullable=False),
    Column("digest", Text, nullable=False),
    Column("state", Text, nullable=False),  # open, merged, different, gone
    Column("case_id", Text, nullable=False),
    Column("merge_id", Text),
    Column("found_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    UniqueConstraint("left_id", "right_id"),
    Index("ix_duplicate_pair_state", "state", "id"),
    Index("ix_duplicate_pair_right_id", "right_id"),
    Index("ix_duplicate_pair_merge_id", "merge_id"),
)

seen = Table(
    "duplicate_seen",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("at", Instant, nullable=False),
    info=exempt("remembers what a search has looked at; losing it costs a search, nothing else"),
)

search = Table(
    "duplicate_search",
    metadata,
    Column("id", Text, primary_key=True),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("done_at", Instant),
    Index("ix_duplicate_search_open", "asked_at", sqlite_where=text("done_at IS NULL"),
          postgresql_where=text("done_at IS NULL")),
    info=exempt("a search is asked for by an audited transaction and leaves audited cases"),
)  # fmt: skip
