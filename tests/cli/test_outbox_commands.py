"""outbox: what it lists and shows, and what a person's word changes; a wrong word changes nothing."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead import customers
from fairlead.actions import (
    ActionDraft,
    Breaker,
    OutboxSource,
    Receipt,
    ReceiptState,
    RetryPolicy,
    forget_customer,
    queue_many,
)
from fairlead.audit import Trail
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.database import Database
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.testing.clock import FakeClock
from fairlead.testing.connectors import AmbiguousConnector, FlakyConnector, RecordingConnector
from tests.cli.conftest import Terminal

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.connectors import Connector, Delivery

USER = Actor(ActorKind.USER, "usr_1")
NIGHT = datetime(2024, 1, 10, 22, tzinfo=UTC)
COPY = "From: sales@firm.example\nSubject: Hello\n\nDear Ann"
SALES = {"channel": "email", "purpose": "sales", "sender": "sales"}
NOBODY = "act_" + "0" * 24
STATES = {
    "hook": "failed", "hook2": "failed", "mail": "failed", "text": "failed", "late": "failed", "doubt": "ambiguous",
    "doubt2": "ambiguous", "sent": "sent", "held": "held", "stopped": "refused", "expired": "expired",
    "waits": "queued",
}  # fmt: skip
REPAIR = {name for name, state in STATES.items() if state in {"failed", "ambiguous"}}
REASON = ("--because", "she rang")


class Copying(RecordingConnector):
    """Accepts everything and keeps what it handed over."""

    def deliver(self, delivery: Delivery) -> Receipt:
        """Sent, with a copy."""
        super().deliver(delivery)
        return Receipt(ReceiptState.SENT, "250 taken", COPY)


@dataclass
class Desk:
    """A workspace with an action in each state, by name, and two customers."""

    run: Terminal
    ids: dict[str, str]

    def row(self, name: str) -> dict[str, Any]:
        """The action as `show --json` tells it."""
        found: dict[str, Any] = self.run("outbox", "show", self.ids[name], "--json").json
        return found

    def states(self) -> dict[str, str]:
        """State of every action, by name."""
        items = self.run("outbox", "list", "--json").json["items"]
        return {name: one["state"] for name, wanted in self.ids.items() for one in items if one["id"] == wanted}

    def said(self, name: str) -> list[tuple[str, str]]:
        """(verb, actor) of the record about the action, oldest first."""
        database = Database(f"sqlite:///{self.run.folder / '.fairlead' / 'fairlead.db'}")
        try:
            with database.reading() as reader:
                sql = "SELECT verb, actor FROM audit_entry WHERE subject = ? ORDER BY id"
                return [(row[0], row[1]) for row in reader.fetch(sql, self.ids[name])]
        finally:
            database.close()


def _drafts(ids: dict[str, str]) -> dict[str, ActionDraft]:
    ann, sue = ids["ann"], ids["sue"]
    made = {
        "hook": ActionDraft("hook", "webhook", "post", {"a": 1}, customer_id=ann, serial_key="", value_minor=1250),
        "hook2": ActionDraft("hook2", "webhook", "post"),
        "mail": ActionDraft("mail", "message", "note", {"channel": "email"}, serial_key=""),
        "text": ActionDraft("text", "message", "note", {"channel": "sms"}, serial_key=""),
        "late": ActionDraft("late", "message", "note", {"channel": "email"}, expires_at=NIGHT + timedelta(hours=1)),
        "doubt": ActionDraft("doubt", "ledger", "book", customer_id=ann, serial_key=""),
        "doubt2": ActionDraft("doubt2", "ledger", "book"),
        "sent": ActionDraft("sent", "post", "letter", {"to": "Ann"}, customer_id=ann, serial_key=""),
        "held": ActionDraft("held", "smtp", "note", SALES, customer_id=ann, serial_key=""),
        "stopped": ActionDraft("stopped", "smtp", "note", SALES, customer_id=sue, serial_key=""),
        "expired": ActionDraft("expired", "post", "letter", expires_at=NIGHT - timedelta(minutes=1)),
        "waits": ActionDraft("waits", "post", "letter", due_at=NIGHT + timedelta(hours=9)),
    }
    assert set(made) == set(STATES)
    return made


def _fill(database: Database) -> dict[str, str]:
    with database.transaction() as uow:
        drafts = [customers.CustomerDraft(name=name, identities=(("email", f"{name}@firm.example"),), source="test")
                  for name in ("ann", "sue")]  # fmt: skip
        ids = dict(zip(("ann", "sue"), [one.id for one in customers.resolve_many(uow, drafts)], strict=True))
        uow.record(AuditEntry("test.made", ids["ann"]))
    with database.transaction() as uow:
        customers.suppress(uow, USER, "email", "sue@firm.example", reason="bounced", source="test")
        for name, draft in _drafts(ids).items():
            ids[name] = queue_many(uow, [draft])[0]
        uow.record(AuditEntry("test.queued", ids["hook"]))
    down = [ReceiptState.FAILED]
    ways: list[Connector] = [
        FlakyConnector(down, "webhook"), FlakyConnector(down, "message"), AmbiguousConnector("ledger"),
        Copying("post"), RecordingConnector("smtp", reaches_customer=True),
    ]  # fmt: skip
    clock = FakeClock(NIGHT)
    source = OutboxSource(database, {one.name: one for one in ways}, retry=RetryPolicy(max_attempts=1),
                          breaker=Breaker(after=2), now=clock.now)  # fmt: skip
    for turn in range(30):
        if not source.lease(100, 60, f"turn{turn}"):
            return ids
        source.run(f"turn{turn}")
    pytest.fail("the outbox never came to rest")


@pytest.fixture(scope="module")
def company(_example: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """For the tests that leave it as it is: everything happened in the night of 10 January 2024."""
    folder = tmp_path_factory.mktemp("outbox") / "co"
    shutil.copytree(_example, folder)
    url = f"sqlite:///{folder / '.fairlead' / 'fairlead.db'}"
    database = Database(url, clock=FakeClock(NIGHT), trail=Trail())
    try:
        return Desk(Terminal(folder), _fill(database))
    finally:
        database.close()


@pytest.fixture
def desk(company: Desk, tmp_path: Path) -> Desk:
    """A copy that the test may change."""
    shutil.copytree(company.run.folder, tmp_path / "co")
    return Desk(Terminal(tmp_path / "co"), company.ids)


def _names(desk: Desk, *args: str) -> list[str]:
    by_id = {one: name for name, one in desk.ids.items()}
    return [by_id[one["id"]] for one in desk.run("outbox", "list", "--json", *args).json["items"]]


def test_everything_newest_first(company: Desk) -> None:
    """Every action once, in its state, and how many wait for what."""
    assert company.states() == STATES
    assert _names(company) == [*reversed(STATES)]
    counts = company.run("outbox", "list", "--json").json["counts"]
    assert counts == {"queued": 1, "held": 1, "failed": 5, "ambiguous": 2}


@pytest.mark.parametrize("state", ["queued", "held", "sent", "refused", "failed", "expired", "withdrawn", "ambiguous"])
def test_the_list_of_one_state(company: Desk, state: str) -> None:
    """Those in it and no other; where there are none, the words say which state is empty."""
    wanted = {name for name, known in STATES.items() if known == state}
    assert set(_names(company, "--state", state)) == wanted
    lines = company.run("outbox", "list", "--state", state).out.splitlines()
    if wanted:
        assert all(line.split()[1] == state for line in lines[: len(wanted)])
    else:
        assert lines[0] == f"nothing is {state}"


FILTERS = {
    "repair": (("--state", "repair"), REPAIR),
    "a connector": (("--connector", "message"), {"mail", "text", "late"}),
    "a connector in a state": (("--connector", "post", "--state", "sent"), {"sent"}),
    "a customer": (("--customer", "{ann}"), {"hook", "doubt", "sent", "held"}),
    "a customer in a state": (("--customer", "{ann}", "--state", "repair"), {"hook", "doubt"}),
    "all three": (("--customer", "{ann}", "--state", "failed", "--connector", "webhook"), {"hook"}),
    "an unknown customer": (("--customer", "cus_" + "0" * 24), set()),
    "an unknown connector": (("--connector", "pigeon"), set()),
    "a statement for a connector": (("--connector", "' OR 1=1 --"), set()),
    "one without any in that state": (("--connector", "smtp", "--state", "failed"), set()),
}


@pytest.mark.parametrize("case", FILTERS)
def test_filters_hold_together(company: Desk, case: str) -> None:
    """Each narrows what the others leave; nothing found is an empty list and the word nothing, not an error."""
    args, wanted = FILTERS[case]
    line = [one.format(**company.ids) for one in args]
    assert set(_names(company, *line)) == wanted
    said = company.run("outbox", "list", *line)
    assert said.code == 0
    assert [company.ids[name] in said.out for name in STATES] == [name in wanted for name in STATES]
    assert said.out.startswith("nothing") == (not wanted)


@pytest.mark.parametrize("limit", [1, 5, 500])
def test_a_limit_takes_the_newest(company: Desk, limit: int) -> None:
    """As many as asked for, of those that the filters leave; the counts are of all."""
    assert _names(company, "--limit", str(limit)) == [*reversed(STATES)][:limit]
    newest = [name for name in reversed(STATES) if name in REPAIR]
    assert _names(company, "--limit", str(limit), "--state", "repair") == newest[:limit]
    assert company.run("outbox", "list", "--json", "--limit", str(limit)).json["counts"]["failed"] == 5


def test_the_list_in_words(company: Desk) -> None:
    """Id, state, way out, kind and why; then each way out that is left alone."""
    lines = company.run("outbox", "list").out.splitlines()
    by_id = {line.split()[0]: line for line in lines}
    assert by_id[company.ids["mail"]].split()[1:4] == ["failed", "message/email", "note"]
    assert "planned answer 1" in by_id[company.ids["mail"]]
    assert "quiet_hours: Quiet hours 'nights'" in by_id[company.ids["held"]]
    assert "(asked again 2024-01-11T08:00:00Z)" in by_id[company.ids["held"]]
    assert "suppressed: The address is suppressed: bounced." in by_id[company.ids["stopped"]]
    assert "not delivered in time" in by_id[company.ids["expired"]]
    alone = [line for line in lines if "is left alone" in line]
    assert [line.split()[0] for line in alone] == ["message/email", "webhook"]
    assert "after 2 failures, next trial 2024-01-10T22:00:30Z" in alone[1]


KEYS = {"id", "idempotency_key", "connector", "outlet", "kind", "case_id", "customer_id", "attempts", "thread",
        "problem", "result", "value_minor", "state", "due_at", "expires_at", "created_at", "done_at",
        "look_at"}  # fmt: skip


def test_the_shape_of_the_json(company: Desk) -> None:
    """The same keys for every action, moments in UTC, no body in the list; `show` adds body and copy."""
    items = company.run("outbox", "list", "--json").json["items"]
    assert {frozenset(one) for one in items} == {frozenset(KEYS)}
    shown = company.row("hook")
    assert set(shown) == KEYS | {"body", "copy"}
    assert (shown["body"], shown["copy"], shown["value_minor"]) == ({"a": 1}, None, 1250)
    assert (shown["attempts"], shown["customer_id"], shown["outlet"]) == (1, company.ids["ann"], "webhook")
    assert (shown["created_at"], shown["expires_at"], shown["look_at"]) == ("2024-01-10T22:00:00Z", None, None)
    assert company.row("held")["look_at"] == "2024-01-11T08:00:00Z"
    assert company.row("waits")["due_at"] == "2024-01-11T07:00:00Z"


def test_what_was_handed_over_is_shown_to_the_letter(company: Desk) -> None:
    """The copy with the words of the other side, in words and as JSON."""
    kept = company.row("sent")["copy"]
    assert kept == {"state": "sent", "words": "250 taken", "attempt": 1, "at": "2024-01-10T22:00:00Z", "content": COPY}
    said = company.run("outbox", "show", company.ids["sent"]).out
    assert "handed over 2024-01-10T22:00:00Z; the other side: 250 taken" in said
    assert said.endswith(COPY + "\n")


def test_what_the_gate_said_is_shown_check_by_check(company: Desk) -> None:
    """A held message: each check that was made, down to the one that holds it; one that nobody judged has none."""
    lines = company.run("outbox", "show", company.ids["held"]).out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["address", "suppression", "purpose", "person", "consent",
                                                       "pause", "human_only", "quiet_hours"]  # fmt: skip
    assert lines[1].startswith("quiet_hours: ")
    waits = company.run("outbox", "show", company.ids["waits"]).out.splitlines()
    assert waits == [f"{company.ids['waits']}  queued  post  letter  0 deliveries", "nothing was said yet"]


def test_looking_changes_nothing(company: Desk) -> None:
    """Neither list nor show writes a row."""
    before = company.run.counts()
    for name in ("hook", "doubt", "sent", "held"):
        assert company.run("outbox", "show", company.ids[name]).code == 0
    company.run("outbox", "list", "--state", "repair")
    assert company.run.counts() == before


@pytest.mark.parametrize("name", ["hook", "mail", "text"])
def test_one_that_failed_is_tried_again(desk: Desk, name: str) -> None:
    """Queued with all its attempts, the others as they were, by the word of whoever stood at the command line."""
    said = desk.run("outbox", "retry", desk.ids[name])
    assert (said.code, said.out) == (0, "1 action queued; a running server or worker delivers\n")
    assert desk.states() == STATES | {name: "queued"}
    found = desk.row(name)
    assert (found["attempts"], found["done_at"]) == (0, None)
    verb, actor = desk.said(name)[-1]
    assert verb == "action.retried"
    assert actor.startswith("system:cli:")
    desk.run("outbox", "retry", desk.ids[name]).refused(1, "is queued, not failed")


ALL = {
    "webhook": {"hook", "hook2"}, "message": {"mail", "text"}, "message/email": {"mail"}, "message/sms": {"text"},
    "message/post": set(), "ledger": set(),
}  # fmt: skip


@pytest.mark.parametrize("way", ALL)
def test_all_of_a_way_out(desk: Desk, way: str) -> None:
    """Everything that failed there and is not too late; what is doubtful, held or of another way stays."""
    count = len(ALL[way])
    said = desk.run("outbox", "retry", "--all", way)
    assert said.code == 0
    assert said.out.startswith(f"{count} action queued" if count == 1 else f"{count} actions queued")
    assert desk.states() == STATES | dict.fromkeys(ALL[way], "queued")


@pytest.mark.parametrize("way", ["pigeon", "%", "messge/email"])
def test_no_way_out(desk: Desk, way: str) -> None:
    """A word that names no connector and no outlet is said to be none, with those that are; nothing is queued."""
    desk.run("outbox", "retry", "--all", way).refused(1, f"there is no connector or outlet '{way}' here. ")
    assert desk.states() == STATES


def test_pages_by_way_out(desk: Desk) -> None:
    """`--outlet` narrows, `--before` goes on where the page above ended."""
    whole = desk.run("outbox", "list", "--outlet", "webhook", "--json").json
    first = desk.run("outbox", "list", "--outlet", "webhook", "--limit", "1", "--json").json
    rest = desk.run("outbox", "list", "--outlet", "webhook", "--before", first["next"], "--json").json
    assert {one["outlet"] for one in whole["items"]} == {"webhook"}
    assert first["items"] + rest["items"] == whole["items"]
    assert (whole["next"], rest["next"]) == (None, None)


def test_given_up(desk: Desk) -> None:
    """Withdrawn for good with the reason, what had failed kept beside it; neither retried nor given up again."""
    said = desk.run("outbox", "retry", desk.ids["hook"], "--give-up", "  the firm is gone ")
    assert (said.code, said.out) == (0, "given up\n")
    assert desk.states() == STATES | {"hook": "withdrawn"}
    found = desk.row("hook")["result"]
    assert (found["detail"], found["failed"]) == ("given up: the firm is gone", "planned answer 1")
    assert desk.said("hook")[-1][0] == "action.withdrawn"
    for more in ((), ("--give-up", "again")):
        desk.run("outbox", "retry", desk.ids["hook"], *more).refused(1, "is withdrawn, not failed")


SETTLED = {
    "arrived": ("sent", "written down\n", "action.sent"),
    "not_arrived": ("failed", "written down\n", "action.failed"),
    "send_again": ("queued", "queued; a running server or worker delivers\n", "action.resent"),
}


@pytest.mark.parametrize("outcome", SETTLED)
def test_a_word_on_a_doubtful_one(desk: Desk, outcome: str) -> None:
    """The state that docs/outbox.md names, the reason kept, its neighbour still doubtful; said once."""
    state, words, verb = SETTLED[outcome]
    said = desk.run("outbox", "settle", desk.ids["doubt"], outcome, "--because", " she rang ")
    assert (said.code, said.out) == (0, words)
    assert desk.states() == STATES | {"doubt": state}
    assert desk.said("doubt")[-1][0] == verb
    if outcome != "send_again":
        assert desk.row("doubt")["result"]["detail"] == "she rang"
    desk.run("outbox", "settle", desk.ids["doubt"], outcome, *REASON).refused(1, f"is {state}, not ambiguous")


def test_what_had_not_arrived_is_tried_again(desk: Desk) -> None:
    """It is among the failed ones then, and goes the way of those."""
    assert desk.run("outbox", "settle", desk.ids["doubt"], "not_arrived", *REASON).code == 0
    assert "doubt" in _names(desk, "--state", "failed")
    assert desk.run("outbox", "retry", "--all", "ledger").out.startswith("1 action queued")
    assert desk.states() == STATES | {"doubt": "queued"}


@pytest.mark.parametrize("name", [name for name, state in STATES.items() if state != "failed"])
def test_only_what_failed_is_retried_or_given_up(company: Desk, name: str) -> None:
    """Every other state is named in the refusal, and stays."""
    before = company.run.counts()
    for more in ((), ("--give-up", "enough")):
        company.run("outbox", "retry", company.ids[name], *more).refused(1, f"is {STATES[name]}, not failed")
    assert company.run.counts() == before
    assert company.states() == STATES


@pytest.mark.parametrize("name", [name for name, state in STATES.items() if state != "ambiguous"])
def test_only_what_is_doubtful_is_settled(company: Desk, name: str) -> None:
    """Nobody's word makes another state out of one that is certain."""
    before = company.run.counts()
    for outcome in SETTLED:
        line = ("outbox", "settle", company.ids[name], outcome, *REASON)
        company.run(*line).refused(1, f"is {STATES[name]}, not ambiguous")
    assert company.run.counts() == before


