"""Column types and the one table collection; both databases store exactly the same values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Dialect, MetaData, Text
from sqlalchemy.types import TypeDecorator

from fairlead.kit import jsons
from fairlead.kit.clock import from_micros, to_micros

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def exempt(reason: str) -> dict[str, str]:
    """`Table(info=…)` of a table whose writes need no audit entry, with the reason why."""
    return {"audit_exempt": reason}


BOOKKEEPING: Mapping[str, bool] = {"bookkeeping": True}
"""`Column(info=…)` of a column that only says who is working on a row; see `UnitOfWork.bookkeep`."""


class Instant(TypeDecorator[datetime]):
    """An aware datetime, stored as BIGINT microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Refuse naive datetimes at the door."""
        del dialect
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Give back what was stored, in UTC."""
        del dialect
        return None if value is None else from_micros(value)


class Json(TypeDecorator[Any]):
    """Any JSON value, stored as compact TEXT so that bulk writes and digests see one form."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """None stays NULL; JSON null cannot be stored at the top level."""
        del dialect
        return None if value is None else jsons.dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """None for NULL."""
        del dialect
        return None if value is None else jsons.loads(value)
