"""Other rules on what was asked before: pure, one customer after another.

Every asking is judged by the facts of its own moment. Places under caps are given anew, in order of time: a message
that the rules would not have let go takes none, and one that only they would have let go counts as accepted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from fairlead.guardrails.caps import longest
from fairlead.guardrails.judging import judge
from fairlead.guardrails.model import Attempt, Code, PurposeClass, Sent, Verdict
from fairlead.guardrails.remembering import Memory
from fairlead.guardrails.rules import ContactRules

EXAMPLES = 5
"""How many messages are named for each change of verdict and reason."""
ERASED = "erased"
"""Why an asking cannot be judged again: its facts went with the customer."""
_TOLD_EVERY = 1_000
_PRUNED_ABOVE = 512


@dataclass(frozen=True, slots=True)
class Asked:
    """One asking of the log. `memory` None: what it was judged by was erased.

    `party` is the customer with all records that were ever one with it, "" for addresses of nobody known.
    `released_at` is when the place that it got was given back, `revived_at` when it proved to be accepted after all.
    """

    id: str
    at: datetime
    key: str
    party: str
    customer_id: str | None
    channel: str
    purpose: str
    cls: str
    sender: str
    verdict: Verdict
    code: Code
    memory: Memory | None
    released_at: datetime | None = None
    revived_at: datetime | None = None


class Fate(NamedTuple):
    """What was last said to a message."""

    verdict: Verdict
    code: Code


class Change(NamedTuple):
    """From what was said to what the other rules say."""

    old: Fate
    new: Fate

    @property
    def differs(self) -> bool:
        """Whether the verdict is another; the reason alone is none."""
        return self.old.verdict is not self.new.verdict


class Example(NamedTuple):
    """A message for which it would be another: `words` are what the other rules say. `id` is its line in the log."""

    id: str
    at: datetime
    key: str
    customer_id: str | None
    channel: str
    purpose: str
    change: Change
    words: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What other rules make of the messages asked about from `since` to `until`.

    A message is what has one key; it counts once, by what was last said to it in that time. `messages` counts them by
    change, `purposes` by purpose and change, `unknown` counts those that cannot be judged, by why. `askings` counts
    every single asking by change; `version` is that of the rules.
    """

    version: str
    since: datetime
    until: datetime
    messages: Counter[Change] = field(default_factory=Counter)
    askings: Counter[Change] = field(default_factory=Counter)
    purposes: Counter[tuple[str, Change]] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    examples: dict[Change, list[Example]] = field(default_factory=lambda: defaultdict(list))

    @property
    def total(self) -> int:
        """How many messages were asked about, also those that cannot be judged."""
        return self.messages.total() + self.unknown.total()

    def moved(self, old: Verdict, new: Verdict) -> int:
        """How many messages of one verdict have another by these rules."""
        return sum(n for one, n in self.messages.items() if (one.old.verdict, one.new.verdict) == (old, new))


@dataclass(slots=True)
class _Place:
    """A message's place: with whom it counts, since which asking, and when it does not."""

    sent: Sent
    id: str
    customer_id: str | None
    digest: str
    released_at: datetime | None
    revived_at: datetime | None
    assumed: bool

    def counts(self, asked: Asked, floor: datetime) -> bool:
        if (self.sent.at, self.id) >= (asked.at, asked.id) or self.sent.at <= floor:
            return False
        given_back = self.released_at is not None and self.released_at <= asked.at
        return not given_back or (self.revived_at is not None and self.revived_at <= asked.at)


@dataclass(slots=True)
class _Told:
    """What is known of one message so far; `change` None: it cannot be judged."""

    asked: Asked
    change: Change | None
    words: str = ""


Drawn = Callable[[Collection[str]], bool]


def replay(
    rules: ContactRules,
    history: Iterable[Asked],
    since: datetime,
    until: datetime,
    *,
    drawn: Drawn | None = None,
    progress: Callable[[int], None] | None = None,
) -> Replay:
    """Judge what was asked again by these rules.

    `history` has messages to nobody known first, by time; then one party after the other, each by time. What was
    asked before `since` is not judged and keeps the places that it got, so the history should begin earlier by the
    longest cap. `drawn` says whether these records would be held out by the rules' own share; None: by the draw
    that was made then. `progress` is told every thousandth asking. Memory holds one customer's messages at a time,
    and all to nobody known.
    """
    run = _Run(rules, Replay(rules.version, since, until), drawn)
    for number, asked in enumerate(history, 1):
        run.take(asked)
        if progress is not None and number % _TOLD_EVERY == 0:
            progress(number)
    run.end()
    return run.found