WRONG = {
    "show nothing": (1, ("show", NOBODY), "there is no action act_000"),
    "show a word": (1, ("show", "the last one"), "there is no action the last one"),
    "show a customer": (1, ("show", "{ann}"), "there is no action cus_"),
    "retry nothing": (1, ("retry", NOBODY), "there is no action"),
    "retry a statement": (1, ("retry", "' OR 1=1 --"), "there is no action"),
    "retry what is too late": (1, ("retry", "{late}"), "was to be delivered by 2024-01-10 23:00 UTC; that is over"),
    "give up nothing": (1, ("retry", NOBODY, "--give-up", "enough"), "there is no action"),
    "give up for no reason": (2, ("retry", "{hook}", "--give-up", " "), "giving up needs a reason"),
    "give up at length": (2, ("retry", "{hook}", "--give-up", "x" * 501), "at most 500 characters"),
    "settle nothing": (1, ("settle", NOBODY, "arrived", *REASON), "there is no action"),
    "settle for no reason": (2, ("settle", "{doubt}", "arrived", "--because", ""), "say how you know"),
    "settle at length": (2, ("settle", "{doubt}", "arrived", "--because", "x" * 501), "at most 500 characters"),
    "list an unknown state": (2, ("list", "--state", "lost"), "there is no state 'lost'; known are queued"),
    "list two states": (2, ("list", "--state", "sent,held"), "there is no state 'sent,held'"),
    "list a state in capitals": (2, ("list", "--state", "SENT"), "there is no state 'SENT'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_and_not_written(company: Desk, case: str) -> None:
    """A status and one sentence on standard error; no row more, no state changed."""
    code, args, part = WRONG[case]
    before = company.run.counts()
    company.run("outbox", *(one.format(**company.ids) for one in args)).refused(code, part)
    assert company.run.counts() == before
    assert company.states() == STATES


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (("retry",), "name one action"), (("retry", "{hook}", "--all", "webhook"), "name one action"),
        (("retry", "--all", "webhook", "--give-up", "enough"), "--give-up goes with one action"),
        (("settle", "{doubt}", "arrived"), "--because"), (("settle", "{doubt}"), "{outcome}"),
        (("settle", "{doubt}", "lost", *REASON), "'lost' is none of"), (("show",), "{action_id}"),
        (("list", "--limit", "0"), "than or equal to 1"), (("list", "--limit", "501"), "than or equal to 500"),
        (("list", "--limit", "ten"), "integer"), (("resend", "{hook}"), "No such command"),
    ],
)  # fmt: skip
def test_a_line_that_is_none(company: Desk, args: tuple[str, ...], part: str) -> None:
    """Status 2, the word in the message, nothing on standard output and nothing changed."""
    before = company.run.counts()
    said = company.run("outbox", *(one.format(**company.ids) for one in args))
    assert (said.code, said.out) == (2, "")
    assert part in " ".join(said.err.replace("│", " ").split())
    assert company.run.counts() == before


