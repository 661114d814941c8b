"""Tables of the rights: what was asked for and decided, and what files still hold of erased customers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from fairlead.kit.columns import Instant, Json, exempt, metadata

_open = Column("state", Text) == "asked"
_left = Column("done_at", BigInteger).is_(None)

request = Table(
    "rights_request",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer_id", Text, ForeignKey("customer.id"), nullable=False),
    Column("kind", Text, nullable=False),  # export, rectify, restrict, unrestrict, erase
    Column("state", Text, nullable=False),  # asked, done, refused, gone
    Column("case_id", Text, nullable=False),
    Column("asked_by", Text, nullable=False),  # the actor who wrote it down
    Column("identity_checked", Text, nullable=False),  # how; "" once erased
    Column("reason", Text, nullable=False),  # "" once erased
    Column("changes", Json, nullable=False),  # of a rectification: field → new text; {} once erased
    Column("asked_at", Instant, nullable=False),
    Column("due_at", Instant),  # by law; NULL for what retention proposes
    Column("origin", Text, nullable=False),  # customer, retention
    Column("extension", Json),  # who gave it more time, when, why, how the customer was told; {} once erased
    Column("decided_by", Text),
    Column("decided_at", Instant),
    Column("result", Json),  # what was done, counts and codes; old and new values until the customer is erased
    Index("ix_rights_request_customer_id", "customer_id", "id"),
    Index("ix_rights_request_open", "due_at", sqlite_where=_open, postgresql_where=_open),
)

# What of erased customers still lies in files; emptied once the files are clean.
file_sweep = Table(
    "rights_file_sweep",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer_ids", Json, nullable=False),
    Column("files", Json, nullable=False),  # names in the folder of unsent mail
    Column("asked_at", Instant, nullable=False),
    Column("done_at", Instant),
    Index("ix_rights_file_sweep_open", "asked_at", sqlite_where=_left, postgresql_where=_left),
    info=exempt("part of an erasure, which is audited"),
)
