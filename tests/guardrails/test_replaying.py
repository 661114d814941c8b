"""Other rules on the log: what was said comes out again by the same rules, and by others what they would have said."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, given, settings, strategies as st

from fairlead.audit import Trail
from fairlead.customers import Preference, learn_zone, merge, set_preference, unmerge
from fairlead.errors import FairleadError, InputError
from fairlead.guardrails import (
    Replay,
    Verdict,
    contact_log,
    forget_contacts,
    parse_rules,
    replay_json,
    replay_line,
    replay_log,
    replay_table,
)
from fairlead.kit.database import Database
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.testing.clock import FakeClock
from tests.guardrails.desk import RULES, USER, Desk

if TYPE_CHECKING:
    from collections.abc import Callable

MONTH = timedelta(days=30)
MANY = """\
purposes:
  service: {class: transactional}
  alerts: {class: service_alert}
  sales: {class: promotional, mechanism: opt_out}
  news: {class: promotional, mechanism: opt_in, double: true, expires: 2d, channels: [email]}
quiet_hours:
  - {name: nights, from: "21:00", to: "08:00"}
caps:
  - {name: few, most: 2, per: 30h, expires: 3d}
  - {name: tagged, most: 1, per: day, tags: [a], counts: [promotional, transactional], when_full: drop}
human_only: {flags: [vulnerable]}
complaint: {off: [promotional]}
holdout: {share: 0.2}
"""
LATER = "stranger@example.test"
"""Of nobody known at first."""
PEOPLE = ("p0@example.test", "p1@example.test", "p2@example.test")
PURPOSES = ("sales", "sales", "sales", "sales", "news", "service", "alerts", "nothing")
STEPS = {
    "ask": 60, "settle": 25, "wait": 12, "consent": 4, "flag": 1, "zone": 1, "wish": 1, "suppress": 0.5, "merge": 3,
    "unmerge": 2,
}  # fmt: skip
"""How often each thing happens."""


def asked_by_chance(chance: Random) -> tuple[Any, ...]:
    """For whom, which of seven messages, and what is said of it."""
    more: dict[str, Any] = {"purpose": chance.choice(PURPOSES)}
    if chance.random() < 0.3:
        more["tags"] = chance.choice((("a",), ("b",), ("a", "b")))
    if chance.random() < 0.3:
        more |= {"automatic": False, "reply": chance.random() < 0.5}
    if chance.random() < 0.3:
        more["address"] = chance.choice((*PEOPLE, LATER, LATER))
        more |= {"customer_id": None} if chance.random() < 0.6 else {}
    return chance.randrange(3), chance.randrange(7), more


SETTLED = ("accepted", "not_sent", "not_sent", "unknown")
DRAWN: dict[str, Callable[[Random], tuple[Any, ...]]] = {
    "ask": asked_by_chance,
    "settle": lambda c: (c.randrange(4), c.choice(SETTLED)),
    "wait": lambda c: (c.choice((1, 70, 400, 1_500)),),
    "consent": lambda c: (c.randrange(3), c.choice(("given", "given", "withdrawn")), c.choice(("news", "sales"))),
    "flag": lambda c: (c.randrange(3), c.choice(("vulnerable", "complaint_open", "restricted"))),
    "zone": lambda c: (c.randrange(3), c.choice(("Asia/Tokyo", "America/New_York"))),
    "wish": lambda c: (c.randrange(3), c.randint(1, 2)),
    "suppress": lambda c: (c.choice(PEOPLE), c.choice(("all", "promotional"))),
    "merge": lambda c: (c.randrange(3), c.randrange(3)),
    "unmerge": lambda c: (c.randrange(3),),
}


def life(chance: Random, length: int) -> list[tuple[Any, ...]]:
    """What happens, in order; so that caps fill up and places are given back, most of it is asking and settling."""
    made = [(verb, *DRAWN[verb](chance)) for verb in chance.choices(list(STEPS), list(STEPS.values()), k=length)]
    made.insert(length // 2, ("appear",))
    return made


class World:
    """A desk in which things happen by chance; each takes a while, as all things do."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        """With rules and three customers."""
        self.clock, self.desk = clock, Desk(database)
        self.desk.deploy(MANY)
        self.ids = [self.desk.customer(one) for one in PEOPLE]
        self.keys: list[str] = []
        self.merges: list[str] = []

    def run(self, step: tuple[Any, ...]) -> None:
        """Do it; what is refused by the workspace's own order (a second merge, …) did not happen."""
        self.clock.advance(timedelta(seconds=1))
        verb, *rest = step
        try:
            getattr(self, verb)(*rest)
        except FairleadError:
            return

    def appear(self) -> None:
        """Who has the address of nobody turns out to be a customer."""
        self.ids.append(self.desk.customer(LATER))
        self.ids[0], self.ids[-1] = self.ids[-1], self.ids[0]

    def ask(self, who: int, number: int, more: dict[str, Any]) -> None:
        """Pass the gate."""
        key = f"k{number}-{'x' if 'customer_id' in more else who}"
        values = {"customer_id": self.ids[who], **more}
        self.desk.ask(key, **values)
        self.keys.append(key)

    def settle(self, number: int, outcome: str) -> None:
        """Say what became of one of the last."""
        if self.keys:
            self.desk.settle(self.keys[-1 - number % len(self.keys)], outcome)

    def wait(self, minutes: int) -> None:
        """Time passes."""
        self.clock.advance(timedelta(minutes=minutes))

    def consent(self, who: int, state: str, purpose: str) -> None:
        """A yes or a no."""
        mechanism = "double_opt_in" if state == "given" else "web_form"
        self.desk.consent(self.ids[who], state, purpose, mechanism)

    def flag(self, who: int, name: str) -> None:
        """A flag is set."""
        self.desk.flag(self.ids[who], name)

    def suppress(self, address: str, scope: str) -> None:
        """An address is suppressed."""
        self.desk.suppress(address, scope)

    def zone(self, who: int, name: str) -> None:
        """They are somewhere else."""
        with self.desk.database.transaction() as uow:
            learn_zone(uow, USER, self.ids[who], [name], "stated", "test")

    def wish(self, who: int, most: int) -> None:
        """At most so many a week."""
        with self.desk.database.transaction() as uow:
            set_preference(uow, USER, self.ids[who], Preference("*", "*", per_week=most))

    def merge(self, kept: int, other: int) -> None:
        """Two are one."""
        with self.desk.database.transaction() as uow:
            self.merges.append(merge(uow, USER, self.ids[kept], self.ids[other], reason="the same"))

    def unmerge(self, number: int) -> None:
        """They are not."""
        if self.merges:
            with self.desk.database.transaction() as uow:
                unmerge(uow, USER, self.merges[number % len(self.merges)])


