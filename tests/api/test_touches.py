"""Contacts with leads over HTTP, and the report about the first one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from fairlead.kit.clock import iso
from fairlead.testing.teams import seed_teams
from tests.api.world import ok, refused

if TYPE_CHECKING:
    from tests.api.world import World


def leads(world: World) -> list[str]:
    """Cases about leads that nobody answers blind, newest first."""
    boss = world.person("manager")
    items = ok(boss.get("/v1/cases", params={"limit": 200}))["items"]
    blind = {
        one["case_id"] for one in ok(boss.get("/v1/reviews", params={"limit": 200}))["items"] if one["mode"] != "assist"
    }
    return [one["id"] for one in items if one["id"] not in {*blind, world.blind_case}]


def test_a_contact_is_logged_once_listed_and_taken_back(world: World) -> None:
    """The same key tells the same contact; another body under it is refused."""
    program, case_id = world.program("leads:touch", "cases:read"), leads(world)[0]
    person = world.desk.people["reviewer"].id
    world.clock.advance(timedelta(hours=1))
    body = {"kind": "call", "note": "wants a demo", "person": person, "idempotency_key": "call-1"}
    path = f"/v1/leads/{case_id}/touches"
    first = ok(program.post(path, json=body), 201)
    assert ok(program.post(path, json=body), 201) == first
    refused(program.post(path, json={**body, "note": "else"}), 409, "key_reused")
    assert first["person_id"] == person
    assert ok(program.get(f"/v1/leads/{first['lead']}/touches"))["items"] == [first]
    refused(world.person("reviewer").delete(f"{path}/{first['id']}"), 403, "not_yours")
    assert program.delete(f"{path}/{first['id']}").status_code == 204
    refused(program.delete(f"{path}/{first['id']}"), 404)
    assert ok(program.get(path))["items"] == []
    assert {"lead.touched", "lead.touch_removed"} <= set(world.audited(case_id))


def test_nonsense_is_refused_and_changes_nothing(world: World) -> None:
    """A moment to come, one before the lead, a novel, an unknown kind, an unknown lead, somebody else's name."""
    reviewer, case_id, now = world.person("reviewer"), leads(world)[0], world.clock.now()
    viewer, path = world.person("viewer"), f"/v1/leads/{case_id}/touches"
    before = world.entries()
    for wrong in (
        {"kind": "call", "at": iso(now + timedelta(seconds=1))},
        {"kind": "call", "at": iso(now - timedelta(days=400))},
        {"kind": "call", "at": "yesterday"},
        {"kind": "call", "note": "x" * 2_001},
        {"kind": "pigeon"},
        {"kind": "call", "by": "me"},
        {},
    ):
        refused(reviewer.post(path, json=wrong), 422)
    refused(reviewer.post("/v1/leads/lead_none/touches", json={"kind": "call"}), 404)
    other = {"kind": "call", "person": world.desk.people["manager"].id}
    refused(reviewer.post(path, json=other), 403)
    refused(viewer.post(path, json={"kind": "call"}), 403)
    assert world.entries() == before
    ok(reviewer.post(path, json={"kind": "call", "person": world.desk.people["reviewer"].id}), 201)


def test_contacts_of_a_case_that_is_answered_blind_are_withheld(world: World) -> None:
    """They could tell what was decided before."""
    path = f"/v1/leads/{world.blind_case}/touches"
    ok(world.person("manager").post(path, json={"kind": "email", "note": "as agreed, dach"}), 201)
    refused(world.person("reviewer").get(path), 409, "withheld")


def test_the_report_shows_a_person_their_own_line_alone(light_world: World) -> None:
    """Managers see everybody's; figures of others are in neither JSON nor CSV."""
    world = light_world
    with world.database.transaction() as uow:
        seed_teams(uow)
    for case_id in leads(world)[:3]:
        ok(world.person("reviewer").post(f"/v1/leads/{case_id}/touches", json={"kind": "call"}), 201)
    rosa = world.desk.people["reviewer"].id
    for case_id in leads(world)[:8]:
        body = {"person": rosa, "team": "dach"}
        assert world.person("manager").post(f"/v1/leads/{case_id}/assign", json=body).status_code in {200, 409}
    world.clock.advance(timedelta(hours=10))
    report = ok(world.person("manager").get("/v1/reports/first-touch"))
    assert (report["speed"]["touched"], report["speed"]["median"]["value"]) == (3, None)
    assert rosa in {one["id"] for one in report["people"]}
    assert {one["id"] for one in ok(world.person("reviewer").get("/v1/reports/first-touch"))["people"]} == {rosa}
    assert ok(world.person("viewer").get("/v1/reports/first-touch"))["people"] == []
    hidden = [one for one in report["longest"] if one["case_id"] == world.blind_case]
    assert [(one["team"], one["person_id"]) for one in hidden] == [("", None)]
    text = world.person("viewer").get("/v1/reports/first-touch", params={"format": "csv"}).text
    assert text.splitlines()[1].startswith(f"all,,all leads,clock,{report['speed']['n']},3,")
    assert "person," not in text
    refused(world.person("viewer").get("/v1/reports/first-touch", params={"since": "2010-01-01T00:00:00Z"}), 422)
