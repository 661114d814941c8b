"""Customers' rights over HTTP: asked for, extended, decided by a person, exported by who may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.api.world import ok, refused

if TYPE_CHECKING:
    from tests.api.world import World

PERSON = {"name": "Rita Asks", "email": "rita@example.com", "country": "DE"}


def somebody(world: World) -> str:
    """A customer."""
    lead = {"playbook": "lead-qualification", "fields": PERSON}
    return str(ok(world.almighty().post("/v1/leads", json=lead), 201)["customer"])


def body(customer: str, right: str = "export", **more: Any) -> dict[str, Any]:
    """A request as it is posted."""
    return {"customer": customer, "right": right, "identity_checked": "called back", "reason": "letter"} | more


def test_a_right_goes_its_whole_way(world: World) -> None:
    """Asked by a program, given more time, approved by a person; the document then, for who may, and for no key."""
    program, compliance, customer = world.almighty(), world.person("compliance"), somebody(world)
    made = ok(program.post("/v1/rights", json=body(customer)), 201)
    assert (made["state"], made["overdue"], made["origin"], made["extension"]) == ("asked", False, "customer", None)
    refused(program.post("/v1/rights", json=body(customer)), 409, "already_asked")
    url = f"/v1/rights/{made['id']}"
    refused(compliance.get(f"{url}/export"), 403, "not_approved")
    longer = ok(program.post(f"{url}/extension", json={"reason": "much of it", "told": "by letter"}))
    assert longer["due_at"] > made["due_at"]
    assert longer["extension"]["told"] == "by letter"
    refused(program.post(f"{url}/extension", json={"reason": "again", "told": "by letter"}), 409, "already_extended")
    listed = ok(program.get("/v1/rights", params={"state": "asked"}))
    assert ([one["id"] for one in listed["items"]], listed["waiting"], listed["overdue"]) == ([made["id"]], 1, 0)

    world.run()
    [review] = [one for one in ok(compliance.get("/v1/reviews", params={"limit": 200}))["items"]
                if one["checkpoint"] == "rights-request"]  # fmt: skip
    held = ok(compliance.post(f"/v1/reviews/{review['id']}/claim"))["review"]
    verdict = {"verdict": "answer", "digest": held["digest"], "answer": {"carry_out": True}, "reason": "checked"}
    ok(compliance.post(f"/v1/reviews/{review['id']}/verdict", json=verdict))
    world.settle()
    assert ok(compliance.get(url))["state"] == "done"
    assert ok(compliance.get("/v1/rights"))["waiting"] == 0
    document = ok(compliance.get(f"{url}/export"))
    assert "rita@example.com" in str(document)
    refused(world.almighty().get(f"{url}/export"), 403)
    refused(program.post(f"{url}/extension", json={"reason": "late", "told": "by letter"}), 409, "request_decided")


def test_nonsense_is_refused_and_asks_for_nothing(light_world: World) -> None:
    """Unknown rights, customers and fields, changes that are none, texts too long, and keys without the scope."""
    client, customer = light_world.almighty(), somebody(light_world)
    before = ok(client.get("/v1/rights"))["items"]
    refused(client.post("/v1/rights", json=body("cus_nobody")), 404)
    for wrong in (
        body(customer, "vanish"), body(customer, "rectify"), body(customer, changes={"name": "x"}),
        body(customer, "rectify", changes={"id": "x"}), body(customer, identity_checked=""),
        body(customer, reason="x" * 501), body(customer, more=1),
    ):  # fmt: skip
        refused(client.post("/v1/rights", json=wrong), 422)
    refused(light_world.program("customers:read").post("/v1/rights", json=body(customer)), 403)
    refused(client.get("/v1/rights/rgt_nothing"), 404)
    refused(client.post("/v1/rights/rgt_nothing/extension", json={"reason": "x", "told": "x"}), 404)
    refused(client.get("/v1/rights", params={"state": "odd"}), 422)
    assert ok(client.get("/v1/rights"))["items"] == before
