"""Tables of the teams: who is in them and on which terms, working hours, absences."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text

from fairlead.kit.columns import Instant, Json, metadata

team = Table(
    "team",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),  # as playbooks and policies write it
    Column("title", Text, nullable=False),
    Column("off_hours", Text, nullable=False),  # assign, wait, on_call
    Column("nobody", Text, nullable=False),  # hold, queue
    Column("fallback", Text, nullable=False),  # name of another team, "" for none
    Column("owner_wins", Boolean, nullable=False),
    Column("owner_hours", Float, nullable=False),
    Column("open_days", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("closed_at", Instant),
)

# Effective-dated: a change ends one row and begins another, so that it can always be told who was in a team
# with which weight.
team_member = Table(
    "team_member",
    metadata,
    Column("id", Text, primary_key=True),
    Column("team_id", Text, ForeignKey("team.id"), nullable=False),
    Column("person_id", Text, ForeignKey("person.id"), nullable=False),
    Column("weight", Float, nullable=False),
    Column("open_capacity", Integer),  # leads open at once, NULL: any number
    Column("daily_capacity", Integer),  # new leads a local day, NULL: any number
    Column("skills", Json, nullable=False),
    Column("on_call", Boolean, nullable=False),
    Column("from_at", Instant, nullable=False),
    Column("until_at", Instant),  # NULL: open end
    Index("ix_team_member_team_id", "team_id", "person_id", "from_at"),
    Index("ix_team_member_person_id", "person_id"),
)

# Append-only; the newest row counts.
person_hours = Table(
    "person_hours",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("person.id"), nullable=False),
    Column("hours", Json),  # NULL: no working hours are kept any more
    Column("set_at", Instant, nullable=False),
    Index("ix_person_hours_person_id", "person_id", "set_at"),
)

absence = Table(
    "absence",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("person.id"), nullable=False),
    Column("from_at", Instant, nullable=False),
    Column("until_at", Instant, nullable=False),
    Column("reason", Text, nullable=False),  # for those who manage teams, nowhere else
    Column("created_at", Instant, nullable=False),
    Column("withdrawn_at", Instant),
    Index("ix_absence_person_id", "person_id", "until_at"),
)
