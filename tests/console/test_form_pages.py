"""Web forms and notes as people meet them: kept words, friendly refusals, headers, and the desk's view of it all."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from fairlead.kit.actors import SYSTEM
from fairlead.playbooks import EventSource, deploy, read_workspace
from fairlead.reviews import Mode
from fairlead.sales.tables import lead
from fairlead.testing.seed import EXAMPLE, run_ready
from tests.console.test_browser import browser, live, sign_in  # noqa: F401  fixtures

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser
    from starlette.testclient import TestClient

    from tests.console.world import Site

TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
GOOD = {"name": "Ann <b>Bell</b>", "email": "ann@firm.example", "note": "Please call me about thirty seats."}
NOTE = "Name: Ann Bell\nCompany: Bell Optics Ltd\nE-mail: ann@bell.example\n"

ASSIST = {
    "checkpoint": "record-change", "segment": "other", "producer": "note-rules@1", "level": "assist",
    "days": "30", "threshold": "", "promised": "2", "role": "manager", "evidence": "Watched for a month",
}  # fmt: skip


def shown(site: Site, client: TestClient) -> str:
    """Open the form and wait as a person would; its token."""
    page = client.get("/forms/contact")
    assert page.status_code == 200
    site.clock.advance(timedelta(seconds=10))  # type: ignore[attr-defined]
    found = TOKEN.search(page.text)
    assert found
    return found[1]


def leads(site: Site) -> int:
    """How many leads there are."""
    with site.database.reading() as reader:
        return int(reader.execute(select(func.count()).select_from(lead)).scalar_one())


def refused(site: Site) -> dict[str, int]:
    """Posts refused so far, as the form's page at the desk says."""
    page = site.signed_in().get("/forms/contact/submissions").text
    return {words: int(count) for words, count in re.findall(r"<dt>([^<]+)</dt><dd>(\d+)</dd>", page)}


def redeploy(site: Site, change: Callable[[str], str]) -> None:
    """Deploy the example with its form changed."""
    files = read_workspace(EXAMPLE)
    files = {**files, "forms/contact.yaml": change(files["forms/contact.yaml"])}
    with site.database.transaction() as uow:
        deploy(uow, site.desk.library, SYSTEM, files)


def test_a_visitor_sends_the_form(site: Site) -> None:
    """Without a session; the desk lists it, escaped, and the same click twice adds nothing."""
    client, before = site.client(), leads(site)
    sent = {**GOOD, "form_token": shown(site, client)}
    for _ in range(2):
        answer = client.post("/forms/contact", data=sent)
        assert answer.status_code == 200
        assert "Your message is with us" in answer.text
    assert leads(site) == before + 1
    page = site.signed_in().get("/forms/contact/submissions").text
    assert "Ann &lt;b&gt;Bell&lt;/b&gt;" in page
    assert "1 submission" in page


def test_what_was_typed_is_kept_beside_what_is_wrong(sqlite_site: Site) -> None:
    """The summary links to each field, each field names its error, and nothing was stored."""
    client, before = sqlite_site.client(), leads(sqlite_site)
    sent = {"name": '"><script>x</script>', "email": "nope", "form_token": shown(sqlite_site, client)}
    answer = client.post("/forms/contact", data=sent)
    assert answer.status_code == 422
    assert "&#34;&gt;&lt;script&gt;" in answer.text
    assert "<script>" not in answer.text
    assert 'href="#f-email"' in answer.text
    assert 'aria-describedby=" f-email-error" aria-invalid="true"' in answer.text
    assert "autofocus" in answer.text
    assert leads(sqlite_site) == before


