"""The pages of playbooks: goal, graph, table, cases of a stage, departures; by HTTP, and once in a browser."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

import pytest

from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.ids import new_id
from fairlead.playbooks import CaseDraft, CaseVerb, deploy, open_cases, steer
from fairlead.testing.seed import run_ready
from tests.console.test_browser import browser, live, sign_in  # noqa: F401  fixtures are found by name

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from starlette.testclient import TestClient

    from tests.console.world import Site

BOOK = "/playbooks/lead-qualification"
HOSTILE = """
playbook: hostile
description: "<script>alert(1)</script> & 東京"
objective:
  goal: "<img src=x onerror=alert(1)>"
  measure: {ended: "<b>won</b>"}
  target: 0.5
  by: 2027-03-31
  owner: ida@acme.example
subject: lead
stages:
  rest: {wait: time, for: 3d, next: {timeout: won}}
  won: {end: "<b>won</b>"}
"""


def page(client: TestClient, path: str, status: int = 200) -> str:
    """The text of a page."""
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return answer.text


def step_in(site: Site, case: str, verb: CaseVerb, **how: Any) -> None:
    """As the seeded manager."""
    who = Actor(ActorKind.USER, site.desk.people["manager"].id)
    with site.database.transaction() as uow:
        steer(uow, site.desk.library, who, case, verb, **how)


def waiting(site: Site) -> list[str]:
    """Cases at the checkpoint, as the page of the stage lists them."""
    return re.findall(r'<tr data-row id="(case_[0-9a-f]+)"', page(site.signed_in(), f"{BOOK}/stages/assign"))


def deploy_too(site: Site, text: str, cases: int = 0) -> list[str]:
    """The seeded workspace with the hostile playbook besides, and so many cases of it."""
    with site.database.transaction() as uow:
        files = {**site.desk.bundle.files, "playbooks/more.yaml": text}
        bundle, _ = deploy(uow, site.desk.library, Actor(ActorKind.SYSTEM, "test"), files)
        opened = open_cases(uow, [CaseDraft("hostile", "lead", new_id("lead"), {}) for _ in range(cases)], bundle)
    run_ready(site.desk.engine)
    return opened


def test_the_list_says_what_each_is_for(site: Site) -> None:
    """Goal, where it stands, open cases; a playbook without a goal says so."""
    text = page(site.signed_in("viewer"), "/playbooks")
    assert "Seven new leads in ten reach a team." in text
    assert f'href="{BOOK}"' in text
    assert "No goal is stated" in text


def test_the_page_has_graph_table_and_goal_with_the_same_figures(site: Site) -> None:
    """Counts in the box and in the row, every way out, the version, Mermaid; the graph's boxes lead to the cases."""
    client = site.signed_in()
    text = page(client, BOOK)
    tabs = page(client, f"{BOOK}/stages/assign")
    count = re.search(r'Waiting <span class="count">([0-9]+)</span>', tabs)
    row = re.search(r'<tr id="stage-assign">(.*?)</tr>', text, re.DOTALL)
    assert row is not None
    assert count is not None
    assert f'<td class="num">{count[1]}</td>' in row[1]
    assert f"{count[1]} here" in text
    assert f'href="{BOOK}/stages/assign" aria-label="assign, checkpoint: lead-assignment;' in text
    assert "rejected → nurture" in row[1]
    assert site.desk.bundle.digest[:12] in text
    assert "flowchart TD" in text
    assert re.search(
        r'id="graph-more".*scroll it sideways.*role="region" aria-label="Graph[^"]*" aria-describedby="graph-more"',
        text,
        re.DOTALL,
    )
    assert "Goal: Seven new leads in ten reach a team." in text
    assert "Not enough cases yet" in text
    assert "style=" not in text
    assert page(client, f"{BOOK}?days=7")
    page(client, f"{BOOK}?days=9", 422)
    page(client, "/playbooks/nothing", 404)


def test_cases_of_a_stage_by_state_and_page(site: Site) -> None:
    """Each state has its tab; ends list what ended there; a stage that is not is a 404, a made-up mark a 422."""
    client = site.signed_in()
    first = waiting(site)[0]
    step_in(site, first, CaseVerb.PAUSE, reason="wait")
    assert first not in waiting(site)
    assert first in page(client, f"{BOOK}/stages/assign?state=paused")
    assert "No cases here" in page(client, f"{BOOK}/stages/closed")
    step_in(site, first, CaseVerb.REDIRECT, stage="closed", reason="done")
    run_ready(site.desk.engine)
    assert first in page(client, f"{BOOK}/stages/closed")
    page(client, f"{BOOK}/stages/nowhere", 404)
    page(client, f"{BOOK}/stages/assign?state=ended", 422)
    page(client, f"{BOOK}/stages/assign?after=1.DROP", 422)


