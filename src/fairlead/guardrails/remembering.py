"""What a message was judged by, kept with the answer, so that other rules can judge it again by the same facts.

Addresses and values of flags are left out: no rule reads them. Messages sent before are not kept here; they are the
log itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from fairlead.guardrails.model import Attempt, Consent, Known, Wish
from fairlead.kit.clock import from_micros, to_micros

_VERSION = 1
_OWN = {True: "", False: "no", None: "unknown"}
_OWNED = {words: own for own, words in _OWN.items()}


class Memory(NamedTuple):
    """One asking as it was: the facts but for what was sent before, and what the message said of itself.

    `family` is every id of the customer at that moment. `share` is the holdout's then. `released_at` is when the
    message's place of the try before was given back; None: it had none, or kept it.
    """

    known: Known
    since: datetime | None
    tags: tuple[str, ...]
    automatic: bool
    reply: bool
    family: frozenset[str]
    digest: str
    share: float
    released_at: datetime | None


def remembered(attempt: Attempt, memory: Memory) -> dict[str, Any]:
    """As JSON, without what is as it mostly is."""
    known = memory.known
    values = {
        "since": _micros(attempt.since),
        "tags": sorted(set(attempt.tags)),
        "by_hand": not attempt.automatic,
        "reply": attempt.reply,
        "family": sorted(memory.family - {attempt.customer_id or ""}),
        "digest": memory.digest,
        "share": memory.share,
        "released": _micros(memory.released_at),
        "nobody": not known.customer,
        "erased": known.erased,
        "own": _OWN[known.own_address],
        "no_address": not known.address,
        "unusable": not known.usable,
        "suppressed": list(known.suppressed or ()),
        "consents": [
            [*key, one.state, to_micros(one.at), _micros(one.expires_at), one.doubly]
            for key, one in sorted(known.consents.items())
        ],
        "wishes": [[one.purpose, one.channel, one.per_week, _micros(one.paused_until)] for one in known.wishes],
        "flags": sorted(known.flags),
        "zones": list(known.zones),
        "zone_evidence": known.zone_evidence,
        "countries": list(known.countries),
        "held_out": known.held_out,
        "uncounted": not known.sent_all,
    }
    return {"v": _VERSION} | {name: value for name, value in values.items() if value}


def recalled(values: Mapping[str, Any], customer_id: str | None) -> Memory | None:
    """The asking that `remembered` made; None where it was forgotten with the customer."""
    if values.get("v") != _VERSION:
        return None
    suppressed = values.get("suppressed")
    known = Known(
        customer=not values.get("nobody", False),
        erased=values.get("erased", False),
        own_address=_OWNED[values.get("own", "")],
        address="" if values.get("no_address") else "kept apart",
        usable=not values.get("unusable", False),
        suppressed=(suppressed[0], suppressed[1]) if suppressed else None,
        consents={
            (purpose, channel): Consent(state, from_micros(at), _moment(ends), doubly)
            for purpose, channel, state, at, ends, doubly in values.get("consents", ())
        },
        wishes=tuple(
            Wish(purpose, channel, week, _moment(until)) for purpose, channel, week, until in values.get("wishes", ())
        ),
        flags=dict.fromkeys(values.get("flags", ()), True),
        zones=tuple(values.get("zones", ())),
        zone_evidence=values.get("zone_evidence", ""),
        countries=tuple(values.get("countries", ())),
        held_out=values.get("held_out", False),
        sent_all=not values.get("uncounted", False),
    )
    return Memory(
        known, _moment(values.get("since")), tuple(values.get("tags", ())), not values.get("by_hand", False),
        values.get("reply", False), frozenset({*values.get("family", ()), *filter(None, [customer_id])}),
        values.get("digest", ""), values.get("share", 0.0), _moment(values.get("released")),
    )  # fmt: skip


def _micros(moment: datetime | None) -> int | None:
    return to_micros(moment) if moment else None


def _moment(micros: int | None) -> datetime | None:
    return from_micros(micros) if micros is not None else None
