"""Tables of the leads and of the files they came from."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from fairlead.kit.columns import Instant, Json, metadata

lead_import = Table(
    "lead_import",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False),  # SHA-256 of the file
    Column("playbook", Text, nullable=False),
    Column("mapping", Json, nullable=False),
    Column("state", Text, nullable=False),  # reading, finished
    Column("rows", Integer, nullable=False),
    Column("counts", Json, nullable=False),
    Column("started_by", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Index("ix_lead_import_digest", "digest"),
)

lead = Table(
    "lead",
    metadata,
    Column("id", Text, primary_key=True),
    Column("import_id", Text, ForeignKey("lead_import.id")),
    Column("row_no", Integer, nullable=False),
    Column("playbook", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("case_id", Text),
    Column("fields", Json, nullable=False),
    Column("attributes", Json, nullable=False),
    Column("problems", Json, nullable=False),
    Column("value_minor", BigInteger),  # of `currency`, which need not be the workspace's
    Column("currency", Text, nullable=False),
    Column("outcome", Text),  # what became of it, as the file says; never a fact
    Column("created_at", Instant, nullable=False),
    Index("uq_lead_fingerprint", "playbook", "fingerprint", unique=True),
    Index("ix_lead_import_id", "import_id", "row_no"),
    Index("ix_lead_customer_id", "customer_id"),
)

# Rows that became no lead: unreadable, the same as one that is there, or too large for a case.
lead_reject = Table(
    "lead_reject",
    metadata,
    Column("import_id", Text, ForeignKey("lead_import.id"), primary_key=True),
    Column("row_no", Integer, primary_key=True),
    Column("kind", Text, nullable=False),  # unreadable, duplicate, failed
    Column("code", Text, nullable=False),
    Column("words", Text, nullable=False),
)
