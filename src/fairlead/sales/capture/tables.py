"""Tables of forms and notes: what was sent in, what was refused, and which changes came of it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text

from fairlead.kit.columns import Instant, Json, exempt, metadata

form_submission = Table(
    "form_submission",
    metadata,
    Column("id", Text, primary_key=True),
    Column("form", Text, nullable=False),
    Column("token_digest", Text, nullable=False, unique=True),  # a token is used once
    Column("content_digest", Text, nullable=False),  # of everything typed: the same click twice is no second post
    Column("text_digest", Text, nullable=False),  # of the longest text; "" when it is short
    Column("lead_id", Text, ForeignKey("lead.id"), nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("is_new", Boolean, nullable=False),  # False: the lead was there already
    Column("signs", Json, nullable=False),  # why it may be spam
    Column("notice_digest", Text),  # of the consent notice that was ticked; None: not ticked
    Column("at", Instant, nullable=False),
    Index("ix_form_submission_form", "form", "at"),
    Index("ix_form_submission_text_digest", "form", "text_digest", "at"),
    Index("ix_form_submission_lead_id", "lead_id"),
)

form_refusal = Table(
    "form_refusal",
    metadata,
    Column("form", Text, primary_key=True),
    Column("kind", Text, primary_key=True),  # honeypot, forged, too_fast, expired, replayed, busy
    Column("posts", BigInteger, nullable=False),
    Column("last_at", Instant, nullable=False),
    info=exempt("counts posts that were refused; holds nothing of what they said"),
)

note = Table(
    "note",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # email, note
    Column("text", Text, nullable=False),  # "" once erased
    Column("found", Json, nullable=False),  # what the rules found in it, [] once erased
    Column("digest", Text, nullable=False),
    Column("playbook", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("customer_id", Text),  # whose it is; None until a new customer is made of it
    Column("added_by", Text, nullable=False),
    Column("added_at", Instant, nullable=False),
    Index("ix_note_case_id", "case_id", unique=True),
    Index("ix_note_customer_id", "customer_id"),
    Index("ix_note_digest", "playbook", "digest"),
)

# What was written because of a note, with what stood there before.
record_change = Table(
    "record_change",
    metadata,
    Column("id", Text, primary_key=True),
    Column("note_id", Text, ForeignKey("note.id"), nullable=False),
    Column("case_id", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("lead_id", Text),  # made of it, None when the customer was known
    Column("changes", Json, nullable=False),  # [{field, old, new}], [] once erased
    Column("decided_by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("undone_at", Instant),
    Column("undone_by", Text),
    Index("ix_record_change_case_id", "case_id", unique=True),
    Index("ix_record_change_customer_id", "customer_id"),
    Index("ix_record_change_note_id", "note_id"),
)

# What is known of a customer beside their profile, and who last set which value; the profile's own fields have a
# row here once a note changed them.
customer_detail = Table(
    "customer_detail",
    metadata,
    Column("customer_id", Text, ForeignKey("customer.id"), primary_key=True),
    Column("field", Text, primary_key=True),
    Column("value", Json),
    Column("set_by", Text, nullable=False),  # kind:id of who decided it
    Column("revision", Integer, nullable=False),
    Column("set_at", Instant, nullable=False),
)
