"""How often and when a customer wants to hear from us; never more than consents allow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fairlead.customers import contact_store, lineage
from fairlead.customers.joining import Word, told_together
from fairlead.customers.living import living
from fairlead.customers.model import check_text
from fairlead.errors import InputError
from fairlead.kit.actors import Actor
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

MAX_PER_WEEK = 1_000
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Preference:
    """A wish about a purpose and a channel; either may be `*`.

    `per_week` is the most messages in seven days, None: no wish. `paused_until` is None where nothing is paused,
    also once it is over. `at` is when it was said; it is set when it is stored.
    """

    purpose: str
    channel: str
    per_week: int | None = None
    paused_until: datetime | None = None
    source: str = ""
    at: datetime | None = None


def set_preference(uow: UnitOfWork, actor: Actor, customer_id: str, preference: Preference) -> str:
    """Write a wish down; the newest about a purpose and a channel counts. The id of the row.

    InputError for a frequency under 1 or over 1,000 a week: who wants nothing withdraws the consent.
    """
    for name in ("purpose", "channel", "source"):
        check_text(name, getattr(preference, name), needed=True)
    wish = preference.per_week
    if wish is not None and not 1 <= wish <= MAX_PER_WEEK:
        message = f"{wish} messages a week are no frequency; it is between 1 and {MAX_PER_WEEK}"
        raise InputError(message, field="per_week")
    customer_id = living(uow, customer_id).id
    values: dict[str, Any] = {
        "purpose": preference.purpose, "channel": preference.channel, "per_week": preference.per_week,
        "paused_until": preference.paused_until, "source": preference.source,
    }  # fmt: skip
    row_id = contact_store.insert_preference(uow, customer_id, values)
    uow.record(AuditEntry("customer.preference_set", customer_id, values, customer_id=customer_id, actor=actor))
    return row_id


def preferences_of(reader: Reader, customer_ids: Sequence[str], now: datetime) -> dict[str, dict[Key, Preference]]:
    """Wishes that count at `now`, by the ids asked for and by (purpose, channel); unknown ids are absent.

    Where merged records wished differently, the rarer frequency and the longer pause count until something newer
    is said.
    """
    kin = lineage.kin_of(reader, customer_ids)
    found = wishes_by_survivor(reader, kin, now)
    return {one: found[survivor] for one, survivor in kin.survivors.items()}


def wishes_by_survivor(reader: Reader, kin: lineage.Kin, now: datetime) -> dict[str, dict[Key, Preference]]:
    """The same for families that are known already, by who stands for them."""
    everyone = list(kin.stands_for)
    words: dict[str, list[Word]] = defaultdict(list)
    for row in contact_store.preferences_of(reader, everyone) if everyone else ():
        said = Preference(row.purpose, row.channel, row.per_week, row.paused_until, row.source, row.at)
        words[kin.stands_for[row.customer_id]].append(
            Word(row.at, row.customer_id, (row.purpose, row.channel), said)
        )  # fmt: skip
    found = {}
    for survivor in set(kin.survivors.values()):
        said_together = told_together(survivor, words[survivor], kin.edges.get(survivor, []), quieter)
        found[survivor] = {key: _now(one, now) for key, one in said_together.items()}
    return found


def quieter(kept: Mapping[Key, Preference], other: Mapping[Key, Preference]) -> dict[Key, Preference]:
    """Wishes of two records: the rarer frequency and the longer pause of each."""
    together = {**other, **kept}
    for key in kept.keys() & other.keys():
        both = (kept[key], other[key])
        rates = [one.per_week for one in both if one.per_week is not None]
        pauses = [one.paused_until for one in both if one.paused_until is not None]
        together[key] = replace(
            kept[key], per_week=min(rates, default=None), paused_until=max(pauses, default=None)
        )  # fmt: skip
    return together


def _now(one: Preference, now: datetime) -> Preference:
    over = one.paused_until is not None and one.paused_until <= now
    return replace(one, paused_until=None) if over else one
