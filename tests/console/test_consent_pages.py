"""The ledger at the desk: one press to withdraw, proof to give, who was told, and a timeline of everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead import customers
from fairlead.customers import ConsentRecord, ConsentState, Downstream
from fairlead.kit.actors import SYSTEM, Actor, ActorKind

if TYPE_CHECKING:
    from tests.console.world import Site

ANN = Actor(ActorKind.USER, "per_ann")


def give(site: Site, customer: str, purpose: str = "newsletter") -> str:
    """A consent with proof under a notice."""
    with site.database.transaction() as uow:
        notice = customers.publish_notice(uow, SYSTEM, "news", "en", "I want <b>news</b>.")
        said = ConsentRecord(
            purpose, "email", ConsentState.GIVEN, "web_form", "site", {"ip": "192.0.2.1"}, notice.id
        )  # fmt: skip
        return customers.record_consent(uow, ANN, customer, said)


def test_withdrawing_takes_one_press_on_the_page_that_gives(site: Site) -> None:
    """Giving asks for proof and keeps what was typed; withdrawing asks for nothing; both are in the ledger."""
    manager, one = site.signed_in("manager"), site.one().customer_id
    page = f"/customers/{one}/consents"
    form = {"action": "give", "purpose": "newsletter", "channel": "email", "mechanism": "phone_call", "proof": ""}

    refused = manager.post(page, data=form | {"proof": " "})
    assert refused.status_code == 422
    assert "needs something that shows it" in refused.text
    assert 'value="newsletter"' in refused.text
    assert manager.post(page, data=form | {"proof": "call 7"}).status_code == 303
    assert "call 7" in manager.get(page).text
    assert (
        manager.post(page, data={"action": "withdraw", "purpose": "newsletter", "channel": "email"}).status_code == 303
    )
    with site.database.reading() as reader:
        rows = customers.consent_history(reader, one)
    assert [row.state for row in rows] == ["withdrawn", "given"]
    assert manager.post(page, data={"action": "withdraw_all"}).status_code == 303
    assert "No promotions are sent by email" in manager.get(page).text
    viewer = site.signed_in("viewer")
    assert "Withdraw" not in viewer.get(page).text.replace("withdrawn", "")
    assert viewer.post(page, data={"action": "withdraw_all"}).status_code == 403


def test_the_notice_that_was_shown_stands_beside_the_consent(site: Site) -> None:
    """Its own text even after another was published, escaped, and marked as replaced."""
    one = site.one().customer_id
    give(site, one)
    with site.database.transaction() as uow:
        customers.publish_notice(uow, SYSTEM, "news", "en", "Something else.")
    text = site.signed_in("viewer").get(f"/customers/{one}/consents").text
    assert "I want &lt;b&gt;news&lt;/b&gt;." in text
    assert "has another text now" in text
    assert "Something else." not in text


def test_what_a_system_was_not_told_can_be_told_again(site: Site) -> None:
    """Skipped and failed deliveries are listed with their reason; only a failed one has a button."""
    one = site.one().customer_id
    with site.database.transaction() as uow:
        customers.set_downstreams(
            uow, SYSTEM, [Downstream("crm", "nowhere", ("newsletter",)), Downstream("ads", "log", ("x",))]
        )
    give(site, one)
    source = customers.ConsentSource(
        site.database, lambda _: customers.Told(sent=False, refused=True, detail="HTTP 410")
    )
    assert source.lease(10, 60.0, "t") == 1
    source.run("t")
    manager = site.signed_in("manager")
    page = manager.get("/consents").text
    assert "HTTP 410" in page
    assert "ads is told of x only" in page
    with site.database.reading() as reader:
        [failed] = customers.deliveries(reader, state="failed")
    assert manager.post(f"/consents/{failed.id}/retry").status_code == 303
    assert manager.post(f"/consents/{failed.id}/retry").status_code == 409
    assert site.signed_in("viewer").post(f"/consents/{failed.id}/retry").status_code == 403
    assert source.lease(10, 60.0, "u") == 1


def test_a_delicate_flag_is_seen_only_by_who_may(site: Site) -> None:
    """On the customer's page and the timeline: by a manager, not by a reviewer."""
    one = site.one().customer_id
    manager, reviewer = site.signed_in("manager"), site.signed_in("reviewer")
    said = {"flag": "vulnerable", "source": "told us in a letter", "until": "2031-01-31"}
    assert manager.post(f"/customers/{one}/flags", data=said).status_code == 303
    assert manager.post(f"/customers/{one}/flags", data={"flag": "vip", "source": "crm"}).status_code == 303
    for path in (f"/customers/{one}", f"/customers/{one}/timeline", f"/customers/{one}/timeline?kind=flag"):
        assert "told us in a letter" in manager.get(path).text
        seen = reviewer.get(path).text
        assert "letter" not in seen
        assert "ip" in seen
    assert reviewer.post(f"/customers/{one}/flags", data=said).status_code == 403
    wrong = manager.post(f"/customers/{one}/flags", data=said | {"until": "soon"})
    assert wrong.status_code == 422


def test_the_timeline_is_narrowed_and_paged(site: Site) -> None:
    """By kind, without a gap or a repetition from page to page."""
    one = site.one().customer_id
    for _ in range(60):
        give(site, one)
    viewer = site.signed_in("viewer")
    first = viewer.get(f"/customers/{one}/timeline?kind=consent").text
    assert first.count("Allowed newsletter by email") == 50
    [link] = [part.split('"')[0] for part in first.split('rel="next" href="')[1:]]
    second = viewer.get(link.replace("&amp;", "&")).text
    assert second.count("Allowed newsletter by email") == 10
    assert "Allowed newsletter" not in viewer.get(f"/customers/{one}/timeline?kind=decision").text
    assert viewer.get(f"/customers/{one}/timeline?before=nonsense").status_code == 422


def test_a_time_zone_is_written_down(site: Site) -> None:
    """A known zone counts and says how it is known; a made-up one is refused."""
    one = site.one().customer_id
    manager = site.signed_in("manager")
    assert manager.post(f"/customers/{one}/zone", data={"zone": "Mars/Olympus"}).status_code == 422
    assert manager.post(f"/customers/{one}/zone", data={"zone": "Asia/Tokyo", "stated": "yes"}).status_code == 303
    page = manager.get(f"/customers/{one}").text
    assert "Asia/Tokyo" in page
    assert "the customer said so" in page
