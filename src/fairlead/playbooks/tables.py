"""Tables of the playbooks: bundles, deployments, cases, results of io steps."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Text

from fairlead.kit.columns import BOOKKEEPING, Instant, Json, exempt, metadata

# Content-addressed: the files of a workspace as they were deployed.
bundle = Table(
    "bundle",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("files", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
)

# Append-only; the newest row is what new cases use.
deployment = Table(
    "deployment",
    metadata,
    Column("id", Text, primary_key=True),
    Column("bundle", Text, ForeignKey("bundle.digest"), nullable=False),
    Column("deployed_by", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

_open = Column("ended_at", BigInteger).is_(None)
_ended = Column("ended_at", BigInteger).is_not(None)


def _open_index(name: str, *columns: str) -> Index:
    return Index(name, *columns, sqlite_where=_open, postgresql_where=_open)


case = Table(
    "playbook_case",
    metadata,
    Column("id", Text, primary_key=True),
    Column("playbook", Text, nullable=False),
    Column("bundle", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("state", Text, nullable=False),  # ready, waiting, paused, exception, ended
    Column("lane", Text, nullable=False),  # interactive, timers, import
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("customer_id", Text),
    Column("serial_key", Text),
    Column("parent_id", Text),
    Column("facts", Json, nullable=False),  # the subject as it arrived and what the stages found
    Column("due_at", Instant, nullable=False),  # ready: not before; waiting: the timer
    Column("wait_type", Text),
    Column("wait_key", Text),
    Column("mark_at", Instant, nullable=False),  # events before it are not this wait's
    Column("signal", Json),  # what ended the wait: {"outcome": …}; read by the stage that waited
    Column("attempt", Integer, nullable=False),
    Column("hops", Integer, nullable=False),  # stages entered so far; bounds loops
    Column("automatic", Text),  # the checkpoint whose automatic decision sent it here; NULL after a person's
    Column(
        "leases", Integer, nullable=False, info=dict(BOOKKEEPING)
    ),  # since it last moved; many mean that it kills its workers
    Column("version", Integer, nullable=False),
    Column("lease_token", Text, info=dict(BOOKKEEPING)),
    Column("lease_until", Instant, info=dict(BOOKKEEPING)),
    Column("problem", Json),  # of a case in the exceptions queue: stage, code, words
    Column("resume", Json),  # of a paused case: what to put back
    Column("end", Text),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index("ix_playbook_case_subject", "subject_kind", "subject_id"),
    Index("ix_playbook_case_parent_id", "parent_id"),
    _open_index("ix_playbook_case_ready", "state", "lane", "due_at"),
    _open_index("ix_playbook_case_wait", "wait_key", "wait_type"),
    _open_index("ix_playbook_case_customer_id", "customer_id"),
    _open_index("ix_playbook_case_stage", "playbook", "stage", "state", "changed_at"),
    _open_index("ix_playbook_case_bundle", "playbook", "bundle"),
    Index(
        "ix_playbook_case_ended",
        "playbook",
        "ended_at",
        "end",
        "created_at",
        sqlite_where=_ended,
        postgresql_where=_ended,
    ),
    Index("ix_playbook_case_lease_token", "lease_token"),
)

# Results of io steps, stored as they arrive: a crash or a split chunk never pays twice.
step_result = Table(
    "step_result",
    metadata,
    Column("case_id", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("input_digest", Text, nullable=False),
    Column("result", Json, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("case_id", "stage", "attempt", "input_digest"),
    info=exempt("the transition that uses the result is audited"),
)
