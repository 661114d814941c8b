"""Whose record is this: identities, batches, conflicts, races."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from fairlead.customers import (
    CustomerDraft,
    ResolvedCustomer,
    facts_of,
    holder_of,
    profile,
    resolve_many,
    timeline_of,
)
from fairlead.customers.model import Identity, resolve
from fairlead.errors import InputError
from fairlead.kit.unit_of_work import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.kit.database import Database
    from fairlead.testing.clock import FakeClock

EMAIL, PHONE = ("email", "a@example.org"), ("phone", "+4930123")


def _resolve(database: Database, *drafts: CustomerDraft) -> list[ResolvedCustomer]:
    with database.transaction() as uow:
        uow.record(AuditEntry("case.opened", "case_1"))
        return resolve_many(uow, drafts)


def test_a_known_identity_finds_its_customer(database: Database) -> None:
    """The same e-mail is the same customer, later and within one batch; a new identity is added."""
    first, again, other = _resolve(
        database,
        CustomerDraft("Ann", identities=(EMAIL,), source="form"),
        CustomerDraft("Ann B.", identities=(EMAIL, PHONE), source="import"),
        CustomerDraft("Bob", identities=(("email", "b@example.org"),)),
    )
    assert first.is_new
    assert again == (first.id, False)
    assert other.is_new
    assert other.id != first.id
    (later,) = _resolve(database, CustomerDraft("?", identities=(PHONE,)))
    assert later == (first.id, False)
    with database.reading() as reader:
        page = profile(reader, first.id, database.clock.now())
    assert page.name == "Ann"
    assert [(one.kind, one.value, one.source) for one in page.identities] == [
        (*EMAIL, "form"),
        (*PHONE, "import"),
    ]


def test_no_identity_is_always_somebody_new(database: Database) -> None:
    """Two records without an identity are two customers, whatever their names."""
    one, two = _resolve(database, CustomerDraft("Ann"), CustomerDraft("Ann"))
    assert one.is_new
    assert two.is_new
    assert one.id != two.id


def test_two_customers_are_never_merged(database: Database) -> None:
    """Where identities disagree the e-mail wins, and the winner's timeline says so, once per batch."""
    by_mail, by_phone = _resolve(database, CustomerDraft(identities=(EMAIL,)), CustomerDraft(identities=(PHONE,)))
    both = CustomerDraft(identities=(PHONE, EMAIL, ("external_id", "7")))
    assert _resolve(database, both, both) == [(by_mail.id, False)] * 2
    with database.reading() as reader:
        assert holder_of(reader, PHONE) == by_phone.id
        assert holder_of(reader, ("external_id", "7")) == by_mail.id
        (line,) = timeline_of(reader, by_mail.id)
        assert timeline_of(reader, by_phone.id) == []
    assert (line.kind, line.subject) == ("identity.conflict", by_phone.id)
    assert "phone" in line.words
    assert PHONE[1] not in line.words


def test_colleagues_share_a_telephone_number(database: Database) -> None:
    """A number alone does not make two e-mail addresses one person, in one batch or over several."""
    ann = CustomerDraft("Ann", identities=(EMAIL, PHONE))
    bob = CustomerDraft("Bob", identities=(("email", "bob@acme.example"), PHONE))
    eve = CustomerDraft("Eve", identities=(("email", "eve@acme.example"), PHONE))
    first, second = _resolve(database, ann, bob)
    (third,) = _resolve(database, eve)
    assert len({first.id, second.id, third.id}) == 3
    assert [first.is_new, second.is_new, third.is_new] == [True] * 3
    (caller,) = _resolve(database, CustomerDraft(identities=(PHONE,)))
    assert caller == (first.id, False)
    with database.reading() as reader:
        (line,) = timeline_of(reader, third.id)
    assert (line.kind, line.subject) == ("identity.conflict", first.id)


def test_facts_of_a_new_customer(database: Database, clock: FakeClock) -> None:
    """What the draft said is what policies read."""
    (one,) = _resolve(database, CustomerDraft("Ann", "ACME", "DE", "de", 12_300, (EMAIL,), "form"))
    with database.reading() as reader:
        facts = facts_of(reader, [one.id, "cus_unknown"], clock.now())
        assert facts_of(reader, [], clock.now()) == {}
    assert facts == {
        one.id: {
            "id": one.id, "country": "DE", "language": "de", "owner": None, "value_minor": 12_300,
            "erased": False, "flags": {}, "consents": {}, "suppressed": [], "unsubscribed": [],
            "verified": [], "identity_checked": False,
        }
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a\0b"},
        {"company": "x" * 501},
        {"identities": (("fax", "1"),)},
        {"identities": (("email", "  "),)},
        {"identities": (("email", "a\0"),)},
        {"identities": tuple(("email", f"{n}@x") for n in range(21))},
    ],
)
def test_hostile_drafts_are_refused(wrong: dict[str, object]) -> None:
    """What cannot be stored is refused with the field's name before anything is written."""
    with pytest.raises(InputError) as caught:
        CustomerDraft(**wrong)  # type: ignore[arg-type]
    assert caught.value.fields["field"]


