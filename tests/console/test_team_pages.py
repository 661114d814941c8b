"""The pages of teams, of the dry run, and who has a lead on the page of its case."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from fairlead.people import get_team, memberships_of
from fairlead.testing.clock import FakeClock
from fairlead.testing.seed import add_leads, run_ready
from fairlead.testing.teams import seed_teams

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.console.world import Site


def staffed(site: Site) -> TestClient:
    """Teams with people, leads that they got; the manager's browser."""
    with site.database.transaction() as uow:
        seed_teams(uow)
    add_leads(site.database, site.desk.bundle, 30, seed=11)
    run_ready(site.desk.engine)
    return site.signed_in("manager")


def people_on(page: str) -> dict[str, str]:
    """Names and ids that a form offers."""
    return {name: one for one, name in re.findall(r'<option value="(person_\w+)"[^>]*>([^<]+)</option>', page)}


def test_a_team_is_made_filled_and_undone_by_forms(sqlite_site: Site) -> None:
    """Without script: made, somebody put in, an absence planned and taken back, hours set, removed again."""
    client = sqlite_site.signed_in("manager")
    assert "No teams yet" in client.get("/teams").text
    assert client.post("/teams", data={"name": "Not A Name"}).status_code == 422
    assert client.post("/teams", data={"name": "dach", "title": "DACH"}).headers["location"].startswith("/teams/dach")
    page = client.get("/teams/dach").text
    assert "Nobody is in this team" in page
    rosa = people_on(page)["Rosa Vidal"]
    for path, form in (
        ("members", {"person": rosa, "weight": "2,5", "capacity": "7", "skills": "French, enterprise"}),
        ("absences", {"person": rosa, "from": "2026-12-01", "to": "2026-12-05", "reason": "surgery"}),
        ("hours", {"person": rosa, "week": "Mon-Fri 09:00-17:00", "zone": "Europe/Berlin", "holidays": "2026-12-24"}),
        ("rules", {"off_hours": "wait", "nobody": "queue", "owner_hours": "4", "open_days": "3", "fallback": ""}),
    ):
        assert client.post(f"/teams/dach/{path}", data=form).status_code == 303, path
    page = client.get("/teams/dach").text
    for words in (
        'data-label="Weight">2.5<',
        "0 / 7",
        "enterprise, french",
        "surgery",
        "Mon-Fri 09:00-17:00 (Europe/Berlin)",
    ):
        assert words in page, words
    assert "surgery" not in sqlite_site.signed_in("compliance").get("/teams/dach").text
    absence = re.search(r'name="absence" value="(\w+)"', page)
    assert absence is not None
    assert isinstance(sqlite_site.clock, FakeClock)
    sqlite_site.clock.advance(timedelta(hours=1))
    client.post("/teams/dach/back", data={"absence": absence[1]})
    client.post("/teams/dach/remove", data={"person": rosa})
    page = client.get("/teams/dach").text
    assert "surgery" not in page
    assert "Nobody is in this team" in page
    with sqlite_site.database.reading() as reader:
        history = memberships_of(reader, [get_team(reader, "dach")], None)
    assert [(one.terms.weight, one.until_at is None) for one in history] == [(2.5, False)]


def test_a_refused_change_keeps_what_was_typed(sqlite_site: Site) -> None:
    """The reason stands above the form and nothing was stored."""
    client = staffed(sqlite_site)
    ada = people_on(client.get("/teams/dach").text)["Ada Keller"]
    for path, form, words in (
        ("members", {"person": ada, "weight": "much"}, "much"),
        ("members", {"person": "", "weight": "1"}, "Choose a person"),
        ("absences", {"person": ada, "from": "2026-12-05", "to": "2026-12-01"}, "before the first"),
        ("hours", {"person": ada, "week": "whenever", "zone": "UTC"}, "whenever"),
        ("rules", {"off_hours": "sometimes", "nobody": "hold"}, "Choose what becomes"),
    ):
        answer = client.post(f"/teams/dach/{path}", data=form)
        assert answer.status_code == 422
        assert words in answer.text
        assert "Nothing was stored" in answer.text
    assert client.post("/teams/dach/nonsense", data={}).status_code == 404
    assert client.get("/teams/nowhere").status_code == 404
    assert sqlite_site.signed_in("viewer").get("/teams").status_code == 403
    assert sqlite_site.signed_in("compliance").post("/teams", data={"name": "x"}).status_code == 403


def test_a_case_says_who_has_it_and_lets_it_be_handed_over(site: Site) -> None:
    """Why, who was passed over, and a hand-over that the next page shows; a second one to the same is refused."""
    client = staffed(site)
    cases = re.findall(r"/cases/(case_\w+)", client.get("/cases").text)
    pages = ((one, client.get(f"/cases/{one}").text) for one in dict.fromkeys(cases))
    case_id, page = next((one, page) for one, page in pages if "Assigned to" in page and "Passed over (" in page)
    assert "because" in page
    rosa = people_on(page)["Rosa Vidal"]
    form = {"person": rosa, "kind": "wrong_skill", "hand_reason": "knows <them>"}
    assert client.post(f"/cases/{case_id}/assign", data=form).status_code == 303
    page = client.get(f"/cases/{case_id}").text
    assert "Handed to Rosa Vidal" in page
    assert "knows &lt;them&gt;" in page
    assert "replaced: wrong skill" in page
    again = client.post(f"/cases/{case_id}/assign", data=form)
    assert (again.status_code, "with Rosa Vidal already" in again.text) == (409, True)
    assert client.post(f"/cases/{case_id}/assign", data={**form, "kind": "mood"}).status_code == 422
    assert client.post(f"/cases/{case_id}/worked").status_code == 303
    assert "no longer open since" in client.get(f"/cases/{case_id}").text


def test_the_dry_run_page_shows_then_and_now(sqlite_site: Site) -> None:
    """With a change, and with one that cannot be."""
    client = staffed(sqlite_site)
    page = client.get("/routing", params={"since": "30", "set": "out:Chiara Rossi=yes"}).text
    assert "leads;" in page
    rows = dict(re.findall(r'<th scope="row">([\w ]+)</th><td class="num">\d+</td><td class="num">(\d+)</td>', page))
    assert rows.get("Ada Keller", "0") != "0"
    assert rows.get("Chiara Rossi", "0") == "0"
    wrong = client.get("/routing", params={"set": "weight:Nobody=2"})
    assert (wrong.status_code, "is called Nobody" in wrong.text) == (422, True)
    assert client.get("/routing", params={"since": "x"}).status_code == 422
