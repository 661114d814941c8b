"""A customer's request: decided by a person, done in that moment, refused with a reason."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies as st

from fairlead import customers, rights
from fairlead.checkpoints import Grant, Level, set_grant
from fairlead.customers import TimelineNote
from fairlead.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from fairlead.guardrails import Attempt, would_pass
from fairlead.kit.actors import SYSTEM, Actor, ActorKind
from fairlead.rights import due_of
from tests.rights.world import CEM, CLERK, DORA

if TYPE_CHECKING:
    from tests.rights.world import Desk


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  made aware
def test_a_month_is_a_month_of_the_calendar(asked: datetime) -> None:
    """Never more than 31 days, never less than 28, in the next month and never on a later day of it."""
    due = due_of(asked)

    assert timedelta(days=28) <= due - asked <= timedelta(days=31)
    assert (due.year * 12 + due.month) - (asked.year * 12 + asked.month) == 1
    assert due.day <= asked.day


def test_the_last_of_january_is_due_at_the_end_of_february() -> None:
    """Also in a leap year, and across the end of a year."""
    assert due_of(datetime(2028, 1, 31, tzinfo=UTC)) == datetime(2028, 2, 29, tzinfo=UTC)
    assert due_of(datetime(2027, 12, 31, tzinfo=UTC)) == datetime(2028, 1, 31, tzinfo=UTC)


def test_nothing_is_exported_before_a_person_decided(desk: Desk) -> None:
    """Then the document holds what is stored, delicate flags with it, and names who asked when."""
    ada = desk.customer("Ada Keller", ("email", "ada@example.com"))
    with desk.database.transaction() as uow:
        customers.set_flag(uow, CLERK, ada, "vulnerable", value=True, source="a call", owner="user:per_clerk")
        customers.note(uow, CLERK, TimelineNote(ada, "note", "likes trains"))
    request = desk.ask(ada, "export")
    with desk.database.reading() as reader, pytest.raises(ForbiddenError) as refused:
        "".join(rights.export_for(reader, request))
    assert refused.value.reason == "not_approved"

    done = desk.decide(request, carry_out=True)

    with desk.database.reading() as reader:
        document: dict[str, Any] = json.loads("".join(rights.export_for(reader, request)))
    assert (done.state, done.decided_by, desk.end_of(request)) == ("done", "user:per_cem", "done")
    assert [one["value"] for one in document["identities"]] == ["ada@example.com"]
    assert [one["flag"] for one in document["flags"]] == ["vulnerable"]
    assert "likes trains" in [one["words"] for one in document["timeline"]]
    assert document["records"][0]["name"] == "Ada Keller"
    assert document["cut_off"] == {}


def test_an_export_tells_nothing_of_other_people(desk: Desk) -> None:
    """Neither their records nor those of a pair that looked like one customer."""
    ada, eve = desk.customer("Ada Keller", ("email", "ada@example.com")), desk.customer("Eve Other")
    with desk.database.transaction() as uow:
        customers.note(uow, CLERK, TimelineNote(eve, "note", "only about eve"))
    request = desk.ask(ada, "export")
    desk.decide(request, carry_out=True)

    with desk.database.reading() as reader:
        text = "".join(rights.export_for(reader, request))

    assert "eve" not in text.lower()


def test_what_is_refused_is_not_done(desk: Desk) -> None:
    """The reason is kept, and the customer's timeline says so."""
    ada = desk.customer("Ada Keller", ("email", "ada@example.com"))
    request = desk.ask(ada, "erase")

    refused = desk.decide(request, carry_out=False)

    with desk.database.reading() as reader:
        one = customers.profile(reader, ada, desk.database.clock.now())
        lines = [line.words for line in customers.timeline_of(reader, ada)]
    assert (refused.state, refused.result, one.name) == ("refused", {"reason": "looked at it"}, "Ada Keller")
    assert "Request to erase what is stored about them: refused." in lines


def test_no_grant_makes_a_right_automatic(desk: Desk) -> None:
    """The machine's answer never counts, even with autonomy for everything."""
    until = desk.database.clock.now() + timedelta(days=90)
    version = desk.bundle.policies["rights-request"].version
    grants = [Grant("", "rights-request", segment, "rights-desk@1", Level.AUTO, version, until, 0.0, 0.02)
              for segment in ("erasure", "other")]  # fmt: skip
    with desk.database.transaction() as uow:
        for one in grants:
            set_grant(uow, SYSTEM, "manager", one, {"note": "test"})
    ada = desk.customer("Ada Keller")

    requests = [desk.ask(ada, right) for right in ("erase", "export", "restrict")]

    assert [desk.request(one).state for one in requests] == ["asked"] * 3
    assert all(desk.waiting(one).path == "human" for one in requests)


