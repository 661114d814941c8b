"""The desk in a real browser: keys, live changes, no script at all, accessibility in light and dark."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from fairlead.audit import Signer, seal_all
from fairlead.checkpoints import read_decision
from fairlead.kit.clock import SystemClock
from fairlead.testing.seed import add_leads, run_ready
from tests.console.world import Site, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--no-first-run",
)  # fmt: skip
START_S = 20

pytestmark = pytest.mark.browser


class _Server(uvicorn.Server):
    """Says when it listens, so that nobody has to poll."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@pytest.fixture
def live(sqlite_url: str, tmp_path: Path) -> Iterator[tuple[Site, str]]:
    """A served desk and its address."""
    site = build(sqlite_url, SystemClock(), tmp_path, leads=80)
    assert site.settings.audit_key_file
    seal_all(site.database, Signer.load(site.settings.audit_key_file, create=False), site.settings.audit_heads_file)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(site.app, log_level="error", timeout_graceful_shutdown=1, lifespan="off")
    server = _Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    assert server.listening.wait(START_S)
    yield site, f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listener.close()
    site.database.close()


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Debian's Chromium; nothing is downloaded. Without one the test is left out, but fails where CI is set."""
    if CHROMIUM is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("there is no chromium here: apt-get install chromium")
    # Here, so that a run without a browser needs no driver either.
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield started
        started.close()


def sign_in(browser: Browser, live: tuple[Site, str], role: str, **options: Any) -> Page:
    """A fresh browser profile of this person, at the queue."""
    site, address = live
    page = browser.new_context(base_url=address, **options).new_page()
    page.goto(site.link(site.desk.people[role]))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/reviews")
    return page


def test_a_review_is_decided_by_keys_alone(browser: Browser, live: tuple[Site, str]) -> None:
    """Slash, j, Enter, c, a lead from the queue to a verdict and on to the next review; u takes it back."""
    site, _ = live
    page = sign_in(browser, live, "reviewer")
    one = site.one()
    page.goto(f"/reviews/{one.id}")
    page.keyboard.press("c")
    page.get_by_text("Your decision").wait_for()
    page.keyboard.press("a")
    page.get_by_text(f"Decided: {one.title}").wait_for()
    assert site.review(one.id).state == "decided"
    page.keyboard.press("u")
    page.wait_for_url(f"**/reviews/{one.id}?said=undone")
    assert site.review(one.id).state == "claimed"
    page.keyboard.press("x")
    page.wait_for_url("**said=skipped")
    assert site.review(one.id).state == "waiting"


@pytest.mark.slow
def test_moving_through_the_list(browser: Browser, live: tuple[Site, str]) -> None:
    """The keys j and k move the focus by a row, Enter opens, ? explains, Escape leaves a field."""
    page = sign_in(browser, live, "reviewer")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    first = page.locator("[data-row] th a").first
    assert first.evaluate("one => one === document.activeElement")
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("jakc")
    assert page.locator("#q").input_value() == "jakc"
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/reviews/rev_*")


@pytest.mark.slow
def test_keys_never_act_while_typing(browser: Browser, live: tuple[Site, str]) -> None:
    """A reason full of command letters is only text."""
    site, _ = live
    page, one = sign_in(browser, live, "reviewer"), site.one()
    page.goto(f"/reviews/{one.id}")
    page.keyboard.press("c")
    page.get_by_text("Your decision").wait_for()
    page.keyboard.press("r")
    page.keyboard.type("a car ex u")
    assert page.locator("#r-reject").input_value() == "a car ex u"
    assert site.review(one.id).state == "claimed"


@pytest.mark.slow
def test_ctrl_enter_sends_what_was_chosen(browser: Browser, live: tuple[Site, str]) -> None:
    """From the reason the chosen verdict goes out; where a form has several buttons, nothing does."""
    site, _ = live
    page, one = sign_in(browser, live, "reviewer"), site.one()
    page.goto(f"/reviews/{one.id}")
    page.keyboard.press("c")
    page.get_by_text("Your decision").wait_for()
    page.get_by_text("Something else").click()
    page.locator("#r-else").fill("which one?")
    page.keyboard.press("Control+Enter")
    assert site.review(one.id).state == "claimed"
    page.locator("#r-else").blur()
    page.keyboard.press("r")
    page.keyboard.type("they moved")
    page.keyboard.press("Control+Enter")
    page.get_by_text(f"Decided: {one.title}").wait_for()
    with site.database.reading() as reader:
        decision = read_decision(reader, one.ruling_id)
    assert decision is not None
    assert (decision.verdict, decision.reason) == ("reject", "they moved")


