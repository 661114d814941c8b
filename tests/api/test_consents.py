"""The ledger over HTTP: said, read, exported, asked, told; and delicate flags that only some may know of."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from fairlead import customers
from fairlead.customers import Downstream
from fairlead.kit.actors import SYSTEM
from tests.api.test_customers import somebody
from tests.api.world import ok, refused

if TYPE_CHECKING:
    from tests.api.world import World

SAID = {"purpose": "newsletter", "channel": "email", "state": "given", "mechanism": "web_form", "proof": {"a": "=1+1"}}


def test_a_word_with_its_notice_is_read_and_exported(world: World) -> None:
    """What counts, under which notice, every line with its proof; as CSV no spreadsheet runs anything."""
    admin, one = world.person("admin"), somebody(world)
    url = f"/v1/customers/{one['id']}/consents"
    notice = ok(admin.post("/v1/notices", json={"name": "news", "text": "I want news."}), 201)
    ok(admin.post(url, json=SAID | {"notice": notice["id"], "source": "=cmd()"}))
    ok(admin.post("/v1/notices", json={"name": "news", "text": "I want more."}), 201)
    ledger = ok(admin.get(url))
    assert [(s["state"], s["outdated"], s["notice"]["version"]) for s in ledger["standing"]] == [("given", True, 1)]
    assert ledger["items"][0]["proof"] == {"a": "=1+1"}
    assert [row["version"] for row in ok(admin.get("/v1/notices"))["items"]] == [2, 1]
    [row] = csv.DictReader(io.StringIO(admin.get(f"{url}/export").text))
    assert (row["purpose"], row["notice_version"], row["source"]) == ("newsletter", "1", "'=cmd()")
    whole = admin.get(f"{url}/export", params={"format": "json"}).json()
    assert whole["consents"][0]["proof"] == {"a": "=1+1"}
    refused(admin.post(url, json=SAID | {"state": "pending"}), 422)
    refused(admin.post(url, json=SAID | {"channel": "*"}), 422)
    refused(admin.post(url, json=SAID | {"notice": "ntc_none"}), 404)
    refused(admin.get("/v1/customers/cus_nobody/consents"), 404)


def test_pages_of_the_ledger_join(world: World) -> None:
    """Without a gap or a repetition."""
    admin, one = world.person("admin"), somebody(world)
    url = f"/v1/customers/{one['id']}/consents"
    for number in range(5):
        ok(admin.post(url, json=SAID | {"state": "given" if number % 2 else "withdrawn"}))
    whole = ok(admin.get(url))["items"]
    seen: list[dict[str, Any]] = []
    before: dict[str, str] = {}
    while True:
        page = ok(admin.get(url, params={"limit": 2, **before}))
        seen += page["items"]
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert seen == whole
    assert len(seen) == 5


def test_asking_gives_a_link_and_allows_nothing(world: World) -> None:
    """201 with the link; the state is pending."""
    manager, one = world.person("manager"), somebody(world)
    url = f"/v1/customers/{one['id']}/consents"
    asked = ok(manager.post(f"{url}/question", json={"purpose": "newsletter", "channel": "email"}), 201)
    assert "/c/" in asked["link"]
    assert [s["state"] for s in ok(manager.get(url))["standing"]] == ["pending"]


def test_withdrawing_everything_and_the_privacy_signal(world: World) -> None:
    """Each in one request; the header on a consent counts, too, and only `1` does."""
    manager, one = world.person("manager"), somebody(world)
    url = f"/v1/customers/{one['id']}"
    with world.database.transaction() as uow:
        customers.add_identity(uow, SYSTEM, one["id"], "email", "zoe@example.com", source="test")
    ok(manager.post(f"{url}/consents", json=SAID, headers={"Sec-GPC": "0"}))
    assert "sharing" not in ok(manager.get(url))["consents"]
    ok(manager.post(f"{url}/consents", json=SAID, headers={"Sec-GPC": "1"}))
    assert ok(manager.get(url))["consents"] == {"newsletter": {"email": "given"}, "sharing": {"*": "withdrawn"}}
    shown = ok(manager.post(f"{url}/withdrawal", json={"mechanism": "phone_call"}))
    assert shown["consents"]["newsletter"] == {"email": "withdrawn"}
    assert (shown["unsubscribed"], shown["suppressed"]) == (["email"], [])
    ok(manager.post(f"{url}/privacy-signal", json={"where": "https://shop.example/cart"}))


def test_zones_and_wishes(world: World) -> None:
    """Written down with their evidence; made-up ones are refused."""
    manager, one = world.person("manager"), somebody(world)
    url = f"/v1/customers/{one['id']}"
    shown = ok(manager.post(f"{url}/zones", json={"zones": ["Asia/Tokyo"], "evidence": "stated"}))
    assert shown["zones"] == {"zones": ["Asia/Tokyo"], "evidence": "stated", "words": "the customer said so"}
    refused(manager.post(f"{url}/zones", json={"zones": ["Mars/Olympus"], "evidence": "stated"}), 422, "time_zone")
    wishes = ok(manager.post(f"{url}/preferences", json={"purpose": "newsletter", "channel": "email", "per_week": 2}))
    assert [(one["purpose"], one["per_week"]) for one in wishes["items"]] == [("newsletter", 2)]
    assert ok(manager.get(f"{url}/preferences")) == wishes


def test_deliveries_are_listed_and_told_again(world: World) -> None:
    """With counts and reasons; a failed one goes back to pending."""
    manager, one = world.person("manager"), somebody(world)
    with world.database.transaction() as uow:
        customers.set_downstreams(uow, SYSTEM, [Downstream("crm", "log")])
    ok(manager.post(f"/v1/customers/{one['id']}/consents", json=SAID))
    source = customers.ConsentSource(world.database, lambda _: customers.Told(sent=False, refused=True, detail="no"))
    assert source.lease(5, 60.0, "t") == 1
    source.run("t")
    found = ok(manager.get("/v1/consent-deliveries", params={"customer": one["id"], "state": "failed"}))
    assert [(row["downstream"], row["why"]) for row in found["items"]] == [("crm", "no")]
    assert found["counts"] == {"crm": {"failed": 1}}
    again = f"/v1/consent-deliveries/{found['items'][0]['id']}/retry"
    assert ok(manager.post(again))["state"] == "pending"
    refused(manager.post(again), 409, "not_failed")


def test_a_delicate_flag_is_not_told_to_everybody(world: World) -> None:
    """Neither as a flag nor on the timeline; and no program may set it, whatever its key names."""
    manager, reviewer, one = world.person("manager"), world.person("reviewer"), somebody(world)
    url = f"/v1/customers/{one['id']}"
    ok(manager.post(f"{url}/flags", json={"flag": "vulnerable", "source": "a letter"}))
    ok(manager.post(f"{url}/flags", json={"flag": "vip"}))
    assert ok(manager.get(url))["flags"] == {"vip": True, "vulnerable": True}
    seen = ok(reviewer.get(url))
    assert (seen["flags"], [one["flag"] for one in seen["flag_details"]]) == ({"vip": True}, ["vip"])
    assert "vulnerable" not in str(ok(reviewer.get(f"{url}/timeline", params={"kind": "flag"})))
    assert "vulnerable" in str(ok(manager.get(f"{url}/timeline", params={"kind": "flag"})))
