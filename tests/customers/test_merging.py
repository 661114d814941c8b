"""Two records of one customer become one, and two again, with nothing lost on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies as st

from fairlead import customers
from fairlead.audit import Trail, history
from fairlead.customers import ConsentRecord, ConsentState, CustomerDraft, TimelineNote
from fairlead.errors import ConflictError, FairleadError, InputError, NotFoundError
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.clock import from_micros
from fairlead.kit.database import Database
from fairlead.kit.events import since
from fairlead.kit.lanes import Lane
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.testing.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

USER = Actor(ActorKind.USER, "usr_1")
Do = Callable[..., Any]


class People:
    """Customers and what happens to them, a second apart."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        self.database = database
        self.clock = clock
        self.count = 0
        self.lane = Lane.INTERACTIVE

    def new(self, name: str = "", company: str = "", **fields: Any) -> str:
        """Somebody with an e-mail address."""
        self.count += 1
        identities = (("email", f"p{self.count}@example.org"),)
        with self.database.transaction(self.lane) as uow:
            uow.record(AuditEntry("case.opened", "case_1"))
            draft = CustomerDraft(name, company, identities=identities, source="form", **fields)
            return customers.resolve_many(uow, [draft])[0].id

    def do(self, verb: Do, *args: Any, **kwargs: Any) -> Any:
        """One verb in its own transaction."""
        self.clock.advance(timedelta(seconds=1))
        with self.database.transaction(self.lane) as uow:
            return verb(uow, USER, *args, **kwargs)

    def merge(self, keep: str, other: str) -> str:
        """As a person would."""
        merge_id: str = self.do(customers.merge, keep, other, reason="the same person")
        return merge_id

    def consent(self, one: str, state: str, channel: str = "email") -> None:
        """What the customer said."""
        self.do(customers.record_consent, one, ConsentRecord("news", channel, ConsentState(state), "form", "site"))

    def flag(self, one: str, flag: str, value: Any = True) -> None:
        """Set a flag."""
        self.do(customers.set_flag, one, flag, value, source="crm", owner="sales")

    def facts(self, one: str) -> dict[str, Any]:
        """What policies read."""
        with self.database.reading() as reader:
            return dict(customers.facts_of(reader, [one], self.clock.now())[one])

    def view(self, one: str) -> dict[str, Any]:
        """Everything that is shown of one customer, but for the lines that tell of merges."""
        with self.database.reading() as reader:
            found = customers.profile(reader, one, self.clock.now())
            lines = customers.timeline_of(reader, one, 500)
        told = [(line.kind, line.words) for line in lines if "merged" not in line.kind]
        who = (found.id, found.name, found.company, found.time_zone, found.erased_at, found.identities, found.merged)
        return {"who": who, "facts": found.facts, "told": told}


@pytest.fixture
def people(database_url: str, clock: FakeClock) -> Iterator[People]:
    """On either database."""
    database = Database(database_url, clock=clock, trail=Trail())
    yield People(database, clock)
    database.close()


def test_whoever_is_asked_for_the_merged_record_gets_the_survivor(people: People) -> None:
    """Profile, facts, names, search, timeline and identities of both are one; the old id still works."""
    ann, anna = people.new("Ann Berg", "Acme"), people.new("Anna Berg", "ACME GmbH", country="DE", language="de")
    people.do(customers.note, TimelineNote(anna, "call", "asked for terms"))
    people.merge(ann, anna)
    with people.database.reading() as reader:
        found = customers.profile(reader, anna, people.clock.now())
        assert (found.id, found.name, found.merged) == (ann, "Ann Berg", (anna,))
        assert {one.value for one in found.identities} == {"p1@example.org", "p2@example.org"}
        assert (found.facts["country"], found.facts["language"]) == ("DE", "de")
        assert customers.holder_of(reader, ("email", "p2@example.org")) == ann
        assert customers.names_of(reader, [anna]) == {anna: ("Ann Berg", "Acme")}
        assert [hit.id for hit in customers.search(reader, "anna b")] == [ann]
        assert [hit.id for hit in customers.search(reader, "p2@")] == [ann]
        assert "asked for terms" in [line.words for line in customers.timeline_of(reader, ann)]
        assert customers.family_of(reader, anna) == (ann, anna)
        assert customers.survivor_of(reader, anna) == ann


