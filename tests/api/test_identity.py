"""Identity checks over HTTP: the same answer for every address, and tries that count though they are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.actions import ActionFilter, actions_page
from fairlead.customers import CustomerDraft, resolve_many
from fairlead.kit.sealing import unseal
from fairlead.kit.unit_of_work import AuditEntry
from tests.api.world import ok, refused

if TYPE_CHECKING:
    from tests.api.world import World


def code_of(world: World, customer: str) -> str:
    """The code of the newest message to a customer."""
    with world.database.reading() as reader:
        newest = actions_page(reader, ActionFilter(customer_id=customer), None, 1)[0]
    secret = world.settings.secret_key
    assert secret is not None
    return unseal(secret.get_secret_value().encode(), newest.idempotency_key, newest.body["sealed"]["code"])


MAIL = "grete@nordwind.example"


def grete(world: World) -> str:
    """A customer with an address."""
    draft = CustomerDraft(name="Grete", identities=(("email", MAIL),), source="test")
    with world.database.transaction() as uow:
        made = resolve_many(uow, [draft])[0].id
        uow.record(AuditEntry("customer.created", made, customer_id=made))
        return made


def test_a_program_checks_who_is_in_touch(world: World) -> None:
    """Asked, tried wrongly, confirmed, and shown; the engine is told that there is something to send."""
    bot, one = world.program("customers:read", "customers:edit"), grete(world)
    url = f"/v1/customers/{one}/identity-checks"
    assert ok(bot.get(url)) == {"checked": None, "items": [], "waiting_until": None}
    asked = ok(bot.post(url, json={"address": MAIL}), 202)
    assert world.woken
    code = code_of(world, one)
    wrong = ok(bot.post(f"{url}/confirm", json={"code": f"{(int(code) + 1) % 10**6:06d}"}))
    assert (wrong["outcome"], wrong["tries_left"], wrong["checked"]) == ("wrong", 4, None)
    assert ok(bot.get(url))["waiting_until"] == asked["expires_at"]
    done = ok(bot.post(f"{url}/confirm", json={"code": code}))
    assert (done["outcome"], done["checked"]["level"]) == ("confirmed", "known")
    shown = ok(bot.get(url))
    assert (shown["checked"], shown["waiting_until"]) == (done["checked"], None)
    whole = ok(bot.get(f"/v1/customers/{one}"))
    assert [i["verified_at"] is not None for i in whole["identities"] if i["kind"] == "email"] == [True]
    assert ok(bot.post(f"{url}/confirm", json={"code": code}))["outcome"] == "over"


def test_no_answer_tells_whether_an_address_is_known(light_world: World) -> None:
    """Right or strange, the answers are the same to the byte, and so is the fourth within an hour."""
    bot, one = light_world.program("customers:read", "customers:edit"), grete(light_world)
    url = f"/v1/customers/{one}/identity-checks"
    for _ in range(3):
        mine, strange = (bot.post(url, json={"address": to}) for to in (MAIL, "x@strange.example"))
        assert (mine.status_code, mine.content) == (strange.status_code, strange.content)
    for to in (MAIL, "x@strange.example"):
        answer = bot.post(url, json={"address": to})
        refused(answer, 429)
        assert answer.headers["Retry-After"] == "3601"


def test_who_may_and_what_is_refused(light_world: World) -> None:
    """Reading is not asking; hostile bodies and unknown customers are refused, and erasing takes a check along."""
    reader, one = light_world.program("customers:read"), grete(light_world)
    admin = light_world.person("admin")
    url = f"/v1/customers/{one}/identity-checks"
    refused(reader.post(url, json={"address": MAIL}), 403)
    refused(reader.post(f"{url}/confirm", json={"code": "123456"}), 403)
    for body in (
        {},
        {"address": ""},
        {"address": "a", "channel": "sms"},
        {"address": "a" * 9_999},
    ):
        refused(admin.post(url, json=body), 422)
    refused(admin.post(f"{url}/confirm", json={"code": "1" * 65}), 422)
    assert ok(admin.post(f"{url}/confirm", json={"code": "' OR 1=1 --"}))["outcome"] == "over"
    refused(admin.post("/v1/customers/cus_nobody/identity-checks", json={"address": "a@b.example"}), 404)
    refused(admin.get("/v1/customers/cus_nobody/identity-checks"), 404)
    ok(admin.post(url, json={"address": MAIL}), 202)
    ok(admin.post(f"{url}/confirm", json={"code": code_of(light_world, one)}))
    light_world.erase(one)
    assert ok(admin.get(url))["items"] == []
    refused(admin.post(url, json={"address": "a@b.example"}), 409)
