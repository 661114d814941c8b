"""The tables of the first release. Written by `make migration`; frozen with the release."""

from __future__ import annotations

from alembic import op

from fairlead.migrations.statements import statements_of

revision = "0001_c508dc07"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them, in an empty database."""
    connection = op.get_bind()
    for statement in statements_of("r0001_initial", connection.dialect.name):
        connection.exec_driver_sql(statement)