def test_a_lead_with_the_merged_records_address_is_the_survivors(people: People) -> None:
    """`resolve_many` finds the survivor, and a new identity of the same draft becomes the survivor's."""
    ann, anna = people.new("Ann"), people.new("Anna")
    people.merge(ann, anna)
    draft = CustomerDraft("A. Berg", identities=(("email", "p2@example.org"), ("phone", "+4930123")))
    with people.database.transaction() as uow:
        uow.record(AuditEntry("case.opened", "case_2"))
        assert customers.resolve_many(uow, [draft])[0].id == ann
        assert customers.holder_of(uow, ("phone", "+4930123")) == ann


def test_what_is_done_to_the_merged_record_is_done_to_the_survivor(people: People) -> None:
    """Flags, notes, owners, consents and verification land with the survivor, audited under its key."""
    ann, anna = people.new("Ann"), people.new("Anna")
    people.merge(ann, anna)
    people.flag(anna, "vip")
    people.consent(anna, "given")
    people.do(customers.set_owner, anna, "usr_7")
    people.do(customers.verify_identity, anna, "email", "p2@example.org")
    facts = people.facts(ann)
    assert facts == people.facts(anna)
    assert (facts["flags"], facts["owner"], facts["verified"]) == ({"vip": True}, "usr_7", ["email"])
    with people.database.reading() as reader:
        verbs = [(one.verb, one.scope) for one in history(reader, [ann]) if one.verb.startswith("customer.flag")]
    assert verbs == [("customer.flag_set", ann)]


def test_the_stricter_consent_counts_until_somebody_says_otherwise(people: People) -> None:
    """A withdrawal of either record stands for both, in either direction; a newer word of the customer counts."""
    for first, second in (("given", "withdrawn"), ("withdrawn", "given")):
        keep, other = people.new(), people.new()
        people.consent(keep, first)
        people.consent(other, second)
        people.merge(keep, other)
        assert people.facts(keep)["consents"] == {"news": {"email": "withdrawn"}}
        people.consent(keep, "given")
        assert people.facts(keep)["consents"] == {"news": {"email": "given"}}
        third = people.new()
        people.merge(keep, third)  # who was never asked brings no old word back
        assert people.facts(keep)["consents"] == {"news": {"email": "given"}}


def test_a_suppressed_address_of_either_is_suppressed_for_both(people: People) -> None:
    """Suppression always carries over, whichever record survives."""
    keep, other = people.new(), people.new()
    people.do(customers.suppress, "email", "p2@example.org", reason="bounce", source="smtp")
    people.merge(keep, other)
    assert people.facts(keep)["suppressed"] == ["email"]


def test_unmerge_keeps_what_came_since_with_the_survivor_and_says_so(people: People) -> None:
    """The other gets back exactly what it had; new rows and changed columns stay and are named."""
    keep, other = people.new("Ann"), people.new("Anna", country="DE")
    people.flag(other, "vip")
    before = people.view(other)
    merge_id = people.merge(keep, other)
    people.flag(other, "key_account")
    people.do(customers.add_identity, keep, "phone", "+4930", source="call")
    people.do(customers.set_owner, keep, "usr_3")
    done = people.do(customers.unmerge, merge_id)
    assert dict(done.kept_since) == {"flags": 1, "identities": 1}
    assert done.changed_columns == ("owner",)
    assert people.view(other) == before
    mine = people.facts(keep)
    assert (mine["flags"], mine["owner"], mine["country"]) == ({"key_account": True}, "usr_3", None)
    with people.database.reading() as reader:
        assert customers.read_merge(reader, merge_id).since == done.as_dict()
        assert customers.merges_of(reader, keep)[0].undone_by == str(USER)


