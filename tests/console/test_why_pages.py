"""The why-page: plain words, no internals, and a person who looks without seeing what was decided."""

from __future__ import annotations

import html
import string
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from fairlead.audit import history
from fairlead.checkpoints import SETTLEMENT, Grant, Level, read_ruling, rulings_of_case, set_grant
from fairlead.checkpoints.tables import decision
from fairlead.console.preference_words import PREFERENCE_WORDS
from fairlead.console.why_words import WHY_WORDS
from fairlead.customers import erase_customer, timeline_of
from fairlead.customers.tables import customer
from fairlead.evidence import Labels, page_of_labels, repairs_page
from fairlead.kit.actors import SYSTEM
from fairlead.kit.events import event_row
from fairlead.kit.links import make_link
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.people import disable_person, list_people
from fairlead.playbooks import CaseDraft, open_cases
from fairlead.reviews import Kind, Review, View, of_rulings, overdue_unseen, sweep
from fairlead.rights import erase
from fairlead.testing.seed import add_leads, run_ready
from tests.console.test_preference_pages import SECRET
from tests.console.world import digest_on

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.console.world import Site


def automatic(site: Site, verdict: str = "auto", *, drawn: bool = False) -> Any:
    """A decision that no person made, drawn by lot or not."""
    with site.database.transaction() as uow:
        version = site.desk.bundle.policies["lead-assignment"].version
        until = uow.now + timedelta(days=9)
        rate = 1.0 if drawn else 0.0
        grant = Grant("", "lead-assignment", "small", "lead-rules@1", Level.AUTO, version, until, 0.3, None, rate)
        set_grant(uow, SYSTEM, "manager", grant, {})
    cases = add_leads(site.database, site.desk.bundle, 40, seed=11)
    run_ready(site.desk.engine)
    with site.database.reading() as reader:
        found = [one for case in cases for one in rulings_of_case(reader, case)]
    return next(one for one in found if one.verdict == verdict and one.lottery == drawn)


def why(decision: str) -> str:
    """The address of its page."""
    return "/why/" + make_link(SECRET, "why", {"decision": decision})


def appeals(site: Site) -> list[Review]:
    """Reviews that customers asked for."""
    return [one for one in site.open_reviews() if one.kind == Kind.APPEAL]


def answered(site: Site, client: TestClient, one: Review, team: str) -> None:
    """A reviewer claims it and answers."""
    assert client.post(f"/reviews/{one.id}/claim").status_code == 303
    form = {"digest": digest_on(client.get(f"/reviews/{one.id}").text), "verdict": "answer", "answer.team": f'"{team}"'}
    assert client.post(f"/reviews/{one.id}/verdict", data=form).status_code == 303
    assert site.review(one.id).state == "decided"


def test_the_page_is_plain_and_tells_no_internals(sqlite_site: Site) -> None:
    """What, how, from which information, in words; no score, producer, rule, id, grade or value of theirs."""
    one = automatic(sqlite_site)
    page = html.unescape(sqlite_site.client().get(why(one.id)).text)
    assert f"team {one.proposal['answer']['team']}" in page
    assert "A computer program decided this on" in page
    assert "fixed rules that people wrote" in page
    assert "Have a person look" in page
    assert "<li>Job title</li>" in page
    facts = one.facts
    for secret in (one.id, one.case_id, one.customer_id, "lead-rules", "grade", str(one.score), facts["email"],
                   facts["name"], "segment", "threshold"):  # fmt: skip
        assert secret not in page


def test_a_refusal_by_rule_is_explained_in_the_rules_own_words(sqlite_site: Site) -> None:
    """The sentence that the policy wrote for customers, not the one for staff."""
    site = sqlite_site
    facts = {"name": "A B", "email": "a@b.example", "country": "IR", "value": 900.0}
    draft = CaseDraft("lead-qualification", "lead", "lead_x", facts, somebody(site))
    with site.database.transaction() as uow:
        opened = open_cases(uow, [draft], site.desk.bundle)
    run_ready(site.desk.engine)
    with site.database.reading() as reader:
        one = next(one for one in rulings_of_case(reader, opened[0]) if one.verdict == "blocked")
    page = html.unescape(site.client().get(why(one.id)).text)
    assert "We cannot offer our service in your country." in page
    assert "We do not sell to this country" not in page
    assert "A fixed rule refused this" in page


