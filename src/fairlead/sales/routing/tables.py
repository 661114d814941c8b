"""Tables of the routing: who has which lead, and the books of fair shares."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Table, Text, literal_column

from fairlead.kit.columns import BOOKKEEPING, Instant, Json, exempt, metadata

# One row per team; locking it, in the order of the ids, is what makes allocation one at a time.
pool = Table(
    "pool",
    metadata,
    Column("team_id", Text, primary_key=True),
    Column("allocated", BigInteger, nullable=False),
    Column("changed_at", Instant, nullable=False),
    info=exempt("the assignments that change it are audited"),
)

# What each member is owed, in billionths of a lead; the sum of a team's rows is 0.
pool_credit = Table(
    "pool_credit",
    metadata,
    Column("team_id", Text, nullable=False),
    Column("person_id", Text, nullable=False),
    Column("credit", BigInteger, nullable=False),
    PrimaryKeyConstraint("team_id", "person_id"),
    info=exempt("the assignments that change it are audited"),
)

# Per UTC day: what was due by rotation, in billionths of a lead, and how many leads came of it. Only shown.
pool_day = Table(
    "pool_day",
    metadata,
    Column("team_id", Text, nullable=False),
    Column("person_id", Text, nullable=False),
    Column("day", Integer, nullable=False),  # days since 1970
    Column("due", BigInteger, nullable=False),
    Column("taken", Integer, nullable=False),
    PrimaryKeyConstraint("team_id", "day", "person_id"),
    info=exempt("the assignments that change it are audited"),
)

_current = Column("superseded_at", BigInteger).is_(None)
_nobodys = _current & Column("person_id", Text).is_(None)
_by_hand = Column("way", Text) == literal_column("'person'")
_open = _current & Column("released_at", BigInteger).is_(None) & Column("person_id", Text).is_not(None)

assignment = Table(
    "assignment",
    metadata,
    Column("id", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("customer_id", Text),
    Column("team_id", Text),  # NULL: the playbook named a team that nobody set up
    Column("team", Text, nullable=False),
    Column("person_id", Text),  # NULL: nobody could take it
    Column("at", Instant, nullable=False),
    Column("way", Text, nullable=False),  # routing, person
    Column("made_by", Text, nullable=False),  # the actor
    Column("explanation", Json, nullable=False),
    Column("open_until", Instant, nullable=False, info=dict(BOOKKEEPING)),  # open until then at least
    Column("released_at", Instant),  # marked as worked
    Column("superseded_at", Instant),  # another assignment took its place
    Column("superseded_why", Text),  # wrong_team, wrong_skill, load, absence, other; again: came round again
    Index(
        "uq_assignment_case_id", "case_id", unique=True, sqlite_where=_current, postgresql_where=_current
    ),
    Index("ix_assignment_case_at", "case_id", "at"),
    Index("ix_assignment_subject_id", "subject_id", "at"),
    Index("ix_assignment_open", "team_id", "open_until", "person_id", sqlite_where=_open, postgresql_where=_open),
    Index("ix_assignment_nobody", "at", sqlite_where=_nobodys, postgresql_where=_nobodys),
    Index("ix_assignment_by_hand", "at", sqlite_where=_by_hand, postgresql_where=_by_hand),
    Index("ix_assignment_team_at", "team_id", "at"),
    Index("ix_assignment_person_at", "person_id", "at"),
)  # fmt: skip
