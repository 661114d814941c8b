"""The pages behind signed links in a real browser: keyboard, no script, narrow and dark, and axe."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from fairlead.checkpoints import rulings_of_case
from fairlead.evidence import AUTOMATIC
from fairlead.kit.links import make_link
from tests.console.test_browser import browser, live  # noqa: F401  fixtures
from tests.console.test_preference_pages import SECRET, list_link, new_customer, page_of, state

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.console.world import Site

pytestmark = pytest.mark.browser


def test_a_customer_chooses_with_keys_and_without_a_script(
    browser: Browser,  # noqa: F811
    live: tuple[Site, str],  # noqa: F811
) -> None:
    """Tab reaches the button that stops everything first; Space turns a switch; what was saved takes the focus."""
    site, address = live
    one = new_customer(site)
    page = browser.new_context(base_url=address, java_script_enabled=False).new_page()
    page.goto(page_of(one))
    page.keyboard.press("Tab")
    assert page.locator("button:focus").inner_text() == "Stop all messages"
    page.keyboard.press("Tab")
    assert page.locator("input:focus").get_attribute("type") == "checkbox"
    sales = page.get_by_role("group", name="Following up on your interest")
    sales.get_by_role("checkbox", name="By e-mail").press("Space")
    page.get_by_role("button", name="Save").press("Enter")
    page.wait_for_url("**said=saved")
    assert state(site, one) == "withdrawn"
    assert page.get_by_role("status").inner_text() == "Saved. It counts from now on."
    page.get_by_role("button", name="Stop all messages").click()
    page.wait_for_url("**said=stopped")
    assert state(site, one, ("sales", "phone")) == "withdrawn"
    page.reload()
    page.go_back()
    assert state(site, one, ("sales", "phone")) == "withdrawn"


def test_unsubscribing_from_a_browser(browser: Browser, live: tuple[Site, str]) -> None:  # noqa: F811
    """Opening the link only shows a button; the button unsubscribes at once."""
    site, address = live
    one = new_customer(site)
    page = browser.new_context(base_url=address).new_page()
    page.goto(list_link(one, purpose="sales", channel="email"))
    assert state(site, one) is None
    page.get_by_role("button", name="Unsubscribe").click()
    page.get_by_role("heading", name="You are unsubscribed").wait_for()
    assert state(site, one) == "withdrawn"
    page.get_by_role("link", name="See everything").click()
    page.wait_for_url("**/p/**")


@pytest.mark.slow
def test_axe_finds_nothing_wide_narrow_and_dark(
    browser: Browser,  # noqa: F811
    live: tuple[Site, str],  # noqa: F811
) -> None:
    """On every public page, in every state; nothing scrolls sideways at 390 px and every target is large enough."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  only where there is a browser

    site, address = live
    one = new_customer(site)
    with site.database.reading() as reader:
        made = [row for case in site.desk.cases for row in rulings_of_case(reader, case) if row.verdict in AUTOMATIC]
    why = "/why/" + make_link(SECRET, "why", {"decision": made[0].id})
    for options in ({"color_scheme": "dark"}, {"viewport": {"width": 390, "height": 844}}):
        page = browser.new_context(base_url=address, **options).new_page()  # type: ignore[arg-type]
        for path in (page_of(one), page_of(one) + "?said=saved", list_link(one), why, "/p/x"):
            page.goto(path)
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            sizes = page.locator("button, select, .tick").evaluate_all(
                "all => all.map(one => one.getBoundingClientRect().height)"
            )
            assert all(height >= 24 for height in sizes)
    page.goto(why)
    page.get_by_role("button", name="Have a person look").click()
    page.wait_for_url(re.compile("said=asked"))
    assert page.locator("h2:focus").inner_text() == "Have a person look"
    assert Axe().run(page).violations_count == 0
    page.goto(page_of(one))
    page.get_by_label("Nothing until").evaluate("one => { one.type = 'text'; one.value = 'soon'; }")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").wait_for()
    assert Axe().run(page).violations_count == 0