def test_a_no_said_while_merged_counts_for_both_afterwards(people: People) -> None:
    """Telling two records apart must not bring back a consent that the person took back meanwhile."""
    keep, other = people.new(), people.new()
    people.consent(other, "given")
    people.consent(other, "given", "sms")
    merge_id = people.merge(keep, other)
    people.consent(keep, "withdrawn")
    done = people.do(customers.unmerge, merge_id)
    assert done.carried == (("news", "email"),)
    assert people.facts(other)["consents"] == {"news": {"email": "withdrawn", "sms": "given"}}


def test_chains_resolve_to_the_last_and_come_apart_in_any_order(people: People) -> None:
    """A into B, B into C: C stands for all; undoing the first leaves B with C and A by itself."""
    a, b, c = people.new("A", country="DE"), people.new("B"), people.new("C")
    views = [people.view(one) for one in (a, b, c)]
    first, second = people.merge(b, a), people.merge(c, b)
    assert [people.view(one)["who"][0] for one in (a, b, c)] == [c, c, c]
    assert people.facts(c)["country"] == "DE"
    people.do(customers.unmerge, first)
    assert people.view(a) == views[0]
    assert people.view(b)["who"][0] == c
    assert people.facts(c)["country"] is None
    people.do(customers.unmerge, second)
    assert [people.view(one) for one in (a, b, c)] == views
    first, second = people.merge(b, a), people.merge(c, b)
    people.do(customers.unmerge, second)
    assert people.view(b)["who"][-1] == (a,)
    people.do(customers.unmerge, first)
    assert [people.view(one) for one in (a, b, c)] == views


def test_what_cannot_be_merged_is_refused_and_nothing_changes(people: People) -> None:
    """Itself, a circle, the unknown, the erased, the already merged; each with its own code."""
    a, b, c, gone = people.new("A"), people.new("B"), people.new("C"), people.new("Gone")
    people.do(customers.erase_customer, gone, reason="asked")
    merge_id = people.merge(a, b)
    views = [people.view(one) for one in (a, b, c)]
    refused: list[tuple[str, str, type[FairleadError], str]] = [
        (a, a, InputError, "same_customer"),
        (b, a, ConflictError, "already_merged"),
        (c, b, ConflictError, "already_merged"),
        (c, gone, ConflictError, "customer_erased"),
        (gone, c, ConflictError, "customer_erased"),
        (c, "cus_nobody", NotFoundError, "not_found"),
    ]
    for keep, other, kind, code in refused:
        with pytest.raises(kind) as failed:
            people.merge(keep, other)
        assert failed.value.reason == code
    assert [people.view(one) for one in (a, b, c)] == views
    people.do(customers.unmerge, merge_id)
    with pytest.raises(ConflictError, match="undone already"):
        people.do(customers.unmerge, merge_id)
    with pytest.raises(NotFoundError):
        people.do(customers.unmerge, "mrg_nothing")


def test_erasing_one_erases_the_whole_person(people: People) -> None:
    """Whichever id is named, every merged record is blank, the history holds nothing, and no way leads back."""
    keep, other = people.new("Ann"), people.new("Anna")
    merge_id = people.merge(keep, other)
    people.do(customers.erase_customer, other, reason="asked")
    assert people.view(keep)["who"][1:4] == ("", "", None)
    with people.database.reading() as reader:
        assert customers.read_merge(reader, merge_id).brought == {}
        assert customers.search(reader, "Ann") == []
        bodies = [entry.body for entry in history(reader, [keep, other]) if entry.verb == "customer.merged"]
    assert bodies == [None, None]
    with pytest.raises(ConflictError, match="erased"):
        people.do(customers.unmerge, merge_id)


def test_a_merge_is_told_and_audited_for_both(people: People) -> None:
    """Each record has its entry under its own key, and the event names the one that was merged."""
    keep, other = people.new("Ann"), people.new("Anna")
    merge_id = people.merge(keep, other)
    with people.database.reading() as reader:
        entries = [one for one in history(reader, [keep, other]) if one.verb == "customer.merged"]
        event = since(reader, customers.MERGED, other, from_micros(0))
    assert [(one.subject, one.scope, one.actor) for one in entries] == [
        (keep, keep, str(USER)),
        (other, other, str(USER)),
    ]
    assert event is not None
    assert event.payload == {"merge": merge_id, "kept": keep}


