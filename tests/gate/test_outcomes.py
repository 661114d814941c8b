"""Outcomes: what came of a decision, kept once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead.evidence.tables import outcome
from fairlead.kit.clock import iso

if TYPE_CHECKING:
    from tests.gate.world import World


def report(world: World, decision_id: str, **changes: Any) -> Any:
    """One report by the ordinary key."""
    body = {
        "decision": decision_id, "name": "complained", "value": True, "happened_at": iso(world.clock.now()),
        "key": "o-1",
    } | changes  # fmt: skip
    return world.web.post("/v1/outcomes", json=body, headers=world.headers())


def test_an_outcome_is_kept_once_per_key(world: World) -> None:
    """201, then 200 for the same again, 409 for another under the same key; audited once."""
    found = world.asked()
    codes = [report(world, found["id"]).status_code for _ in range(2)]
    other = report(world, found["id"], value=False)

    assert codes == [201, 200]
    assert (other.status_code, other.json()["error"]["code"]) == (409, "key_reused")
    assert world.count(outcome) == 1
    assert world.audited(found["id"]).count("outcome.reported") == 1


def test_outcomes_of_a_decision_are_listed_in_order(world: World) -> None:
    """With their source and both times."""
    found = world.asked()
    for number, value in enumerate(({"stars": 4}, "late", 2.5)):
        report(world, found["id"], key=f"k{number}", value=value)
    items = world.get(f"/v1/decisions/{found['id']}/outcomes").json()["items"]

    assert [one["value"] for one in items] == [{"stars": 4}, "late", 2.5]
    assert {one["source"] for one in items} == {f"api_key:{world.key.key.id}"}


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Not A Name"},
        {"name": ""},
        {"value": None},
        {"value": "x" * 5_000},
        {"happened_at": "yesterday"},
        {"happened_at": "2026-11-02T09:00:00"},
        {"happened_at": "2036-01-01T00:00:00Z"},
        {"key": ""},
        {"key": 5},
        {"more": 1},
    ],
)
def test_what_is_no_outcome_is_refused(world: World, changes: dict[str, Any]) -> None:
    """422 and nothing stored."""
    found = world.asked()

    assert report(world, found["id"], **changes).status_code == 422
    assert world.count(outcome) == 0


def test_outcomes_belong_to_ones_own_decisions(world: World) -> None:
    """Another key's decision does not exist here either; a clock slightly ahead is forgiven."""
    other = world.ask(world.make_key()).json()
    found = world.asked()

    assert report(world, other["id"]).status_code == 404
    ahead = iso(world.clock.now() + timedelta(minutes=4))
    assert report(world, found["id"], happened_at=ahead).status_code == 201