def replayed(desk: Desk, text: str, back: timedelta = MONTH, **more: Any) -> Replay:
    """What these rules make of the log."""
    with desk.database.reading() as reader:
        return replay_log(reader, parse_rules(text), desk.database.clock.now(), back, **more)


def same(found: Replay) -> bool:
    """Whether every asking has its verdict and its reason again."""
    return all(change.old == change.new for change in found.askings)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with the schema."""
    from fairlead.schema import create_schema  # noqa: PLC0415  heavy, and only this test makes its own

    path = tmp_path_factory.mktemp("replay") / "empty.db"
    create_schema(f"sqlite:///{path}")
    return path


@pytest.mark.slow
@settings(max_examples=12, deadline=None, phases=[Phase.generate])
@given(st.integers(0, 2**32), st.integers(0, 3_000))
def test_unchanged_rules_say_again_what_was_said(template: Path, seed: int, minutes: int) -> None:
    """Whatever happened, every asking gets its verdict and reason again, from the log's begin or its middle."""
    copy = template.with_name("run.db")
    for leftover in ("run.db-wal", "run.db-shm"):
        template.with_name(leftover).unlink(missing_ok=True)
    shutil.copyfile(template, copy)
    clock = FakeClock()
    database = Database(f"sqlite:///{copy}", clock=clock, trail=Trail())
    try:
        world = World(database, clock)
        for step in life(Random(seed), 70):
            world.run(step)
        whole = replayed(world.desk, MANY)
        assert same(whole), [change for change in whole.askings if change.old != change.new]
        with database.reading() as reader:
            assert whole.askings.total() == len(contact_log(reader, limit=500)) > 0
        assert same(replayed(world.desk, MANY, timedelta(minutes=minutes + 1)))
    finally:
        database.close()