def test_of_two_merges_at_once_one_wins(people: People) -> None:
    """Two people merge the same record into two others at the same time: one does, one is told."""
    a, b, c = people.new("A"), people.new("B"), people.new("C")
    results: list[str] = []
    start = threading.Barrier(2)

    def race(keep: str) -> None:
        start.wait()
        try:
            with people.database.transaction() as uow:
                customers.merge(uow, USER, keep, c, reason="race")
            results.append("merged")
        except ConflictError as error:
            results.append(error.reason)

    threads = [threading.Thread(target=race, args=(one,)) for one in (a, b)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["already_merged", "merged"]


def test_a_family_is_bounded(people: People) -> None:
    """The fifty-first record is refused, so that no read grows without end."""
    keep = people.new("Ann")
    for _ in range(49):
        people.merge(keep, people.new())
    with pytest.raises(ConflictError) as failed:
        people.merge(keep, people.new())
    assert failed.value.reason == "too_many_merged"


OPS = st.lists(
    st.tuples(
        st.sampled_from(["given", "withdrawn", "flag", "clear", "owner", "note", "merge", "unmerge"]),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    max_size=14,
)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory, _sqlite_template: Path) -> Iterator[People]:
    """One database for every example; each makes its own customers."""
    path = tmp_path_factory.mktemp("crowd") / "fairlead.db"
    path.write_bytes(_sqlite_template.read_bytes())
    clock = FakeClock()
    database = Database(f"sqlite:///{path}", clock=clock, trail=Trail())
    made = People(database, clock)
    made.lane = Lane.BULK  # commits without waiting for the disk
    yield made
    database.close()


def _act(people: People, crew: list[str], merges: list[str], op: tuple[str, int, int]) -> None:
    verb, first, second = op
    one = crew[first]
    match verb:
        case "given" | "withdrawn":
            people.consent(one, verb, ("email", "sms")[second % 2])
        case "flag":
            people.flag(one, f"f{second % 2}", second)
        case "clear":
            people.do(customers.clear_flag, one, f"f{second % 2}", source="desk")
        case "owner":
            people.do(customers.set_owner, one, f"usr_{second}" if second else None)
        case "note":
            people.do(customers.note, TimelineNote(one, "call", f"call {second}"))
        case "merge":
            try:
                merges.append(people.merge(one, crew[second]))
            except (ConflictError, InputError):
                return
        case _:
            if merges:
                people.do(customers.unmerge, merges.pop(second % len(merges)))


@settings(max_examples=15)
@given(OPS)
def test_merge_then_unmerge_is_as_if_nothing_had_been(crowd: People, ops: list[tuple[str, int, int]]) -> None:
    """After any history, merging any two and taking it back leaves every view exactly as it was; and while
    merged, no withdrawal and no suppression of either is lost.
    """
    crew = [crowd.new(f"N{number}", value_minor=number or None) for number in range(4)]
    merges: list[str] = []
    for op in ops:
        _act(crowd, crew, merges, op)
    crowd.do(customers.suppress, "email", f"p{crowd.count}@example.org", reason="bounce", source="smtp")
    before = [crowd.view(one) for one in crew]
    facts = [crowd.facts(one) for one in crew]
    for keep, other in ((0, 3), (3, 1), (2, 0)):
        try:
            merge_id = crowd.merge(crew[keep], crew[other])
        except (ConflictError, InputError):
            continue
        together = crowd.facts(crew[other])
        assert together == crowd.facts(crew[keep])
        for part in (facts[keep], facts[other]):
            assert set(part["suppressed"]) <= set(together["suppressed"])
            assert set(part["flags"]) <= set(together["flags"])
            for purpose, channels in part["consents"].items():
                for channel, state in channels.items():
                    said = together["consents"][purpose][channel]
                    assert said == "withdrawn" if state == "withdrawn" else said
        crowd.do(customers.unmerge, merge_id)
        assert [crowd.view(one) for one in crew] == before
