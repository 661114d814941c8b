"""The queue and the page of a review over HTTP, without any script."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fairlead.checkpoints import read_decision, read_ruling
from fairlead.customers import set_owner
from fairlead.kit.actors import SYSTEM
from fairlead.kit.ids import new_id
from fairlead.playbooks import CaseDraft, open_cases
from fairlead.reviews import Mode
from fairlead.testing.seed import run_ready
from tests.console.world import digest_on

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from fairlead.testing.clock import FakeClock
    from tests.console.world import Site


def claim(client: TestClient, review_id: str) -> str:
    """Claim by the button; returns the page behind it."""
    answer = client.post(f"/reviews/{review_id}/claim")
    assert answer.status_code == 303, answer.text
    return client.get(answer.headers["location"]).text


def decide(client: TestClient, review_id: str, page: str, verdict: str, **fields: str) -> object:
    """Post a verdict as the form on this page would."""
    form = {"digest": digest_on(page), "verdict": verdict, **fields}
    return client.post(f"/reviews/{review_id}/verdict", data=form)


def test_the_desk_begins_with_the_queue(site: Site) -> None:
    """The root leads to the reviews; nobody gets there without signing in."""
    assert site.signed_in().get("/").headers["location"] == "/reviews"
    assert site.client().get("/reviews").status_code == 401


def test_the_queue_shows_what_waits(site: Site) -> None:
    """Titles in order, values in the workspace's currency, counts on the tabs, links that page on."""
    first = site.open_reviews(roles=("reviewer",))[0]
    page = site.signed_in("reviewer").get("/reviews").text

    assert html.escape(first.title) in page
    assert f'href="/reviews/{first.id}"' in page
    assert "€" in page
    assert "due in 1 day" in page
    assert "Example company" in page


def test_a_reviewer_sees_only_their_roles(site: Site) -> None:
    """A review for managers is not in a reviewer's queue and its page is refused; a manager sees both."""
    theirs = next(one for one in site.open_reviews() if one.role == "manager")
    reviewer, manager = site.signed_in("reviewer"), site.signed_in("manager")

    assert theirs.id not in reviewer.get("/reviews?roles=all").text
    assert reviewer.get(f"/reviews/{theirs.id}").status_code == 403
    assert reviewer.post(f"/reviews/{theirs.id}/claim").status_code == 403
    assert manager.get(f"/reviews/{theirs.id}").status_code == 200


@pytest.mark.parametrize(
    "query",
    ["view=mine", "view=unclaimed", "view=high_value&over=1", "view=overdue", "view=needs_information",
     "view=snoozed", "checkpoint=lead-assignment", "q=a", "q=%00x", "q=nobody-is-called-so", "roles=all"],
)  # fmt: skip
def test_every_view_answers(sqlite_site: Site, query: str) -> None:
    """Each tab and filter is a page, or a clear refusal of what no database can hold."""
    assert sqlite_site.signed_in().get(f"/reviews?{query}").status_code == (400 if "%00" in query else 200)


@pytest.mark.parametrize("query", ["view=none", "after=xyz", "over=-1", "over=99999999999999999999", "q=" + "a" * 201])
def test_a_bad_query_is_refused_in_the_frame(sqlite_site: Site, query: str) -> None:
    """422 with a page that leads back, never a crash."""
    answer = sqlite_site.signed_in().get(f"/reviews?{query}")
    assert answer.status_code == 422
    assert "Back to the desk" in answer.text


def test_reading_never_changes_anything(site: Site) -> None:
    """Opening a review, whoever does it, leaves it as it was."""
    one = site.one()
    for _ in range(2):
        assert site.signed_in("reviewer").get(f"/reviews/{one.id}").status_code == 200
    assert site.review(one.id) == one


def test_approving_settles_and_offers_the_next(site: Site) -> None:
    """Approve leads to another review, claimed, with an undo; the decision is the proposal."""
    one, client = site.one(), site.signed_in("reviewer")
    answer = decide(client, one.id, claim(client, one.id), "approve")

    onward = client.get(answer.headers["location"]).text  # type: ignore[attr-defined]
    assert f'action="/reviews/{one.id}/undo"' in onward
    assert "Your decision" in onward
    with site.database.reading() as reader:
        decision, ruling = read_decision(reader, one.ruling_id), read_ruling(reader, one.ruling_id)
    assert decision is not None
    assert (decision.verdict, decision.answer) == ("approve", ruling.proposal["answer"])


def test_undo_works_until_the_verdict_takes_effect(site: Site, clock: FakeClock) -> None:
    """A form without script takes it back; ten seconds later it is too late and says so."""
    one, client = site.one(), site.signed_in("reviewer")
    decide(client, one.id, claim(client, one.id), "approve")
    assert client.post(f"/reviews/{one.id}/undo").status_code == 303
    assert site.review(one.id).state == "claimed"

    decide(client, one.id, client.get(f"/reviews/{one.id}").text, "approve")
    clock.advance(timedelta(seconds=11))
    late = client.post(f"/reviews/{one.id}/undo")
    assert late.status_code == 409
    assert "taken effect" in late.text


