"""The preference centre, one-click and the confirmation of a double opt-in, by raw HTTP."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from fairlead.customers import (
    ConsentRecord,
    ConsentState,
    CustomerDraft,
    Standing,
    ask_consent,
    consent_history,
    consents_of,
    erase_customer,
    merge,
    preferences_of,
    record_consent,
    resolve_many,
    standing_for,
    suppress,
    suppressions_of,
    withdraw_all,
)
from fairlead.guardrails import Attempt, deploy_rules, pass_gate
from fairlead.kit.actors import SYSTEM
from fairlead.kit.events import event_row
from fairlead.kit.ids import new_id
from fairlead.kit.links import make_link
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.playbooks import CaseDraft, EventSource, open_cases, read_case
from fairlead.testing.seed import run_ready

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.console.world import Site

SECRET = b"s" * 40
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
ADDRESS = "ann.bell@optics.example"
WAS = re.compile(r'name="(was\.[^"]+)" value="(on|off)"')
Key = tuple[str, str]


def new_customer(site: Site, address: str = ADDRESS, **draft: Any) -> str:
    """A customer who can be reached by e-mail and phone."""
    identities = (("email", address), ("phone", "+493023125000"))
    with site.database.transaction() as uow:
        made = resolve_many(uow, [CustomerDraft(name="Ann Bell", identities=identities, source="test", **draft)])[0].id
        uow.record(AuditEntry("case.opened", made, {}, made))
    return made


def page_of(customer_id: str, **parts: str) -> str:
    """The address of their preference page."""
    return "/p/" + make_link(SECRET, "preferences", {"customer": customer_id, **parts})


def list_link(customer_id: str, **parts: str) -> str:
    """The address in a message's headers."""
    return "/u/" + make_link(SECRET, "unsubscribe", {"customer": customer_id, **parts})


def standing(site: Site, customer_id: str, key: Key) -> Standing | None:
    """What counts now."""
    with site.database.reading() as reader:
        return standing_for(consents_of(reader, [customer_id], site.clock.now())[customer_id], *key)


def state(site: Site, customer_id: str, key: Key = ("sales", "email")) -> str | None:
    """Its state, None where nothing was said."""
    found = standing(site, customer_id, key)
    return found.state if found else None


def count(site: Site, kind: str, customer_id: str) -> int:
    """How many events of this kind there are about them."""
    c = event_row.c
    with site.database.reading() as reader:
        query = select(func.count()).select_from(event_row).where(c.type == kind, c.key == customer_id)
        return int(reader.execute(query).scalar_one())


def rows(site: Site, customer_id: str) -> int:
    """How often they said anything."""
    with site.database.reading() as reader:
        return len(consent_history(reader, customer_id))


def shown(client: TestClient, path: str) -> dict[str, str]:
    """The form as a browser would send it back untouched."""
    page = client.get(path)
    assert page.status_code == 200, page.text
    fields = dict(WAS.findall(page.text))
    ticked = re.findall(r'name="(on\.[^"]+)" value="yes" checked', page.text)
    return {**fields, **dict.fromkeys(ticked, "yes"), "do": "save", "pause": ""}


def test_turning_one_thing_off_is_in_force_before_the_answer(site: Site) -> None:
    """The redirect comes after the commit: consent, event and record are there, and nothing else moved."""
    one, client = new_customer(site), site.client()
    form = shown(client, page_of(one))
    del form["on.sales:email"]
    answer = client.post(page_of(one), data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, page_of(one) + "?said=saved")
    found = standing(site, one, ("sales", "email"))
    assert found is not None
    assert (found.state, found.mechanism) == ("withdrawn", "preference_page")
    assert state(site, one, ("sales", "phone")) is None
    assert count(site, "opted_out", one) == 1
    page = client.get(answer.headers["location"]).text
    assert "Saved. It counts from now on." in page
    assert "Off since" in page


def test_stop_everything_and_turn_one_thing_on_again(site: Site) -> None:
    """One button stops all channels; a switch turned on later brings that one back, and only that."""
    one, client = new_customer(site), site.client()
    assert client.post(page_of(one), data={"do": "stop"}).headers["location"].endswith("said=stopped")
    assert state(site, one) == state(site, one, ("sales", "phone")) == "withdrawn"
    assert count(site, "opted_out", one) == 1
    with site.database.reading() as reader:
        assert suppressions_of(reader, [("email", ADDRESS)])[("email", ADDRESS)].scope == "promotional"
    client.post(page_of(one), data={"do": "stop"})
    assert rows(site, one) == 1, "a second press says nothing new"
    site.clock.advance(timedelta(minutes=1))  # type: ignore[attr-defined]
    form = {**shown(client, page_of(one)), "on.sales:email": "yes"}
    assert client.post(page_of(one), data=form).status_code == 303
    assert (state(site, one), state(site, one, ("sales", "phone"))) == ("given", "withdrawn")
    with site.database.reading() as reader:
        assert suppressions_of(reader, [("email", ADDRESS)]) == {}
        last = consent_history(reader, one)[0]
    assert last.notice is not None
    assert last.notice.language == "en"
    assert count(site, "opted_in", one) == 1


