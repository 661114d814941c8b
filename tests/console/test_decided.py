"""What was decided, as the pages of a case and of a customer tell it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead import api, reviews
from fairlead.checkpoints import read_decision, rulings_of_case
from fairlead.console.words import moment
from fairlead.reviews import View
from tests.console.world import digest_on

if TYPE_CHECKING:
    from tests.console.world import Site

TEXTS = re.compile(r"<[^>]+>")


def text_of(page: str, heading: str) -> str:
    """The words of the section with this heading."""
    found = re.search(rf"<section[^>]*><h2[^>]*>{heading}</h2>(.*?)</section>", page, re.DOTALL)
    assert found, heading
    return " ".join(TEXTS.sub(" ", found[1]).split())


def decide(site: Site, verdict: str, **fields: str) -> Any:
    """A reviewer decides an assisted review; the ruling with its decision."""
    one, client = site.one(), site.signed_in("reviewer")
    assert client.post(f"/reviews/{one.id}/claim").status_code == 303
    digest = digest_on(client.get(f"/reviews/{one.id}").text)
    site.clock.advance(timedelta(minutes=7))  # type: ignore[attr-defined]
    form = {"digest": digest, "verdict": verdict, "reason": "they moved away", **fields}
    assert client.post(f"/reviews/{one.id}/verdict", data=form).status_code == 303
    with site.database.reading() as reader:
        return next(row for row in rulings_of_case(reader, one.case_id or "") if row.id == one.ruling_id)


def automatic(site: Site) -> Any:
    """A decision that no person made and that nobody was drawn to answer without having seen it."""
    labels = {one.ruling_id for one in site.open_reviews(view=View.LABELS)}
    with site.database.reading() as reader:
        rulings = (row for case in site.desk.cases for row in rulings_of_case(reader, case))
        return next(row for row in rulings if row.verdict == "auto" and row.id not in labels)


def test_a_rejected_proposal_is_no_decision(site: Site) -> None:
    """The case's page says what was proposed, that it was rejected, by whom, when and why."""
    row = decide(site, "reject")
    page = site.signed_in().get(f"/cases/{row.case_id}").text
    told = text_of(page, "What was decided")

    assert "Rejected by Rosa Vidal" in told
    assert f"Was proposed, and is not done: Team {row.proposal['answer']['team']}" in told
    assert "Reason: they moved away" in told
    assert f'title="{moment(row.decided_at)}"' in page
    assert row.decided_at > row.created_at


def test_a_changed_answer_shows_both(site: Site) -> None:
    """Proposed beside decided, the old value struck out."""
    row = decide(site, "edit", **{"answer.team": '"nordics"', "answer.grade": '"C"'})
    page = site.signed_in().get(f"/cases/{row.case_id}").text
    told = text_of(page, "What was decided")

    assert row.answer["team"] != row.proposal["answer"]["team"]
    assert "Changed by Rosa Vidal" in told
    assert f"<del>{row.proposal['answer']['team']}</del>" in page
    assert f"<strong>{row.answer['team']}</strong>" in page


def test_an_automatic_decision_says_so(site: Site) -> None:
    """Decided automatically, by which producer, and never under a person's name."""
    row = automatic(site)
    told = text_of(site.signed_in().get(f"/cases/{row.case_id}").text, "What was decided")
    assert "Decided automatically by lead-rules@1" in told


def test_a_timeline_has_every_decision(site: Site) -> None:
    """A person's and an automatic one stand on their customers' timelines, each with a link to its case."""
    client, row = site.signed_in(), decide(site, "reject")
    auto = automatic(site)
    person = client.get(f"/customers/{row.customer_id}").text
    assert (
        f"Lead assignment: Rosa Vidal rejected {api.answer_words(row.proposal['answer'])}. “they moved away”" in person
    )
    assert f'<a href="/cases/{row.case_id}">Lead assignment' in person
    machine = client.get(f"/customers/{auto.customer_id}").text
    assert f"Lead assignment: decided automatically: {api.answer_words(auto.answer)}." in machine


def test_a_decision_is_not_told_while_somebody_answers_it_blind(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as one of its reviews is answered without the proposal, neither page says what was decided."""
    row = decide(site, "reject")
    answer = f"team {row.proposal['answer']['team']}"
    blind = site.one("blind")
    client = site.signed_in()
    assert "is withheld" in text_of(client.get(f"/cases/{blind.case_id}").text, "What was decided")

    # A check of a decision that stands already is a review of its ruling which is open and blind.
    as_if = blind.__class__(**{**{n: getattr(blind, n) for n in blind.__slots__}, "ruling_id": row.id})
    monkeypatch.setattr(reviews, "of_rulings", lambda reader, ids: [as_if] if row.id in ids else [])
    page = client.get(f"/customers/{row.customer_id}").text
    assert "Lead assignment: decided; what is withheld" in page
    assert answer not in page
    told = text_of(client.get(f"/cases/{row.case_id}").text, "What was decided")
    assert answer.title() not in told
    assert "withheld while a person answers the same" in told


def test_a_blind_review_hears_nothing_of_its_own_decision(site: Site) -> None:
    """The story of a withheld review has no line of its ruling's decision or of anything later."""
    row = decide(site, "reject")
    with site.database.reading() as reader:
        assert read_decision(reader, row.id) is not None
        lines = api.customer_timeline(reader, row.customer_id, 20, before=(row.created_at, row.id))
        whole = api.customer_timeline(reader, row.customer_id, 20)
    assert row.id in {line.id for line in whole}
    assert row.id not in {line.id for line in lines}


def test_an_erased_customer_keeps_no_content(site: Site) -> None:
    """After an erasure a line says that something was decided, not what or why."""
    row = decide(site, "reject")
    with site.database.reading() as reader:
        lines = api.customer_timeline(reader, row.customer_id, 20, erased=True)
    words = next(line.words for line in lines if line.id == row.id)
    assert words == "Lead assignment: Rosa Vidal rejected what was proposed."


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_of_a_timeline_meet(site: Site, size: int) -> None:
    """Read in pages of any size, every line comes once and in order, notes and decisions mixed."""
    row = decide(site, "reject")
    with site.database.reading() as reader:
        whole = api.customer_timeline(reader, row.customer_id, 50)
        pages, mark = [], None
        while page := api.customer_timeline(reader, row.customer_id, size, before=mark):
            pages += page
            mark = (page[-1].at, page[-1].id)
    assert whole == pages
    assert sorted(whole, key=lambda one: (one.at, one.id), reverse=True) == whole
