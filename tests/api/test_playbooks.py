"""Playbooks over HTTP: the graph with its figures, departures, schemas."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator

from fairlead.people import Permission
from tests.api.world import ok, refused

if TYPE_CHECKING:
    from tests.api.world import World

BOOK = "/v1/playbooks/lead-qualification"


def test_a_playbook_with_its_graph_and_figures(world: World) -> None:
    """Nodes, edges, counts that agree with the list of playbooks, the goal, Mermaid."""
    client = world.person("viewer")
    one = ok(client.get(BOOK))
    assert one["start"] == "score"
    assert {"name": "assign", "kind": "checkpoint", "detail": "lead-assignment"} in one["nodes"]
    main = [(edge["source"], edge["target"]) for edge in one["edges"] if edge["main"]]
    assert main[0] == ("score", "route")
    listed = next(each for each in ok(client.get("/v1/playbooks"))["items"] if each["playbook"] == "lead-qualification")
    by_list: dict[str, int] = {}
    for each in listed["open"]:
        by_list[each["stage"]] = by_list.get(each["stage"], 0) + each["count"]
    by_stage = {each["name"]: each["open"] for each in one["stages"] if each["open"]}
    assert by_stage == by_list
    assert one["mermaid"].startswith("flowchart TD")
    assert one["objective"]["owner"] == "sales-ops@example.com"
    assert one["objective"]["standing"] in {"early", "reached", "near", "missed"}
    assert len(one["objective"]["weeks"]) == 12
    assert one["exits_complete_since"] is None


def test_unknown_playbooks_and_days(light_world: World) -> None:
    """A 404 with the closest name; days within bounds."""
    client = light_world.person("viewer")
    assert "Did you mean 'lead-qualification'?" in refused(client.get(f"{BOOK}s"), 404, "not_found")["message"]
    refused(client.get(BOOK, params={"days": 0}), 422)
    refused(client.get(BOOK, params={"days": 91}), 422)


def test_departures_with_who_and_why(world: World) -> None:
    """A skip over the API is one, with the person's name; filtered, bounded and as CSV."""
    boss = world.person("manager")
    case = ok(boss.get("/v1/cases", params={"state": "waiting", "playbook": "lead-qualification"}))["items"][0]["id"]
    ok(boss.post(f"/v1/cases/{case}/skip", json={"reason": "rang us"}))
    found = ok(boss.get(f"{BOOK}/deviations"))
    [one] = [each for each in found["items"] if each["kind"] == "skipped"]
    assert (one["case"], one["reason"], one["by"]) == (case, "rang us", "Milan Horvat")
    assert found["counts"]["skipped"] == 1
    assert ok(boss.get(f"{BOOK}/deviations", params={"kind": "cancelled"}))["items"] == []
    later = {"since": "2027-01-01T00:00:00Z", "until": "2027-02-01T00:00:00Z"}
    assert ok(boss.get(f"{BOOK}/deviations", params={**later, "kind": "skipped"}))["items"] == []
    text = boss.get(f"{BOOK}/deviations", params={"format": "csv", "kind": "skipped"})
    assert [row["case"] for row in csv.DictReader(io.StringIO(text.text))] == [case]
    backwards = {"since": later["until"], "until": later["since"]}
    refused(boss.get(f"{BOOK}/deviations", params=backwards), 422)
    refused(boss.get(f"{BOOK}/deviations", params={"since": "2020-01-01T00:00:00Z"}), 422)
    refused(boss.get(f"{BOOK}/deviations", params={"kind": "nonsense"}), 422)


def test_scopes_are_apart(light_world: World) -> None:
    """Figures need playbooks:read, lists of cases cases:read."""
    looks = light_world.program(Permission.PLAYBOOKS_READ)
    ok(looks.get(BOOK))
    refused(looks.get(f"{BOOK}/deviations"), 403, "forbidden")
    ok(light_world.program(Permission.CASES_READ).get(f"{BOOK}/deviations"))


def test_schemas_are_served_to_editors(light_world: World) -> None:
    """Without a key, as JSON Schema; other names are a 404."""
    client = light_world.client()
    for kind in ("playbook", "policy"):
        answer = client.get(f"/schemas/{kind}.json")
        assert answer.headers["content-type"] == "application/schema+json"
        Draft202012Validator.check_schema(answer.json())
    assert client.get("/schemas/other.json").status_code == 404