def test_a_queued_message_is_stopped_by_what_the_page_saved(site: Site) -> None:
    """Asked again under its own key right after the answer, the gate refuses what it had let through before."""
    one, client = new_customer(site), site.client()
    message = Attempt("msg-1", one, "email", ADDRESS, "sales", "sales", automatic=False)
    with site.database.transaction() as uow:
        site.clock.advance(timedelta(hours=(12 - uow.now.hour) % 24))  # type: ignore[attr-defined]
    with site.database.transaction() as uow:
        assert pass_gate(uow, message).code == "allowed"
    form = shown(client, page_of(one))
    del form["on.sales:email"]
    assert client.post(page_of(one), data=form).status_code == 303
    with site.database.transaction() as uow:
        assert pass_gate(uow, message).code == "withdrawn"
    form = {**shown(client, page_of(one)), "on.sales:email": "yes"}
    form["pause"] = (site.clock.now() + timedelta(days=5)).date().isoformat()
    client.post(page_of(one), data=form)
    with site.database.transaction() as uow:
        assert pass_gate(uow, message).code == "paused"
        uow.record(AuditEntry("test.asked", one, {}, one))


def test_running_cases_hear_of_it(sqlite_site: Site) -> None:
    """A lead that is being nurtured is left alone: its case ends as the playbook says, whichever link was used."""
    site = sqlite_site
    people = [new_customer(site, f"lead{number}@firm.example") for number in range(2)]
    facts = {"name": "Ann Bell", "email": ADDRESS, "company": "Bell"}
    drafts = [CaseDraft("lead-nurture", "lead", new_id("lead"), facts, one) for one in people]
    with site.database.transaction() as uow:
        cases = open_cases(uow, drafts, site.desk.bundle)
    run_ready(site.desk.engine)
    client = site.client()
    client.post(page_of(people[0]), data={"do": "stop"})
    client.post(list_link(people[1], purpose="sales", channel="email"), data=ONE_CLICK)
    EventSource(site.desk.engine).turn()
    run_ready(site.desk.engine)
    with site.database.reading() as reader:
        assert [read_case(reader, case).state for case in cases] == ["ended", "ended"]
        assert {read_case(reader, case).stage for case in cases} == {"stopped"}


NEWS = """purposes:
  sales: {class: promotional, mechanism: opt_out, channels: [email]}
  news: {class: promotional, mechanism: opt_in, double: true, expires: 30d, channels: [email, sms], words: Our news}
  orders: {class: transactional, words: Your own orders}
"""


def test_the_workspaces_rules_make_the_page(sqlite_site: Site) -> None:
    """Its purposes and words; what always comes has no switch; a confirmed yes takes a link sent to the address."""
    site = sqlite_site
    one, client = new_customer(site), site.client()
    with site.database.transaction() as uow:
        deploy_rules(uow, SYSTEM, NEWS)
    page = client.get(page_of(one)).text
    assert "Our news" in page
    assert "<li>Your own orders</li>" in page
    assert "orders:" not in page
    assert 'name="on.news:email" value="yes" disabled' in page
    client.post(page_of(one), data={**shown(client, page_of(one)), "on.news:email": "yes"})
    assert state(site, one, ("news", "email")) is None, "a disabled switch is none, however it is posted"
    mailed = page_of(one, channel="email")
    form = {**shown(client, mailed), "on.news:email": "yes", "on.news:sms": "yes", "on.orders:email": "yes"}
    client.post(mailed, data=form)
    found = standing(site, one, ("news", "email"))
    assert found is not None
    assert (found.state, found.mechanism) == ("given", "double_opt_in")
    assert found.expires_at == found.at + timedelta(days=30)
    assert state(site, one, ("news", "sms")) is None
    assert state(site, one, ("orders", "email")) is None


