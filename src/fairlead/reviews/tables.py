"""Tables of the reviews: one row per piece of human work, one per thing said about it, and running counts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, and_, literal_column

from fairlead.kit.columns import Instant, Json, exempt, metadata

# Compared byte by byte on both databases, so that "begins with" is a range of the index.
_Bytewise = Text().with_variant(Text(collation="C"), "postgresql")

_open = Column("closed_at", BigInteger).is_(None)


def _open_index(name: str, *columns: str, only: Any = None) -> Index:
    where = _open if only is None else and_(_open, only)
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


def _set(name: str) -> Any:
    return Column(name, BigInteger).is_not(None)


# `shelf` and `rank` are computed from the other columns by the store and exist for the indexes: every page of
# the queue is a few index ranges (role or person or checkpoint, then shelf) already in order, merged.
review = Table(
    "review",
    metadata,
    Column("id", Text, primary_key=True),
    Column("ruling_id", Text, ForeignKey("ruling.id"), nullable=False),
    Column("checkpoint", Text, nullable=False),
    Column("kind", Text, nullable=False),  # decision; label or appeal: the machine decided, the answer is only compared
    Column("playbook", Text),
    Column("case_id", Text),
    Column("customer_id", Text),
    Column("path", Text, nullable=False),  # assist or human
    Column("blind", Boolean, nullable=False),  # the proposal is withheld until an answer is given
    Column("state", Text, nullable=False),  # waiting, claimed, decided, expired, withdrawn
    Column("shelf", Text, nullable=False),  # free, assigned, claimed, snoozed, paused, closed
    Column("rank", BigInteger, nullable=False),  # ascending: priority downwards, then created_at upwards
    Column("title", Text, nullable=False),
    Column("title_key", _Bytewise, nullable=False),  # casefolded beginning, for search
    Column("segment", Text, nullable=False),
    Column("needs_information", Boolean, nullable=False),
    Column("value_minor", BigInteger),
    Column("priority", Integer, nullable=False),  # 0 to 100, higher first
    Column("role", Text, nullable=False),
    Column("quorum", Integer, nullable=False),  # of people of this role
    Column("needs", Json, nullable=False),  # [[role, people]]: everybody who must agree, this role included
    Column("assignee", Text),  # whose it is: the claimer, or the person it was passed to
    Column("claimed_by", Text),
    Column("claimer_name", Text),
    Column("claimed_until", Instant),
    Column("snoozed_until", Instant),  # the sweep clears it when it has passed
    Column("paused_at", Instant),  # the clock stands still: information was asked for
    Column("clock_left", BigInteger),  # microseconds that were left when it was paused
    Column("due_at", Instant),  # None while paused
    Column("overdue_since", Instant),  # set once, by the sweep
    Column("on_expiry", Text, nullable=False),
    Column("digest", Text, nullable=False),  # of proposal, facts, role and quorum: what a verdict binds to
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("effective_at", Instant),  # until then a verdict can be taken back
    Index("ix_review_ruling_id", "ruling_id"),
    Index("ix_review_case_id", "case_id"),
    Index("ix_review_customer_id", "customer_id", "state", "rank", "id"),
    _open_index("ix_review_open_role", "role", "shelf", "rank", "id"),
    _open_index("ix_review_open_checkpoint", "checkpoint", "role", "shelf", "rank", "id"),
    _open_index("ix_review_open_assignee", "assignee", "shelf", "rank", "id", only=_set("assignee")),
    _open_index("ix_review_open_value_minor", "role", "value_minor", "id", only=_set("value_minor")),
    _open_index("ix_review_open_title_key", "role", "title_key", "id"),
    _open_index(
        "ix_review_open_needs_information",
        "role",
        "rank",
        "id",
        only=Column("needs_information", Boolean).is_(True),
    ),
    _open_index("ix_review_open_overdue_since", "role", "overdue_since", "id", only=_set("overdue_since")),
    _open_index("ix_review_open_label", "role", "rank", "id", only=Column("kind", Text) == literal_column("'label'")),
    # For the sweeps.
    _open_index(
        "ix_review_open_due_at",
        "due_at",
        "id",
        only=and_(_set("due_at"), Column("overdue_since", BigInteger).is_(None)),
    ),
    _open_index("ix_review_open_snoozed_until", "snoozed_until", "id", only=_set("snoozed_until")),
    _open_index("ix_review_open_claimed_until", "claimed_until", "id", only=_set("claimed_until")),
)

# Append-only: every verdict, vote, label, escalation, question, comment, expiry and withdrawal.
verdict = Table(
    "verdict",
    metadata,
    Column("id", Text, primary_key=True),
    Column("review_id", Text, ForeignKey("review.id"), nullable=False),
    Column("verdict", Text, nullable=False),
    Column("actor", Text, nullable=False),  # kind:id
    Column("name", Text, nullable=False),
    Column("answer", Json),
    Column("reason", Text, nullable=False),
    Column("digest", Text, nullable=False),  # what was shown when it was given
    Column("at", Instant, nullable=False),
    Column("undone_at", Instant),
    Index("ix_verdict_review_id", "review_id", "id"),
)

# How many open reviews are in which bucket, as changes that add up. Nobody waits for a counter's row: each
# transaction leaves rows of its own, and the sweep folds them together.
tally = Table(
    "review_tally",
    metadata,
    Column("id", Text, primary_key=True),
    Column("checkpoint", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("bucket", Text, nullable=False),
    Column("change", BigInteger, nullable=False),
    info=exempt("counts what audited transactions did to reviews"),
)