def test_a_policy_that_lets_a_machine_decide_still_does_nothing(desk: Desk) -> None:
    """The step itself asks for a person's decision, whatever a changed policy allows."""
    ada = desk.customer("Ada Keller")
    request = desk.ask(ada, "erase")
    facts = {"request": request, "carry_out": True}

    with desk.database.transaction() as uow:
        found = rights.carry_out(uow, desk.request(request).case_id, facts)

    assert found == {"rights_outcome": "nobody_decided"}
    assert desk.request(request).state == "asked"


def test_whoever_wrote_an_erasure_down_does_not_decide_it(desk: Desk) -> None:
    """It is asked again, and another person's answer counts."""
    ada = desk.customer("Ada Keller", ("email", "ada@example.com"))
    request = desk.ask(ada, "erase", actor=Actor(ActorKind.USER, CEM.id))

    assert desk.decide(request, carry_out=True, who=CEM).state == "asked"
    assert desk.decide(request, carry_out=True, who=DORA).state == "done"
    assert desk.end_of(request) == "done"


def test_rectifying_names_old_and_new(desk: Desk) -> None:
    """The record, its addresses and the timeline follow; what is not named stays."""
    ada = desk.customer("Ada Kelle", ("email", "ada@exmaple.com"))
    request = desk.ask(ada, "rectify", name="Ada Keller", email="Ada@Example.com")

    done = desk.decide(request, carry_out=True)

    with desk.database.reading() as reader:
        one = customers.profile(reader, ada, desk.database.clock.now())
    assert (one.name, one.company) == ("Ada Keller", "Example Ltd")
    assert [each.value for each in one.identities] == ["ada@example.com"]
    assert done.result == {"changes": [
        {"field": "name", "old": "Ada Kelle", "new": "Ada Keller"},
        {"field": "email", "old": "ada@exmaple.com", "new": "ada@example.com"},
    ]}  # fmt: skip


def test_what_cannot_be_done_is_asked_again_and_changes_nothing(desk: Desk) -> None:
    """An address of somebody else is not taken from them, and the name is not changed either."""
    ada, _ = desk.customer("Ada Kelle"), desk.customer("Eve", ("email", "eve@example.com"))
    request = desk.ask(ada, "rectify", name="Ada Keller", email="eve@example.com")

    after = desk.decide(request, carry_out=True)

    with desk.database.reading() as reader:
        assert customers.profile(reader, ada, desk.database.clock.now()).name == "Ada Kelle"
    assert after.state == "asked"
    assert desk.waiting(request).is_open


def test_a_restricted_customer_is_left_alone_until_it_is_lifted(desk: Desk) -> None:
    """The gate refuses programs while the restriction counts."""
    ada = desk.customer("Ada Keller", ("email", "ada@example.com"))
    attempt = Attempt("k", ada, "email", "ada@example.com", "service", "bot")

    def code() -> str:
        with desk.database.reading() as reader:
            return would_pass(reader, attempt, desk.clock.now()).code

    before = code()
    desk.decide(desk.ask(ada, "restrict"), carry_out=True)
    restricted = code()
    desk.decide(desk.ask(ada, "unrestrict"), carry_out=True)

    assert restricted == "restricted"
    assert before == code() != "restricted"


@pytest.mark.parametrize(
    ("right", "changes"),
    [("rectify", {}), ("rectify", {"password": "x"}), ("rectify", {"name": "x" * 501}), ("rectify", {"email": " "}),
     ("export", {"name": "x"}), ("rectify", {"name": "a\0b"})],
)  # fmt: skip
def test_a_request_that_makes_no_sense_is_refused(desk: Desk, right: str, changes: dict[str, str]) -> None:
    """Before anything is written."""
    ada = desk.customer("Ada Keller")

    with pytest.raises(InputError):
        desk.ask(ada, right, **changes)

    with desk.database.reading() as reader:
        assert rights.requests_page(reader, None, None, 10) == []


def test_the_same_is_asked_once_and_only_of_the_living(desk: Desk) -> None:
    """A second request for the same waits for the first; nothing is asked of an unknown or erased customer."""
    ada = desk.customer("Ada Keller")
    first = desk.ask(ada, "erase")
    with pytest.raises(ConflictError) as twice:
        desk.ask(ada, "erase")
    assert twice.value.reason == "already_asked"
    desk.decide(first, carry_out=True)

    with pytest.raises(ConflictError) as erased:
        desk.ask(ada, "export")
    assert erased.value.reason == "customer_erased"
    with pytest.raises(NotFoundError):
        desk.ask("cus_0", "export")


def test_an_erasure_overtakes_what_else_was_asked(desk: Desk) -> None:
    """An open export is over, and there is nothing left to hand over."""
    ada = desk.customer("Ada Keller")
    export, erasure = desk.ask(ada, "export"), desk.ask(ada, "erase")

    desk.decide(erasure, carry_out=True)

    assert desk.request(export).state == "gone"
    assert desk.end_of(export) == "cancelled"
