"""The states of an action, retries, and what is done instead of a delivery."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, strategies as st

from fairlead.actions import (
    OPEN,
    ActionDraft,
    ActionState,
    Receipt,
    ReceiptState,
    RetryPolicy,
    Scope,
    ScopeKind,
    may_follow,
)
from fairlead.actions.model import Ticket, after_delivery, before_delivery
from fairlead.errors import InputError

NOW = datetime(2026, 11, 2, tzinfo=UTC)
ALLOWED = {
    ("queued", "held"), ("queued", "sent"), ("queued", "refused"), ("queued", "failed"),
    ("queued", "expired"), ("queued", "withdrawn"), ("queued", "ambiguous"),
    ("held", "queued"), ("held", "expired"), ("held", "withdrawn"), ("held", "ambiguous"),
    ("ambiguous", "sent"), ("ambiguous", "failed"), ("ambiguous", "queued"),
    ("failed", "queued"), ("failed", "withdrawn"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), [*product(ActionState, ActionState)])
def test_every_pair_of_states(before: ActionState, after: ActionState) -> None:
    """Exactly the listed transitions are allowed; what has an end stays there."""
    assert may_follow(before, after) == ((before.value, after.value) in ALLOWED)


def _ticket(**values: object) -> Ticket:
    given = {
        "id": "act_1", "connector": "x", "kind": "k", "playbook": "p", "checkpoint": "c", "case_id": None,
        "customer_id": None, "expires_at": None, "attempt": 0, "lease_token": None, "withdrawn": False,
    }  # fmt: skip
    return Ticket(**(given | values))  # type: ignore[arg-type]


_tickets = st.builds(
    _ticket,
    attempt=st.integers(0, 8),
    lease_token=st.sampled_from([None, "lost"]),
    withdrawn=st.booleans(),
    expires_at=st.sampled_from([None, NOW, NOW + timedelta(hours=1)]),
    checkpoint=st.sampled_from([None, "c"]),
)
_stops = st.lists(st.sampled_from([Scope(ScopeKind.WORKSPACE), Scope(ScopeKind.PLAYBOOK, "p")]), max_size=2)


@given(ticket=_tickets, stops=_stops)
def test_what_happens_instead_of_a_delivery(ticket: Ticket, stops: list[Scope]) -> None:
    """Nothing goes out late, stopped or too often; after a vanished worker nothing says "not sent"."""
    retry = RetryPolicy(max_attempts=6)
    out = before_delivery(ticket, NOW, stops, retry)
    late = ticket.expires_at is not None and ticket.expires_at <= NOW
    stopped = bool(stops) and ticket.checkpoint is not None
    assert (out is None) == (not (late or stopped or ticket.withdrawn or ticket.attempt >= 6))
    if out is not None:
        assert may_follow(ActionState.QUEUED, out.state)
        if ticket.lease_token:
            assert out.state in {ActionState.AMBIGUOUS, ActionState.HELD}
            assert out.result["perhaps_sent"]


@given(ticket=_tickets, state=st.sampled_from(list(ReceiptState)))
def test_what_becomes_of_an_answer(ticket: Ticket, state: ReceiptState) -> None:
    """Only a failure is tried again, never one that was withdrawn or used up its attempts."""
    out = after_delivery(ticket, Receipt(state, "x" * 9000), RetryPolicy(max_attempts=6))
    again = state is ReceiptState.FAILED and not ticket.withdrawn and ticket.attempt < 6
    assert (out is None) == again
    if out is not None:
        assert out.state not in OPEN
        assert len(out.result["detail"]) == 2000
        assert state is ReceiptState.FAILED or out.state.value == state.value


@given(attempt=st.integers(1, 10_000), action_id=st.text(max_size=30))
def test_pauses_grow_and_stay_bounded(attempt: int, action_id: str) -> None:
    """Between half and all of the plain pause, at most an hour, and repeatable."""
    retry = RetryPolicy()
    pause = retry.pause(action_id, attempt).total_seconds()
    plain = min(3600.0, 2.0 * 4.0 ** min(attempt - 1, 20))
    assert plain / 2 - 0.001 <= pause <= plain
    assert retry.pause(action_id, attempt).total_seconds() == pause


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("idempotency_key", ""),
        ("idempotency_key", "k" * 301),
        ("idempotency_key", "\0"),
        ("connector", ""),
        ("kind", ""),
    ],
)
def test_hostile_drafts_are_refused(field: str, value: str) -> None:
    """An effect without a usable key, connector or kind never gets as far as the database."""
    with pytest.raises(InputError):
        ActionDraft(**{"idempotency_key": "k", "connector": "file", "kind": "note", field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "name"), [("workspace", "x"), ("playbook", ""), ("checkpoint", "")])
def test_a_stop_names_what_it_stops(kind: str, name: str) -> None:
    """A scope that is half said is refused instead of stopping too much or nothing."""
    with pytest.raises(InputError):
        Scope(ScopeKind(kind), name)