def test_an_address_that_bounced_stays_blocked_and_the_page_says_so(sqlite_site: Site) -> None:
    """Turning a switch on lifts what the customer had asked for, never what the address itself refuses."""
    site = sqlite_site
    one, client = new_customer(site), site.client()
    with site.database.transaction() as uow:
        withdraw_all(uow, SYSTEM, one, source="test", mechanism="reply_stop")
        suppress(uow, SYSTEM, "email", ADDRESS, reason="hard bounce", source="test")
    site.clock.advance(timedelta(minutes=1))  # type: ignore[attr-defined]
    assert "We cannot reach you this way at the moment" in client.get(page_of(one)).text
    client.post(page_of(one), data={**shown(client, page_of(one)), "on.sales:email": "yes"})
    with site.database.reading() as reader:
        assert suppressions_of(reader, [("email", ADDRESS)])[("email", ADDRESS)].scope == "all"


def test_how_often_and_a_break(site: Site) -> None:
    """Both are wishes of their own; the break ends at the beginning of that day where the customer is."""
    one, client = new_customer(site, country="DE"), site.client()
    day = (site.clock.now() + timedelta(days=20)).date()
    form = {**shown(client, page_of(one)), "week.sales:email": "2", "pause": day.isoformat()}
    client.post(page_of(one), data=form)
    with site.database.reading() as reader:
        wishes = preferences_of(reader, [one], site.clock.now())[one]
    assert wishes[("sales", "email")].per_week == 2
    until = wishes[("*", "*")].paused_until
    assert until is not None
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert until in {midnight - timedelta(hours=1), midnight - timedelta(hours=2)}
    page = client.get(page_of(one)).text
    assert f'value="{day.isoformat()}"' in page
    assert "You have a break until" in page
    assert '<option value="2" selected>At most 2 times a week' in page
    client.post(page_of(one), data={**shown(client, page_of(one)), "week.sales:email": "", "pause": ""})
    with site.database.reading() as reader:
        wishes = preferences_of(reader, [one], site.clock.now())[one]
    assert wishes[("sales", "email")].per_week is None
    assert wishes[("*", "*")].paused_until is None


@pytest.mark.parametrize(
    "day", ["2001-01-01", "9999-12-31", "tomorrow", "2026-02-30", "1", "\u0662\u0660\u0662\u0667-01-01"]
)
def test_a_day_that_cannot_be_keeps_nobody_from_leaving(sqlite_site: Site, day: str) -> None:
    """The page comes back with what was typed; what was turned off is off all the same."""
    one, client = new_customer(sqlite_site), sqlite_site.client()
    form = {**shown(client, page_of(one)), "pause": day}
    del form["on.sales:email"]
    answer = client.post(page_of(one), data=form)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert day in answer.text
    assert state(sqlite_site, one) == "withdrawn"


def test_a_page_left_open_brings_nothing_back(sqlite_site: Site) -> None:
    """Saved after somebody unsubscribed elsewhere, its ticks are no new yes."""
    one, client = new_customer(sqlite_site), sqlite_site.client()
    form = shown(client, page_of(one))
    assert client.post(list_link(one, purpose="sales", channel="email"), data=ONE_CLICK).status_code == 200
    answer = client.post(page_of(one), data=form)
    assert answer.headers["location"].endswith("said=changed")
    assert state(sqlite_site, one) == "withdrawn"
    assert "it stays off" in client.get(answer.headers["location"]).text


def test_opening_changes_nothing(site: Site) -> None:
    """GET and HEAD of every link, as scanners send them, with odd queries and the privacy header."""
    one, client = new_customer(site), site.client()
    with site.database.transaction() as uow:
        asked = ConsentRecord("sales", "email", ConsentState.GIVEN, "web_form", "test")
        token = ask_consent(uow, SYSTEM, one, asked, SECRET)
    before = rows(site, one)
    for path in (page_of(one), list_link(one, purpose="sales", channel="email"), "/c/" + token):
        for query in ("", "?do=stop", "?List-Unsubscribe=One-Click", "?said=<script>"):
            for method in ("GET", "HEAD"):
                answer = client.request(method, path + query, headers={"Sec-GPC": "1"})
                assert answer.status_code == 200
                assert "<script>" not in answer.text
                assert answer.headers["Cache-Control"] == "no-store"
    assert rows(site, one) == before
    assert count(site, "opted_out", one) == 0


def test_the_browsers_wish_for_privacy_is_kept_when_the_page_is_used(sqlite_site: Site) -> None:
    """`Sec-GPC: 1` is said on the page, recorded once with what is saved, and shown from then on."""
    one, client = new_customer(sqlite_site), sqlite_site.client()
    assert "Global Privacy Control" in client.get(page_of(one), headers={"Sec-GPC": "1"}).text
    form = shown(client, page_of(one))
    for _ in range(2):
        client.post(page_of(one), data=form, headers={"Sec-GPC": "1"})
    found = standing(sqlite_site, one, ("sharing", "*"))
    assert found is not None
    assert (found.state, found.mechanism) == ("withdrawn", "gpc")
    assert rows(sqlite_site, one) == 1
    assert state(sqlite_site, one) is None, "it is no unsubscription"
    assert "neither sold nor shared" in client.get(page_of(one)).text


