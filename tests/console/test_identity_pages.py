"""At the desk: send a code, type what the customer reads out, and see what may be spoken of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.actions import ActionFilter, actions_page
from fairlead.customers import profile
from fairlead.kit.sealing import unseal

if TYPE_CHECKING:
    from tests.console.world import Site


def sent(site: Site, customer: str) -> tuple[str, str]:
    """(id of the newest message, the code in it)."""
    with site.database.reading() as reader:
        newest = actions_page(reader, ActionFilter(customer_id=customer, connector="message"), None, 1)[0]
    secret = site.settings.secret_key
    assert secret is not None
    code = unseal(secret.get_secret_value().encode(), newest.idempotency_key, newest.body["sealed"]["code"])
    return newest.id, code


def test_staff_checks_who_is_in_touch(site: Site) -> None:
    """The page says what is not checked, waits for the code, and says until when it counts; never the code itself."""
    manager, one = site.signed_in("manager"), site.one().customer_id
    page = f"/customers/{one}"
    with site.database.reading() as reader:
        mail = next(i.value for i in profile(reader, one, site.database.clock.now()).identities if i.kind == "email")
    assert "Not checked." in manager.get(page).text
    assert "What the customer reads out" not in manager.get(page).text
    assert manager.post(f"{page}/identity-check", data={"address": "x@strange.example"}).status_code == 422
    assert manager.post(f"{page}/identity-check", data={"address": mail}).status_code == 303
    action, code = sent(site, one)
    text = manager.get(page).text
    assert "What the customer reads out" in text
    assert code not in text
    assert code not in manager.get(f"/outbox/{action}").text
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for words in ("4 more tries", "3 more tries", "2 more tries"):
        refused = manager.post(f"{page}/identity-check/confirm", data={"code": wrong})
        assert refused.status_code == 422
        assert words in refused.text
        assert wrong not in refused.text
    assert manager.post(f"{page}/identity-check/confirm", data={"code": code}).status_code == 303
    text = manager.get(page).text
    assert "Identity checked by code on e-mail until" in text
    assert "verified" in text
    assert "No code can be used any more" in manager.post(f"{page}/identity-check/confirm", data={"code": code}).text


def test_only_who_may_change_customers_sends_codes(sqlite_site: Site) -> None:
    """A viewer sees whether it was checked, and neither button nor field."""
    viewer, one = sqlite_site.signed_in("viewer"), sqlite_site.one().customer_id
    text = viewer.get(f"/customers/{one}").text
    assert "Not checked." in text
    assert "identity-check" not in text
    assert viewer.post(f"/customers/{one}/identity-check", data={"address": "a"}).status_code == 403
    assert viewer.post(f"/customers/{one}/identity-check/confirm", data={"code": "1"}).status_code == 403
