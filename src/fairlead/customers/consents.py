"""What consents say together, as pure rules: which word counts, when it ends, whether its notice is old."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from fairlead.customers.joining import Edge
from fairlead.customers.model import ConsentState

ALL = "*"
EXPIRED = "expired"
_GIVEN, _WITHDRAWN, _PENDING = ConsentState.GIVEN.value, ConsentState.WITHDRAWN.value, ConsentState.PENDING.value
Key = tuple[str, str]
"""(purpose, channel); either may be `*` where everything was withdrawn at once."""


@dataclass(frozen=True, slots=True)
class Notice:
    """The wording that a customer was shown; `version` counts from 1 per name and language."""

    id: str
    name: str
    version: int
    language: str
    digest: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What counts now for a purpose and a channel.

    `state` is `given`, `withdrawn`, `pending` (asked, not confirmed) or `expired`. `notice` is what was shown, None
    where that is not known; `outdated` when the same notice has another text now.
    """

    state: str
    at: datetime
    expires_at: datetime | None
    mechanism: str
    notice: Notice | None
    source: str
    outdated: bool
    consent_id: str = ""


@dataclass(frozen=True, slots=True)
class Downstream:
    """A system that is told; `purposes` empty means of every purpose."""

    name: str
    connector: str
    purposes: tuple[str, ...] = ()


class Said(NamedTuple):
    """A row of the ledger, as far as it decides what counts."""

    at: datetime
    id: str
    customer_id: str
    purpose: str
    channel: str
    state: str
    mechanism: str
    source: str
    expires_at: datetime | None
    notice_id: str | None


class Notices(NamedTuple):
    """The notices that rows name, by id, and the digest of the newest text by (name, language)."""

    by_id: Mapping[str, Notice]
    newest: Mapping[tuple[str, str], str]


def standings_of(
    survivor: str, said: Iterable[Said], edges: Sequence[Edge], now: datetime, notices: Notices
) -> dict[Key, Standing]:
    """What counts at `now` for each purpose and channel that anything was said about.

    The newest word counts, and a withdrawal of `*` is a word about everything it covers. Records that were merged
    count together: where either had withdrawn at that moment it is withdrawn, until something newer is said.
    A question (`pending`) does not take back what stands given.
    """
    rows = sorted(said, key=lambda one: (one.at, one.id))
    found = {}
    for key in dict.fromkeys((one.purpose, one.channel) for one in rows):
        counts = _replay(survivor, [one for one in rows if _covers(one, key)], edges, now)
        if counts is not None:
            found[key] = _standing(counts, now, notices)
    return found


def standing_for(standings: Mapping[Key, Standing], purpose: str, channel: str) -> Standing | None:
    """What counts for exactly this purpose and channel; None when nothing was ever said about it."""
    exact = standings.get((purpose, channel))
    if exact is not None:
        return exact
    wide = [standings[key] for key in ((purpose, ALL), (ALL, channel), (ALL, ALL)) if key in standings]
    return max(wide, key=lambda one: one.at, default=None)


def covers(said: Key, asked: Key) -> bool:
    """Whether a word about `said` is one about `asked`."""
    return all(one in {ALL, other} for one, other in zip(said, asked, strict=True))


def _covers(one: Said, key: Key) -> bool:
    exact = (one.purpose, one.channel)
    return exact == key or (one.state == _WITHDRAWN and covers(exact, key))


def _replay(survivor: str, said: Sequence[Said], edges: Sequence[Edge], now: datetime) -> Said | None:
    current: dict[str, Said] = {}
    happened: list[tuple[datetime, int, Said | Edge]] = [(one.at, 0, one) for one in said]
    happened += [(edge.at, 1, edge) for edge in edges]
    for _, _, one in sorted(happened, key=lambda item: item[:2]):
        if isinstance(one, Edge):
            joined = _stricter(current.get(one.kept_id), current.pop(one.other_id, None), now)
            if joined is not None:
                current[one.kept_id] = joined
        elif one.state != _PENDING or _state(current.get(one.customer_id), now) != _GIVEN:
            current[one.customer_id] = one
    return current.get(survivor)


def _stricter(kept: Said | None, other: Said | None, now: datetime) -> Said | None:
    both = [one for one in (kept, other) if one is not None]
    order = {_WITHDRAWN: 3, _GIVEN: 2, _PENDING: 1, EXPIRED: 0}
    return max(both, key=lambda one: (order[_state(one, now)], one.at, one.id), default=None)


def _state(one: Said | None, now: datetime) -> str:
    if one is None:
        return ""
    over = one.state == _GIVEN and one.expires_at is not None and one.expires_at <= now
    return EXPIRED if over else one.state


def _standing(one: Said, now: datetime, notices: Notices) -> Standing:
    notice = notices.by_id.get(one.notice_id) if one.notice_id else None
    outdated = notice is not None and notices.newest.get((notice.name, notice.language)) != notice.digest
    return Standing(
        _state(one, now), one.at, one.expires_at, one.mechanism, notice, one.source, outdated, one.id
    )  # fmt: skip