class _Run:
    """The state between two askings."""

    def __init__(self, rules: ContactRules, found: Replay, drawn: Drawn | None) -> None:
        self.found = found
        self._rules, self._drawn, self._reach = rules, drawn, longest(rules)
        self._party = ""
        self._places: dict[str, _Place] = {}
        self._recent: dict[str, _Place] = {}  # of them, those that may still count
        self._told: dict[str, _Told] = {}
        self._nobodys: dict[str, _Place] = {}
        self._by_digest: dict[str, list[_Place]] = defaultdict(list)
        self._nobodys_told: dict[str, _Told] = {}

    def take(self, asked: Asked) -> None:
        """The next one."""
        if asked.party != self._party:
            self._settle(self._told)
            self._places, self._recent, self._told, self._party = {}, {}, {}, asked.party
        if asked.at < self.found.since:
            if asked.verdict is Verdict.ALLOWED:
                self._place(asked, PurposeClass(asked.cls), assumed=False)
            return
        told = self._nobodys_told if asked.party == "" or asked.key in self._nobodys_told else self._told
        memory = asked.memory
        if memory is None:
            if asked.verdict is Verdict.ALLOWED:
                self._place(asked, PurposeClass(asked.cls), assumed=False)
            told[asked.key] = _Told(asked, None)
            return
        fate, words, cls = self._judged(asked, memory)
        if fate.verdict is Verdict.ALLOWED:
            self._place(asked, cls, assumed=asked.verdict is not Verdict.ALLOWED)
        change = Change(Fate(asked.verdict, asked.code), fate)
        self.found.askings[change] += 1
        told[asked.key] = _Told(asked, _last(change), words)

    def end(self) -> None:
        """Nothing comes any more."""
        self._settle(self._told)
        self._settle(self._nobodys_told)

    def _judged(self, asked: Asked, memory: Memory) -> tuple[Fate, str, PurposeClass]:
        own = self._places.get(asked.key) or self._nobodys.get(asked.key)
        known = replace(memory.known, sent=self._sent(asked, memory), held_out=self._held_out(memory))
        attempt = Attempt(
            asked.key, asked.customer_id, asked.channel, "", asked.purpose, asked.sender, tags=memory.tags,
            automatic=memory.automatic, reply=memory.reply, since=memory.since,
        )  # fmt: skip
        answer = judge(self._rules, attempt, known, asked.at)
        cls = PurposeClass(answer.facts["class"])
        if own is not None and (own.assumed or asked.code is Code.ALREADY_SENT):
            return Fate(Verdict.REFUSED, Code.ALREADY_SENT), "This very message was accepted before.", cls
        return Fate(answer.verdict, answer.code), answer.words, cls

    def _held_out(self, memory: Memory) -> bool:
        if self._drawn is None or memory.share == self._rules.holdout_share:
            return memory.known.held_out
        return self._drawn(memory.family)

    def _sent(self, asked: Asked, memory: Memory) -> tuple[Sent, ...]:
        floor = asked.at - self._reach
        if len(self._recent) > _PRUNED_ABOVE:
            self._recent = {key: one for key, one in self._recent.items() if one.sent.at > floor}
        mine = [one for key, one in self._recent.items() if key != asked.key and one.customer_id in memory.family]
        mine += self._by_digest.get(memory.digest, ()) if memory.digest else ()
        own = self._nobodys.get(asked.key)
        return tuple(one.sent for one in mine if one is not own and one.counts(asked, floor))

    def _place(self, asked: Asked, cls: PurposeClass, *, assumed: bool) -> None:
        tags = frozenset(asked.memory.tags if asked.memory else ())
        sent = Sent(asked.at, asked.channel, asked.purpose, cls, tags)
        place = _Place(
            sent, asked.id, asked.customer_id, asked.memory.digest if asked.memory else "", asked.released_at,
            asked.revived_at, assumed,
        )  # fmt: skip
        if before := self._nobodys.get(asked.key):  # it keeps the record that it was first asked for
            self._by_digest[before.digest].remove(before)
            place.digest = before.digest
        elif asked.party:
            self._places[asked.key] = self._recent[asked.key] = place
            return
        self._nobodys[asked.key] = place
        if place.digest:
            self._by_digest[place.digest].append(place)

    def _settle(self, told: dict[str, _Told]) -> None:
        found = self.found
        for one in told.values():
            if one.change is None:
                found.unknown[ERASED] += 1
                continue
            found.messages[one.change] += 1
            found.purposes[one.asked.purpose, one.change] += 1
            if one.change.differs and len(found.examples[one.change]) < EXAMPLES:
                a = one.asked
                example = Example(a.id, a.at, a.key, a.customer_id, a.channel, a.purpose, one.change, one.words)
                found.examples[one.change].append(example)


def _last(change: Change) -> Change:
    """What a message has come to: `already_sent` says that it went."""
    went = Fate(Verdict.ALLOWED, Code.ALLOWED)
    return Change(*(went if one.code is Code.ALREADY_SENT else one for one in change))
