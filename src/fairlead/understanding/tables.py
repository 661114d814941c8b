"""Tables of the trained scores."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKeyConstraint, Integer, LargeBinary, Table, Text, UniqueConstraint

from fairlead.kit.columns import Instant, Json, metadata

# Append-only: one row per training or import.
score_model = Table(
    "score_model",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", Text, nullable=False),  # SHA-256 of the document
    Column("seal", Text, nullable=False),  # HMAC of name@version and document
    Column("data_fingerprint", Text, nullable=False),
    Column("report", Json, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("origin", Text, nullable=False),  # trained, imported
    Column("note", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    UniqueConstraint("name", "version"),
)

# Which version of each name scores now.
score_model_in_use = Table(
    "score_model_in_use",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
    ForeignKeyConstraint(["name", "version"], ["score_model.name", "score_model.version"]),
)
