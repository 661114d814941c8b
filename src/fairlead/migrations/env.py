"""What Alembic runs to apply revisions: on the connection and in the transaction of whoever called it."""

from __future__ import annotations

from alembic import context

from fairlead.migrations import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # on both databases: an upgrade is there whole or not at all
)
context.run_migrations()