@pytest.mark.parametrize(
    ("token", "after", "told"),
    [
        ("forged", 10, "No token of ours"), ("", 10, "No token of ours"), (None, 0.5, "Sent within two seconds"),
        (None, 90_000, "The page was open for more than a day"),
    ],
)  # fmt: skip
def test_posts_that_no_reader_made_are_counted_and_asked_again(
    sqlite_site: Site, token: str | None, after: float, told: str
) -> None:
    """A person who is refused by mistake finds everything still typed, and a token that works."""
    client, before = sqlite_site.client(), leads(sqlite_site)
    page = client.get("/forms/contact").text
    sqlite_site.clock.advance(timedelta(seconds=after))  # type: ignore[attr-defined]
    match = TOKEN.search(page)
    assert match
    given = match[1] if token is None else token
    answer = client.post("/forms/contact", data={**GOOD, "form_token": given})
    assert answer.status_code == 422
    assert "thirty seats" in answer.text
    assert leads(sqlite_site) == before
    fresh = TOKEN.search(answer.text)
    assert fresh
    sqlite_site.clock.advance(timedelta(seconds=10))  # type: ignore[attr-defined]
    assert client.post("/forms/contact", data={**GOOD, "form_token": fresh[1]}).status_code == 200
    assert leads(sqlite_site) == before + 1
    assert refused(sqlite_site) == {told: 1}


def test_the_hidden_field_catches_and_says_nothing(sqlite_site: Site) -> None:
    """Who fills it in is thanked; no lead, one count."""
    client, before = sqlite_site.client(), leads(sqlite_site)
    sent = {**GOOD, "form_token": shown(sqlite_site, client), "website_url": "http://a.example"}
    assert "Your message is with us" in client.post("/forms/contact", data=sent).text
    assert leads(sqlite_site) == before
    assert refused(sqlite_site) == {"The hidden field was filled in": 1}


def test_a_token_used_for_something_else_is_refused(sqlite_site: Site) -> None:
    """Replaying a captured post with other words adds nothing."""
    client = sqlite_site.client()
    token = shown(sqlite_site, client)
    client.post("/forms/contact", data={**GOOD, "form_token": token})
    before = leads(sqlite_site)
    answer = client.post("/forms/contact", data={**GOOD, "email": "x@y.example", "form_token": token})
    assert answer.status_code == 422
    assert leads(sqlite_site) == before
    assert refused(sqlite_site) == {"The token had been used for something else": 1}


@pytest.mark.slow
def test_a_thousand_posts_of_one_sender_stop_at_the_limit(sqlite_site: Site) -> None:
    """The twenty-first in ten minutes is asked to wait, with what was typed; forging an address does not help."""
    client, before = sqlite_site.client(), leads(sqlite_site)
    token = shown(sqlite_site, client)
    answers = [
        client.post(
            "/forms/contact", data={**GOOD, "form_token": token}, headers={"X-Forwarded-For": f"10.0.0.{n % 250}"}
        )
        for n in range(1_000)
    ]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429] * 980
    assert "thirty seats" in answers[-1].text
    assert int(answers[-1].headers["Retry-After"]) <= 600
    assert leads(sqlite_site) == before + 1
    assert refused(sqlite_site) == {"Too many posts": 980}


def test_closed_and_unknown_forms_are_a_friendly_404(sqlite_site: Site) -> None:
    """In the visitor's language, without a word about the inside."""
    answer = sqlite_site.client().get("/forms/nope", headers={"Accept-Language": "de-AT,de;q=0.9"})
    assert answer.status_code == 404
    assert "Dieses Formular gibt es hier nicht" in answer.text
    redeploy(sqlite_site, lambda text: "enabled: false\n" + text)
    assert sqlite_site.client().get("/forms/contact").status_code == 404
    assert sqlite_site.client().post("/forms/contact", data=GOOD).status_code == 404
    assert "closed" in sqlite_site.signed_in().get("/forms").text


def test_only_named_origins_may_frame_a_form(sqlite_site: Site) -> None:
    """By default nobody; where the form's file names them, exactly those, and no other page is opened."""
    strict = sqlite_site.client().get("/forms/contact").headers
    assert "frame-ancestors 'none'" in strict["Content-Security-Policy"]
    assert strict["X-Frame-Options"] == "DENY"
    redeploy(sqlite_site, lambda text: "embed: ['https://www.firm.example']\n" + text)
    client = sqlite_site.client()
    opened = client.get("/forms/contact").headers
    assert "frame-ancestors 'self' https://www.firm.example;" in opened["Content-Security-Policy"]
    assert "script-src 'self'" in opened["Content-Security-Policy"]
    assert "X-Frame-Options" not in opened
    assert client.get("/sign-in").headers["X-Frame-Options"] == "DENY"


