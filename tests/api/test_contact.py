"""The gate over HTTP: rules, dry run, log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead import guardrails
from fairlead.guardrails import Attempt
from fairlead.kit.actors import SYSTEM
from tests.api.world import ok, refused

if TYPE_CHECKING:
    from tests.api.world import World

RULES = """\
purposes:
  sales: {class: promotional, mechanism: opt_out}
caps:
  - {name: one-a-week, most: 1, per: 7d}
"""


def test_the_gate_is_asked_without_a_trace(world: World) -> None:
    """Rules in words, a dry run with every check, and a log that only real questions enter, page by page."""
    client = world.almighty()
    assert ok(client.get("/v1/contact/rules"))["is_default"] in (True, False)
    with world.database.transaction() as uow:
        guardrails.deploy_rules(uow, SYSTEM, RULES)
    rules = ok(client.get("/v1/contact/rules"))
    assert [one["name"] for one in rules["sections"]] == ["purposes", "quiet_hours", "caps", "others"]
    assert rules["text"] == RULES
    body = {"channel": "email", "purpose": "sales", "address": "who@gate.test"}
    free = ok(client.post("/v1/contact/would", json=body))
    assert (free["verdict"], free["checks"][-1]["name"]) == ("allowed", "cap")
    assert ok(client.get("/v1/contact/log"))["items"] == []
    for key in ("a", "b", "c"):
        with world.database.transaction() as uow:
            guardrails.pass_gate(uow, Attempt(key, None, "email", "who@gate.test", "sales", "api"))
    full = ok(client.post("/v1/contact/would", json=body))
    assert (full["verdict"], full["code"], full["facts"]["full"][0]["cap"]) == ("held", "cap", "one-a-week")
    page = ok(client.get("/v1/contact/log", params={"limit": 2}))
    assert [one["key"] for one in page["items"]] == ["c", "b"]
    last = ok(client.get("/v1/contact/log", params={"limit": 2, "before": page["next"]}))
    assert [(one["key"], one["state"]) for one in last["items"]] == [("a", "reserved")]
    assert last["next"] is None


def test_bad_questions_are_refused(world: World) -> None:
    """Unknown customers, senders, channels too long, naive times and made-up cursors have each their error."""
    client = world.almighty()
    body = {"channel": "email", "purpose": "sales"}
    refused(client.post("/v1/contact/would", json={**body, "customer": "cus_none"}), 404)
    for wrong in (
        {"sender": "spam"},
        {"channel": "x" * 65},
        {"at": "2026-01-01T00:00"},
        {"tags": ["a"] * 21},
        {"x": 1},
    ):
        refused(client.post("/v1/contact/would", json={**body, **wrong}), 422)
    refused(client.get("/v1/contact/log", params={"before": "1/../"}), 422)


def test_other_rules_are_tried_on_the_log(world: World) -> None:
    """By the rules of the body or those in force, with what changes and by how many; a mistake in them is refused."""
    client = world.almighty()
    with world.database.transaction() as uow:
        guardrails.deploy_rules(uow, SYSTEM, RULES)
        guardrails.pass_gate(uow, Attempt("a", None, "email", "who@gate.test", "sales", "api"))
    same = ok(client.post("/v1/contact/replay", json={}))
    assert (same["messages"], [one["differs"] for one in same["changes"]]) == (1, [False])
    other = ok(client.post("/v1/contact/replay", json={"rules": "purposes: {service: {class: transactional}}"}))
    assert [(one["old"], one["new_code"]) for one in other["changes"]] == [("allowed", "unknown_purpose")]
    assert [one["key"] for one in other["examples"]] == ["a"]
    refused(client.post("/v1/contact/replay", json={"rules": "purposes: 3"}), 422)
    refused(client.post("/v1/contact/replay", json={"days": 0}), 422)
