"""Inactive customers: proposed to a person, erased only by one, and never while something keeps them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fairlead import customers
from fairlead.customers import ConsentRecord, ConsentState, CustomerDraft, TimelineNote
from fairlead.kit.actors import SYSTEM
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.retention import inactive_counts, parse_retention
from fairlead.testing.seed import run_ready
from fairlead.worker.inactive import propose_inactive
from tests.rights.world import CLERK, DORA

if TYPE_CHECKING:
    from tests.rights.world import Desk

RULES = parse_retention("keep: {timeline: 1095d}\ninactive_customers: {after: 400d, at_once: 2, again: 100d}\n")
YEARS = timedelta(days=500)


def proposed(desk: Desk) -> list[str]:
    """Who is proposed now, by request."""
    made = propose_inactive(desk.database, desk.bundle, RULES).requests
    run_ready(desk.engine)
    return made


def why_kept(desk: Desk) -> dict[str, int]:
    """Silent customers by what keeps them; "" for who would be proposed."""
    assert RULES.inactive is not None
    with desk.database.reading() as reader:
        return inactive_counts(reader, RULES.inactive, RULES.hold_flags, desk.clock.now())


def test_the_silent_are_proposed_and_a_person_erases(desk: Desk) -> None:
    """Nobody is erased by the look; the same is not proposed twice, and whoever was heard of is not at all."""
    silent, lively = desk.customer("Silent", ("email", "s@example.com")), desk.customer("Lively")
    assert proposed(desk) == []
    desk.clock.advance(YEARS)
    with desk.database.transaction() as uow:
        customers.note(uow, CLERK, TimelineNote(lively, "note", "called"))
    assert why_kept(desk) == {"": 1}
    [one] = proposed(desk)
    assert proposed(desk) == []
    request = desk.request(one)
    assert (request.customer_id, request.origin, request.kind, request.due_at) == (silent, "retention", "erase", None)
    with desk.database.reading() as reader:
        assert customers.profile(reader, silent, desk.clock.now()).erased_at is None
    assert desk.decide(one, carry_out=True, who=DORA).state == "done"
    with desk.database.reading() as reader:
        assert customers.profile(reader, silent, desk.clock.now()).erased_at is not None
        assert customers.profile(reader, lively, desk.clock.now()).erased_at is None
    assert why_kept(desk) == {}


def test_who_was_kept_is_not_proposed_again_soon(desk: Desk) -> None:
    """A rejection holds for as long as the rules say; then it is asked anew."""
    desk.customer("Silent")
    desk.clock.advance(YEARS)
    [one] = proposed(desk)
    assert desk.decide(one, carry_out=False).state == "refused"
    assert proposed(desk) == []
    assert why_kept(desk) == {"rejected_before": 1}
    desk.clock.advance(timedelta(days=101))
    assert len(proposed(desk)) == 1


def test_what_was_heard_since_ends_the_proposal(desk: Desk) -> None:
    """Between the look and the decision somebody called: the approval does nothing."""
    silent = desk.customer("Silent")
    desk.clock.advance(YEARS)
    [one] = proposed(desk)
    with desk.database.transaction() as uow:
        customers.note(uow, CLERK, TimelineNote(silent, "note", "called"))
    assert desk.decide(one, carry_out=True, who=DORA).state == "gone"
    with desk.database.reading() as reader:
        assert customers.profile(reader, silent, desk.clock.now()).erased_at is None


def test_only_so_many_wait_at_once(desk: Desk) -> None:
    """People are not drowned: the third is proposed when one of the two is decided."""
    for name in ("A", "B", "C"):
        desk.customer(name)
    desk.clock.advance(YEARS)
    first, _ = proposed(desk)
    assert proposed(desk) == []
    desk.decide(first, carry_out=True, who=DORA)
    assert len(proposed(desk)) == 1


@pytest.mark.parametrize("reason", ["legal_hold", "open_complaint", "waiting_request", "objection_only"])
def test_what_keeps_a_silent_customer(desk: Desk, reason: str) -> None:
    """Each reason is told by name, and nobody whom it keeps is proposed."""
    draft = CustomerDraft(name="", identities=(("email", "s@example.com"),), source="test")
    with desk.database.transaction() as uow:
        one = customers.resolve_many(uow, [draft])[0].id
        uow.record(AuditEntry("test.made", one))
    with desk.database.transaction() as uow:
        if reason == "objection_only":
            no = ConsentRecord("*", "*", ConsentState.WITHDRAWN, "letter", "post")
            customers.record_consent(uow, CLERK, one, no)
        elif reason != "waiting_request":
            flag = {"open_complaint": "complaint_open"}.get(reason, reason)
            customers.set_flag(uow, SYSTEM, one, flag, value=True, source="test", owner="test")
    if reason == "waiting_request":
        desk.ask(one, "export")
    desk.clock.advance(YEARS)
    assert why_kept(desk) == {reason: 1}
    assert proposed(desk) == []