def test_the_queue_lives(browser: Browser, live: tuple[Site, str]) -> None:
    """What others claim is marked, what they decide goes, new ones are announced; the focus stays."""
    site, _ = live
    page = sign_in(browser, live, "reviewer")
    with page.expect_response("**/events"):
        page.goto("/reviews")
    assert page.locator("[data-row]").count() > 2
    ids = page.locator("[data-row]").evaluate_all("rows => rows.map(row => row.id)")
    page.keyboard.press("j")
    one = next(r for r in map(site.review, ids[1:]) if r.mode.value == "assist" and r.quorum == 1)
    nora = site.colleague("reviewer")
    nora.post(f"/reviews/{one.id}/claim")
    page.locator(f"#{one.id}.taken", has_text="Nora Quist").wait_for()
    nora.post(f"/reviews/{one.id}/verdict", data={"digest": one.digest, "verdict": "approve"})
    page.locator(f"#{one.id}").wait_for(state="detached")
    add_leads(site.database, site.desk.bundle, 10, seed=5)
    run_ready(site.desk.engine)
    page.get_by_text("new review").wait_for()
    assert page.evaluate("document.activeElement.closest('[data-row]')?.id") == ids[0]
    page.locator("#new a").click()
    page.locator("#new").wait_for(state="hidden")


@pytest.mark.slow
def test_one_stream_for_all_tabs(browser: Browser, live: tuple[Site, str]) -> None:
    """A second tab of the same browser opens no second stream and still hears of changes."""
    site, _ = live
    page = sign_in(browser, live, "reviewer")
    with page.expect_response("**/events"):
        page.goto("/reviews")
    second = page.context.new_page()
    second.goto("/reviews")
    one = site.review(second.locator("[data-row]").first.get_attribute("id") or "")
    site.colleague("reviewer").post(f"/reviews/{one.id}/claim")
    second.locator(f"#{one.id}.taken").wait_for()
    assert len(site.console.feed._listeners) == 1


def test_everything_works_without_script(browser: Browser, live: tuple[Site, str]) -> None:
    """Claim, change the answer, undo: forms and links are enough."""
    site, _ = live
    page, one = sign_in(browser, live, "reviewer", java_script_enabled=False), site.one()
    page.goto(f"/reviews/{one.id}")
    page.get_by_role("button", name="Claim").click()
    page.get_by_text("Change the answer").click()
    page.get_by_label("nordics").check()
    page.get_by_label("Why another answer?").fill("They moved")
    page.get_by_role("button", name="Save the changed answer").click()
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url(f"**/reviews/{one.id}?said=undone")
    assert site.review(one.id).state == "claimed"


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_accessibility_violations(browser: Browser, live: tuple[Site, str], scheme: Any) -> None:
    """Axe finds nothing on any page, folded parts opened; nothing scrolls sideways on a telephone."""
    # Here, for the same reason as the driver.
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

    site, _ = live
    page = sign_in(browser, live, "admin", color_scheme=scheme)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if "Security" in line.text else None)
    chosen = [site.one(mode) for mode in ("assist", "human", "blind")]
    for one in chosen[:2]:
        page.request.post(f"/reviews/{one.id}/claim", headers={"Origin": page.url.split("/reviews")[0]})
    paths = [f"/reviews/{one.id}" for one in chosen]
    paths += ["/reviews", "/reviews?view=overdue", "/cases", f"/cases/{chosen[0].case_id}", "/customers?q=a"]
    paths += [
        f"/customers/{chosen[0].customer_id}",
        "/imports",
        "/outbox",
        "/outbox?state=sent",
        "/grants",
        "/stops",
        "/audit",
        "/rights",
        "/rights?state=done",
        "/repairs",
        "/contact",
        "/contact/replay",
        "/consents",
        "/experiments",
        "/help",
        "/nowhere",
    ]
    origin = {"Origin": page.url.split("/reviews")[0]}
    asked = {"right": "erase", "identity": "called back", "reason": "in so many words"}
    assert page.request.post(f"/customers/{chosen[0].customer_id}/rights", headers=origin, form=asked).ok
    for path in paths:
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(path)
        page.locator("details").evaluate_all(
            "all => all.forEach(one => { one.removeAttribute('name'); one.open = true; })"
        )
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    assert complaints == []