def test_the_desk_pages_need_a_session(sqlite_site: Site) -> None:
    """The public page shows nothing of them."""
    for path in ("/forms", "/forms/contact/submissions", "/notes"):
        assert sqlite_site.client().get(path).status_code == 401
    assert "contact" in sqlite_site.signed_in().get("/forms").text


def test_a_note_is_pasted_and_leads_to_its_review(site: Site) -> None:
    """What is found stands in the review's story, or is withheld with the proposal."""
    client = site.signed_in()
    answer = client.post("/notes", data={"text": NOTE})
    assert answer.status_code == 303
    run_ready(site.desk.engine)
    page = client.get(answer.headers["location"]).text
    assert "This very text" not in page
    assert "Name: Ann Bell" in page
    assert "withheld" in page
    assert "<mark>" not in page


def decided(site: Site, verdict: str, **answer: str) -> str:
    """The note's page after its review was answered with this, or rejected under a grant to assist."""
    client = site.signed_in()
    if verdict == "reject":
        assert client.post("/grants", data=ASSIST).status_code == 303
    for number in range(9):  # a proposal that is drawn by lot is asked blind, and cannot be rejected at once
        path = client.post("/notes", data={"text": f"{NOTE}Call {number}.\n"}).headers["location"].partition("?")[0]
        run_ready(site.desk.engine)
        found = re.search(r"/reviews/(rev_\w+)", client.get(path).text)
        assert found
        if verdict != "reject" or site.review(found[1]).mode is Mode.ASSIST:
            break
    client.post(f"/reviews/{found[1]}/claim")
    form = {"verdict": verdict, "digest": site.review(found[1]).digest, "reason": "as she <said>"}
    form |= {f"answer.{name}": value for name, value in answer.items()}
    assert client.post(f"/reviews/{found[1]}/verdict", data=form).status_code == 303
    site.clock.advance(timedelta(minutes=1))  # type: ignore[attr-defined]
    EventSource(site.desk.engine).turn()
    run_ready(site.desk.engine)
    return client.get(path).text


def fates(page: str) -> dict[str, str]:
    """What became of each field, as the page's table says."""
    rows = re.findall(r'<tr><th scope="row">([^<]+)</th>.*?What became of it:">(.*?)</td>', page, re.DOTALL)
    return {name: " ".join(re.sub(r"<[^>]+>", "", told).split()) for name, told in rows}


def test_a_decided_note_says_what_was_written_and_what_was_refused(sqlite_site: Site) -> None:
    """By whom, when and why; never any more what would change."""
    page = decided(sqlite_site, "answer", name="Ann Bell", company="Bell Ltd")
    assert "would change" not in page
    assert re.search(r"Answered</span> by <strong>[^<]+</strong>, \d+ \w+ 20\d\d", page)
    assert "as she &lt;said&gt;" in page
    assert fates(page) == {"Name": "Written Ann Bell", "Company": "Written Bell Ltd", "Email": "Refused"}


def test_a_rejected_note_says_so(sqlite_site: Site) -> None:
    """Every proposed value is refused, and nothing is said to be written."""
    page = decided(sqlite_site, "reject")
    assert "would change" not in page
    assert re.search(r"Rejected</span> by <strong>[^<]+</strong>, \d+ \w+ 20\d\d", page)
    assert fates(page) == {"Name": "Refused", "Company": "Refused", "Email": "Refused"}


def test_a_note_is_not_told_before_it_is_ruled_on(sqlite_site: Site) -> None:
    """Between the paste and the ruling the page holds back what was found, too."""
    client = sqlite_site.signed_in()
    page = client.get(client.post("/notes", data={"text": NOTE}).headers["location"]).text
    assert "not ruled yet" in page
    assert "<mark>" not in page


