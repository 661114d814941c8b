"""Experiments over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.guardrails import Code
from tests.api.world import ok, refused
from tests.experiments.plans import Trial
from tests.guardrails.desk import RULES, Desk

if TYPE_CHECKING:
    from tests.api.world import World


def test_experiments_are_told(world: World) -> None:
    """A holdout without anybody, then with eight customers: arms, check, version, and messages kept back."""
    desk, client = Desk(world.database), world.program("reports:read")
    assert ok(client.get("/v1/experiments")) == {"items": []}
    refused(client.get("/v1/experiments/contact-holdout"), 404)
    desk.deploy(RULES + "holdout: {share: 0.5}\n")
    early = ok(client.get("/v1/experiments/contact-holdout"))
    assert (early["n"], early["share_now"], early["arms"][0]["share"]) == (0, 0.5, None)

    codes = [desk.ask(f"k{n}", desk.customer(f"x{n}@example.test")).code for n in range(8)]
    held = codes.count(Code.HOLDOUT)
    shown = ok(client.get("/v1/experiments/contact-holdout?days=1"))
    assert {one["name"]: one["n"] for one in shown["arms"]} == {"held_out": held, "written_to": 8 - held}
    assert shown["check"]["verdict"] == "too_few"
    assert shown["check"]["least"] == 11
    assert shown["versions"][0]["shares"] == {"held_out": 0.5, "written_to": 0.5}
    assert shown["unsent"]["messages"] == held
    assert ok(client.get("/v1/experiments?days=1")) == {"items": [shown]}


def test_odd_requests_are_refused(light_world: World) -> None:
    """Unknown and endless names, spans that are none, and keys without the scope."""
    client = light_world.program("reports:read")
    refused(client.get("/v1/experiments/%27%3B--"), 404)
    refused(client.get(f"/v1/experiments/{'x' * 65}"), 422)
    for days in ("0", "-1", "3651", "NaN", "9" * 40):
        refused(client.get(f"/v1/experiments?days={days}"), 422)
    refused(light_world.program("cases:read").get("/v1/experiments"), 403)


def test_declared_experiments_are_told_with_their_outcomes(world: World) -> None:
    """The plan and how it stands; rates without a difference while it waits; the winner once it is stopped."""
    trial, client = Trial(world.database), world.program("reports:read")
    trial.deploy()
    early = ok(client.get("/v1/experiments/first-mail"))
    assert (early["n"], early["comparison"]["state"], early["plan"]["drawing"]) == (0, "waiting", True)
    assert early["plan"]["arms"] == {"long": 0.5, "short": 0.5}
    assert early["plan"]["outcome"] == {"kind": "event", "names": ["replied"], "within_s": 1_209_600}
    trial.meet(*trial.customers(9))
    trial.stop("short", "enough")
    shown = ok(client.get("/v1/experiments/first-mail"))
    assert (shown["n"], shown["comparison"]["open"], shown["comparison"]["differences"]) == (9, 9, [])
    assert (shown["plan"]["state"], shown["plan"]["winner"], shown["plan"]["reason"]) == ("stopped", "short", "enough")
    assert [one["name"] for one in ok(client.get("/v1/experiments"))["items"]] == ["first-mail"]


def test_one_is_stopped_for_an_arm(world: World) -> None:
    """Once; said again it changes nothing, for another arm it is refused; so are no reason, no arm and no scope."""
    trial = Trial(world.database)
    trial.deploy()
    client = world.program("reports:read", "switches:set")
    url, body = "/v1/experiments/first-mail/stop", {"arm": "short", "reason": "it is clear"}
    refused(world.program("reports:read").post(url, json=body), 403)
    refused(client.post(url, json=body | {"arm": "shorter"}), 422)
    refused(client.post(url, json=body | {"reason": ""}), 422)
    refused(client.post("/v1/experiments/second-mail/stop", json=body), 404)
    assert ok(client.get("/v1/experiments/first-mail"))["plan"]["state"] == "running"
    assert ok(client.post(url, json=body)) == {"name": "first-mail", "winner": "short", "changed": True}
    assert ok(client.post(url, json=body))["changed"] is False
    refused(client.post(url, json=body | {"arm": "long"}), 409)
    plan = ok(client.get("/v1/experiments/first-mail"))["plan"]
    assert (plan["state"], plan["winner"], plan["reason"], plan["drawing"]) == (
        "stopped",
        "short",
        "it is clear",
        False,
    )