def take(desk: Desk, clock: FakeClock, *asked: tuple[str, Any]) -> None:
    """Ask or settle, a second between; a key with `=` says what became of it, one with `:` for whom it is."""
    for key, more in asked:
        clock.advance(timedelta(seconds=1))
        if isinstance(more, str) and more in {"accepted", "not_sent", "unknown"}:
            desk.settle(key, more)
        elif isinstance(more, dict):
            desk.ask(key, None, **more)
        else:
            desk.ask(key, more)


def test_a_place_counts_from_when_to_when_it_did(desk: Desk, clock: FakeClock) -> None:
    """Given back, tried again, proved to be sent after all: each asking between sees the places of its moment."""
    anna = desk.customer("anna@example.test")
    take(desk, clock, ("a", anna), ("a", "not_sent"), ("b", anna), ("b", "not_sent"), ("a", anna), ("c", anna))
    take(desk, clock, ("a", "not_sent"), ("d", anna), ("d", "not_sent"), ("a", "accepted"), ("e", anna))
    with desk.database.reading() as reader:
        said = [(one.key, one.code) for one in reversed(contact_log(reader))]
    assert said == [("a", "allowed"), ("b", "allowed"), ("a", "allowed"), ("c", "cap"), ("d", "allowed"), ("e", "cap")]
    found = replayed(desk, RULES)
    assert same(found)
    assert found.askings.total() == 6


def test_what_went_to_an_address_of_nobody_counts_for_whoever_has_it(desk: Desk, clock: FakeClock) -> None:
    """As the gate counts it: by the address, once there is a customer; a merge counts from its moment on."""
    late = {"address": "late@example.test"}
    take(desk, clock, ("a", late))
    known = desk.customer("late@example.test")
    other = desk.customer("other@example.test")
    take(desk, clock, ("b", known), ("c", other))
    take(desk, clock, ("c", "not_sent"))
    clock.advance(timedelta(seconds=1))
    with desk.database.transaction() as uow:
        merge(uow, USER, known, other, reason="the same")
    take(desk, clock, ("d", other))
    found = replayed(desk, RULES)
    assert same(found)
    assert [one.old_code for one in replay_table(found)] == ["allowed", "cap"]
    looser = replayed(desk, RULES.replace("most: 1", "most: 2"))
    assert looser.moved(Verdict.HELD, Verdict.ALLOWED) == 1, "b has the second place, so d has none"


def test_other_rules_count_only_what_they_would_have_let_go(desk: Desk, clock: FakeClock) -> None:
    """Under a looser cap each message that went fills it; under another window the ones that it holds fill nothing."""
    anna = desk.customer("anna@example.test")
    take(desk, clock, *((f"k{n}", anna) for n in range(4)))
    assert replay_line(replayed(desk, RULES)).startswith("of 4 messages asked in the last 30 days, none")
    three = replayed(desk, RULES.replace("most: 1", "most: 3"))
    assert (three.moved(Verdict.HELD, Verdict.ALLOWED), three.messages.total()) == (2, 4)
    assert three.askings.total() == 4
    shut = RULES.replace('from: "21:00", to: "08:00"', 'from: "09:00", to: "09:01"').replace("most: 1", "most: 2")
    clock.advance(timedelta(minutes=2))
    take(desk, clock, ("late", anna))
    found = replayed(desk, shut)
    assert found.moved(Verdict.ALLOWED, Verdict.HELD) == 1, "the first is held by the window"
    assert found.moved(Verdict.HELD, Verdict.ALLOWED) == 1, "so the last has a place, which it did not have"
    assert {(row.old_code, row.new_code): row.messages for row in replay_table(found)} == {
        ("allowed", "quiet_hours"): 1, ("cap", "allowed"): 1, ("cap", "quiet_hours"): 3,
    }  # fmt: skip
    assert "1 that went would be held, 1 that were held would go at once" in replay_line(found)


