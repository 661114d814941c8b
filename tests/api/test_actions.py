"""The outbox over HTTP: listed, read to the letter, tried again, settled by a person's word alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.actions import ActionDraft, OutboxSource, Receipt, ReceiptState, RetryPolicy, queue_many
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.testing.connectors import FlakyConnector
from tests.api.world import ok, refused

if TYPE_CHECKING:
    from fairlead.connectors import Delivery
    from tests.api.world import World


class Mixed(FlakyConnector):
    """Fails, does not know, or hands over, by key."""

    def deliver(self, delivery: Delivery) -> Receipt:
        """By the key without its number."""
        state = {"bad": ReceiptState.FAILED, "doubt": ReceiptState.AMBIGUOUS}.get(delivery.idempotency_key[:-2])
        self.calls.append(delivery)
        return Receipt(state or ReceiptState.SENT, "451 later" if state else "250 ok", "Subject: hi\r\n\r\nhello")


def outbox(world: World, connector: str, keys: list[str]) -> dict[str, str]:
    """Delivered once; ids by key. Each test has a connector of its own, as the world is shared."""
    with world.database.transaction() as uow:
        uow.record(AuditEntry("case.moved", "case_1"))
        ids = queue_many(uow, [ActionDraft(key, connector, "note", {"n": key}) for key in keys])
    work(world, connector)
    return dict(zip(keys, ids, strict=True))


def work(world: World, connector: str) -> Mixed:
    """Whatever is due."""
    out = Mixed([], connector)
    source = OutboxSource(
        world.database, {connector: out}, now=world.database.clock.now, retry=RetryPolicy(max_attempts=1)
    )
    for turn in range(20):
        if source.lease(50, 60, f"{id(out)}/{turn}"):
            source.run(f"{id(out)}/{turn}")
    return out


def test_what_went_out_and_what_did_not(light_world: World) -> None:
    """Lists by state with counts; one action shows its body, the other side's words and the exact copy."""
    ids = outbox(light_world, "one", ["good-1", "bad-1", "doubt-1"])
    viewer = light_world.person("viewer")
    listed = ok(viewer.get("/v1/actions", params={"connector": "one"}))
    assert [one["id"] for one in listed["items"]] == sorted(ids.values(), reverse=True)
    repair = ok(viewer.get("/v1/actions", params={"state": "repair", "connector": "one"}))
    assert {one["state"] for one in repair["items"]} == {"failed", "ambiguous"}
    assert min(repair["counts"]["failed"], repair["counts"]["ambiguous"]) >= 1
    first = ok(viewer.get("/v1/actions", params={"connector": "one", "limit": 2}))
    rest = ok(viewer.get("/v1/actions", params={"connector": "one", "limit": 2, "before": first["next"]}))
    assert [len(first["items"]), len(rest["items"]), rest["next"]] == [2, 1, None]
    whole = ok(viewer.get(f"/v1/actions/{ids['good-1']}"))
    assert (whole["body"], whole["key"], whole["copy"]["content"]) == (
        {"n": "good-1"},
        "good-1",
        "Subject: hi\r\n\r\nhello",
    )
    refused(viewer.get("/v1/actions/act_nothing"), 404)
    refused(viewer.get("/v1/actions", params={"state": "lost"}), 422)
    outlets = {one["name"]: one for one in ok(viewer.get("/v1/outlets"))["items"]}
    assert (outlets["one"]["breaker"], outlets["one"]["queued"]) == ("closed", 0)


def test_dead_letters_are_tried_again_or_given_up(light_world: World) -> None:
    """By those who may; one, all of a connector's, or none any more with a reason."""
    ids = outbox(light_world, "two", ["bad-2", "bad-3", "bad-4"])
    manager, viewer = light_world.person("manager"), light_world.person("viewer")
    refused(viewer.post(f"/v1/actions/{ids['bad-2']}/retry", json={}), 403)
    assert ok(manager.post(f"/v1/actions/{ids['bad-2']}/retry", json={}))["state"] == "queued"
    refused(manager.post(f"/v1/actions/{ids['bad-2']}/retry", json={}), 409)
    refused(manager.post(f"/v1/actions/{ids['bad-4']}/retry", json={"give_up": True}), 422)
    gone = ok(manager.post(f"/v1/actions/{ids['bad-4']}/retry", json={"give_up": True, "reason": "moved away"}))
    assert (gone["state"], gone["detail"]) == ("withdrawn", "given up: moved away")
    assert ok(manager.post("/v1/actions/retries", json={"outlet": "two"})) == {"retried": 1}
    assert {one.idempotency_key for one in work(light_world, "two").calls} == {"bad-2", "bad-3"}


def test_doubt_is_settled_by_a_word(light_world: World) -> None:
    """It arrived, it did not, or once more: each needs a reason, and only the last sends anything."""
    ids = outbox(light_world, "three", ["doubt-2", "doubt-3", "doubt-4"])
    manager = light_world.person("manager")
    said = {"doubt-2": "arrived", "doubt-3": "not_arrived", "doubt-4": "send_again"}
    refused(manager.post(f"/v1/actions/{ids['doubt-2']}/settle", json={"outcome": "arrived"}), 422)
    for key, outcome in said.items():
        ok(manager.post(f"/v1/actions/{ids[key]}/settle", json={"outcome": outcome, "reason": "asked them"}))
        refused(manager.post(f"/v1/actions/{ids[key]}/settle", json={"outcome": outcome, "reason": "again"}), 409)
    states = {key: ok(manager.get(f"/v1/actions/{one}"))["state"] for key, one in ids.items()}
    assert states == {"doubt-2": "sent", "doubt-3": "failed", "doubt-4": "queued"}
    assert [one.idempotency_key for one in work(light_world, "three").calls] == ["doubt-4"]
