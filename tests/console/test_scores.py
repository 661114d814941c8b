"""The pages of trained scores, and the panel on a case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from fairlead.console.score_pages import HEIGHT, WIDTH, picture_of
from fairlead.kit.actors import SYSTEM
from fairlead.playbooks.tables import case
from fairlead.understanding import list_models, models_key, register
from fairlead.understanding.tables import score_model
from tests.understanding.world import by_hand

if TYPE_CHECKING:
    from tests.console.world import Site

KEY = models_key("s" * 40)


def stored(site: Site, *shifts: float) -> None:
    """Versions made by hand."""
    for shift in shifts:
        with site.database.transaction() as uow:
            register(uow, SYSTEM, KEY, by_hand(shift=shift), note="<b>first</b>")


def in_use(site: Site) -> list[str]:
    """The versions that score now."""
    with site.database.reading() as reader:
        return [one["producer"] for one in list_models(reader) if one["in_use"]]


def test_no_model_says_how_to_make_one(sqlite_site: Site) -> None:
    """With the command and what it needs."""
    page = sqlite_site.signed_in().get("/scores").text
    assert "fairlead train lead-score" in page
    assert "1,000 past leads" in page


def test_a_version_shows_figures_picture_and_refused_columns(site: Site) -> None:
    """Intervals, the same figures as a table, reasons escaped, and who made it."""
    stored(site, 0.0)
    client = site.signed_in("viewer")
    listed, page = client.get("/scores").text, client.get("/scores/lead-score@1").text
    assert "lead-score@1" in listed
    assert "0.800" in page
    assert "(0.780 to 0.820)" in page
    assert page.count("<circle") == 2
    assert "51.2 %" in page
    assert "call &lt;seconds&gt;" in page
    assert "&lt;b&gt;first&lt;/b&gt;" in page
    assert "alone it predicts too well" in page
    assert "style=" not in page.split("<main", 1)[1]


def test_a_version_is_put_into_use_by_a_form(site: Site) -> None:
    """Only by whoever may deploy; others see no button and are refused."""
    stored(site, 0.0, 1.0)
    viewer, admin = site.signed_in("viewer"), site.signed_in("admin")
    assert "Score with lead-score@2" in admin.get("/scores/lead-score@2").text
    assert "Score with" not in viewer.get("/scores/lead-score@2").text
    assert viewer.post("/scores/lead-score@2/use").status_code == 403
    answer = admin.post("/scores/lead-score@2/use")
    assert answer.status_code == 303
    assert in_use(site) == ["lead-score@2"]
    assert "This version scores from now on" in admin.get(answer.headers["location"]).text


def test_a_tampered_version_is_refused_on_its_page(sqlite_site: Site) -> None:
    """With the reason; the one that scores stays."""
    stored(sqlite_site, 0.0, 1.0)
    with sqlite_site.database.raw() as connection:
        connection.execute(update(score_model).where(score_model.c.version == 2).values(document=b"changed"))
        connection.commit()
    answer = sqlite_site.signed_in("admin").post("/scores/lead-score@2/use")
    assert answer.status_code == 422
    assert "the model is refused" in answer.text
    assert in_use(sqlite_site) == ["lead-score@1"]


@pytest.mark.parametrize("name", ["lead-score@7", "x@1"])
def test_a_version_that_is_not_there(sqlite_site: Site, name: str) -> None:
    """404, with nothing broken."""
    assert sqlite_site.signed_in().get(f"/scores/{name}").status_code == 404


def with_score(site: Site) -> str:
    """A case whose proposal a person sees, scored by a model."""
    case_id = site.one("assist").case_id
    facts: dict[str, Any] = {
        "points": 12.5, "grade": "C", "producer": "lead-score@1", "scored_at": "2026-01-05T10:00:00Z",
        "score_reasons": [{"words": "a lead like the average", "add": 20.0}, {"words": "month is <may>", "add": -7.5}],
    }  # fmt: skip
    with site.database.raw() as connection:
        known = connection.execute(select(case.c.facts).where(case.c.id == case_id)).scalar_one()
        connection.execute(update(case).where(case.c.id == case_id).values(facts={**known, **facts}))
        connection.commit()
    return str(case_id)


def test_a_case_shows_why_it_has_its_points(site: Site) -> None:
    """Signs, the version with a link, and what such scores came to."""
    stored(site, 0.0)
    page = site.signed_in().get(f"/cases/{with_score(site)}").text
    panel = page[page.index('id="h-score"') : page.index('id="h-facts"')]
    assert "12.5 points" in panel
    assert "\N{MINUS SIGN}7.5" in panel
    assert "month is &lt;may&gt;" in panel
    assert 'href="/scores/lead-score@1"' in panel
    assert "Of 100 leads scored like this, 21 converted" in panel


def test_the_panel_is_withheld_with_the_rest(sqlite_site: Site) -> None:
    """While somebody has to answer without it."""
    review = sqlite_site.one("human")
    with sqlite_site.database.raw() as connection:
        facts = connection.execute(select(case.c.facts).where(case.c.id == review.case_id)).scalar_one()
        assert "points" in facts
    assert 'id="h-score"' not in sqlite_site.signed_in().get(f"/cases/{review.case_id}").text


@pytest.mark.parametrize(
    "bins", [[], [[0, 0, 0, 5, 0]], [[0.0, 1.0, 0.9, 3, 3]], [[0, 0.01, 0.004, 999, 9], [0.01, 0.06, 0.02, 999, 90]]]
)  # fmt: skip
def test_the_picture_stays_inside_its_frame(bins: list[list[float]]) -> None:
    """Whatever the figures, axes included; both axes have one scale."""
    picture = picture_of({"reliability": bins})
    for dot in picture.dots:
        assert 0 <= dot.x <= WIDTH
        assert 0 <= dot.top <= dot.y <= dot.bottom <= HEIGHT
    assert picture.ticks[-1][0] == picture.most