def test_the_copy_of_an_erased_customer_is_empty(desk: Desk) -> None:
    """State, key and times stay; body, result and what was handed over are gone, and `show` says why."""
    database = Database(f"sqlite:///{desk.run.folder / '.fairlead' / 'fairlead.db'}", trail=Trail())
    try:
        with database.transaction() as uow:
            forget_customer(uow, desk.ids["ann"], USER)
    finally:
        database.close()
    found = desk.row("sent")
    assert (found["state"], found["body"], found["result"], found["copy"]["content"]) == ("sent", {}, None, "")
    assert "(erased with the customer)" in desk.run("outbox", "show", desk.ids["sent"]).out
    assert desk.states()["held"] == "withdrawn"


@pytest.mark.parametrize(
    "args", [("list",), ("show", NOBODY), ("retry", NOBODY), ("settle", NOBODY, "arrived", *REASON)]
)
def test_a_folder_that_is_no_workspace(tmp_path: Path, args: tuple[str, ...]) -> None:
    """Status 2 with the cure, and no database is made in it."""
    Terminal(tmp_path)("outbox", *args).refused(2, "is not a workspace", "fairlead init")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_outbox(fairlead: Terminal) -> None:
    """A new workspace: the word nothing, an empty list, and nothing to try again."""
    assert fairlead("outbox", "list").out == "nothing\n"
    assert fairlead("outbox", "list", "--json").json == {"items": [], "next": None, "counts": {}}
    assert fairlead("outbox", "list", "--state", "repair").out == "nothing is to be repaired\n"
    before = fairlead.counts()
    assert fairlead("outbox", "retry", "--all", "message").code == 0
    assert fairlead.counts() == before
