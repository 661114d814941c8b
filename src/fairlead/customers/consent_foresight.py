"""What earlier rows of a file have said, kept aside on disk while nothing is written: the memory of a dry run."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from types import TracebackType
from typing import Self

from fairlead.customers.consents import Said
from fairlead.customers.model import Identity
from fairlead.kit.clock import from_micros, to_micros

_TABLE = """
CREATE TABLE said (seq INTEGER PRIMARY KEY, who TEXT NOT NULL, at INTEGER NOT NULL, id TEXT NOT NULL,
                   purpose TEXT NOT NULL, channel TEXT NOT NULL, state TEXT NOT NULL, expires_at INTEGER)
"""


class SaidBefore:
    """A file of this process alone, without a name, gone at the end; a context manager."""

    def __init__(self) -> None:
        """Empty; its pages spill to disk, so that a file of any length takes no more memory."""
        self._rows = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._rows.execute("PRAGMA journal_mode = OFF")
        self._rows.execute(_TABLE)
        self._rows.execute("CREATE INDEX said_who ON said (who)")

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Forget everything."""
        self._rows.close()

    def of(self, names: Iterable[str]) -> Mapping[str, list[Said]]:
        """What was said before about each of these; those nothing was said about are absent."""
        found: dict[str, list[Said]] = defaultdict(list)
        sql = (
            "SELECT who, at, id, purpose, channel, state, expires_at FROM said "
            "WHERE who IN (SELECT value FROM json_each(?)) ORDER BY seq"
        )
        for who, at, one, purpose, channel, state, ends in self._rows.execute(sql, (json.dumps(sorted(names)),)):
            expires = from_micros(ends) if ends is not None else None
            found[who].append(Said(from_micros(at), one, who, purpose, channel, state, "", "", expires, None))
        return found

    def named(self, identities: Collection[Identity]) -> set[Identity]:
        """Which of these somebody new was first named by."""
        by_name = {":".join(one): one for one in identities}
        sql = "SELECT DISTINCT who FROM said WHERE who IN (SELECT value FROM json_each(?))"
        return {by_name[who] for (who,) in self._rows.execute(sql, (json.dumps(sorted(by_name)),))}

    def add(self, rows: Iterable[tuple[str, Said]]) -> None:
        """Keep what was said, by whom it is about."""
        values = [
            (who, to_micros(one.at), one.id, one.purpose, one.channel, one.state,
             to_micros(one.expires_at) if one.expires_at else None)
            for who, one in rows
        ]  # fmt: skip
        self._rows.execute("BEGIN")
        self._rows.executemany(
            "INSERT INTO said (who, at, id, purpose, channel, state, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)", values
        )
        self._rows.execute("COMMIT")
