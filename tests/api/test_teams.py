"""Teams and assignments over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fairlead.kit.clock import iso
from tests.api.world import World, ok


def made(world: World, client: Any, name: str = "dach") -> dict[str, Any]:
    """A team with the reviewer in it."""
    ok(client.post("/v1/teams", json={"name": name, "title": "DACH"}), 201)
    person = world.desk.people["reviewer"].id
    body = {"weight": 2, "capacity": 5, "skills": ["french"]}
    shown: dict[str, Any] = ok(client.put(f"/v1/teams/{name}/members/{person}", json=body))
    return shown


def test_a_manager_makes_a_team_and_changes_it(world: World) -> None:
    """Made, filled, changed, closed; each answer shows the team as it is then."""
    boss = world.person("manager")
    team = made(world, boss)
    (member,) = team["members"]
    assert (member["name"], member["weight"], member["capacity"], member["share"]) == ("Rosa Vidal", 2.0, 5, 1.0)
    ok(boss.post("/v1/teams", json={"name": "inside-sales"}), 201)
    changed = ok(boss.patch("/v1/teams/dach", json={"fallback": "inside-sales", "off_hours": "wait"}))
    assert (changed["fallback"], changed["off_hours"], changed["title"]) == ("inside-sales", "wait", "DACH")
    assert boss.patch("/v1/teams/inside-sales", json={"fallback": "dach"}).status_code == 422
    assert boss.post("/v1/teams", json={"name": "dach"}).status_code == 409
    assert boss.patch("/v1/teams/dahc", json={}).status_code == 404
    assert [one["name"] for one in ok(boss.get("/v1/teams"))["items"]] == ["dach", "inside-sales"]
    assert ok(boss.patch("/v1/teams/dach", json={"closed": True}))["closed_at"]
    person = world.desk.people["reviewer"].id
    assert boss.put(f"/v1/teams/dach/members/{person}", json={}).status_code == 409
    assert boss.delete(f"/v1/teams/dach/members/{person}").status_code == 204
    assert boss.delete(f"/v1/teams/dach/members/{person}").status_code == 404


def test_the_reason_of_an_absence_is_for_those_who_manage(world: World) -> None:
    """Compliance sees that somebody is away; why, it does not see; nor does the record say."""
    boss, person = world.person("manager"), world.desk.people["reviewer"].id
    made(world, boss)
    now = world.clock.now()
    body = {"from_at": iso(now), "until_at": iso(now + timedelta(days=3)), "reason": "surgery"}
    absence = ok(boss.post(f"/v1/people/{person}/absences", json=body), 201)
    (mine,) = ok(boss.get("/v1/teams/dach"))["members"]
    (theirs,) = ok(world.person("compliance").get("/v1/teams/dach"))["members"]
    assert (mine["absences"][0]["reason"], theirs["absences"][0]["reason"]) == ("surgery", None)
    assert theirs["is_away"] is True
    assert "surgery" not in world.person("compliance").get(f"/v1/audit/entries?subject={person}").text
    assert boss.delete(f"/v1/absences/{absence['id']}").status_code == 204
    assert boss.delete(f"/v1/absences/{absence['id']}").status_code == 404
    assert ok(boss.get("/v1/teams/dach"))["members"][0]["is_away"] is False


def test_working_hours_are_read_and_refused(world: World) -> None:
    """A week in a zone; nonsense is a 422 and changes nothing."""
    boss, person = world.person("manager"), world.desk.people["reviewer"].id
    made(world, boss)
    week = {"week": "Mon-Fri 09:00-17:00", "zone": "Europe/Berlin"}
    assert boss.put(f"/v1/people/{person}/hours", json=week).status_code == 204
    for wrong in ({"week": "always"}, {"week": "Mon 09:00-10:00", "zone": "Europe/Bärlin"}, {"wek": ""}):
        assert boss.put(f"/v1/people/{person}/hours", json=wrong).status_code == 422
    (member,) = ok(boss.get("/v1/teams/dach"))["members"]
    assert member["hours"] == "Mon-Fri 09:00-17:00 (Europe/Berlin)"
    assert boss.put(f"/v1/people/{person}/hours", json={}).status_code == 204
    assert ok(boss.get("/v1/teams/dach"))["members"][0]["hours"] is None


def test_who_may_not_manage_teams_cannot(world: World) -> None:
    """Looking needs people:read, changing teams:manage, handing over cases:manage."""
    reviewer, person = world.person("reviewer"), world.desk.people["reviewer"].id
    assert reviewer.get("/v1/teams").status_code == 403
    assert world.person("compliance").post("/v1/teams", json={"name": "x"}).status_code == 403
    assert reviewer.post("/v1/leads/lead_x/assign", json={"person": person}).status_code == 403
    program = world.program("teams:manage", "people:read")
    ok(program.post("/v1/teams", json={"name": "dach"}), 201)


def test_an_assignment_is_explained_and_handed_over(world: World) -> None:
    """A case tells who has it and why; by hand it changes hands, and the one before stays told."""
    boss, case_id = world.person("manager"), assigned(world)
    found = ok(boss.get(f"/v1/cases/{case_id}/assignment"))
    assert (found["person_id"], found["way"]) == (None, "routing")
    assert "no team is called" in found["words"][0]
    person = world.desk.people["reviewer"].id
    body = {"person": person, "kind": "wrong_team", "reason": "she knows them"}
    after = ok(boss.post(f"/v1/leads/{found['lead']}/assign", json=body))
    assert (after["name"], after["way"], after["before"][0]["replaced_why"]) == ("Rosa Vidal", "person", "wrong_team")
    assert boss.post(f"/v1/leads/{case_id}/assign", json=body).status_code == 409
    assert ok(boss.post(f"/v1/leads/{case_id}/worked"))["changed"] is True
    assert ok(boss.post(f"/v1/leads/{case_id}/worked"))["changed"] is False
    assert boss.post("/v1/leads/lead_none/worked").status_code == 404
    assert "lead.handed_over" in world.audited(case_id)


def test_a_case_that_is_answered_blind_keeps_its_assignment_to_itself(world: World) -> None:
    """Who had the lead before would tell what was decided before."""
    answer = world.person("manager").get(f"/v1/cases/{world.blind_case}/assignment")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "withheld")


def assigned(world: World) -> str:
    """A case that routing has had."""
    boss = world.person("manager")
    items = ok(boss.get("/v1/cases", params={"limit": 200}))["items"]
    return next(
        one["id"] for one in items if boss.get(f"/v1/cases/{one['id']}/assignment").status_code == 200
    )  # fmt: skip
