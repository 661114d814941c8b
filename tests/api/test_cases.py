"""Cases over HTTP: started once, told in words, steered by those who may, told what happened."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead.kit.actors import SYSTEM
from tests.api.world import ok, refused

if TYPE_CHECKING:
    from tests.api.world import World

LEAD = {
    "playbook": "lead-qualification",
    "idempotency_key": "web-1",
    "subject": "form-77",
    "customer": {"email": "Nina@Example.com", "name": "Nina", "company": "Nord", "country": "DE"},
    "facts": {"name": "Nina", "country": "DE", "value": 9_000.0, "reachable_at": "nina@example.com"},
}


def start(world: World, **changes: Any) -> str:
    """The id of a fresh case that the engine has run as far as it goes."""
    case: str = ok(world.almighty().post("/v1/cases", json=LEAD | changes), 201)["id"]
    world.run()
    return case


def test_a_case_runs_to_its_checkpoint(world: World) -> None:
    """What is sent becomes a customer and a case; the engine is woken; history and ruling tell what happened."""
    case_id = start(world)
    admin = world.person("admin")
    case = ok(admin.get(f"/v1/cases/{case_id}"))

    assert world.woken
    assert (case["state"], case["stage"], case["subject"]["id"]) == ("waiting", "assign", "form-77")
    assert [one["checkpoint"] for one in case["rulings"]] == ["lead-assignment"]
    assert [one["state"] for one in case["reviews"]] == ["waiting"]
    assert case["history"][0]["words"] == "The case was opened."
    assert any(one["words"].startswith("Went from score to route") for one in case["history"])
    customer = ok(admin.get(f"/v1/customers/{case['customer']}"))
    assert (customer["name"], customer["identities"][0]["value"]) == ("Nina", "nina@example.com")


def test_a_key_starts_one_case(world: World) -> None:
    """The same attempt again gives the same case; another body, a conflict; another program's key is its own."""
    program = world.almighty()
    first = ok(program.post("/v1/cases", json=LEAD), 201)
    before = world.entries()

    again = ok(program.post("/v1/cases", json=LEAD), 200)
    assert again == {"id": first["id"], "is_new": False}
    refused(program.post("/v1/cases", json=LEAD | {"subject": "form-78"}), 409, "key_reused")
    assert world.entries() == before
    assert ok(world.almighty().post("/v1/cases", json=LEAD), 201)["id"] != first["id"]


def test_a_key_is_forgotten_after_thirty_days(world: World) -> None:
    """Within 30 days it is the same case, and another body a conflict; from then on the key is free again."""
    program = world.almighty()
    first = ok(program.post("/v1/cases", json=LEAD), 201)["id"]
    world.clock.advance(timedelta(days=30) - timedelta(seconds=1))
    assert ok(program.post("/v1/cases", json=LEAD), 200)["id"] == first
    world.clock.advance(timedelta(seconds=2))
    second = ok(program.post("/v1/cases", json=LEAD | {"subject": "form-78"}), 201)["id"]
    assert second != first
    assert ok(program.post("/v1/cases", json=LEAD | {"subject": "form-78"}), 200)["id"] == second


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"playbook": "lead-qualificaton"}, "no_playbook"),
        ({"customer": {"id": "cus_nobody"}}, "no_customer"),
        ({"customer": {}}, "customer"),
        ({"customer": {"email": "x"}}, "input"),
        ({"customer": {"email": "not an address"}}, "email"),
        ({"facts": {"x" * 201: 1}}, "input"),
        ({"facts": [1]}, "input"),
        ({"idempotency_key": ""}, "input"),
        ({"colour": "red"}, "input"),
    ],
)
def test_a_case_that_cannot_be_started(light_world: World, changes: dict[str, Any], code: str) -> None:
    """422 says why; neither case nor customer nor key is stored, so that the mended request works."""
    program = light_world.almighty()
    before = light_world.entries()

    refused(program.post("/v1/cases", json=LEAD | changes), 422, code)
    assert light_world.entries() == before
    ok(program.post("/v1/cases", json=LEAD), 201)


def test_cases_are_listed_newest_first(world: World) -> None:
    """Filters narrow, pages join without a gap, and every id can be looked at."""
    viewer = world.person("viewer")
    seen: list[str] = []
    before = None
    while True:
        query = {"limit": 10} | ({"before": before} if before else {})
        page = ok(viewer.get("/v1/cases", params=query))
        seen += [one["id"] for one in page["items"]]
        before = page["next"]
        if before is None:
            break

    assert seen == sorted({*world.desk.cases, world.blind_case}, reverse=True)
    waiting = ok(viewer.get("/v1/cases", params={"state": "waiting", "limit": 200}))["items"]
    assert {one["state"] for one in waiting} == {"waiting"}
    assert ok(viewer.get("/v1/cases", params={"playbook": "other"}))["items"] == []
    refused(viewer.get("/v1/cases", params={"state": "lost"}), 422)
    refused(viewer.get("/v1/cases/case_nothing"), 404)


