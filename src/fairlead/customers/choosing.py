"""What a customer chooses for themselves on a page behind a signed link; each is in force once it is committed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fairlead.customers.consenting import record_consent
from fairlead.customers.consents import ALL, Key
from fairlead.customers.leaving import reaches_of, turn_off
from fairlead.customers.ledger import consents_of
from fairlead.customers.living import living
from fairlead.customers.model import ConsentRecord, ConsentState
from fairlead.customers.noticing import publish_notice
from fairlead.customers.preferring import Preference, preferences_of, set_preference
from fairlead.customers.privacy_signal import record_privacy_signal
from fairlead.customers.suppressing import PROMOTIONAL, lift_suppression, suppressions_of
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class TurnedOn:
    """A consent given by turning a switch on; `notice` is the wording beside it, in `language`."""

    purpose: str
    channel: str
    mechanism: str
    notice: str
    language: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What was changed, nothing else: a switch that was left as it was shown is in neither list.

    `paces` are messages a week by (purpose, channel), None: as they come. `new_pause` says that `paused_until` is
    to be set, None then ends a break. `keeps_private`: the browser asked that nothing is sold or shared.
    """

    off: tuple[Key, ...] = ()
    on: tuple[TurnedOn, ...] = ()
    paces: Mapping[Key, int | None] = field(default_factory=dict)
    new_pause: bool = False
    paused_until: datetime | None = None
    keeps_private: bool = False


def choose(uow: UnitOfWork, customer_id: str, choices: Choices, *, source: str) -> bool:
    """Write down what a customer chose; False when all of it stood already. ConflictError once they are erased."""
    survivor = living(uow, customer_id).id
    me = Actor(ActorKind.CUSTOMER, survivor)
    said = consents_of(uow, [survivor], uow.now)[survivor]
    changed = False
    for key in choices.off:
        changed |= turn_off(uow, me, said, key, "preference_page", source, {})
    for one in choices.on:
        _turn_on(uow, me, one, source)
        changed = True
    wishes = preferences_of(uow, [survivor], uow.now)[survivor]
    for key, pace in choices.paces.items():
        before = wishes.get(key)
        if pace != (before.per_week if before else None):
            paused = before.paused_until if before else None
            set_preference(uow, me, survivor, Preference(*key, pace, paused, source))
            changed = True
    whole = wishes.get((ALL, ALL))
    if choices.new_pause and choices.paused_until != (whole.paused_until if whole else None):
        pace = whole.per_week if whole else None
        set_preference(uow, me, survivor, Preference(ALL, ALL, pace, choices.paused_until, source))
        changed = True
    if choices.keeps_private:
        changed |= record_privacy_signal(uow, me, survivor, source=source, where="preference page")
    return changed


def _turn_on(uow: UnitOfWork, me: Actor, one: TurnedOn, source: str) -> None:
    notice = publish_notice(uow, me, f"preferences/{one.purpose}/{one.channel}"[:100], one.language, one.notice)
    given = ConsentRecord(
        one.purpose, one.channel, ConsentState.GIVEN, one.mechanism, source, {"page": "preferences"}, notice.id,
        one.expires_at,
    )  # fmt: skip
    record_consent(uow, me, me.id, given)
    # An earlier "stop everything" suppressed the address as well; hard bounces and the like stay.
    for channel, address in reaches_of(uow, me.id):
        found = suppressions_of(uow, [(channel, address)]).get((channel, address)) if channel == one.channel else None
        if found is not None and found.scope == PROMOTIONAL:
            lift_suppression(
                uow, me, channel, address, reason="turned on again by the customer", source=source, scope=PROMOTIONAL
            )
