"""How fast an outlet is used, and when it is left alone: token buckets and circuit breakers as pure arithmetic."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fairlead.errors import InputError

MAX_RATE, MAX_BURST = 10_000.0, 100_000
_RATE = re.compile(r"([a-z][a-z0-9_/-]{0,80})=([0-9]{1,9})/([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `per_s` deliveries a second in the long run, and `burst` at once. InputError out of 0 to 10,000."""

    per_s: float
    burst: int = 1

    def __post_init__(self) -> None:
        """Refuse a rate at which nothing would ever be sent."""
        if not (0 < self.per_s <= MAX_RATE and 1 <= self.burst <= MAX_BURST):
            message = f"a rate is above 0 and at most {MAX_RATE:,.0f} a second, with a burst of 1 to {MAX_BURST:,}"
            raise InputError(message, field="rate")


def parse_rates(text: str) -> dict[str, Rate]:
    """`message/email=600/m, webhook=5/s` as rates by connector or outlet; at most a second's worth goes at once.

    InputError names what cannot be read.
    """
    rates = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        found = _RATE.fullmatch(part)
        if found is None:
            message = f"{part!r:.80} is no rate; write NAME=COUNT/s, /m, /h or /d, such as message/email=600/m"
            raise InputError(message, field="delivery_rates")
        per_s = int(found[2]) / _SECONDS[found[3]]
        rates[found[1]] = Rate(per_s, max(1, round(per_s)))
    return rates


@dataclass(frozen=True, slots=True)
class Breaker:
    """Opens after so many failures in a row; tries one delivery after a pause that grows with each failed trial.

    `after` stands above the attempts of one action, so that one bad message alone does not stop its neighbours.
    """

    after: int = 8
    first_s: float = 30.0
    factor: float = 2.0
    longest_s: float = 900.0

    def pause(self, times: int) -> timedelta:
        """How long an outlet is left alone after its breaker opened for the `times`-th time in a row, from 1."""
        return timedelta(seconds=min(self.longest_s, self.first_s * self.factor ** min(max(times, 1) - 1, 32)))


@dataclass(frozen=True, slots=True)
class OutletState:
    """How an outlet does; `opened_at` None: its breaker is closed. `tokens` as of `tokens_at`."""

    name: str
    tokens: float
    tokens_at: datetime
    failures: int = 0
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    pauses: int = 0
    problem: str = ""

    def refilled(self, rate: Rate, now: datetime) -> OutletState:
        """With the tokens that came since."""
        gained = max(0.0, (now - self.tokens_at).total_seconds()) * rate.per_s
        return replace(self, tokens=min(float(rate.burst), self.tokens + gained), tokens_at=max(now, self.tokens_at))

    def room(self, rate: Rate | None, now: datetime, most: int) -> int:
        """How many deliveries may be begun now; an open breaker lets one through once its pause is over."""
        if self.opened_at is not None:
            most = 1 if self.probe_at is None or self.probe_at <= now else 0
        return most if rate is None else min(most, int(self.refilled(rate, now).tokens + 1e-9))

    def ready_at(self, rate: Rate | None, now: datetime) -> datetime:
        """The first moment at which there is room; now where there is."""
        moment = now
        if self.opened_at is not None and self.probe_at is not None:
            moment = max(moment, self.probe_at)
        if rate is not None:
            missing = max(0.0, 1.0 - self.refilled(rate, now).tokens)
            moment = max(moment, now + timedelta(seconds=missing / rate.per_s))
        return moment

    def begun(self, rate: Rate | None, breaker: Breaker, now: datetime, count: int) -> OutletState:
        """After `count` deliveries were taken on; a trial keeps others away for as long as a pause lasts."""
        state = self if rate is None else self.refilled(rate, now)
        tokens = state.tokens if rate is None else max(0.0, state.tokens - count)
        probe = now + breaker.pause(self.pauses) if self.opened_at is not None else self.probe_at
        return replace(state, tokens=tokens, probe_at=probe)

    def after(self, worked: bool, breaker: Breaker, now: datetime, problem: str) -> OutletState:  # noqa: FBT001
        """After one delivery: a success closes the breaker, a failure opens it where it is one too many."""
        if worked:
            return replace(self, failures=0, opened_at=None, probe_at=None, pauses=0, problem="")
        failures = self.failures + 1
        if self.opened_at is None and failures < breaker.after:
            return replace(self, failures=failures, problem=problem)
        pauses = self.pauses + 1
        return replace(
            self, failures=failures, opened_at=self.opened_at or now, probe_at=now + breaker.pause(pauses),
            pauses=pauses, problem=problem,
        )  # fmt: skip