def test_a_long_stage_has_a_second_page(sqlite_site: Site) -> None:
    """More than fifty: none twice, none left out."""
    cases = deploy_too(sqlite_site, HOSTILE, 53)
    client = sqlite_site.signed_in()
    first = page(client, "/playbooks/hostile/stages/rest")
    more = re.search(r'rel="next" href="([^"]+)"', first)
    assert more is not None
    second = page(client, more[1].replace("&amp;", "&"))
    found = re.findall(r'<tr data-row id="(case_[0-9a-f]+)"', first + second)
    assert sorted(found) == sorted(cases)


def test_departures_are_listed_counted_and_exported(site: Site) -> None:
    """Who, why, which stages, with a link; filtered by kind; as CSV that no spreadsheet runs."""
    client = site.signed_in()
    skipped, taken = waiting(site)[:2]
    step_in(site, skipped, CaseVerb.SKIP, reason="=HYPERLINK(1) <b>")
    step_in(site, taken, CaseVerb.TAKE_OVER, reason="mine")
    text = page(client, f"{BOOK}/deviations")
    assert "Milan Horvat" in text
    assert f'href="/cases/{skipped}">A stage was skipped' in text
    assert "=HYPERLINK(1) &lt;b&gt;" in text
    assert "A stage was skipped: 1" in text
    only = page(client, f"{BOOK}/deviations?kind=taken_over&days=7")
    assert taken in only
    assert skipped not in only
    answer = client.get(f"{BOOK}/deviations?format=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(one["case"], one["kind"], one["by"]) for one in rows] == [
        (taken, "taken_over", "Milan Horvat"), (skipped, "skipped", "Milan Horvat"),
    ]  # fmt: skip
    assert rows[1]["reason"].startswith("'=")
    page(client, f"{BOOK}/deviations?kind=nonsense", 422)
    page(client, f"{BOOK}/deviations?days=8", 422)


def test_hostile_words_stay_words(sqlite_site: Site) -> None:
    """Markup in descriptions, goals and ends is shown, not run; the trend and the graph are whole."""
    deploy_too(sqlite_site, HOSTILE)
    client = sqlite_site.signed_in()
    for path in ("/playbooks", "/playbooks/hostile", "/playbooks/hostile/stages/won", "/playbooks/hostile/deviations"):
        text = page(client, path)
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "<b>won" not in text


def test_who_may_not_see_cases_gets_no_links_to_them(sqlite_site: Site) -> None:
    """Pages of cases need their own permission; without any, nothing is shown."""
    anonymous = sqlite_site.client()
    for path in ("/playbooks", BOOK, f"{BOOK}/stages/assign", f"{BOOK}/deviations"):
        assert anonymous.get(path).status_code in {303, 401}


def test_a_goal_with_enough_cases_is_a_figure(sqlite_site: Site) -> None:
    """With n, the interval and the trend as a table."""
    cases = deploy_too(sqlite_site, HOSTILE, 12)
    for case in cases:
        step_in(sqlite_site, case, CaseVerb.SKIP, reason="quick")
    run_ready(sqlite_site.desk.engine)
    text = page(sqlite_site.signed_in(), "/playbooks/hostile")
    assert "100 %" in text
    assert "n=12, 95 % interval 75.8 % to 100 %" in text
    assert "reached" in text


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_in_a_browser(browser: Browser, live: tuple[Site, str], scheme: Any) -> None:  # noqa: F811
    """Axe finds nothing; the boxes are reached by Tab and opened by Enter; nothing scrolls sideways on a telephone."""
    # Here, so that a run without a browser needs no driver either.
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

    site, _ = live
    step_in(site, waiting(site)[0], CaseVerb.SKIP, reason="why")
    tab = sign_in(browser, live, "admin", color_scheme=scheme)
    for path in ("/playbooks", BOOK, f"{BOOK}/stages/assign", f"{BOOK}/deviations"):
        tab.set_viewport_size({"width": 1280, "height": 900})
        tab.goto(path)
        tab.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
        found = Axe().run(tab)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        tab.set_viewport_size({"width": 390, "height": 844})
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390, path
        if path == BOOK:
            assert tab.get_by_text("scroll it sideways").is_visible()
    tab.set_viewport_size({"width": 1280, "height": 900})
    tab.goto(BOOK)
    tab.get_by_role("region", name="Graph").focus()
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.getAttribute('aria-label')").startswith("score, step")
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"**{BOOK}/stages/score")