def somebody(site: Site) -> str:
    """Anybody with a case."""
    with site.database.reading() as reader:
        return str(rulings_of_case(reader, site.desk.cases[0])[0].customer_id)


def test_a_person_looks_blind_and_the_customer_reads_the_answer(site: Site) -> None:
    """One press, one review with a clock, blind at the desk, and the answer under the same link."""
    one, client = automatic(site), site.client()
    for _ in range(3):
        assert client.post(why(one.id)).headers["location"] == why(one.id) + "?said=asked"
    (review,) = appeals(site)
    policy = site.desk.bundle.policies["lead-assignment"]
    assert review.due_at == review.created_at + policy.review.due
    assert review not in site.open_reviews(view=View.LABELS)
    assert "It will be looked at by" in client.get(why(one.id)).text
    desk = site.signed_in("reviewer")
    assert "a customer asked" in desk.get("/reviews").text
    assert site.open_reviews()[0].id == review.id, "before every decision but the most urgent"
    for verb in ("skip", "snooze"):
        assert desk.post(f"/reviews/{review.id}/{verb}", data={"hours": "1"}).status_code == 409
    page = html.unescape(desk.get(f"/reviews/{review.id}").text)
    assert "the customer asked that a person looks" in page
    assert one.producer not in page
    assert "What was decided is withheld" in desk.get(f"/cases/{one.case_id}").text
    other = next(team for team in ("dach", "nordics") if team != one.proposal["answer"]["team"])
    answered(site, desk, review, other)
    told = html.unescape(client.get(why(one.id)).text)
    assert "came to another answer:" in told
    assert f"<strong>team {other}</strong>" in told
    assert client.post(why(one.id)).status_code == 303
    assert appeals(site) == [], "an answer is final"
    with site.database.reading() as reader:
        assert read_ruling(reader, one.id).proposal == one.proposal
        verbs = [entry.verb for entry in history(reader, [one.id], 50)]
        assert {"appeal.asked", "appeal.answered"} <= set(verbs)
        heard = reader.execute(select(event_row).where(event_row.c.type == "appeal_answered")).one()
        assert (heard.key, heard.payload["agrees"]) == (one.customer_id, False)
        assert any("another way than the machine" in line.words for line in timeline_of(reader, one.customer_id))
    assert "put right by hand" in desk.get(f"/reviews/{review.id}").text


def test_many_presses_at_once_open_one_review(site: Site) -> None:
    """Whoever is first; the others are led to the same place, on either database."""
    one = automatic(site)
    clients = [site.client() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda client: client.post(why(one.id)).status_code, clients))
    assert answers == [303] * 8
    assert len(appeals(site)) == 1


def test_the_same_answer_and_no_answer(sqlite_site: Site) -> None:
    """Agreement is told as such; a person who cannot tell says so, and the customer is asked for more."""
    site = sqlite_site
    one, client, desk = automatic(site), site.client(), site.signed_in("reviewer")
    client.post(why(one.id))
    answered(site, desk, appeals(site)[0], one.proposal["answer"]["team"])
    assert "came to the same answer" in client.get(why(one.id)).text
    two = automatic(site)
    client.post(why(two.id))
    (review,) = appeals(site)
    desk.post(f"/reviews/{review.id}/claim")
    assert "A person is looking at it now." in client.get(why(two.id)).text
    form = {"digest": digest_on(desk.get(f"/reviews/{review.id}").text), "verdict": "cannot_tell", "reason": "secret"}
    desk.post(f"/reviews/{review.id}/verdict", data=form)
    page = client.get(why(two.id)).text
    assert "not enough for an answer" in page
    assert "secret" not in page