def test_one_click_as_a_mail_provider_sends_it(site: Site) -> None:
    """No cookie, no origin, no browser; twice is once; the list that the link names and no other."""
    one = new_customer(site)
    path = list_link(one, purpose="sales", channel="email")
    client = site.client()
    client.headers.clear()
    for sent in ({"data": ONE_CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}}, {"data": ONE_CLICK}):
        answer = client.post(path, **sent)  # type: ignore[arg-type]
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    found = standing(site, one, ("sales", "email"))
    assert found is not None
    assert (found.state, found.mechanism) == ("withdrawn", "one_click")
    assert state(site, one, ("sales", "phone")) is None
    assert (rows(site, one), count(site, "opted_out", one)) == (1, 1)


def test_many_clicks_at_once_are_one_word(site: Site) -> None:
    """Providers repeat themselves; one row, one event, on either database."""
    one = new_customer(site)
    path = list_link(one, purpose="sales", channel="email")
    clients = [site.client() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda client: client.post(path, data=ONE_CLICK).status_code, clients))
    assert answers == [200] * 8
    assert (rows(site, one), count(site, "opted_out", one)) == (1, 1)


def test_one_click_for_everything(sqlite_site: Site) -> None:
    """A link without a list stops all of it."""
    one = new_customer(sqlite_site)
    sqlite_site.client().post(list_link(one), data=ONE_CLICK)
    assert state(sqlite_site, one, ("anything", "sms")) == "withdrawn"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"List-Unsubscribe=one-click", "application/x-www-form-urlencoded"),
        (b"List-Unsubscribe=One-Click&x=1", "application/x-www-form-urlencoded"),
        (b"List-Unsubscribe=One-Click&List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (b'{"List-Unsubscribe": "One-Click"}', "application/json"), (b"List-Unsubscribe=One-Click", "text/plain"),
        (b"--x\r\nrubbish", "multipart/form-data; boundary=x"), (b"List-Unsubscribe=One-Click", "multipart/form-data"),
    ],
)  # fmt: skip
def test_any_other_body_is_refused(sqlite_site: Site, content: bytes, kind: str) -> None:
    """400, and nothing changes; whether the link is good is not told."""
    one, client = new_customer(sqlite_site), sqlite_site.client()
    for path in (list_link(one, purpose="sales", channel="email"), "/u/forged"):
        assert client.post(path, content=content, headers={"Content-Type": kind}).status_code == 400
    assert rows(sqlite_site, one) == 0


def test_a_webmail_page_may_press_one_click_but_no_site_saves_preferences(sqlite_site: Site) -> None:
    """The one link is made to be pressed from anywhere; the page is for its own form alone."""
    one, client = new_customer(sqlite_site), sqlite_site.client()
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://mail.example", "Cookie": "a=b"}
    assert client.post(page_of(one), data={"do": "stop"}, headers=foreign).status_code == 403
    assert rows(sqlite_site, one) == 0
    assert client.post(list_link(one), data=ONE_CLICK, headers=foreign).status_code == 200
    assert state(sqlite_site, one) == "withdrawn"


def wrong_links(one: str) -> list[str]:
    """Tokens that are none, or none for this."""
    good = make_link(SECRET, "preferences", {"customer": one})
    body, _, signature = good.partition(".")
    return [
        "x", good[:-1], good + "A", f"{body}.{signature[::-1]}", f"{body}A.{signature}", "a.", f".{signature}",
        "a" * 3_000,
        make_link(b"another key" * 4, "preferences", {"customer": one}), make_link(SECRET, "why", {"customer": one}),
        make_link(SECRET, "unsubscribe", {"customer": one}),
        make_link(SECRET, "preferences", {"customer": "cus_nobody"}),
        make_link(SECRET, "preferences", {}), make_link(SECRET, "preferences", {"customer": one, "until": "1"}),
    ]  # fmt: skip


def test_every_wrong_link_gets_the_same_calm_page(sqlite_site: Site) -> None:
    """Forged, cut off, for another use, of nobody, too old: one page, one status, in the visitor's language."""
    one, client = new_customer(sqlite_site), sqlite_site.client()
    told = set()
    for token in wrong_links(one):
        for answer in (
            client.get("/p/" + token, headers={"Accept-Language": "fr-CH"}),
            client.post("/p/" + token, data={"do": "stop"}, headers={"Accept-Language": "fr-CH"}),
        ):
            assert answer.status_code == 404
            told.add(answer.text)
    assert len(told) == 1
    assert "Ce lien ne fonctionne pas" in told.pop()
    assert rows(sqlite_site, one) == 0


