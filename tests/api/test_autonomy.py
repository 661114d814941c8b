"""Grants and stop switches over HTTP, and what is deployed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead.kit.clock import iso
from tests.api.world import ok, refused

if TYPE_CHECKING:
    from tests.api.world import World


def grant(world: World, **changes: Any) -> dict[str, Any]:
    """A grant as it may be given."""
    usual = {
        "checkpoint": "lead-assignment", "segment": "large", "producer": "lead-rules@1", "level": "auto",
        "threshold": 0.9, "promised_error": 0.02, "expires_at": iso(world.clock.now() + timedelta(days=30)),
        "reason": "agreed in the pricing round",
    }  # fmt: skip
    return usual | changes


def test_a_grant_is_given_listed_and_ended(world: World) -> None:
    """It is signed with the person's role, replaces its predecessor, and ends with a reason."""
    manager = world.person("manager")
    first = ok(manager.post("/v1/grants", json=grant(world)), 201)
    second = ok(manager.post("/v1/grants", json=grant(world, threshold=0.8)), 201)

    assert (first["signed_role"], first["signed_by"]) == (
        "manager",
        f"user:{world.desk.people['manager'].id}",
    )
    listed = ok(manager.get("/v1/grants", params={"checkpoint": "lead-assignment"}))["items"]
    assert second["id"] in {one["id"] for one in listed}
    assert first["id"] not in {one["id"] for one in listed}
    ended = ok(manager.post(f"/v1/grants/{second['id']}/withdrawal", json={"reason": "two complaints"}))
    assert ended["withdrawn_because"] == "two complaints"
    assert world.audited(second["id"]) == ["grant.set", "grant.withdrawn"]
    refused(manager.post(f"/v1/grants/{second['id']}/withdrawal", json={"reason": "x"}), 404)
    every = ok(manager.get("/v1/grants", params={"withdrawn": True}))["items"]
    assert {first["id"], second["id"]} <= {one["id"] for one in every}


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"checkpoint": "lead-asignment"}, 422, "no_checkpoint"),
        ({"segment": "huge"}, 422, "input"),
        ({"threshold": None}, 422, "grant_threshold"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, 422, "grant_expired"),
        ({"expires_at": "2030-01-01T00:00:00"}, 422, "input"),
        ({"expires_at": "0001-01-01T00:00:00+23:59"}, 422, "input"),
        ({"expires_at": "9999-12-31T23:59:59-23:59"}, 422, "input"),
        ({"promised_error": 2}, 422, "input"),
        ({"reason": ""}, 422, "input"),
        ({"policy_version": "another"}, 409, "policy_changed"),
    ],
)
def test_grants_that_could_not_hold(light_world: World, changes: dict[str, Any], status: int, code: str) -> None:
    """Refused with the reason, and nothing is stored."""
    manager = light_world.person("manager")
    before = light_world.entries()

    refused(manager.post("/v1/grants", json=grant(light_world, **changes)), status, code)
    assert light_world.entries() == before


@pytest.mark.parametrize("scope", ["workspace", "playbook:lead-qualification", "checkpoint:lead-assignment"])
def test_a_stop_goes_on_and_off(world: World, scope: str) -> None:
    """PUT twice is the same as once; GET shows it; DELETE lifts it once."""
    compliance = world.person("compliance")
    url = f"/v1/stops/{scope}"
    refused(compliance.get(url), 404)

    assert ok(compliance.put(url, json={"words": "wrong teams"}))["on"] is True
    ok(compliance.put(url, json={"words": "wrong teams"}))
    refused(compliance.put(url, json={"words": "other words"}), 409)
    assert ok(compliance.get(url))["words"] == "wrong teams"
    assert [one["scope"] for one in ok(compliance.get("/v1/stops"))["items"]] == [scope]
    assert ok(compliance.delete(url))["on"] is False
    refused(compliance.delete(url), 404)
    assert [verb for verb in world.audited(scope) if verb.startswith("stop.")] == ["stop.set", "stop.lifted"]


def test_a_stop_of_nothing_is_refused(light_world: World) -> None:
    """A misspelt name would stop nothing, so it is refused with what was meant; old names need a word more."""
    compliance = light_world.person("compliance")

    error = refused(compliance.put("/v1/stops/checkpoint:lead-asignment", json={"words": "x"}), 422, "no_checkpoint")
    assert "lead-assignment" in error["message"]
    for scope in ("everything", "playbook:", "workspace:x", "stage:assign"):
        refused(compliance.put(f"/v1/stops/{scope}", json={"words": "x"}), 422)
    refused(compliance.put("/v1/stops/workspace", json={"words": ""}), 422)
    old = {"words": "x", "undeployed": True}
    assert ok(compliance.put("/v1/stops/checkpoint:long-gone", json=old))["on"] is True


def test_what_is_deployed(world: World) -> None:
    """Checkpoints with versions, segments and schema; playbooks with open cases by stage."""
    viewer = world.person("viewer")
    found = ok(viewer.get("/v1/checkpoints"))
    [one] = [item for item in found["items"] if item["checkpoint"] == "lead-assignment"]
    assert (one["checkpoint"], [part["name"] for part in one["segments"]]) == (
        "lead-assignment", ["large", "medium", "small", "other"],
    )  # fmt: skip
    assert one["version"] == world.desk.bundle.policies["lead-assignment"].version
    playbooks = ok(viewer.get("/v1/playbooks"))["items"]
    [playbook] = [item for item in playbooks if item["playbook"] == "lead-qualification"]
    waiting = ok(viewer.get("/v1/cases", params={"state": "waiting", "limit": 200}))["items"]

    assert found["bundle"] == world.desk.bundle.digest
    assert sum(part["count"] for part in playbook["open"] if part["state"] == "waiting") == len(waiting)
