"""A day's work reached over HTTP, as in tests/api."""

from __future__ import annotations

from tests.api.conftest import light_world, postgres_world, prepared_postgres, prepared_sqlite, world

__all__ = ["light_world", "postgres_world", "prepared_postgres", "prepared_sqlite", "world"]