def test_guessing_is_slowed_down_and_a_provider_is_not(sqlite_site: Site) -> None:
    """Wrong links count by address, good ones by link."""
    client = sqlite_site.client()
    people = [new_customer(sqlite_site, f"n{number}@firm.example") for number in range(3)]
    for _ in range(50):
        for one in people:
            assert client.post(list_link(one, purpose="sales", channel="email"), data=ONE_CLICK).status_code == 200
    answers = [client.get("/p/x") for _ in range(61)]
    assert [one.status_code for one in answers] == [404] * 60 + [429]
    assert int(answers[-1].headers["Retry-After"]) <= 600
    assert client.get(page_of(people[0])).status_code == 429


def test_the_page_tells_no_more_than_a_masked_address(sqlite_site: Site) -> None:
    """No name, no whole address, no number, no id."""
    one = new_customer(sqlite_site, language="de-AT")
    page = sqlite_site.client().get(page_of(one)).text
    assert "a…@o….example" in page
    assert "…00" in page
    for secret in ("Ann", "ann.bell", "optics", "3023125", one):
        assert secret not in page


@pytest.mark.parametrize(
    ("language", "accepted", "said"),
    [
        ("de", "fr", "Alles abbestellen"), ("es-MX", "", "Parar todo"), ("sv", "fr;q=0.9, en", "Tout arrêter"),
        (None, "", "Stop everything"), ("xx", "yy," * 600, "Stop everything"),
    ],
)  # fmt: skip
def test_the_customers_language_comes_first(sqlite_site: Site, language: str | None, accepted: str, said: str) -> None:
    """Then the browser's, then English."""
    one = new_customer(sqlite_site, language=language)
    page = sqlite_site.client().get(page_of(one), headers={"Accept-Language": accepted}).text
    assert said in page


def test_merged_and_erased_customers(site: Site) -> None:
    """An old link of a merged record works for who stands for it; of an erased one nothing is left to choose."""
    kept, other, client = new_customer(site), new_customer(site, "a@b.example"), site.client()
    with site.database.transaction() as uow:
        merge(uow, SYSTEM, kept, other, reason="the same")
    client.post(page_of(other), data={"do": "stop"})
    assert state(site, kept) == "withdrawn"
    with site.database.transaction() as uow:
        erase_customer(uow, SYSTEM, kept, reason="asked")
    for answer in (
        client.get(page_of(other)), client.post(page_of(other), data={"do": "stop"}), client.get(list_link(kept)),
        client.post(list_link(kept), data=ONE_CLICK),
    ):  # fmt: skip
        assert answer.status_code == 200
        assert "Nothing is kept about you here" in answer.text


def test_a_double_opt_in_is_confirmed_by_a_button(site: Site) -> None:
    """Opening asks, pressing gives, pressing again changes nothing; not after the customer has left."""
    one, client = new_customer(site), site.client()
    with site.database.transaction() as uow:
        asked = ConsentRecord("sales", "email", ConsentState.GIVEN, "web_form", "test")
        path = "/c/" + ask_consent(uow, SYSTEM, one, asked, SECRET)
    assert "Yes, send them to me" in client.get(path).text
    assert state(site, one) == "pending"
    for _ in range(2):
        assert "You can change this at any time." in client.post(path).text
    assert state(site, one) == "given"
    assert count(site, "opted_in", one) == 1
    site.clock.advance(timedelta(minutes=1))  # type: ignore[attr-defined]
    client.post(list_link(one, purpose="sales", channel="email"), data=ONE_CLICK)
    assert "nothing was turned on" in client.post(path).text
    assert state(site, one) == "withdrawn"
    site.clock.advance(timedelta(days=8))  # type: ignore[attr-defined]
    assert client.post(path).status_code == 404


def test_an_old_consent_shows_when_it_was_given(sqlite_site: Site) -> None:
    """The newest word with its day, in the words of the language."""
    site = sqlite_site
    one = new_customer(site, language="es")
    with site.database.transaction() as uow:
        at = datetime(2025, 3, 9, 12, tzinfo=UTC)
        given = ConsentRecord("sales", "email", ConsentState.GIVEN, "import", "test", at=at)
        record_consent(uow, SYSTEM, one, given)
    assert "Activado desde el 9 de marzo de 2025." in site.client().get(page_of(one)).text