def test_facts_are_those_of_the_moment(desk: Desk, clock: FakeClock) -> None:
    """Consent, suppression and flags of later change nothing about what was asked before; rules do."""
    anna, bert = desk.customer("anna@example.test"), desk.customer("bert@example.test")
    take(desk, clock, ("a", anna))
    clock.advance(timedelta(minutes=1))
    desk.opt_out(anna)
    desk.flag(bert, "vulnerable")
    take(desk, clock, ("b", anna), ("c", bert))
    assert same(replayed(desk, RULES))
    asked_for = replayed(desk, RULES.replace("mechanism: opt_out", "mechanism: opt_in"))
    assert {row[:4] for row in replay_table(asked_for)} == {
        ("allowed", "allowed", "refused", "no_consent"),
        ("refused", "suppressed", "refused", "suppressed"),
        ("refused", "human_only", "refused", "no_consent"),
    }
    lax = replayed(desk, RULES.replace("human_only: {flags: [vulnerable]}\n", ""))
    assert lax.moved(Verdict.REFUSED, Verdict.ALLOWED) == 1
    open_words, hidden = replay_json(lax, []), replay_json(lax, [], sensitive=False)
    assert [one["customer"] for one in open_words["examples"]] == [bert]
    assert hidden["examples"] == []
    assert "human_only" not in str(hidden)


def test_what_was_erased_is_said_and_not_guessed(desk: Desk, clock: FakeClock) -> None:
    """The messages are counted as unknown, and nothing of the person is left in what was kept to judge by."""
    anna = desk.customer("anna@example.test")
    take(desk, clock, ("a", anna), ("b", desk.customer("bert@example.test")))
    with desk.database.transaction() as uow:
        forget_contacts(uow, [anna])
        uow.record(AuditEntry("customer.forgotten", anna, customer_id=anna))
    found = replayed(desk, RULES.replace("opt_out", "opt_in"))
    assert (found.total, dict(found.unknown), found.messages.total()) == (2, {"erased": 1}, 1)
    assert "1 cannot be judged" in replay_line(found)


def test_a_message_counts_once_by_what_it_came_to(desk: Desk, clock: FakeClock) -> None:
    """Held at night and sent in the morning is a message that went; without the night it went at once."""
    anna = desk.customer("anna@example.test")
    clock.advance(timedelta(hours=13))
    take(desk, clock, ("a", anna))
    clock.advance(timedelta(hours=11))
    take(desk, clock, ("a", anna), ("a", "accepted"), ("a", anna))
    always = replayed(desk, RULES[: RULES.index("quiet_hours")] + RULES[RULES.index("caps") :])
    assert (always.messages.total(), always.askings.total()) == (1, 3)
    assert always.moved(Verdict.ALLOWED, Verdict.ALLOWED) == 1
    other = RULES.replace("purposes:", "purposes:\n  other: {class: promotional}").replace("  sales", "  sold")
    never = replayed(desk, other)
    assert never.moved(Verdict.ALLOWED, Verdict.REFUSED) == 1


def test_long_logs_come_in_pages_and_the_newest_are_judged(
    light_desk: Desk, clock: FakeClock, monkeypatch: Any
) -> None:
    """A page's end loses nothing; with a bound the newest are judged and `since` says from when."""
    monkeypatch.setattr("fairlead.guardrails.history.PAGE", 3)
    people = [light_desk.customer(f"p{n}@example.test") for n in range(4)]
    merged = [light_desk.customer(f"m{n}@example.test") for n in range(2)]
    with light_desk.database.transaction() as uow:
        merge(uow, USER, *merged, reason="the same")
    asked = [(f"{n}-{k}", one) for n in range(4) for k, one in enumerate([*people, *merged])]
    take(light_desk, clock, *asked, *((f"n{n}", {"address": "nobody@example.test"}) for n in range(5)))
    whole = replayed(light_desk, RULES)
    assert same(whole)
    assert whole.askings.total() == 29
    told: list[tuple[int, int]] = []
    monkeypatch.setattr("fairlead.guardrails.replaying._TOLD_EVERY", 10)
    newest = replayed(light_desk, RULES, most=10, progress=lambda *done: told.append(done))
    assert same(newest)
    assert newest.askings.total() == 10
    assert newest.since > whole.since
    assert told == [(10, 29), (20, 29)]


@pytest.mark.parametrize("back", [timedelta(0), timedelta(days=-1), timedelta(days=4_000)])
def test_a_span_has_an_end(light_desk: Desk, back: timedelta) -> None:
    """Nothing and more than ten years are refused."""
    with pytest.raises(InputError):
        replayed(light_desk, RULES, back)
