"""Tables of the audit record.

`audit_entry` rows are never changed or removed. Payloads and keys live apart, so that erasing a customer
leaves the chain whole.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Sequence, Table, Text

from fairlead.kit.columns import Instant, Json, exempt, metadata

STEERED = (
    "case.paused", "case.resumed", "case.redirected", "case.skipped", "case.taken_over", "case.handed_back",
    "case.cancelled", "case.retried",
)  # fmt: skip
"""What people do to running cases: few entries among many, found by an index of their own."""
_steered = Column("verb", Text).in_(STEERED)
_SELF = exempt("the audit record itself")
_ROW_ID = BigInteger().with_variant(Integer, "sqlite")  # there, only INTEGER is the row's own place: one tree less

entry = Table(
    "audit_entry",
    metadata,
    Column("id", _ROW_ID, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("verb", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("scope", Text, nullable=False),  # customer id, "" for the workspace: whose key commits the payload
    Column("commitment", LargeBinary, nullable=False),
    Index("ix_audit_entry_subject", "subject", "id"),
    Index("ix_audit_entry_steered", "at", "id", sqlite_where=_steered, postgresql_where=_steered),
    info=_SELF,
)

payload = Table(
    "audit_payload",
    metadata,
    Column("entry_id", _ROW_ID, primary_key=True, autoincrement=False),
    Column("scope", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_audit_payload_scope", "scope"),
    info=_SELF,
)

key = Table(
    "audit_key",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    info=_SELF,
)

# Ids are given out at commit: by this sequence on Postgres, as the highest plus one on SQLite, where the
# writer is alone.
entry_ids = Sequence("audit_entry_ids", metadata=metadata)

seal = Table(
    "audit_seal",
    metadata,
    Column("no", _ROW_ID, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("entries", Text, nullable=False),  # ids in order, as ranges: "1-500,502"
    Column("highest", BigInteger, nullable=False),  # of all ids sealed so far, as late rows may be lower
    Column("missing", Json, nullable=False),  # [[first id, last id, noticed at]] not committed by then
    Column("digests", LargeBinary, nullable=False),  # SHA-256 of each entry, in the order of `entries`
    Column("previous", LargeBinary, nullable=False),
    Column("head", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    info=_SELF,
)
