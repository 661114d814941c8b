"""Tables of the leads and of the files they came from."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from fairlead.kit.columns import BOOKKEEPING, Instant, Json, exempt, metadata

_under_way = Column("state", Text).in_(("receiving", "draft", "waiting", "reading", "cancelling"))

lead_import = Table(
    "lead_import",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False),  # SHA-256 of the file
    Column("playbook", Text, nullable=False),
    Column("mapping", Json, nullable=False),
    Column("state", Text, nullable=False),  # see importing.model.ImportState
    Column("rows", Integer, nullable=False),  # taken in so far
    Column("counts", Json, nullable=False),
    Column("started_by", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("origin", Text, nullable=False, default="run"),  # run (a file of the command line), upload
    Column("country", Text, nullable=False, default=""),  # of phone numbers without country code
    Column("said", Json),  # field → column, as a person or a remembered mapping settled it
    Column("sketch", Json),  # an upload's first rows, until it is read
    Column("quality", Json),  # see intake.quality, once every row was read
    Column("bytes", BigInteger, nullable=False, default=0),
    Column("bytes_read", BigInteger, nullable=False, default=0, info=dict(BOOKKEEPING)),
    Column("problem", Json),  # why a refused one could not be read: code, words
    Column("cancelled_by", Text),
    Column("cancelled_at", Instant),
    Column("lease_token", Text, info=dict(BOOKKEEPING)),  # who reads it now, and until when without a sign of life
    Column("lease_until", Instant, info=dict(BOOKKEEPING)),
    Index("ix_lead_import_digest", "digest"),
    Index("ix_lead_import_under_way", "state", sqlite_where=_under_way, postgresql_where=_under_way),
)

# The file of an upload in pieces, so that any worker can read it; dropped when it was read or given up.
lead_upload = Table(
    "lead_upload",
    metadata,
    Column("import_id", Text, ForeignKey("lead_import.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    info=exempt("pieces of a file whose digest is in the audit entry of its upload"),
)

# What a person said about files with these columns; used again for the next such file.
lead_mapping = Table(
    "lead_mapping",
    metadata,
    Column("key", Text, primary_key=True),  # digest of the column names
    Column("mapping", Json, nullable=False),  # field → column
    Column("import_id", Text, nullable=False),
    Column("said_by", Text, nullable=False),
    Column("said_at", Instant, nullable=False),
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
    Column("cancelled_at", Instant),  # its import was taken back while its case was open
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
