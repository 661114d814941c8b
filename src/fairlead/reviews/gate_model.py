"""What is asked of the gate and what it says, as plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fairlead.checkpoints import (
    Approval,
    Asked,
    CheckpointPolicy,
    Path,
    Ruled,
)
from fairlead.customers import Identity
from fairlead.kit import jsons
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.money import currency_exponent
from fairlead.kit.unit_of_work import Reader

KEY_LIFE = timedelta(days=30)

PolicySource = Callable[[Reader, str], CheckpointPolicy]
"""The deployed policy of a checkpoint; NotFoundError, with what was probably meant, when there is none."""


@dataclass(frozen=True, slots=True)
class GateTerms:
    """What is the same for every request: `seed` keys the draws, `secret` the approval tokens.

    `currency` is the workspace's, ISO 4217.
    """

    seed: bytes = field(repr=False)
    secret: bytes = field(repr=False)
    approval_life: timedelta = timedelta(minutes=15)
    currency: str = "EUR"

    @property
    def minor_digits(self) -> int:
        """Decimal places of the currency's minor unit."""
        return currency_exponent(self.currency)


@dataclass(frozen=True, slots=True)
class GateRequest:
    """What a program asks.

    `value` is in whole units, `currency` None means the workspace's. The customer is given by `customer_id`
    or by
    an `identity` that was normalised, or not at all. `flags` are what the caller says of the customer.
    """

    checkpoint: str
    key: str
    answer: Mapping[str, Any]
    producer: str
    score: float | None = None
    value: Decimal | None = None
    currency: str | None = None
    customer_id: str | None = None
    identity: Identity | None = None
    flags: tuple[str, ...] = ()
    signals: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""

    @property
    def digest(self) -> str:
        """Of everything but the key: the same key with another digest is a conflict."""
        body = [
            self.checkpoint, self.answer, self.producer, self.score,
            None if self.value is None else str(self.value), self.currency, self.customer_id, self.identity,
            sorted(self.flags), self.signals, self.title,
        ]  # fmt: skip
        return jsons.digest(body)


@dataclass(frozen=True, slots=True)
class Standing:
    """A decision as it stands at `now`; `approval` only while there is something to execute, for the asker
    alone.
    """

    asked: Asked
    now: datetime
    review_id: str | None = None
    approval: Approval | None = None

    @property
    def state(self) -> str:
        """waiting, decided or blocked."""
        return self.asked.state(self.now)


def asked_from(ruled: Ruled) -> Asked:
    """What `find_asked` would read back of a ruling just stored."""
    ruling, ask = ruled.ruling, ruled.ask
    one = Asked(
        ruled.id, ruling.checkpoint, ask.decision_key, ask.customer_id, ruling.path.value,
        {"answer": ask.proposal.answer, "signals": ask.proposal.signals}, ruling.as_dict(), ruled.at,
    )  # fmt: skip
    if ruling.path is Path.AUTO:
        by = str(Actor(ActorKind.MACHINE, ruling.producer))
        answer = ask.proposal.answer
        return replace(one, verdict="auto", answer=answer, decided_by=by, reason="", effective_at=ruled.at)
    if ruling.path is Path.BLOCKED:
        why = ", ".join(ruling.rules)
        return replace(one, verdict="blocked", decided_by="system:policy", reason=why, effective_at=ruled.at)
    return one