def test_a_withheld_note_tells_no_deal_value(site: Site) -> None:
    """Neither the queue nor the review says in its own words what the deal is worth; a doubtful answer is kept."""
    client = site.signed_in()
    answer = client.post("/notes", data={"text": NOTE + "Budget: 14500 EUR\n"})
    run_ready(site.desk.engine)
    found = re.search(r"/reviews/(rev_\w+)", client.get(answer.headers["location"]).text)
    assert found
    path = f"/reviews/{found[1]}"
    page = client.get(path).text
    assert "Note: somebody new" in page
    assert "withheld" in page
    assert "14,500" not in page + client.get("/reviews").text
    digest = re.search(r'name="digest" value="([^"]+)"', client.post(f"{path}/claim", follow_redirects=True).text)
    form = {"verdict": "answer", "digest": digest[1] if digest else "", "answer.value": "14.500"}
    refused = client.post(f"{path}/verdict", data=form)
    assert refused.status_code == 422
    assert "write 14500 or 14.50." in refused.text
    assert 'value="14.500"' in refused.text


def test_what_cannot_be_read_keeps_what_was_pasted(sqlite_site: Site) -> None:
    """Nothing found, too long, or a file that is no text."""
    client = sqlite_site.signed_in()
    nothing = client.post("/notes", data={"text": "Lovely <weather> today."})
    assert nothing.status_code == 422
    assert "Lovely &lt;weather&gt; today." in nothing.text
    long = client.post("/notes", data={"text": "word " * 20_000})
    assert long.status_code == 413
    assert "word word" in long.text


def test_an_eml_file_is_read(sqlite_site: Site) -> None:
    """Uploaded, with its headers."""
    eml = b"Message-ID: <1@x>\nFrom: Ann Bell <ann@bell.example>\nSubject: Hi\n\nCompany: Bell Ltd\n"
    answer = sqlite_site.signed_in().post("/notes", files={"file": ("a.eml", eml)}, data={"text": ""})
    assert answer.status_code == 303
    page = sqlite_site.signed_in().get(answer.headers["location"]).text
    assert "Company: Bell Ltd" in page


@pytest.mark.slow
@pytest.mark.browser
def test_the_form_in_a_browser_without_scripts(browser: Browser, live: tuple[Site, str]) -> None:  # noqa: F811
    """Errors take the focus, every target is large enough, and axe finds nothing, light or dark, wide or narrow."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  only where there is a browser

    site, address = live
    before = leads(site)
    for scheme, width in (("light", 1_000), ("dark", 390)):
        options: dict[str, Any] = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
        page = browser.new_context(base_url=address, **options).new_page()
        page.goto("/forms/contact")
        assert Axe().run(page).response["violations"] == []
        page.fill("#f-name", f"Mia {scheme}")
        page.fill("#f-email", "no address")
        page.wait_for_timeout(2_100)  # the form asks for two seconds, and time is real here
        page.get_by_role("button").click()
        assert page.evaluate("document.activeElement.id") == "summary"
        assert page.input_value("#f-name") == f"Mia {scheme}"
        assert Axe().run(page).response["violations"] == []
        small = page.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]):not([tabindex]),button,select,textarea,a')]"
            ".filter(one => (one.closest('label') || one).getBoundingClientRect().height < 44).length"
        )
        assert small == 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.fill("#f-email", f"mia.{scheme}@firm.example")
        page.fill("#f-note", f"Please call me, {scheme}.")
        page.get_by_role("button").click()
        page.get_by_text("Your message is with us").wait_for()
    assert leads(site) == before + 2


@pytest.mark.slow
@pytest.mark.browser
def test_the_notes_page_in_a_browser(browser: Browser, live: tuple[Site, str]) -> None:  # noqa: F811
    """Paste, read, and land at the note; axe finds nothing on either page."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  only where there is a browser

    page = sign_in(browser, live, "admin")
    page.goto("/notes")
    assert Axe().run(page).response["violations"] == []
    page.fill("#text", NOTE)
    page.get_by_role("button", name="Read it").click()
    page.wait_for_url("**/notes/note_*")
    assert Axe().run(page).response["violations"] == []
    assert page.get_by_role("region", name="The words").inner_text().startswith("Name: Ann Bell")