def test_an_edit_stores_the_typed_answer(site: Site) -> None:
    """The form is filled with the proposal; what is changed in it becomes the decision, typed."""
    one, client = site.one(), site.signed_in("reviewer")
    page = claim(client, one.id)
    assert 'name="answer.team" value="&#34;' in page

    edited = {"answer.team": '"nordics"', "answer.grade": '"C"', "reason": "They moved."}
    assert decide(client, one.id, page, "edit", **edited).status_code == 303  # type: ignore[attr-defined]
    with site.database.reading() as reader:
        decision = read_decision(reader, one.ruling_id)
    assert decision is not None
    assert decision.answer == {"team": "nordics", "grade": "C"}


@pytest.mark.parametrize(
    ("verdict", "fields", "words"),
    [
        ("reject", {}, "needs a reason"),
        ("edit", {"answer.team": '"nordics"'}, "needs a reason"),
        ("edit", {"answer.team": '"mars"', "reason": "kept words"}, "choose one of the values"),
        ("edit", {"reason": "kept words"}, "team"),
        ("launch", {"reason": "kept words"}, "Choose what to do"),
    ],
)
def test_a_refused_verdict_keeps_what_was_typed(
    sqlite_site: Site, verdict: str, fields: dict[str, str], words: str
) -> None:
    """422, the page with the reason why, and the typed words still in their field; nothing stored."""
    one, client = sqlite_site.one(), sqlite_site.signed_in("reviewer")
    answer = decide(client, one.id, claim(client, one.id), verdict, **fields)

    assert answer.status_code == 422  # type: ignore[attr-defined]
    page = html.unescape(answer.text)  # type: ignore[attr-defined]
    assert words in page
    assert verdict == "launch" or fields.get("reason", "") in page
    assert sqlite_site.review(one.id).state == "claimed"


def test_a_stale_page_shows_the_difference_and_keeps_the_words(site: Site) -> None:
    """When the role changed meanwhile the verdict is refused with what changed, and the reason survives."""
    one, client = site.one(), site.signed_in("admin")
    page = claim(client, one.id)
    stale = digest_on(page).rsplit(".", 1)[0] + ".3"
    form = {"digest": stale, "verdict": "reject", "reason": "Words worth keeping"}
    answer = client.post(f"/reviews/{one.id}/verdict", data=form)

    assert answer.status_code == 409
    assert "changed while you were looking" in answer.text
    assert "Words worth keeping" in answer.text


def test_the_slower_of_two_sees_who_was_faster(site: Site) -> None:
    """A claim on what somebody holds is a 409 with the name; after the verdict it tells who decided."""
    one = site.one()
    rosa, nora = site.signed_in("reviewer"), site.colleague("reviewer")
    page = claim(rosa, one.id)
    assert "Rosa Vidal is working on this review" in nora.post(f"/reviews/{one.id}/claim").text

    decide(rosa, one.id, page, "approve")
    lost = nora.post(f"/reviews/{one.id}/verdict", data={"digest": one.digest, "verdict": "reject", "reason": "Mine"})
    assert lost.status_code == 409
    assert "Rosa Vidal" in lost.text
    assert "Mine" in lost.text


def test_a_human_review_withholds_what_the_machine_thinks(site: Site) -> None:
    """Neither score, producer nor what the steps found is on the page, however it is asked for."""
    one, client = site.one("human"), site.signed_in("reviewer")
    with site.database.reading() as reader:
        ruling = read_ruling(reader, one.ruling_id)
    for page in (client.get(f"/reviews/{one.id}").text, claim(client, one.id)):
        assert "withheld" in page
        for secret in (ruling.producer, "Confidence", "Points", "Territory reason", "starting points"):
            assert secret not in page
        assert f'value="&#34;{ruling.proposal["answer"]["team"]}&#34;" checked' not in page
    case_page = client.get(f"/cases/{one.case_id}").text
    assert "Territory reason" not in case_page
    assert "withheld" in case_page


