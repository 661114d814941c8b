"""Tables of mail: what was handed to a mail server, and what came back."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text, text

from fairlead.kit.columns import Instant, exempt, metadata

# One row per message, written before it is sent: it is how a message is sent at most once, and how an answer to it
# is recognised. The id is what its Message-ID and its bounce address carry.
mail_sent = Table(
    "mail_sent",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),  # idempotency key of the action
    Column("message_id", Text, nullable=False),
    Column("customer_id", Text),
    Column("address", Text, nullable=False),  # as it was written to; "" once the customer is erased
    Column("purpose", Text, nullable=False),
    Column("thread", Text, nullable=False),
    Column("state", Text, nullable=False),  # sending, accepted, refused, failed, unknown
    Column("words", Text, nullable=False),  # the server's
    Column("attempt", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_mail_sent_thread", "customer_id", "thread", "at", sqlite_where=text("thread <> ''"),
          postgresql_where=text("thread <> ''")),
    Index("ix_mail_sent_customer_id", "customer_id"),
    Index("ix_mail_sent_at", "at"),
    info=exempt("the outbox records the same sending"),
)  # fmt: skip

# One row per message that came in, by the digest of its bytes; the message itself is not kept.
mail_taken = Table(
    "mail_taken",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),  # bounce, complaint, automatic, loop, unsubscribe, reply, notice
    Column("strength", Text, nullable=False),  # of a bounce: hard, soft
    Column("code", Text, nullable=False),  # enhanced status, 5.1.1
    Column("words", Text, nullable=False),
    Column("mail_id", Text),  # the message that it answers
    Column("customer_id", Text),
    Column("address", Text, nullable=False),  # who is meant; "" unknown, or erased
    Column("at", Instant, nullable=False),
    Index("ix_mail_taken_address", "address", "strength", "at"),
    Index("ix_mail_taken_customer_id", "customer_id"),
)