def test_text_that_is_no_unicode_is_refused_whole(database: Database) -> None:
    """A lone surrogate is an InputError, and nothing of its batch is stored."""
    with pytest.raises(InputError):
        _resolve(database, CustomerDraft(identities=(EMAIL,)), CustomerDraft(identities=(("email", "\ud800"),)))
    with database.reading() as reader:
        assert holder_of(reader, EMAIL) is None


@pytest.mark.postgres
def test_two_processes_meeting_the_same_people(postgres_url: str, clock: FakeClock) -> None:
    """Who stores an identity second waits, looks again and takes that customer; nobody is left over."""
    from fairlead.audit import Trail  # noqa: PLC0415  as the fixtures do
    from fairlead.kit.database import Database  # noqa: PLC0415  as above

    one, two = (Database(postgres_url, clock=clock, trail=Trail()) for _ in range(2))
    shared = [CustomerDraft(identities=(("email", f"{n}@x"),)) for n in range(20)]
    seen: list[list[ResolvedCustomer]] = []

    def second() -> None:
        mixed = [CustomerDraft(identities=(("phone", f"+{d.identities[0][1]}"), *d.identities)) for d in shared[::-1]]
        seen.append(_resolve(two, *mixed, CustomerDraft(identities=(("email", "own@x"),))))

    try:
        thread = threading.Thread(target=second)
        with one.transaction() as uow:
            first = resolve_many(uow, shared)
            uow.record(AuditEntry("case.opened", "case_1"))
            thread.start()
            with two.reading() as reader:
                _until_somebody_waits(reader)
        thread.join()
        *common, own = seen[0]
        assert [a.id for a in common] == [b.id for b in first[::-1]]
        assert not any(a.is_new for a in common)
        assert own.is_new
        with one.reading() as reader:
            assert _count(reader, "customer") == 21
            assert _count(reader, "customer_identity") == 41
    finally:
        one.close()
        two.close()


def _until_somebody_waits(reader: object) -> None:
    from sqlalchemy import text  # noqa: PLC0415  for this test alone

    from fairlead.kit.unit_of_work import Reader  # noqa: PLC0415  as above

    assert isinstance(reader, Reader)
    query = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    while not reader._connection.execute(query).scalar():
        reader._connection.execute(text("SELECT pg_sleep(0.01)"))


def _count(reader: object, table: str) -> int:
    from sqlalchemy import text  # noqa: PLC0415  for this test alone

    return int(reader._connection.execute(text(f"SELECT count(*) FROM {table}")).scalar())  # type: ignore[attr-defined]


_identities = st.tuples(st.sampled_from(["email", "phone", "external_id"]), st.sampled_from("abcde"))
_drafts = st.lists(st.builds(CustomerDraft, identities=st.lists(_identities, max_size=4).map(tuple)), max_size=12)


def _apply(drafts: Sequence[CustomerDraft], cuts: set[int]) -> tuple[list[str], dict[Identity, str]]:
    """Resolve in batches, cut where `cuts` says; customers are numbered as they are made."""
    known: dict[Identity, str] = {}
    ids: list[str] = []
    numbers = iter(range(1000))
    start = 0
    for end in [*sorted(cuts), len(drafts)]:
        batch = drafts[start:end]
        fresh = [f"fresh{start + n}" for n in range(len(batch))]
        mailed = {holder for (kind, _), holder in known.items() if kind == "email"}
        plan = resolve(batch, known, fresh, mailed)
        names = {one_id: f"customer{next(numbers)}" for one_id, _ in plan.new}
        ids += [names.get(one.id, one.id) for one in plan.resolved]
        known |= {identity: names.get(one, one) for identity, (one, _) in plan.added.items()}
        start = end
    return ids, known


@given(drafts=_drafts, cuts=st.sets(st.integers(0, 12)))
def test_batches_change_nothing(drafts: list[CustomerDraft], cuts: set[int]) -> None:
    """However a list is cut into batches, the same people come out, one id per row."""
    cuts = {cut for cut in cuts if cut <= len(drafts)}
    whole = _apply(drafts, set())
    assert len(whole[0]) == len(drafts)
    assert _apply(drafts, cuts) == whole


@given(drafts=_drafts)
def test_an_identity_is_one_customers(drafts: list[CustomerDraft]) -> None:
    """Every identity ends with exactly one customer; whoever named it otherwise has a conflict noted."""
    plan = resolve(drafts, {}, [f"c{n}" for n in range(len(drafts))])
    for draft, one in zip(drafts, plan.resolved, strict=True):
        for identity in draft.identities:
            holder = plan.added[identity][0]
            if holder != one.id:
                assert (one.id, holder, identity[0]) in plan.conflicts
    made = [one.id for one in plan.resolved if one.is_new]
    assert len(set(made)) == len(made) == len(plan.new)
    assert {one.id for one in plan.resolved} == set(made)


def test_the_store_agrees_with_the_rules(database: Database) -> None:
    """Resolving twice through the database gives the same people and makes nobody new."""
    drafts = [
        CustomerDraft(f"N{n}", identities=(("email", f"{n % 70}@x"), ("phone", f"+{n % 90}"))) for n in range(300)
    ]
    first = _resolve(database, *drafts)
    assert sum(one.is_new for one in first) == 70
    second = _resolve(database, *drafts)
    assert [one.id for one in second] == [one.id for one in first]
    assert not any(one.is_new for one in second)