def test_a_person_steps_in(world: World) -> None:
    """Pause, resume, take over, hand back, redirect and cancel do what they say, and the record says who."""
    manager, case_id = world.person("manager"), start(world)
    url = f"/v1/cases/{case_id}"

    version = ok(manager.get(url))["version"]
    paused = ok(manager.post(f"{url}/pause", json={"reason": "wait for the contract", "version": version}))
    assert paused["state"] == "paused"
    refused(manager.post(f"{url}/resume", json={"version": version}), 409, "conflict")
    assert ok(manager.post(f"{url}/resume"))["state"] == "waiting"
    assert ok(manager.post(f"{url}/take-over"))["state"] == "paused"
    assert ok(manager.get(url))["taken_by"] == f"user:{world.desk.people['manager'].id}"
    assert [one["state"] for one in ok(manager.get(url))["reviews"]] == ["withdrawn"]
    assert ok(manager.post(f"{url}/hand-back"))["state"] == "ready"
    assert ok(manager.post(f"{url}/redirect", json={"stage": "nurture"}))["stage"] == "nurture"
    refused(manager.post(f"{url}/redirect", json={"stage": "nurtur"}), 422, "no_stage")
    refused(manager.post(f"{url}/retry"), 409)
    refused(manager.post(f"{url}/explode"), 422)
    assert ok(manager.post(f"{url}/cancel"))["state"] == "ended"
    refused(manager.post(f"{url}/pause"), 409)
    verbs = [verb for verb in world.audited(case_id) if verb != "case.moved"]
    assert verbs[-6:] == [
        "case.paused", "case.resumed", "case.taken_over", "case.handed_back", "case.redirected", "case.cancelled",
    ]  # fmt: skip


def test_an_event_interrupts(world: World) -> None:
    """An opt-out ends the customer's case as its playbook says; sent twice under one id it counts once."""
    case_id, program = start(world), world.almighty()
    event = {"type": "opted_out", "customer": {"email": "nina@example.com"}, "id": "mail-9"}

    sent = ok(program.post("/v1/events", json=event), 202)
    assert sent["is_new"] is True
    assert ok(program.post("/v1/events", json=event), 202)["is_new"] is False
    world_events(world)
    case = ok(world.person("admin").get(f"/v1/cases/{case_id}"))
    assert (case["state"], case["end"]) == ("ended", "closed")
    assert world.audited(sent["customer"]).count("event.received") == 1
    timeline = ok(program.get(f"/v1/customers/{sent['customer']}/timeline"))["items"]
    assert [one["words"] for one in timeline if one["kind"] == "event"] == ["bot reported: opted out."]


def world_events(world: World) -> None:
    """Deliver events, then run what they made ready."""
    from fairlead.playbooks import EventSource  # noqa: PLC0415 - only here

    EventSource(world.desk.engine).run("events")
    world.run()


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"type": "decision"}, 422, "event_type"),
        ({"type": "action"}, 422, "event_type"),
        ({"type": "timeout"}, 422, "event_type"),
        ({"type": "customer.erased"}, 422, "input"),
        ({"type": "Ünfug"}, 422, "input"),
        ({"customer": {"email": "nobody@example.com"}}, 422, "no_customer"),
        ({"customer": {"id": "cus_1", "email": "a@example.com"}}, 422, "customer"),
        ({"payload": {"found": "text"}}, 422, "event_found"),
    ],
)
def test_events_that_are_refused(light_world: World, changes: dict[str, Any], status: int, code: str) -> None:
    """Nobody can play Fairlead's own events, erase a customer or make a decision by sending one."""
    start(light_world)
    program, before = light_world.almighty(), light_world.entries()
    event = {"type": "replied", "customer": {"email": "nina@example.com"}} | changes

    refused(program.post("/v1/events", json=event), status, code)
    assert light_world.entries() == before


def test_hostile_facts_cost_the_case_not_the_server(light_world: World) -> None:
    """Huge numbers, deep nests, odd names and formulas are taken or refused, and the engine goes on."""
    program = light_world.almighty()
    odd: list[dict[str, Any]] = [
        {"value": 10**300},
        {"value": -1e308},
        {"country": ["DE"]},
        {"name": "=cmd|' /C calc'!A0", "company": "x" * 100_000},
        {"__class__": {"a": {"b": [[[[]]]]}}, "": 1} | {"\u202e": "\ud7ff"},
        {"employees": "many", "points": None, "confidence": "NaN"},
    ]
    for number, facts in enumerate(odd):
        answer = program.post("/v1/cases", json=LEAD | {"idempotency_key": f"odd-{number}", "facts": facts})
        assert answer.status_code in {201, 413, 422}, answer.text
        if answer.status_code == 201:
            light_world.run()
            case = ok(light_world.person("admin").get(f"/v1/cases/{answer.json()['id']}"))
            assert case["state"] in {"waiting", "exception", "ended"}
    assert SYSTEM  # the world is still there
    ok(light_world.person("admin").get("/v1/cases"))
