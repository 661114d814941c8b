"""Flags that count for a customer now, each with where it is known from and when it ends."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairlead.customers import lineage, store
from fairlead.customers.joining import Word, either, told_together
from fairlead.customers.sensitive import SENSITIVE_FLAGS
from fairlead.kit.unit_of_work import Reader


@dataclass(frozen=True, slots=True)
class KnownFlag:
    """A flag that counts now; `owner` answers for it, `expires_at` None: until it is taken back."""

    flag: str
    value: Any
    source: str
    owner: str
    set_at: datetime
    expires_at: datetime | None


def flags_by_survivor(reader: Reader, kin: lineage.Kin, now: datetime) -> dict[str, dict[str, Any]]:
    """Flags that count at `now` with their values, by who stands for the family; who has none is absent."""
    flags: dict[str, list[Word]] = defaultdict(list)
    for one, flag, value, at in store.flags_of(reader, list(kin.stands_for), now):
        flags[kin.stands_for[one]].append(Word(at, one, flag, value))
    return {one: told_together(one, words, kin.edges.get(one, []), either) for one, words in flags.items()}


def flags_of(reader: Reader, customer_id: str, now: datetime, *, sensitive: bool) -> list[KnownFlag]:
    """The flags of all records of this customer by name; delicate ones are absent unless `sensitive`."""
    kin = lineage.kin_of(reader, [customer_id])
    survivor = kin.survivors.get(customer_id)
    if survivor is None:
        return []
    words = [
        Word(row.set_at, row.customer_id, row.flag, None if row.value is None else row)
        for row in store.flag_rows(reader, list(kin.stands_for), now)
    ]
    rows = told_together(survivor, words, kin.edges.get(survivor, []), either)
    return [
        KnownFlag(name, row.value, row.source, row.owner, row.set_at, row.expires_at)
        for name, row in sorted(rows.items())
        if sensitive or name not in SENSITIVE_FLAGS
    ]
