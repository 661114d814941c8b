"""The frame of a page: its navigation, its notices, redirects, and forms as browsers post them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.console import assets
from fairlead.console.forms import answer_from
from fairlead.console.shell import MAX_FIELDS, NAV, SAID, Posted, go
from fairlead.errors import InputError

if TYPE_CHECKING:
    from tests.console.world import Site

PAIRS = st.lists(st.tuples(st.sampled_from("abc"), st.text(max_size=9)), max_size=12)
NUMBERS: dict[str, Any] = {"properties": {"share": {"type": "number"}, "count": {"type": "integer"}}}


@settings(max_examples=50, deadline=None)
@given(PAIRS)
def test_a_posted_form_is_a_mapping_of_last_values(pairs: list[tuple[str, str]]) -> None:
    """The last value counts, all of them can be had in order, and an absent one is empty, not an error."""
    form = Posted(pairs)
    assert dict(form) == dict(pairs)
    assert len(form) == len(set(dict(pairs)))
    for key in "abc":
        assert form.all(key) == [value for name, value in pairs if name == key]
        assert form.text(key) == form.text(key).strip()
    assert form.text("nobody") == ""
    assert form.all("nobody") == []


def test_line_ends_of_browsers_are_plain() -> None:
    """Browsers send CR LF; what is stored and compared has plain line ends and no blanks around it."""
    assert Posted([("a", " one\r\ntwo \r\n")]).text("a") == "one\ntwo"


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ({}, "/reviews"),
        ({"said": None, "view": ""}, "/reviews"),
        ({"said": "claimed"}, "/reviews?said=claimed"),
        ({"q": "a&b=c d\r\nSet-Cookie: x"}, "/reviews?q=a%26b%3Dc+d%0D%0ASet-Cookie%3A+x"),
    ],
)
def test_a_redirect_carries_its_query_safely(query: dict[str, Any], location: str) -> None:
    """See other, without empty parts; no text breaks out of its part or into another header."""
    answer = go("/reviews", **query)
    assert answer.status_code == 303
    assert answer.headers["location"] == location
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "Infinity", "1e999", "NaN", "²", "--1", "0x10"])
@pytest.mark.parametrize("name", ["share", "count"])
def test_what_json_cannot_hold_is_no_number(name: str, text: str) -> None:
    """Texts that Python reads as numbers, but no JSON can hold, are refused with their field."""
    with pytest.raises(InputError) as caught:
        answer_from(NUMBERS, Posted([(f"answer.{name}", text)]))
    assert caught.value.fields["field"] == name


def test_a_notice_is_one_of_ours(sqlite_site: Site) -> None:
    """The address chooses a sentence by its key; words in the address are never shown."""
    client = sqlite_site.signed_in("reviewer")
    assert SAID["claimed"] in client.get("/reviews?said=claimed").text
    for words in ("You+have+won", "<script>alert(1)</script>"):
        page = client.get("/reviews", params={"said": words})
        assert page.status_code == 200
        assert "You have won" not in page.text
        assert "alert(1)" not in page.text


def test_the_navigation_offers_what_opens(sqlite_site: Site) -> None:
    """Every role sees exactly the entries whose pages answer it."""
    for role in ("viewer", "reviewer", "admin", "compliance"):
        client = sqlite_site.signed_in(role)
        opens = {item.href for item in NAV if client.get(item.href).status_code == 200}
        page = client.get(min(opens)).text
        assert {item.href for item in NAV if f'href="{item.href}"' in page} == opens
        assert opens


def test_a_stop_is_seen_on_every_page(sqlite_site: Site) -> None:
    """Whoever works at the desk sees that automation stands still, and why, as text."""
    from fairlead.checkpoints import switch_stop  # noqa: PLC0415  one test's own
    from fairlead.kit.actors import SYSTEM  # noqa: PLC0415  see above

    with sqlite_site.database.transaction() as uow:
        switch_stop(uow, SYSTEM, "workspace", "<b>fire drill</b>")
    page = sqlite_site.signed_in("reviewer").get("/reviews").text
    assert "&lt;b&gt;fire drill" in page
    assert "<b>fire drill" not in page


def test_a_form_has_a_bounded_number_of_fields(sqlite_site: Site) -> None:
    """A form of thousands of fields is refused as too large or unreadable, never taken apart."""
    client, one = sqlite_site.signed_in("reviewer"), sqlite_site.one()
    body = "&".join(f"f{number}=1" for number in range(MAX_FIELDS * 5))
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = client.post(f"/reviews/{one.id}/verdict", content=body, headers=kind)
    assert answer.status_code in {400, 413, 422}
    assert sqlite_site.review(one.id).is_open


def test_assets_change_their_address_with_their_content() -> None:
    """Style, script and picture alone are known, each under twelve digits of its own digest."""
    known = assets.load()
    assert {name.rsplit(".", 1)[1] for name in known.files} <= {"css", "js", "svg"}
    addresses = [known.url(name) for name in known.files]
    assert len(set(addresses)) == len(addresses) > 0
    changed = assets.Assets({name: (body + b" ", "0" * 12) for name, (body, _) in known.files.items()})
    assert not set(addresses) & {changed.url(name) for name in changed.files}