def test_who_asks_is_no_random_draw(sqlite_site: Site) -> None:
    """The answer to an appeal is no label, even where the decision was drawn; the drawn one stays to be answered."""
    site = sqlite_site
    one = automatic(site, drawn=True)
    site.client().post(why(one.id))
    answered(site, site.signed_in("reviewer"), appeals(site)[0], "dach")
    with site.database.reading() as reader:
        assert page_of_labels(reader, 10) == []
    assert one.id in {review.ruling_id for review in site.open_reviews(view=View.LABELS)}
    assert "What was decided is withheld" in site.signed_in().get(f"/cases/{one.case_id}").text


def test_a_missed_clock_is_admitted(sqlite_site: Site) -> None:
    """The customer is told that it was not kept."""
    one, client = automatic(sqlite_site), sqlite_site.client()
    client.post(why(one.id))
    sqlite_site.clock.advance(timedelta(days=3))  # type: ignore[attr-defined]
    assert "That was not kept" in client.get(why(one.id)).text
    with sqlite_site.database.transaction() as uow:
        sweep(uow, 100, settlement=SETTLEMENT)
    (review,) = appeals(sqlite_site)
    assert review.overdue_since is not None, "the desk sees it, too, and it goes on waiting"
    with sqlite_site.database.reading() as reader:
        assert one.id not in overdue_unseen(reader, 100), "it is no drawn decision that was left unanswered"


def test_what_a_person_decides_has_no_button(sqlite_site: Site) -> None:
    """Neither while it waits nor by posting anyway."""
    site = sqlite_site
    review = site.one("human")
    client = site.client()
    page = client.get(why(review.ruling_id)).text
    assert "Nothing is decided yet" in page
    assert "<form" not in page
    assert client.post(why(review.ruling_id)).status_code == 303
    assert appeals(site) == []


