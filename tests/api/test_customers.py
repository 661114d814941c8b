"""Customers over HTTP: found, flagged, asked for consent, suppressed, erased."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fairlead.kit.clock import iso
from tests.api.world import ok, refused

if TYPE_CHECKING:
    from tests.api.world import World


def somebody(world: World) -> dict[str, Any]:
    """A customer whom several reviews are about."""
    admin = world.person("admin")
    case = ok(admin.get(f"/v1/cases/{world.desk.cases[0]}"))
    found: dict[str, Any] = ok(admin.get(f"/v1/customers/{case['customer']}"))
    return found


def test_customers_are_found_by_how_they_begin(world: World) -> None:
    """Name, company, id and identity; at most as many as asked for; nothing without a word."""
    viewer, one = world.person("viewer"), somebody(world)

    for text in (one["name"][:5].upper(), one["id"], one["company"][:6]):
        assert one["id"] in {
            hit["id"] for hit in ok(viewer.get("/v1/customers", params={"q": text, "limit": 100}))["items"]
        }
    assert len(ok(viewer.get("/v1/customers", params={"q": "a", "limit": 1}))["items"]) <= 1
    refused(viewer.get("/v1/customers"), 422)
    refused(viewer.get("/v1/customers/cus_nobody"), 404)
    for text in ("%", "_", "'; DROP TABLE customer; --", "\ud7ff\ue000", "\U0010ffff" * 3):
        ok(viewer.get("/v1/customers", params={"q": text}))


def test_a_flag_counts_until_it_is_taken_back(world: World) -> None:
    """Set, expired and cleared; a program may assert only the flags of its key."""
    manager, one = world.person("manager"), somebody(world)
    url = f"/v1/customers/{one['id']}"

    until = iso(world.clock.now() + timedelta(hours=1))
    assert ok(manager.post(f"{url}/flags", json={"flag": "vip", "expires_at": until}))["flags"] == {"vip": True}
    world.clock.advance(timedelta(hours=2))
    assert ok(manager.get(url))["flags"] == {}
    ok(manager.post(f"{url}/flags", json={"flag": "vip", "value": {"tier": 1}}))
    assert ok(manager.delete(f"{url}/flags/vip"))["flags"] == {}
    program = world.almighty()
    ok(program.post(f"{url}/flags", json={"flag": "vip"}))
    refused(program.post(f"{url}/flags", json={"flag": "vulnerable"}), 403, "flag")
    refused(program.delete(f"{url}/flags/vulnerable"), 403, "flag")
    refused(manager.post(f"{url}/flags", json={"flag": "vip", "value": None}), 422)
    refused(manager.post(f"{url}/flags", json={"flag": "vip", "value": "x" * 20_000}), 422)
    assert world.audited(one["id"]).count("customer.flag_set") == 3


def test_consent_and_suppression(world: World) -> None:
    """The last word counts; a suppressed address shows on whoever has it, however it is written."""
    manager, admin = world.person("manager"), world.person("admin")
    lead = {
        "playbook": "lead-qualification", "idempotency_key": "c", "facts": {},
        "customer": {"email": "zoe@example.com"},
    }  # fmt: skip
    case = ok(world.almighty().post("/v1/cases", json=lead), 201)["id"]
    customer = ok(admin.get(f"/v1/cases/{case}"))["customer"]
    said = {"purpose": "news", "channel": "email", "state": "given", "mechanism": "web_form"}

    ok(manager.post(f"/v1/customers/{customer}/consents", json=said))
    now = ok(manager.post(f"/v1/customers/{customer}/consents", json=said | {"state": "withdrawn"}))
    assert now["consents"] == {"news": {"email": "withdrawn"}}
    ban = {"channel": "email", "address": "Zoe@EXAMPLE.com", "reason": "asked by phone"}
    assert ok(manager.post("/v1/suppressions", json=ban))["address"] == "zoe@example.com"
    assert ok(manager.get(f"/v1/customers/{customer}"))["suppressed"] == ["email"]
    ok(manager.post("/v1/suppressions", json=ban | {"state": "lifted"}))
    assert ok(manager.get(f"/v1/customers/{customer}"))["suppressed"] == []
    refused(manager.post("/v1/suppressions", json=ban | {"address": "nonsense"}), 422, "email")
    for number in ("zoe@example.com", "0", "+" + "4" * 150):
        wrong = ban | {"channel": "sms", "address": number}
        refused(manager.post("/v1/suppressions", json=wrong), 422, "phone")
    refused(manager.post(f"/v1/customers/{customer}/consents", json=said | {"proof": {"p": "x" * 20_000}}), 422)


def test_an_owner_and_a_timeline(world: World) -> None:
    """The owner is shown; the timeline pages join without a gap; a made-up cursor is refused."""
    manager, one = world.person("manager"), somebody(world)
    url = f"/v1/customers/{one['id']}"
    assert ok(manager.put(f"{url}/owner", json={"owner": "per_milan"}))["owner"] == "per_milan"
    program = world.almighty()
    for number in range(5):
        event = {"type": "called", "customer": {"id": one["id"]}, "id": f"call-{number}"}
        ok(program.post("/v1/events", json=event), 202)
        world.clock.advance(timedelta(seconds=number % 2))

    whole = ok(manager.get(f"{url}/timeline", params={"limit": 200}))["items"]
    seen: list[dict[str, Any]] = []
    before = None
    while True:
        page = ok(manager.get(f"{url}/timeline", params={"limit": 2} | ({"before": before} if before else {})))
        seen += page["items"]
        before = page["next"]
        if before is None:
            break
    assert seen == whole
    assert len(seen) >= 5
    for cursor in ("x", "W10", "WzEsMl0", "WzFlOTk5LCJhIl0"):
        refused(manager.get(f"{url}/timeline", params={"before": cursor}), 422, "cursor")


def test_an_erased_customer_is_gone(world: World) -> None:
    """Nothing personal is shown and nothing more is kept, not even by a program; the record says that it was so."""
    compliance, manager, one = world.person("compliance"), world.person("manager"), somebody(world)
    url = f"/v1/customers/{one['id']}"
    world.erase(one["id"])
    gone = ok(compliance.get(url))
    assert (gone["name"], gone["identities"], gone["erased_at"] is not None) == ("", [], True)
    refused(manager.post(f"{url}/flags", json={"flag": "vip"}), 409, "customer_erased")
    event = {"type": "called", "customer": {"id": one["id"]}}
    refused(world.almighty().post("/v1/events", json=event), 409, "customer_erased")
    entries = ok(compliance.get("/v1/audit/entries", params={"subject": world.desk.cases[0]}))["items"]
    *before, last = entries
    assert all(entry["payload"] is None for entry in before)
    assert last["verb"] == "case.cancelled"  # by the erasure itself, in words that name nobody
    assert one["name"] not in str(last)
    assert entries[0]["words"].endswith("(erased).")
