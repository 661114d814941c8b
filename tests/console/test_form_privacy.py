"""Public forms: a browser's wish for privacy is kept, and a consent is one to what was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from fairlead.customers.tables import consent, notice
from tests.console.test_form_pages import GOOD, redeploy, shown

if TYPE_CHECKING:
    from typing import Any

    from tests.console.world import Site


def rows(site: Site, table: Any) -> list[Any]:
    """Every row of a table."""
    with site.database.reading() as reader:
        return list(reader.execute(select(table)))


def ticked(page: str) -> str:
    """The value of the consent box."""
    return page.split('name="consent" value="')[1].split('"', maxsplit=1)[0]


def test_the_header_is_kept_with_the_page_it_came_from(sqlite_site: Site) -> None:
    """`Sec-GPC: 1` withdraws sharing, `0` and nothing do not; the newsletter is not touched."""
    client = sqlite_site.client()
    for number, value in enumerate((None, "0", "1")):
        headers = {} if value is None else {"Sec-GPC": value}
        sent = GOOD | {"form_token": shown(sqlite_site, client), "email": f"a{number}@firm.example"}
        assert client.post("/forms/contact", data=sent, headers=headers).status_code == 200
        assert len(rows(sqlite_site, consent)) == (1 if value == "1" else 0)
    [row] = rows(sqlite_site, consent)
    assert (row.purpose, row.state, row.mechanism) == ("sharing", "withdrawn", "gpc")
    assert row.proof == {"header": "Sec-GPC: 1", "where": "/forms/contact"}


def test_a_box_ticked_beside_another_wording_is_asked_again(sqlite_site: Site) -> None:
    """Changed while the form was open: shown again with the new words, not ticked; then it counts for those."""
    client = sqlite_site.client()
    box = ticked(client.get("/forms/contact").text)
    token = shown(sqlite_site, client)
    redeploy(sqlite_site, lambda text: text.replace("notice: ", "notice: Changed. ", 1))
    page = client.post("/forms/contact", data=GOOD | {"form_token": token, "consent": box})
    assert page.status_code == 422
    assert "Changed. " in page.text
    assert rows(sqlite_site, consent) == []
    assert f'value="{ticked(page.text)}" checked' not in page.text
    fresh = GOOD | {"form_token": token, "consent": ticked(page.text)}
    assert client.post("/forms/contact", data=fresh).status_code == 200
    [row], [words] = rows(sqlite_site, consent), rows(sqlite_site, notice)
    assert row.notice_id == words.id
    assert words.text.startswith("Changed. ")
