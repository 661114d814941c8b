"""Tables of the experiments."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, Index, Table, Text

from fairlead.kit.columns import Instant, Json, metadata

# One row for each thing that draws are made for; never changed, or everybody would change sides.
seed = Table(
    "experiment_seed",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seed", Text, nullable=False),  # 32 random bytes, hex
    Column("at", Instant, nullable=False),
)

# Append-only: names, unit, arms and shares under which somebody was drawn.
version = Table(
    "experiment_version",
    metadata,
    Column("experiment", Text, primary_key=True),
    Column("version", Text, primary_key=True),  # digest of the content
    Column("unit", Text, nullable=False),
    Column("arms", Json, nullable=False),  # [[name, share], …]
    Column("at", Instant, nullable=False),
)

# Append-only: the first draw of a unit stands, whatever becomes of the shares.
drawn = Table(
    "experiment_draw",
    metadata,
    Column("experiment", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("eligible", Boolean, nullable=False),
    Column("why", Text, nullable=False),  # why not eligible, else ""
    Column("arm", Text),  # NULL: not eligible
    Column("probability", Double, nullable=False),
    Column("at", Instant, nullable=False),
    Column("facts", Text, nullable=False),  # keyed digest of what eligibility was judged on, "" for nothing
    Column("case_id", Text),  # the case that met the experiment first; NULL where none did
    Index("ix_experiment_draw_counts", "experiment", "version", "arm"),
)

# Append-only: what experiments.yaml says, and what was said of it since; the newest row of a name counts.
plan = Table(
    "experiment_plan",
    metadata,
    Column("id", Text, primary_key=True),
    Column("experiment", Text, nullable=False),
    Column("digest", Text, nullable=False),  # of the declaration
    Column("text", Text, nullable=False),  # the whole file, as it was
    Column("state", Text, nullable=False),  # running, stopped, withdrawn
    Column("winner", Text),  # of a stopped one: the arm that everybody new gets
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_experiment_plan_newest", "experiment", "at", "id"),
)