def test_a_value_that_nobody_gave_is_no_zero(sqlite_site: Site) -> None:
    """The policy's default counts for its rules and is shown to nobody; a given 0 is."""
    site, names = sqlite_site, {}
    with site.database.transaction() as uow:
        for name, facts in (("none", {}), ("zero", {"value": 0.0})):
            known = {"name": name, "reachable_at": "x@y.example", "country": "DE", **facts}
            drafts = [CaseDraft("lead-qualification", "lead", new_id("lead"), known) for _ in range(6)]
            names |= dict.fromkeys(open_cases(uow, drafts, site.desk.bundle), name)
    run_ready(site.desk.engine)
    client = site.signed_in()
    # Of each six some are drawn to be answered blind, where a value that never arrived is not named at all.
    assisted = [one for one in site.open_reviews() if one.mode is Mode.ASSIST and one.case_id in names]
    reviews = {names[one.case_id]: one.id for one in assisted}
    pages = {name: client.get(f"/reviews/{review}").text for name, review in reviews.items()}
    deals = {name: re.findall(r"<dt>Deal</dt><dd>(.*?)</dd>", page) for name, page in pages.items()}
    assert deals == {"none": ['<span class="dim">no value given</span>'], "zero": ["0"]}
    assert "none given" in client.get("/reviews?q=none").text
    assert "€0<" in client.get("/reviews?q=zero").text


def test_an_owner_has_a_name(sqlite_site: Site) -> None:
    """Somebody of the house by name; whoever another system named stays as it came."""
    client, site = sqlite_site.signed_in(), sqlite_site
    customer = site.one().customer_id or ""
    for owner, shown in ((site.desk.people["manager"].id, "Milan Horvat"), ("crm-4711", "crm-4711")):
        with site.database.transaction() as uow:
            set_owner(uow, SYSTEM, customer, owner)
        assert f"<dt>Owner</dt><dd>{shown}</dd>" in client.get(f"/customers/{customer}").text


def test_a_blind_review_is_answered_first(site: Site) -> None:
    """The label comes without the proposal; then the same person sees it and decides."""
    one, client = site.one("blind"), site.signed_in("reviewer")
    page = claim(client, one.id)
    assert 'value="approve"' not in page
    answer = decide(client, one.id, page, "answer", **{"answer.team": '"dach"'})

    assert answer.headers["location"].endswith("said=labelled")  # type: ignore[attr-defined]
    shown = client.get(f"/reviews/{one.id}").text
    assert 'value="approve"' in shown
    assert site.review(one.id).state == "claimed"


@pytest.mark.parametrize(
    ("verdict", "fields", "state"),
    [
        ("escalate", {"reason": "Too large for me", "to_role": "manager"}, "waiting"),
        ("request_info", {"reason": "Which country?"}, "waiting"),
        ("return", {"reason": "Not mine"}, "waiting"),
        ("reject", {"reason": "A fake"}, "decided"),
    ],
)
def test_the_other_verdicts(site: Site, verdict: str, fields: dict[str, str], state: str) -> None:
    """Each is one form; afterwards another review is open."""
    one, client = site.one(), site.signed_in("reviewer")
    answer = decide(client, one.id, claim(client, one.id), verdict, **fields)
    assert answer.status_code == 303  # type: ignore[attr-defined]
    assert site.review(one.id).state == state


def test_skip_snooze_release(site: Site) -> None:
    """Skipping hands out another one; a snoozed one comes back by hand; released means free."""
    one, client = site.one(), site.signed_in("reviewer")
    claim(client, one.id)
    onward = client.post(f"/reviews/{one.id}/skip").headers["location"]
    assert one.id not in onward
    assert site.review(one.id).claimed_by is None

    assert client.post(f"/reviews/{one.id}/snooze", data={"hours": "24"}).status_code == 303
    assert one.id in client.get("/reviews?view=snoozed").text
    assert client.post(f"/reviews/{one.id}/snooze", data={"hours": "9999"}).status_code == 422
    assert client.post(f"/reviews/{one.id}/unsnooze").status_code == 303

    claim(client, one.id)
    assert client.post(f"/reviews/{one.id}/heartbeat").status_code == 204
    client.post(f"/reviews/{one.id}/release")
    assert site.review(one.id).state == "waiting"


def test_a_viewer_may_look_but_not_touch(site: Site) -> None:
    """No verbs on the page, 403 behind every form."""
    one, client = site.one(), site.signed_in("viewer")
    assert "You may look at it" in client.get(f"/reviews/{one.id}").text
    for verb in ("claim", "verdict", "release", "snooze", "skip", "undo", "heartbeat"):
        assert client.post(f"/reviews/{one.id}/{verb}").status_code == 403
    assert client.post("/reviews/next").status_code == 403


def test_what_strangers_write_is_shown_as_text(site: Site) -> None:
    """Markup in a lead's name and in a reason comes out escaped."""
    one, client = site.one(), site.signed_in("reviewer")
    reason = "<script>alert(1)</script>"
    decide(client, one.id, claim(client, one.id), "return", reason=reason)
    page = client.get(f"/reviews/{one.id}").text
    assert reason not in page
    assert html.escape(reason) in page
    assert "<script>" not in client.get("/reviews", params={"q": "<script>"}).text


def test_another_site_cannot_decide(site: Site) -> None:
    """A form posted from elsewhere is refused before it is read."""
    one, client = site.one(), site.signed_in("reviewer")
    answer = client.post(f"/reviews/{one.id}/claim", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert site.review(one.id).state == "waiting"