def test_opening_changes_nothing_and_other_links_are_none(site: Site) -> None:
    """Scanners, links of another kind, of nothing, and posts of other sites."""
    one, client = automatic(site), site.client()
    for method in ("GET", "HEAD"):
        assert client.request(method, why(one.id)).status_code == 200
    wrong = [
        "x", make_link(SECRET, "preferences", {"decision": one.id}), make_link(SECRET, "why", {"decision": "rul_x"}),
        make_link(SECRET, "why", {}), make_link(b"other" * 9, "why", {"decision": one.id}), why(one.id)[5:-2],
    ]  # fmt: skip
    told = {client.request(method, "/why/" + token).text for token in wrong for method in ("GET", "POST")}
    assert len(told) == 1
    assert client.post(why(one.id), headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert appeals(site) == []


def test_language_and_erasure(sqlite_site: Site) -> None:
    """In the customer's language; nothing at all once they are erased, and no review opens."""
    site = sqlite_site
    one, client = automatic(site), site.client()
    with site.database.transaction() as uow:
        uow.execute(update(customer).where(customer.c.id == one.customer_id).values(language="de"))
        uow.record(AuditEntry("customer.language_set", one.customer_id, {}, one.customer_id))
    page = html.unescape(client.get(why(one.id)).text)
    assert "Ein Computerprogramm hat das am" in page
    assert "<li>Berufsbezeichnung</li>" in page
    with site.database.transaction() as uow:
        erase_customer(uow, SYSTEM, one.customer_id, reason="asked")
    for method in ("GET", "POST"):
        assert "Nothing is kept about you here" in client.request(method, why(one.id)).text
    assert appeals(site) == []


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_every_language_says_the_same_things(language: str) -> None:
    """No word is missing and no placeholder lost in translation."""

    def places(words: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(words) if name}

    for table in (PREFERENCE_WORDS, WHY_WORDS):
        assert table[language].keys() == table["en"].keys()
        for key, words in table["en"].items():
            assert places(table[language][key]) == places(words), key


def test_another_answer_opens_a_repair_that_ends_on_the_page(site: Site) -> None:
    """The role finds it at the desk, says what it did, once; the customer reads both, and nothing of the note."""
    one = automatic(site)
    client, customer = site.signed_in("reviewer"), site.client()
    customer.post(why(one.id))
    (review,) = appeals(site)
    machine = one.proposal["answer"]["team"]
    other = "nordics" if machine != "nordics" else "americas"
    answered(site, client, review, other)
    assert "our staff have the task to put right" in customer.get(why(one.id)).text
    page = client.get("/repairs").text
    assert f"team {machine}" in page
    assert f"team {other}" in page
    with site.database.reading() as reader:
        (open_one,) = repairs_page(reader, 10)
    assert (open_one.role, open_one.case_id, open_one.ruling_id) == ("reviewer", one.case_id, one.id)
    address = f"/repairs/{open_one.id}/done"
    assert client.post(address, data={"note": " "}).status_code == 422
    assert site.colleague("viewer").post(address, data={"note": "x"}).status_code == 403
    assert client.post(address, data={"note": "Called and moved it to the other team"}).status_code == 303
    assert client.post(address, data={"note": "again"}).status_code == 409
    told = customer.get(why(one.id)).text
    assert "Our staff put this right on" in told
    assert "Called and moved" not in told
    assert "Called and moved" in client.get("/repairs?state=done").text
    assert "Nothing to put right" in client.get("/repairs").text
    with site.database.transaction() as uow:
        erase(uow, SYSTEM, one.customer_id, reason="asked")
    assert "Called and moved" not in client.get("/repairs?state=done").text


def test_the_same_answer_opens_no_repair_and_one_to_nothing_does(sqlite_site: Site) -> None:
    """Who agrees leaves nothing to put right; where a rule refused, a person's answer is more than was done."""
    one = automatic(sqlite_site)
    sqlite_site.client().post(why(one.id))
    answered(sqlite_site, sqlite_site.signed_in("reviewer"), appeals(sqlite_site)[0], one.proposal["answer"]["team"])
    with sqlite_site.database.reading() as reader:
        assert repairs_page(reader, 10) == []
    with sqlite_site.database.transaction() as uow:
        # What the machine would have answered was never done: it had been refused.
        uow.execute(update(decision).where(decision.c.ruling_id == one.id).values(verdict="blocked"))
        uow.record(AuditEntry("test.changed", one.id))
        labels = Labels(lambda _reader, _review: sqlite_site.desk.bundle.policies["lead-assignment"])
        labels.keep(uow, sqlite_site.review(of_rulings(uow, [one.id])[0].id), one.proposal["answer"], SYSTEM)
        assert len(repairs_page(uow, 10)) == 1


def test_who_had_the_case_in_hand_is_no_stranger_to_it(site: Site) -> None:
    """Whoever answered or only claimed another review of the same case cannot take the appeal; somebody else can."""
    one = automatic(site, drawn=True)
    knows, fresh = site.signed_in("reviewer"), site.colleague("reviewer")
    label = next(each for each in site.open_reviews() if each.ruling_id == one.id)
    assert knows.post(f"/reviews/{label.id}/claim").status_code == 303
    assert knows.post(f"/reviews/{label.id}/release").status_code == 303
    answered(site, knows, label, one.proposal["answer"]["team"])
    site.client().post(why(one.id))
    (review,) = appeals(site)
    refused = knows.post(f"/reviews/{review.id}/claim")
    assert refused.status_code == 409
    assert "had this case in hand" in html.unescape(refused.text)
    assert site.review(review.id).claimed_by is None
    assert "nobody may answer" not in (knows.get("/reviews").text + knows.get(f"/reviews/{review.id}").text).lower()
    answered(site, fresh, review, "americas")


def test_an_appeal_that_nobody_may_answer_says_so(site: Site) -> None:
    """Everybody with the role had the case in hand: the queue and the page say it, until somebody else has the role."""
    one = automatic(site, drawn=True)
    knows = site.signed_in("admin")
    label = next(each for each in site.open_reviews() if each.ruling_id == one.id)
    with site.database.transaction() as uow:
        for other in list_people(uow):
            if "reviewer" in other.roles and "admin" not in other.roles:
                disable_person(uow, SYSTEM, other.id)
    answered(site, knows, label, one.proposal["answer"]["team"])
    site.client().post(why(one.id))
    (review,) = appeals(site)
    assert "nobody may answer it" in knows.get("/reviews").text
    assert "Nobody may answer this" in knows.get(f"/reviews/{review.id}").text
    site.colleague("reviewer")
    assert "nobody may answer it" not in knows.get("/reviews").text
    assert "Nobody may answer this" not in knows.get(f"/reviews/{review.id}").text
